//! How often something may happen: so many times at once, and so many a second from then on.

/// What is left of it.
#[derive(Debug)]
pub struct Bucket {
    burst_milli: u64,
    per_s: u64,
    left_milli: u64,
    since_ms: u64,
}

impl Bucket {
    /// A full one.
    pub fn new(now_ms: u64, burst: u64, per_s: u64) -> Self {
        Self {
            burst_milli: burst * 1000,
            per_s,
            left_milli: burst * 1000,
            since_ms: now_ms,
        }
    }

    /// Whether it may happen once more.
    pub fn has_one(&mut self, now_ms: u64) -> bool {
        let gained = now_ms
            .saturating_sub(self.since_ms)
            .saturating_mul(self.per_s);
        let left = self.left_milli.saturating_add(gained);
        self.left_milli = left.min(self.burst_milli);
        self.since_ms = now_ms;
        self.left_milli >= 1000
    }

    /// It happens once more; `false` if it may not.
    pub fn take(&mut self, now_ms: u64) -> bool {
        let has_one = self.has_one(now_ms);
        if has_one {
            self.left_milli -= 1000;
        }
        has_one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_comes_back_with_time() {
        let mut bucket = Bucket::new(0, 3, 2);
        let mut taken = |now_ms| (0..9).take_while(|_| bucket.take(now_ms)).count();
        assert_eq!(taken(0), 3);
        assert_eq!(taken(499), 0);
        assert_eq!(taken(1_000), 2);
        assert_eq!(taken(500), 0, "a clock that was set back gives nothing");
        assert_eq!(taken(9_000_000), 3);
    }
}
