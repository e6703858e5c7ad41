//! Log lines: for people or for machines.

use std::fmt::Debug;
use std::io::IsTerminal;
use std::str::FromStr;

use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::{self, Writer};
use tracing_subscriber::fmt::time::FormatTime;

use super::args::LogFormat;

/// Time of day, in UTC, to the millisecond.
struct TimeOfDay;

impl FormatTime for TimeOfDay {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        let ms = crate::clock::now().ms;
        let s = ms / 1000;
        let (h, m, s, ms) = (s / 3600 % 24, s / 60 % 60, s % 60, ms % 1000);
        write!(writer, "{h:02}:{m:02}:{s:02}.{ms:03}")
    }
}

/// What the libraries below the network say is of use to their authors, and strangers can make
/// them say it. Who asks for one of them by name gets it.
const QUIET: &str =
    "libp2p=error,multistream_select=error,quinn=error,yamux=error,hickory=error,netlink=error";

/// What to log, as `EnvFilter` takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(String);

impl FromStr for Filter {
    type Err = String;

    /// Reads levels and rules `MODULE=LEVEL`. A level alone is for our own crates; of all others
    /// only warnings are of use to whoever runs a node, unless a rule names them.
    fn from_str(text: &str) -> Result<Self, String> {
        let (rules, levels): (Vec<_>, Vec<_>) = text
            .split(',')
            .map(str::trim)
            .partition(|part| part.contains(['=', '[']));
        let mut filter = QUIET.to_owned();
        for word in levels {
            let level = level(word).ok_or_else(|| unknown(word))?;
            let others = level.min(LevelFilter::WARN);
            filter = match level {
                LevelFilter::OFF => level.to_string(),
                _ => format!("{QUIET},{others},cairn={level}"),
            };
        }
        for rule in rules {
            filter = format!("{filter},{rule}");
        }
        match EnvFilter::try_new(&filter) {
            Ok(_) => Ok(Self(filter)),
            Err(error) => Err(format!("`{text}` is no filter: {error}")),
        }
    }
}

/// `EnvFilter` would take any word for a module, and silence all others.
fn level(word: &str) -> Option<LevelFilter> {
    let is_word = word.bytes().all(|byte| byte.is_ascii_alphabetic());
    word.parse().ok().filter(|_| is_word && !word.is_empty())
}

fn unknown(word: &str) -> String {
    format!(
        "`{word}` is no level: the levels are error, warn, info, debug, trace and off, and a module's is written as cairn_node::chain=debug"
    )
}

/// Starts logging to stdout.
pub fn start(format: LogFormat, filter: &Filter) {
    let filter = EnvFilter::new(&filter.0);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // A log that nobody reads any more is no reason to stop.
        .log_internal_errors(false)
        .with_ansi(std::io::stdout().is_terminal());
    match format {
        LogFormat::Json => builder.json().flatten_event(true).init(),
        LogFormat::Human => builder
            .with_timer(TimeOfDay)
            .with_target(false)
            .fmt_fields(format::debug_fn(human_field))
            .init(),
    }
}

/// The message, then the fields that it does not repeat: those of `block.` are in
/// the message already and are for machines.
fn human_field(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> std::fmt::Result {
    match field.name() {
        "message" => write!(writer, "{value:?}"),
        name if name.starts_with("block.") => Ok(()),
        name => write!(writer, " {name}={value:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_for_our_own_crates() {
        for (text, expected) in [
            ("info", "warn,cairn=info"),
            ("DEBUG", "warn,cairn=debug"),
            ("error", "error,cairn=error"),
            (
                "cairn_node::chain=debug, info",
                "warn,cairn=info,cairn_node::chain=debug",
            ),
            ("warn,libp2p=trace", "warn,cairn=warn,libp2p=trace"),
            ("cairn_node::rpc=trace", "cairn_node::rpc=trace"),
        ] {
            let filter: Filter = text.parse().unwrap();
            assert_eq!(filter.0, format!("{QUIET},{expected}"), "{text}");
        }
        assert_eq!("off".parse(), Ok(Filter("off".into())));
    }

    #[test]
    fn a_word_that_is_no_level_is_refused() {
        for text in [
            "inof",
            "",
            "info,",
            "cairn_node",
            "3",
            "info,cairn_node::chain",
        ] {
            let refused = text.parse::<Filter>().unwrap_err();
            assert!(refused.contains("the levels are error, warn"), "{refused}");
        }
        let loud = "cairn=loud".parse::<Filter>().unwrap_err();
        assert!(loud.contains("is no filter"), "{loud}");
    }
}
