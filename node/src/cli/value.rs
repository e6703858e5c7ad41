//! Values as people write them, and what is said of one that is none. The library's own words are
//! those of a programmer.

use std::net::{SocketAddr, ToSocketAddrs};

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command};

/// A parser of whole numbers from `min` to `max`.
pub fn number<T: TryFrom<u64>>(
    min: u64,
    max: u64,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.parse().ok().filter(|n| (min..=max).contains(n));
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| match max {
            u64::MAX => format!("write a whole number, at least {min}"),
            _ => format!("write a whole number from {min} to {max}"),
        })
    }
}

/// A parser of where to listen: an IP address or a name of this machine, and a port. Of several
/// addresses that a name has, one of IPv4 is taken: it is where clients look first.
pub fn listen_address(
    example: &'static str,
) -> impl Fn(&str) -> Result<SocketAddr, String> + Clone + Send + Sync + 'static {
    move |text| {
        let wrong = || format!("write HOST:PORT, for example {example}");
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err(wrong());
        }
        let unknown =
            || format!("no address of `{host}` is known here; write for example {example}");
        let found: Vec<_> = text.to_socket_addrs().map_err(|_| unknown())?.collect();
        let ipv4 = found.iter().find(|address| address.is_ipv4());
        ipv4.or(found.first()).copied().ok_or_else(unknown)
    }
}

/// Adds to an error about a value that nobody typed which variable it comes from.
pub fn name_variable(mut error: clap::Error, mut command: Command) -> clap::Error {
    command.build();
    if let Some(variable) = variable_at_fault(&command, &error) {
        let tip = format!("the value is that of the variable {variable}");
        let tips = ContextValue::StyledStrs(vec![tip.into()]);
        error.insert(ContextKind::Suggested, tips);
    }
    error
}

/// The environment variable that holds the wrong value, unless the option was given.
fn variable_at_fault(command: &Command, error: &clap::Error) -> Option<String> {
    let text = |kind| match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    };
    let name = text(ContextKind::InvalidArg)?;
    let value = text(ContextKind::InvalidValue)?;
    let argument = find_argument(command, name)?;
    let option = format!("--{}", argument.get_long()?);
    let given = |word: &str| word.split('=').next() == Some(&option);
    let is_given = std::env::args_os().any(|word| given(&word.to_string_lossy()));
    let variable = argument.get_env()?;
    let is_at_fault = !is_given && std::env::var_os(variable)? == value.as_str();
    is_at_fault.then(|| variable.to_string_lossy().into_owned())
}

fn find_argument<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    let mut own = command.get_arguments();
    own.find(|argument| argument.to_string() == name)
        .or_else(|| {
            let mut commands = command.get_subcommands();
            commands.find_map(|command| find_argument(command, name))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lie_within_their_bounds() {
        let share = number::<u8>(1, 100);
        assert_eq!((share("1"), share("100")), (Ok(1), Ok(100)));
        for text in ["0", "101", "x", "", "-1", "1.5"] {
            let refused = share(text).unwrap_err();
            assert_eq!(refused, "write a whole number from 1 to 100", "{text}");
        }
        let any = number::<u64>(1, u64::MAX);
        assert_eq!(any("0").unwrap_err(), "write a whole number, at least 1");
    }

    #[test]
    fn addresses_may_have_names() {
        let listen = listen_address("127.0.0.1:8545");
        let address = |text: &str| listen(text).map(|address| address.to_string());
        assert_eq!(address("localhost:8545").unwrap(), "127.0.0.1:8545");
        assert_eq!(address("[::1]:0").unwrap(), "[::1]:0");
        for text in [
            "8545",
            ":8545",
            "127.0.0.1",
            "127.0.0.1:x",
            "127.0.0.1:65536",
        ] {
            let refused = address(text).unwrap_err();
            assert!(refused.contains("127.0.0.1:8545"), "{text}: {refused}");
        }
    }
}
