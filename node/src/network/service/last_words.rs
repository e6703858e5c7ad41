//! What is remembered of peers that are gone: why they went, and what was last said of them.

use std::collections::{HashMap, VecDeque};

use libp2p::PeerId;

/// Peers that are remembered, about 200 bytes each.
const MAX_REMEMBERED: usize = 1_024;

/// Least time between two lines that say the same of one peer.
const BETWEEN_LINES_MS: u64 = 60_000;

#[derive(Debug, Clone)]
struct Word {
    why: String,
    told_ms: Option<u64>,
}

/// Why each peer went.
#[derive(Debug, Default)]
pub(super) struct LastWords {
    all: HashMap<PeerId, Word>,
    order: VecDeque<PeerId>,
}

impl LastWords {
    /// Takes in why a peer goes; whether that is news for a reader of the log.
    pub(super) fn remember(&mut self, now_ms: u64, peer: PeerId, why: String) -> bool {
        let before = self.all.get(&peer).cloned();
        let told_ms = before
            .as_ref()
            .filter(|word| word.why == why)
            .and_then(|word| word.told_ms);
        let is_news = told_ms.is_none_or(|told_ms| now_ms.abs_diff(told_ms) >= BETWEEN_LINES_MS);
        if before.is_none() {
            self.order.push_back(peer);
        }
        let told_ms = if is_news { Some(now_ms) } else { told_ms };
        self.all.insert(peer, Word { why, told_ms });
        if self.order.len() > MAX_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.all.remove(&oldest);
        }
        is_news
    }

    /// Why a peer went.
    pub(super) fn of(&self, peer: &PeerId) -> Option<&str> {
        self.all.get(peer).map(|word| word.why.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_once_a_minute() {
        let mut words = LastWords::default();
        let peer = PeerId::random();
        let mut tell = |now_ms, why: &str| words.remember(now_ms, peer, why.to_owned());
        assert!(tell(1_000, "other chain"));
        assert!(!tell(2_000, "other chain"));
        assert!(tell(3_000, "silent"));
        assert!(tell(4_000, "other chain"));
        assert!(!tell(63_999, "other chain"));
        assert!(tell(64_000, "other chain"));
        assert_eq!(words.of(&peer), Some("other chain"));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let mut words = LastWords::default();
        let first = PeerId::random();
        words.remember(0, first, "gone".into());
        for _ in 0..MAX_REMEMBERED {
            words.remember(0, PeerId::random(), "gone".into());
        }
        assert_eq!(words.of(&first), None);
        assert_eq!(
            (words.all.len(), words.order.len()),
            (MAX_REMEMBERED, MAX_REMEMBERED)
        );
    }
}
