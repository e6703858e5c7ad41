//! Answers that are on their way to peers.

use std::collections::BTreeMap;

use crate::network::Peer;

/// Bytes of all of them. Sixteen peers that catch up over slow lines are served within it;
/// a crowd that asks and does not read takes no more.
const MAX_BYTES: usize = 64 << 20;

/// All of them. Their ids ascend: the first is the one that has waited longest.
#[derive(Debug)]
pub(super) struct Underway<Id> {
    all: BTreeMap<Id, (Peer, usize)>,
    bytes: usize,
}

impl<Id> Default for Underway<Id> {
    fn default() -> Self {
        Self {
            all: BTreeMap::new(),
            bytes: 0,
        }
    }
}

impl<Id: Ord> Underway<Id> {
    /// Takes in an answer. Gives the peers that have to go for it: those that have not read
    /// theirs for the longest time.
    pub(super) fn insert(&mut self, id: Id, peer: Peer, bytes: usize) -> Vec<Peer> {
        self.all.insert(id, (peer, bytes));
        self.bytes += bytes;
        let mut leaving = Vec::new();
        while self.bytes > MAX_BYTES
            && let Some((_, &(slowest, _))) = self.all.first_key_value()
        {
            self.forget(slowest);
            leaving.push(slowest);
        }
        leaving
    }

    /// Takes in that an answer has left, or never will; whose it was.
    pub(super) fn remove(&mut self, id: Id) -> Option<Peer> {
        let (peer, bytes) = self.all.remove(&id)?;
        self.bytes -= bytes;
        Some(peer)
    }

    fn forget(&mut self, peer: Peer) {
        let theirs = self.all.extract_if(.., |_, (other, _)| *other == peer);
        let bytes: usize = theirs.map(|(_, (_, bytes))| bytes).sum();
        self.bytes -= bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: usize = MAX_BYTES / 4;

    #[test]
    fn who_has_not_read_for_longest_goes_first() {
        let mut underway = Underway::default();
        let [slow, quick, late] = [1, 2, 3].map(Peer);
        assert_eq!(underway.insert(1, quick, QUARTER), []);
        assert_eq!(underway.insert(2, slow, QUARTER), []);
        assert_eq!(underway.insert(3, slow, QUARTER), []);
        assert_eq!(underway.remove(1), Some(quick));
        assert_eq!(underway.remove(1), None);
        assert_eq!(underway.insert(4, quick, QUARTER), []);
        assert_eq!(underway.insert(5, late, QUARTER), []);
        assert_eq!(
            underway.insert(6, late, 1),
            [slow],
            "once, for all that it has"
        );
        assert_eq!(underway.remove(2), None);
        assert_eq!(underway.bytes, 2 * QUARTER + 1);
        for id in 4..=6 {
            assert!(underway.remove(id).is_some());
        }
        assert_eq!(underway.bytes, 0);
    }
}
