//! Gossip that was of no use, and who told most of it.
//!
//! libp2p remembers each message: for half a minute that it is known, and for two minutes, in its
//! score of peers, who told it. That has no bound of its own but how fast peers can talk.
//! What the pool or the chain took in bounds itself; the rest is counted here.

use std::collections::BTreeMap;
use std::time::Duration;

use cairn_genesis::ChainSpec;
use libp2p::PeerId;
use tokio::time::Instant;

/// Counts are halved so often: they stand for the last two minutes.
const HALF_LIFE: Duration = Duration::from_secs(60);

/// Messages a second, on average over that time, that may be of no use, whoever tells them. Each
/// takes about 500 bytes in libp2p, so this is 180 MB.
const LEAST_PER_S: u64 = 3_000;

/// Gas of the smallest transaction (R-TX-9).
const LEAST_GAS: u64 = 21_000;

/// The share of the bound below which nobody has to go: what an honest peer tells is of no use
/// either once others leave no room for it.
const BLAMELESS_SHARE: u64 = 64;

/// The share of the bound that cannot come of anything but ill will.
const BLAMED_SHARE: u64 = 4;

/// Who has to go, as it told most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Loudest {
    pub id: PeerId,
    /// Whether it is to blame, and not many together.
    pub to_blame: bool,
}

/// How much each peer told that was of no use.
#[derive(Debug)]
pub(super) struct Useless {
    most: u64,
    told: BTreeMap<PeerId, u64>,
    total: u64,
    halved: Instant,
}

impl Useless {
    /// With the bound for a chain: where blocks hold more than the least, as much as they hold. Peers
    /// pass on what they took in themselves, so no more of it is of no use.
    pub(super) fn new(now: Instant, spec: &ChainSpec) -> Self {
        let capacity_per_s = spec.gas_limit / LEAST_GAS / spec.spacing.max(1);
        let per_s = LEAST_PER_S.max(capacity_per_s);
        Self {
            most: per_s.saturating_mul(2 * HALF_LIFE.as_secs()),
            told: BTreeMap::new(),
            total: 0,
            halved: now,
        }
    }

    /// Counts a message. Who has to go, if there are too many: of those who are still there, the
    /// one who told most.
    pub(super) fn count(
        &mut self,
        now: Instant,
        from: PeerId,
        is_here: impl Fn(&PeerId) -> bool,
    ) -> Option<Loudest> {
        self.age(now);
        self.total += 1;
        let told = self.told.entry(from).or_default();
        *told += 1;
        if self.total <= self.most || *told <= self.most / BLAMELESS_SHARE {
            return None;
        }
        let here = self.told.iter().filter(|(id, _)| is_here(id));
        let (id, told) = here.max_by_key(|(_, told)| **told)?;
        let (id, told) = (*id, *told);
        self.told.remove(&id);
        self.total -= told;
        let to_blame = told > self.most / BLAMED_SHARE;
        Some(Loudest { id, to_blame })
    }

    fn age(&mut self, now: Instant) {
        while now.duration_since(self.halved) >= HALF_LIFE {
            self.halved += HALF_LIFE;
            self.told.retain(|_, told| {
                *told /= 2;
                *told > 0
            });
            self.total = self.told.values().sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devnet() -> ChainSpec {
        ChainSpec::builtin("devnet").unwrap().clone()
    }

    #[test]
    fn the_loudest_goes_when_all_together_are_too_loud() {
        let start = Instant::now();
        let mut useless = Useless::new(start, &devnet());
        let most = useless.most;
        let [loud, louder, quiet, gone] = [(); 4].map(|()| PeerId::random());
        let mut tell = |id: PeerId, count| {
            let mut told = (0..count).map(|_| useless.count(start, id, |id| *id != gone));
            told.find_map(|goes| goes)
        };
        assert_eq!(tell(gone, most / 2), None);
        assert_eq!(tell(loud, most / 8), None);
        assert_eq!(tell(louder, most / 4 + 1), None);
        assert_eq!(tell(quiet, most / 8 - 1), None, "as much as there may be");
        assert_eq!(tell(PeerId::random(), most / 64), None, "too little");
        let goes = |id, to_blame| Some(Loudest { id, to_blame });
        assert_eq!(tell(quiet, 1), goes(louder, true));
        assert_eq!(tell(quiet, most / 8), None, "there is room again");
        assert_eq!(tell(loud, most / 4), goes(quiet, false), "one of many");
    }

    #[test]
    fn what_was_told_long_ago_does_not_count() {
        let start = Instant::now();
        let mut useless = Useless::new(start, &devnet());
        let peer = PeerId::random();
        for second in 0..1_000 {
            let now = start + Duration::from_secs(second);
            for _ in 0..LEAST_PER_S {
                assert_eq!(useless.count(now, peer, |_| true), None);
            }
        }
        let later = start + Duration::from_secs(3_000);
        assert_eq!(useless.count(later, peer, |_| true), None);
        assert_eq!((useless.total, useless.told.len()), (1, 1));
    }

    #[test]
    fn a_chain_with_room_for_more_hears_more() {
        let large = ChainSpec {
            gas_limit: 21_000 * 60_000,
            spacing: 2,
            ..devnet()
        };
        let small = ChainSpec {
            gas_limit: 21_000,
            ..large.clone()
        };
        let most = |spec| Useless::new(Instant::now(), spec).most;
        assert_eq!(most(&large), 30_000 * 120);
        assert_eq!(most(&small), LEAST_PER_S * 120);
    }
}
