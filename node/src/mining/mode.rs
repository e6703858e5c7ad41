//! When blocks are mined.

use std::str::FromStr;
use std::time::Duration;

/// When the in-process miner works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Never.
    Off,
    /// Always: blocks come as the difficulty has it.
    Continuous,
    /// Only while transactions wait that a block can hold.
    OnTransaction,
    /// One block each time this span has passed.
    Interval(Duration),
}

/// Why a word names no mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseModeError {
    /// No mode begins like this.
    #[error(
        "unknown mining mode `{got}`; use continuous, on-transaction, off, or interval:SECONDS"
    )]
    Unknown {
        /// The word.
        got: String,
    },
    /// The seconds are none.
    #[error(
        "an interval of `{got}` seconds is not possible; write interval:SECONDS with a whole number, at least 1"
    )]
    Interval {
        /// What follows the colon.
        got: String,
    },
}

impl Mode {
    /// The word for it in answers and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Continuous => "continuous",
            Self::OnTransaction => "on-transaction",
            Self::Interval(_) => "interval",
        }
    }
}

impl FromStr for Mode {
    type Err = ParseModeError;

    fn from_str(text: &str) -> Result<Self, ParseModeError> {
        match text {
            "off" => Ok(Self::Off),
            "continuous" => Ok(Self::Continuous),
            "on-transaction" => Ok(Self::OnTransaction),
            other => match other.strip_prefix("interval:") {
                Some(seconds) => interval(seconds),
                None => Err(ParseModeError::Unknown { got: text.into() }),
            },
        }
    }
}

fn interval(text: &str) -> Result<Mode, ParseModeError> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0);
    let span = seconds.map(Duration::from_secs);
    span.map(Mode::Interval)
        .ok_or_else(|| ParseModeError::Interval { got: text.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_modes_and_others_are_refused() {
        assert_eq!("continuous".parse(), Ok(Mode::Continuous));
        assert_eq!("on-transaction".parse(), Ok(Mode::OnTransaction));
        let interval = Mode::Interval(Duration::from_secs(5));
        assert_eq!("interval:5".parse(), Ok(interval));
        for bad in ["", "interval:", "interval:0", "interval:x", "always"] {
            let error = bad.parse::<Mode>().unwrap_err();
            assert!(error.to_string().contains("interval:SECONDS"));
        }
        let zero = "interval:0".parse::<Mode>();
        assert_eq!(zero, Err(ParseModeError::Interval { got: "0".into() }));
    }
}
