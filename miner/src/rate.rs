//! Hashes per second, estimated from a counter.

use std::time::{Duration, Instant};

/// Over this time an old observation loses all but 1/e of its weight.
const MEMORY: Duration = Duration::from_secs(10);

/// A smoothed rate. Feed it the counter ([`crate::Miner::hashes`]) as often as you like.
#[derive(Clone, Debug)]
pub struct HashRate {
    last: Instant,
    hashes: u64,
    per_second: Option<f64>,
}

impl HashRate {
    /// Starts measuring at the counter's present value.
    pub fn new(now: Instant, hashes: u64) -> Self {
        Self {
            last: now,
            hashes,
            per_second: None,
        }
    }

    /// Takes the counter's value at `now` and returns the estimate, hashes per second.
    pub fn update(&mut self, now: Instant, hashes: u64) -> f64 {
        let seconds = now.saturating_duration_since(self.last).as_secs_f64();
        if seconds > 0.0 {
            let observed = float(hashes.saturating_sub(self.hashes)) / seconds;
            let weight = (-seconds / MEMORY.as_secs_f64()).exp();
            self.per_second = Some(match self.per_second {
                Some(before) => before * weight + observed * (1.0 - weight),
                None => observed,
            });
            self.last = now;
            self.hashes = hashes;
        }
        self.per_second()
    }

    /// The estimate of the last update; 0 before the first.
    pub fn per_second(&self) -> f64 {
        self.per_second.unwrap_or(0.0)
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

    #[test]
    fn a_steady_counter_gives_its_rate() {
        let start = Instant::now();
        let mut rate = HashRate::new(start, 500);
        assert_eq!(rate.per_second(), 0.0);
        for second in 1..=5_u32 {
            let now = start + Duration::from_secs(second.into());
            let estimate = rate.update(now, 500 + u64::from(second) * 1_000);
            assert!((estimate - 1_000.0).abs() < 1e-6, "{estimate}");
        }
    }

    #[test]
    fn a_pause_lets_the_rate_fade() {
        let start = Instant::now();
        let mut rate = HashRate::new(start, 0);
        rate.update(start + Duration::from_secs(1), 1_000);
        let faded = rate.update(start + Duration::from_secs(11), 1_000);
        assert!(
            (faded - 1_000.0 / std::f64::consts::E).abs() < 1e-6,
            "{faded}"
        );
    }

    #[test]
    fn the_same_moment_twice_changes_nothing() {
        let start = Instant::now();
        let mut rate = HashRate::new(start, 0);
        assert_eq!(rate.update(start, 10), 0.0);
        assert_eq!(rate.update(start + Duration::from_secs(1), 10), 10.0);
    }
}
