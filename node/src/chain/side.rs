//! Blocks off the best chain whose bodies are kept: the branches that may win.

use std::collections::{BTreeSet, HashMap};

use alloy_primitives::{B256, U256};

use super::record::HeaderRecord;
use super::view;
use crate::store::{Column, Store, StoreError, keys};

/// Bodies kept at one height. More competitors than that at one height are a flood.
const MAX_PER_HEIGHT: usize = 8;

/// Bytes of all bodies kept. Trades disk space against the depth of the branches
/// that can win without being fetched again.
const MAX_BYTES: usize = 256 << 20;

#[derive(Debug, Clone)]
struct Entry {
    number: u64,
    parent: B256,
    work: U256,
    size_bytes: usize,
}

/// The index of the side blocks; their headers and bodies are in the store.
#[derive(Debug, Default)]
pub struct SideBlocks {
    entries: HashMap<B256, Entry>,
    heights: HashMap<u64, usize>,
    /// Blocks here that build on a block, which may be on the best chain.
    children: HashMap<B256, Vec<B256>>,
    /// Blocks without a child here, least work first.
    leaves: BTreeSet<(U256, B256)>,
    size_bytes: usize,
    /// The end so far of a branch whose headers have shown this much work.
    promising: Option<(B256, U256)>,
}

