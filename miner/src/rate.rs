//! Hashes per second, estimated from two counters.

use std::time::Duration;

/// Over this time of work an old observation loses all but 1/e of its weight.
const MEMORY: Duration = Duration::from_secs(10);

/// Less work than this is no measurement: where a block takes one hash, it would be noise.
const LEAST: Duration = Duration::from_millis(10);

/// A smoothed rate over the time in which the miner works. Pauses do not count: a miner that waits
/// is not a slower one. Feed it the counters ([`crate::Miner::hashes`], [`crate::Miner::worked`])
/// as often as you like.
#[derive(Clone, Debug, Default)]
pub struct HashRate {
    hashes: u64,
    worked: Duration,
    /// What was observed, the older the lighter.
    weighted_hashes: f64,
    weighted_seconds: f64,
}

impl HashRate {
    /// Takes the counters' values and returns the estimate.
    pub fn update(&mut self, hashes: u64, worked: Duration) -> Option<f64> {
        let seconds = worked.saturating_sub(self.worked).as_secs_f64();
        if seconds > 0.0 {
            let observed = float(hashes.saturating_sub(self.hashes)) / seconds;
            let weight = (-seconds / MEMORY.as_secs_f64()).exp();
            // Within the observation too, what is older weighs less.
            let weighted = MEMORY.as_secs_f64() * (1.0 - weight);
            self.weighted_hashes = self.weighted_hashes * weight + observed * weighted;
            self.weighted_seconds = self.weighted_seconds * weight + weighted;
            self.hashes = hashes;
            self.worked = worked;
        }
        self.per_second()
    }

    /// The estimate of the last update, in hashes per second; none before there was enough work.
    pub fn per_second(&self) -> Option<f64> {
        let is_measured = self.weighted_seconds >= LEAST.as_secs_f64();
        is_measured.then(|| self.weighted_hashes / self.weighted_seconds)
    }
}

/// A count as a float, exact up to 2^53 and rounded beyond.
fn float(count: u64) -> f64 {
    let (high, low) = (count >> 32, count & u64::from(u32::MAX));
    [high, low].iter().fold(0.0, |sum, half| {
        let half = u32::try_from(*half).expect("half of 64 bits");
        sum * 4_294_967_296.0 + f64::from(half)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[track_caller]
    fn is_about(rate: Option<f64>, expected: f64) {
        let rate = rate.unwrap();
        assert!((rate - expected).abs() < 1e-6, "{rate}");
    }

    #[test]
    fn a_steady_counter_gives_its_rate() {
        let mut rate = HashRate::default();
        for second in 1..=5 {
            is_about(rate.update(second * 1_000, seconds(second)), 1_000.0);
        }
    }

    #[test]
    fn a_change_counts_more_with_time() {
        let mut rate = HashRate::default();
        rate.update(1_000_000, seconds(1_000));
        let slower = rate.update(1_000_000, seconds(1_010));
        is_about(slower, 1_000.0 / std::f64::consts::E);
    }

    #[test]
    fn a_pause_changes_nothing() {
        let mut rate = HashRate::default();
        rate.update(1_000, seconds(1));
        for _ in 0..100 {
            is_about(rate.update(1_000, seconds(1)), 1_000.0);
        }
        is_about(rate.update(2_000, seconds(2)), 1_000.0);
    }

    #[test]
    fn nothing_is_said_before_there_was_work() {
        let mut rate = HashRate::default();
        assert_eq!(rate.update(0, Duration::ZERO), None);
        assert_eq!(rate.update(1, Duration::from_micros(3)), None);
        let measured = rate.update(40, Duration::from_millis(20)).unwrap();
        assert!((1_900.0..2_100.0).contains(&measured), "{measured}");
    }
}
