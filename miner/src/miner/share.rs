//! A duty cycle: mining that leaves the machine to others.

use std::time::Duration;

/// The part of the time in which a thread computes, 1 to 100 percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    percent: u8,
}

impl Share {
    /// All of the time.
    pub const FULL: Self = Self { percent: 100 };

    /// `percent` of the time; `None` unless it is 1 to 100.
    pub fn from_percent(percent: u8) -> Option<Self> {
        (1..=100).contains(&percent).then_some(Self { percent })
    }

    /// The share in percent.
    pub fn percent(self) -> u8 {
        self.percent
    }

    /// How long to rest after computing for `worked`.
    pub(super) fn rest_after(self, worked: Duration) -> Duration {
        let percent = u32::from(self.percent);
        worked.saturating_mul(100_u32.saturating_sub(percent)) / percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_1_to_100_percent_is_a_share() {
        assert_eq!(Share::from_percent(0), None);
        assert_eq!(Share::from_percent(101), None);
        assert_eq!(Share::from_percent(100), Some(Share::FULL));
        assert_eq!(Share::from_percent(1).map(Share::percent), Some(1));
    }

    #[test]
    fn rest_completes_the_share() {
        let worked = Duration::from_millis(10);
        let rest = |percent| Share::from_percent(percent).unwrap().rest_after(worked);
        assert_eq!(rest(100), Duration::ZERO);
        assert_eq!(rest(50), worked);
        assert_eq!(rest(20), worked * 4);
        assert_eq!(rest(1), worked * 99);
    }
}
