//! Blocks that cannot be judged yet: the parent is unknown, or their time has not
//! come. Both buffers are bounded and lose nothing that cannot be fetched again.

use std::collections::{BTreeMap, HashMap, VecDeque};

use alloy_primitives::B256;
use cairn_genesis::VerifiedBlock;

/// Orphans kept. Enough for a burst of blocks that arrive in the wrong order.
pub const MAX_ORPHANS: usize = 256;

/// Bytes of all orphans.
const MAX_ORPHAN_BYTES: usize = 64 << 20;

/// Future blocks kept (R-INV-3: "at most 64 blocks").
pub const MAX_FUTURE: usize = 64;

/// Bytes of all future blocks. Full ones may not be held as many: they come again.
const MAX_FUTURE_BYTES: usize = 64 << 20;

/// Blocks whose parent is unknown, oldest first out.
#[derive(Debug, Default)]
pub struct Orphans {
    blocks: HashMap<B256, VerifiedBlock>,
    order: VecDeque<B256>,
    size_bytes: usize,
}

impl Orphans {
    /// Keeps a block until its parent comes or the buffer is full.
    pub fn insert(&mut self, block: VerifiedBlock) {
        let hash = block.hash();
        if self.blocks.contains_key(&hash) {
            return;
        }
        self.size_bytes += block.size_bytes();
        self.order.push_back(hash);
        self.blocks.insert(hash, block);
        while self.blocks.len() > MAX_ORPHANS || self.size_bytes > MAX_ORPHAN_BYTES {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            if let Some(block) = self.blocks.remove(&oldest) {
                self.size_bytes -= block.size_bytes();
            }
        }
    }

    /// Takes out the blocks that were waiting for `parent`, in the order of their
    /// arrival: of equal ones the first is to win.
    pub fn take_children(&mut self, parent: B256) -> Vec<VerifiedBlock> {
        let is_child = |hash: &&B256| self.blocks[*hash].header().parent_hash == parent;
        let children: Vec<_> = self.order.iter().filter(is_child).copied().collect();
        self.order.retain(|hash| !children.contains(hash));
        let taken: Vec<_> = children
            .iter()
            .filter_map(|hash| self.blocks.remove(hash))
            .collect();
        self.size_bytes -= taken.iter().map(VerifiedBlock::size_bytes).sum::<usize>();
        taken
    }

    /// How many blocks wait.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }
}

/// Blocks whose timestamp is ahead of the clock, soonest first.
#[derive(Debug, Default)]
pub struct FutureBlocks {
    blocks: BTreeMap<(u64, B256), VerifiedBlock>,
    size_bytes: usize,
}

impl FutureBlocks {
    /// Keeps a block until its time comes; of too many, the latest are dropped.
    pub fn insert(&mut self, block: VerifiedBlock) {
        let key = (block.header().timestamp, block.hash());
        if self.blocks.contains_key(&key) {
            return;
        }
        self.size_bytes += block.size_bytes();
        self.blocks.insert(key, block);
        while self.blocks.len() > MAX_FUTURE || self.size_bytes > MAX_FUTURE_BYTES {
            let Some((_, latest)) = self.blocks.pop_last() else {
                return;
            };
            self.size_bytes -= latest.size_bytes();
        }
    }

    /// Takes out the blocks with a timestamp up to `limit_s`.
    pub fn take_due(&mut self, limit_s: u64) -> Vec<VerifiedBlock> {
        let later = self
            .blocks
            .split_off(&(limit_s.saturating_add(1), B256::ZERO));
        let due: Vec<_> = std::mem::replace(&mut self.blocks, later)
            .into_values()
            .collect();
        self.size_bytes -= due.iter().map(VerifiedBlock::size_bytes).sum::<usize>();
        due
    }

    /// How many blocks wait.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }
}
