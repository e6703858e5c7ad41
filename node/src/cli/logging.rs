//! Log lines: for people or for machines.

use std::fmt::Debug;
use std::io::IsTerminal;
use std::str::FromStr;

use tracing::field::Field;
use tracing_subscriber::EnvFilter;
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

/// What to log, as the user wrote it.
#[derive(Debug, Clone)]
pub struct Filter(String);

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match EnvFilter::try_new(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(error) => Err(format!("`{text}` is no filter: {error}")),
        }
    }
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
