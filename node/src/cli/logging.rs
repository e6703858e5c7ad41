//! Log lines: for people or for machines.

use std::fmt::Debug;
use std::io::IsTerminal;

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

/// Starts logging to stdout.
///
/// # Errors
/// What is wrong with `filter`.
pub fn start(format: LogFormat, filter: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| format!("--log: `{filter}` is no filter: {error}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stdout().is_terminal());
    match format {
        LogFormat::Json => builder.json().flatten_event(true).init(),
        LogFormat::Human => builder
            .with_timer(TimeOfDay)
            .with_target(false)
            .fmt_fields(format::debug_fn(human_field))
            .init(),
    }
    Ok(())
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
