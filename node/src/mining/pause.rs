//! A pause by chance, for miners whom the clock lets begin at the same moment.

/// The longest pause.
const MOST_MS: u64 = 1_000;

/// Blocks that the clock paces (R-HDR-7) may be had by all miners at the same moment, and where
/// they are easy each finds its own at once. Without chance two miners go on side by side, each on
/// its own branch, for as long as that lasts.
#[derive(Debug)]
pub(super) struct Pause {
    until_ms: u64,
    chance: u64,
}

impl Pause {
    /// None now. Nodes with other seeds pause for other times.
    pub(super) fn none(seed: u64) -> Self {
        Self {
            until_ms: 0,
            chance: seed,
        }
    }

    /// Begins one.
    pub(super) fn begin(&mut self, now_ms: u64) {
        // Knuth's generator: nothing is at stake.
        self.chance = self
            .chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.until_ms = now_ms.saturating_add((self.chance >> 33) % MOST_MS);
    }

    /// Ends it.
    pub(super) fn end(&mut self) {
        self.until_ms = 0;
    }

    /// Whether it lasts. A clock that was set back is no reason to wait longer.
    pub(super) fn lasts(&self, now_ms: u64) -> bool {
        (1..=MOST_MS).contains(&self.until_ms.saturating_sub(now_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long it lasts.
    fn length(pause: &mut Pause) -> u64 {
        pause.begin(10_000);
        (0..=MOST_MS)
            .find(|ms| !pause.lasts(10_000 + ms))
            .expect("it ends")
    }

    #[test]
    fn two_miners_do_not_begin_together() {
        let [mut one, mut other] = [1, 2].map(Pause::none);
        assert!(!one.lasts(0));
        let together = (0..1_000).filter(|_| {
            let (one, other) = (length(&mut one), length(&mut other));
            one.abs_diff(other) < 100
        });
        let together = together.count();
        assert!((100..300).contains(&together), "{together} of 1,000");
        one.begin(10_000);
        assert!(!one.lasts(1_000), "a clock that was set back");
        one.end();
        assert!(!one.lasts(10_000));
    }
}
