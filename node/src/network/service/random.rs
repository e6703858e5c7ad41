//! Chance where nothing is at stake: which peer to try next, how long to wait, what a bad
//! line loses. Splitmix64.

/// A source of numbers.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// One that no other run is likely to have.
    pub(super) fn of_this_run() -> Self {
        let mut seed = [0; 8];
        // Without it all runs are alike, which costs nothing but variety.
        let _ = getrandom::fill(&mut seed);
        Self::new(u64::from_le_bytes(seed))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 if there is none.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = (bound as u64).max(1);
        usize::try_from(self.next() % bound).expect("below a usize")
    }

    /// True in so many cases of a hundred.
    pub(super) fn percent(&mut self, percent: u8) -> bool {
        self.below(100) < usize::from(percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_numbers_come_and_none_too_large() {
        let mut random = Random::new(1);
        let mut counts = [0; 5];
        for _ in 0..5_000 {
            counts[random.below(5)] += 1;
        }
        assert!(
            counts.iter().all(|count| (800..1_200).contains(count)),
            "{counts:?}"
        );
        assert_eq!(random.below(0), 0);
        let losses = (0..10_000).filter(|_| random.percent(20)).count();
        assert!((1_700..2_300).contains(&losses), "{losses}");
    }
}
