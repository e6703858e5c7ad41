//! How often something may happen: so many times at once, and so many a second from then on.

/// What is left of it.
#[derive(Debug)]
pub(super) struct Budget {
    burst: u64,
    per_s: u64,
    left_milli: u64,
    last_ms: u64,
}

impl Budget {
    pub(super) fn new(now_ms: u64, burst: u64, per_s: u64) -> Self {
        Self {
            burst,
            per_s,
            left_milli: burst * 1000,
            last_ms: now_ms,
        }
    }

    /// Whether it may happen once more.
    pub(super) fn take(&mut self, now_ms: u64) -> bool {
        let gained = now_ms
            .saturating_sub(self.last_ms)
            .saturating_mul(self.per_s);
        self.last_ms = now_ms;
        self.left_milli = self
            .left_milli
            .saturating_add(gained)
            .min(self.burst * 1000);
        let enough = self.left_milli >= 1000;
        if enough {
            self.left_milli -= 1000;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_comes_back_with_time() {
        let mut budget = Budget::new(0, 3, 2);
        let mut taken = |now_ms| (0..9).take_while(|_| budget.take(now_ms)).count();
        assert_eq!(taken(0), 3);
        assert_eq!(taken(499), 0);
        assert_eq!(taken(1_000), 2);
        assert_eq!(taken(500), 0, "a clock that was set back gives nothing");
        assert_eq!(taken(9_000_000), 3);
    }
}
