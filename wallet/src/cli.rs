//! The command line: what can be asked for, and what `--help` teaches.

use std::path::PathBuf;

use clap::{
    Arg, Args, Command, CommandFactory, Parser, Subcommand,
    builder::FalseyValueParser,
    error::{ContextKind, ContextValue},
};

use crate::command::{
    BalanceArguments, ContractArguments, ExportArguments, HistoryArguments, ImportArguments,
    NameArguments, NewArguments, RestoreArguments, SendArguments, SignArguments, VerifyArguments,
};

const FIRST_STEPS: &str = "\
First steps:
  cairn-wallet new --name main              make an account; write its words on paper
  cairn-wallet balance                      what your accounts have
  cairn-wallet send 0xADDRESS 1.5           pay 1.5 cairn; shows the fee and asks first
  cairn-wallet history                      what came and went lately

On a development chain, take an account that has coins already:
  echo \"test test test test test test test test test test test junk\" \\
    | cairn-wallet restore --name dev0      add --index 1, 2, ... for the others

Contracts:
  cairn-wallet contract deploy @Token.json  create one; `contract --help` shows the rest

In scripts:
  cairn-wallet --json --password-file FILE send 0xADDRESS 20gwei --yes

Amounts: 1.5 or 1.5cairn, 20gwei, 7wei.
Exit codes: 0 done, 1 failed, 2 the command line is wrong.
Passphrases come from a prompt, --password-file or CAIRN_PASSWORD, never from arguments.";

/// Keys, signatures and payments for Cairn.
///
/// Keys are kept encrypted in a directory of this machine; everything else is asked from a node.
#[derive(Debug, Parser)]
#[command(name = "cairn-wallet", version, after_help = FIRST_STEPS, max_term_width = 100)]
pub struct Arguments {
    /// Options that every verb takes.
    #[command(flatten)]
    pub common: CommonOptions,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Options that every verb takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Common options")]
pub struct CommonOptions {
    /// URL of the node, or HOST:PORT.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "CAIRN_RPC",
        hide_env_values = true,
        default_value = "http://127.0.0.1:8545"
    )]
    pub rpc: String,
    /// Directory of the encrypted keys [default: ~/.cairn/keystore].
    #[arg(long, global = true, value_name = "DIR", env = "CAIRN_KEYSTORE")]
    pub keystore: Option<PathBuf>,
    /// File that holds the passphrase, and nothing else.
    #[arg(long, global = true, value_name = "FILE", env = "CAIRN_PASSWORD_FILE")]
    pub password_file: Option<PathBuf>,
    /// Print the result as JSON; amounts are decimal numbers of wei in strings.
    #[arg(long, global = true, env = "CAIRN_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
}

impl Arguments {
    /// Reads the command line and the environment.
    ///
    /// # Errors
    /// What is wrong with them, or the help that was asked for. A wrong value that nobody typed is
    /// said to come from its variable.
    pub fn read() -> Result<Self, clap::Error> {
        Self::try_parse().map_err(|mut error| {
            let mut command = Self::command();
            command.build();
            if let Some(variable) = variable_at_fault(&command, &error) {
                let tip = format!("the value is that of the variable {variable}");
                let tips = ContextValue::StyledStrs(vec![tip.into()]);
                error.insert(ContextKind::Suggested, tips);
            }
            error
        })
    }
}

/// The environment variable that holds the wrong value, unless the option was given.
fn variable_at_fault(command: &Command, error: &clap::Error) -> Option<String> {
    let text = |kind| match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    };
    let (name, value) = (
        text(ContextKind::InvalidArg)?,
        text(ContextKind::InvalidValue)?,
    );
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
            let mut verbs = command.get_subcommands();
            verbs.find_map(|verb| find_argument(verb, name))
        })
}

/// A parser of whole numbers from `min` to `max`.
pub(crate) fn number<T: TryFrom<u64>>(
    min: u64,
    max: u64,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.parse().ok().filter(|n| (min..=max).contains(n));
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| format!("write a whole number from {min} to {max}"))
    }
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a new account and show its words (mnemonic) once.
    New(NewArguments),
    /// Bring back an account from its words.
    Restore(RestoreArguments),
    /// Add a private key or a key file of another program.
    Import(ImportArguments),
    /// Show the accounts of the keystore.
    List,
    /// Give an account another name.
    Name(NameArguments),
    /// Print an account's private key or key file.
    Export(ExportArguments),
    /// Pay somebody, and wait until the payment is mined.
    Send(SendArguments),
    /// Create, ask and use contracts.
    Contract(ContractArguments),
    /// Show what accounts have.
    Balance(BalanceArguments),
    /// Show recent payments from and to an account.
    History(HistoryArguments),
    /// Sign a message (EIP-191).
    Sign(SignArguments),
    /// Check who signed a message.
    Verify(VerifyArguments),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_flag_explains_itself() {
        explains_itself(&Arguments::command());
    }

    fn explains_itself(command: &Command) {
        assert!(command.get_about().is_some(), "{}", command.get_name());
        for argument in command.get_arguments() {
            let (command, argument, help) =
                (command.get_name(), argument.get_id(), argument.get_help());
            assert!(help.is_some(), "{command} {argument}");
        }
        command.get_subcommands().for_each(explains_itself);
    }

    #[test]
    fn numbers_lie_within_their_bounds() {
        let small = number::<u32>(1, 70_000);
        assert_eq!((small("1"), small("70000")), (Ok(1), Ok(70_000)));
        for text in ["0", "70001", "99999999999999999999", "x", "", "-1", "0x7"] {
            let refused = small(text).unwrap_err();
            assert_eq!(refused, "write a whole number from 1 to 70000", "{text}");
        }
    }

    #[test]
    fn no_secret_can_be_an_argument() {
        for secret in ["--password", "--passphrase", "--mnemonic", "--private-key"] {
            for verb in ["new", "restore", "import", "send", "contract deploy"] {
                let line = format!("cairn-wallet {verb} {secret} x");
                assert!(
                    Arguments::try_parse_from(line.split(' ')).is_err(),
                    "{line}"
                );
            }
        }
    }
}