impl SideBlocks {
    /// Reads the index back from the store.
    pub fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let mut side = Self::default();
        let mut cursor = store.cursor(Column::Side);
        cursor.seek(&[])?;
        while let Some((key, _)) = cursor.entry() {
            let (_, hash) = keys::parse_block(key)?;
            side.insert(&view::header(store, hash)?);
            cursor.advance()?;
        }
        Ok(side)
    }

    /// Whether the block is kept here.
    pub fn contains(&self, hash: &B256) -> bool {
        self.entries.contains_key(hash)
    }

    /// The parent of a block that is kept here.
    pub fn parent(&self, hash: &B256) -> Option<B256> {
        self.entries.get(hash).map(|entry| entry.parent)
    }

    /// Adds a block.
    pub fn insert(&mut self, record: &HeaderRecord) {
        let entry = Entry {
            number: record.number(),
            parent: record.header.parent_hash,
            work: record.work,
            size_bytes: record.size_bytes as usize,
        };
        let siblings = self.children.entry(entry.parent).or_default();
        siblings.push(record.hash);
        if let Some(parent) = self.entries.get(&entry.parent) {
            self.leaves.remove(&(parent.work, entry.parent));
        }
        if !self.children.contains_key(&record.hash) {
            self.leaves.insert((entry.work, record.hash));
        }
        *self.heights.entry(entry.number).or_default() += 1;
        self.size_bytes += entry.size_bytes;
        self.entries.insert(record.hash, entry);
    }

    /// Takes in that the branch up to this block is on its way, and that it will have so much work.
    pub fn promise(&mut self, hash: B256, proven_work: U256) {
        self.promising = Some((hash, proven_work));
    }

    /// Forgets a block.
    pub fn remove(&mut self, hash: &B256) {
        let Some(entry) = self.entries.remove(hash) else {
            return;
        };
        self.leaves.remove(&(entry.work, *hash));
        self.promising.take_if(|(end, _)| end == hash);
        if self.remove_child(entry.parent, hash)
            && let Some(parent) = self.entries.get(&entry.parent)
        {
            self.leaves.insert((parent.work, entry.parent));
        }
        if let Some(count) = self.heights.get_mut(&entry.number) {
            *count -= 1;
            if *count == 0 {
                self.heights.remove(&entry.number);
            }
        }
        self.size_bytes -= entry.size_bytes;
    }

    /// Whether it was the last child of `parent` here.
    fn remove_child(&mut self, parent: B256, child: &B256) -> bool {
        let Some(siblings) = self.children.get_mut(&parent) else {
            return true;
        };
        siblings.retain(|sibling| sibling != child);
        let none_left = siblings.is_empty();
        if none_left {
            self.children.remove(&parent);
        }
        none_left
    }

    /// The ends of all branches, most work first.
    pub fn leaves(&self) -> impl Iterator<Item = (U256, B256)> {
        self.leaves.iter().rev().copied()
    }

    /// The block and everything here that builds on it, parents first.
    pub fn with_descendants(&self, hash: B256) -> Vec<B256> {
        let mut found = vec![hash];
        let mut next = 0;
        while let Some(parent) = found.get(next).copied() {
            let first_new = found.len();
            found.extend(self.children.get(&parent).into_iter().flatten());
            found[first_new..].sort_unstable();
            next += 1;
        }
        found
    }

    /// The block to drop next so that the limits hold again: of those without a child
    /// the one with the least work, so that no branch is cut, and never `keep`. A
    /// single branch that is longer than the limits is kept, as long as it may be about to win; then
    /// what is not on it goes, `keep` too, unless that wins at once.
    pub fn excess(&self, keep: &B256, tip_work: U256) -> Option<(u64, B256)> {
        let newcomer = self.entries.get(keep)?;
        let is_crowded = self.heights[&newcomer.number] > MAX_PER_HEIGHT;
        let is_full = self.size_bytes > MAX_BYTES;
        let promising = self.promising.filter(|(_, work)| *work > tip_work);
        let promising = promising.map(|(hash, _)| hash);
        let ends = self
            .leaves
            .iter()
            .map(|(_, hash)| (self.entries[hash].number, *hash));
        let mut others = ends.filter(|(_, hash)| hash != keep && Some(*hash) != promising);
        let weakest =
            others.find(|(number, _)| is_full || (is_crowded && *number == newcomer.number));
        let wins = newcomer.work > tip_work;
        let in_the_way = is_full && !wins && promising.is_some_and(|promising| promising != *keep);
        weakest.or_else(|| in_the_way.then_some((newcomer.number, *keep)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::testing::record;

    #[test]
    fn leaves_are_ends_of_branches_by_work() {
        let mut side = SideBlocks::default();
        let (a, b, c) = (record(1, 10, 0), record(2, 20, 10), record(2, 21, 10));
        for block in [&a, &b, &c] {
            side.insert(block);
        }
        let leaves: Vec<_> = side.leaves().map(|(_, hash)| hash).collect();
        assert_eq!(leaves, [c.hash, b.hash]);
        assert_eq!(side.with_descendants(a.hash), [a.hash, b.hash, c.hash]);
        side.remove(&c.hash);
        assert_eq!(side.with_descendants(a.hash), [a.hash, b.hash]);
        side.remove(&b.hash);
        let leaves: Vec<_> = side.leaves().map(|(_, hash)| hash).collect();
        assert_eq!(
            leaves,
            [a.hash],
            "a parent without children is an end again"
        );
        assert_eq!(side.parent(&a.hash), Some(a.header.parent_hash));
    }

    #[test]
    fn the_weakest_end_at_a_crowded_height_goes_first() {
        let mut side = SideBlocks::default();
        let blocks: Vec<_> = (0..9u64).map(|i| record(5, 100 + i, 1)).collect();
        for block in &blocks[..8] {
            side.insert(block);
            assert_eq!(side.excess(&block.hash, U256::ZERO), None);
        }
        side.insert(&blocks[8]);
        let newcomer = &blocks[8].hash;
        assert_eq!(side.excess(newcomer, U256::ZERO), Some((5, blocks[0].hash)));
        side.remove(&blocks[0].hash);
        assert_eq!(side.excess(newcomer, U256::ZERO), None);
    }

    #[test]
    fn bytes_are_bounded() {
        let mut side = SideBlocks::default();
        let blocks: Vec<_> = (0..40u64)
            .map(|i| HeaderRecord {
                size_bytes: 8 << 20,
                ..record(i, 100 + i, 1)
            })
            .collect();
        for block in &blocks {
            side.insert(block);
            while let Some((_, hash)) = side.excess(&block.hash, U256::ZERO) {
                side.remove(&hash);
            }
            assert!(side.size_bytes <= MAX_BYTES);
        }
        assert!(side.contains(&blocks[39].hash) && !side.contains(&blocks[0].hash));
    }

    /// A long branch goes from its end downward, until the newcomer fits.
    #[test]
    fn a_branch_makes_room_block_by_block() {
        let large = |number, id, parent| HeaderRecord {
            size_bytes: 8 << 20,
            ..record(number, id, parent)
        };
        let mut side = SideBlocks::default();
        for id in 1..=31 {
            side.insert(&large(id, id, id - 1));
        }
        let newcomer = HeaderRecord {
            size_bytes: 24 << 20,
            ..record(1, 100, 0)
        };
        side.insert(&newcomer);
        let mut dropped = Vec::new();
        while let Some((number, hash)) = side.excess(&newcomer.hash, U256::ZERO) {
            dropped.push(number);
            side.remove(&hash);
        }
        assert_eq!(dropped, [31, 30]);
        assert_eq!(side.size_bytes, MAX_BYTES);
        // Its own branch is left alone, whatever it takes.
        let mut side = SideBlocks::default();
        for id in 1..=40 {
            let block = large(id, id, id - 1);
            side.insert(&block);
            assert_eq!(side.excess(&block.hash, U256::ZERO), None);
        }
    }

    /// What is on its way and will win is not cut by blocks beside the tip.
    #[test]
    fn a_branch_that_will_win_is_spared() {
        let large = |number, id, parent| HeaderRecord {
            size_bytes: 8 << 20,
            ..record(number, id, parent)
        };
        let (tip_work, proven) = (U256::from(1_000), U256::from(2_000));
        let mut side = SideBlocks::default();
        for id in 1..=40 {
            let block = large(id, id, id - 1);
            side.insert(&block);
            side.promise(block.hash, proven);
            assert_eq!(side.excess(&block.hash, tip_work), None);
        }
        let (end, beside) = (large(40, 40, 39), large(90, 900, 89));
        let winner = HeaderRecord {
            work: tip_work + U256::ONE,
            ..large(91, 901, 90)
        };
        side.insert(&winner);
        assert_eq!(side.excess(&winner.hash, tip_work), None);
        side.remove(&winner.hash);
        side.insert(&beside);
        assert_eq!(
            side.excess(&beside.hash, tip_work),
            Some((90, beside.hash)),
            "the newcomer is in its way"
        );
        assert_eq!(
            side.excess(&beside.hash, proven),
            Some((40, end.hash)),
            "the tip has overtaken what it promised"
        );
        side.remove(&end.hash);
        assert_eq!(side.promising, None);
    }
}
