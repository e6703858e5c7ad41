//! Moving the tip to another branch, and the operator's say in it.

use std::sync::Arc;

use alloy_primitives::B256;
use cairn_genesis::{Block, VerifiedBlock};

use super::error::{BlockError, ConnectError};
use super::record::HeaderRecord;
use super::transition::{Moved, Transition};
use super::{Chain, forget, link, verify, view};
use crate::store::schema::meta;
use crate::store::{Batch, Column, Durability, StoreError, keys};

/// A branch that is heavier than the tip.
struct Branch {
    /// Height of the last block that it shares with the best chain.
    fork: u64,
    /// Its blocks above the fork, upward.
    blocks: Vec<B256>,
}

impl Chain {
    /// Moves the tip to the heaviest branch that is not known to be invalid.
    pub(super) fn activate(&mut self) -> Result<Option<Moved>, StoreError> {
        let origin = self.origin()?;
        let mut moved: Option<Moved> = None;
        while let Some(branch) = self.better_branch(origin)? {
            let invalid = self.switch(&branch, origin, &mut moved)?;
            if let Some((hash, reason)) = invalid {
                self.mark_invalid(hash, &reason)?;
            }
        }
        if self.store.get(Column::Meta, meta::INTENT)?.is_some() {
            self.clear_intent()?;
        }
        Ok(moved.filter(|moved| moved.from.hash != moved.to.hash))
    }

    /// Finishes a change of the tip that was cut off: before its first batch, when the
    /// block or mark that caused it was written already, or between two batches.
    pub(super) fn resume(&mut self) -> Result<(), StoreError> {
        let down = self.leave_marked()?;
        let up = self.activate()?;
        if merge(down, up).is_some() {
            tracing::warn!("finished a change of the tip that was cut off");
        }
        Ok(())
    }

    /// Marks a block invalid by the operator's will and moves the tip off it.
    pub fn invalidate(&mut self, hash: B256) -> Result<Option<Moved>, BlockError> {
        view::find_header(&*self.store, hash)?
            .filter(|record| record.number() > 0)
            .ok_or(BlockError::Unknown { hash })?;
        self.marks
            .add(&*self.store, &[hash], super::OPERATOR_REASON)?;
        let down = self.leave_marked()?;
        let up = self.activate()?;
        Ok(merge(down, up))
    }

    /// Takes back every mark on a block, its ancestors and its descendants.
    pub fn reconsider(&mut self, hash: B256) -> Result<Option<Moved>, BlockError> {
        if view::find_header(&*self.store, hash)?.is_none() && self.marks.reason(&hash).is_none() {
            return Err(BlockError::Unknown { hash });
        }
        let mut family = self.side.with_descendants(hash);
        let mut ancestor = hash;
        while let Some(parent) = self.side.parent(&ancestor) {
            family.push(parent);
            ancestor = parent;
        }
        self.marks.remove(&*self.store, &family)?;
        Ok(self.activate()?)
    }

    /// Remembers that a block is invalid for everybody, and drops it with all that
    /// builds on it.
    pub(super) fn mark_invalid(&mut self, hash: B256, reason: &str) -> Result<(), StoreError> {
        tracing::warn!(%hash, reason, "a block is invalid");
        let family = self.side.with_descendants(hash);
        self.marks.add(&*self.store, &family, reason)?;
        let mut batch = Batch::default();
        for hash in family.into_iter().rev() {
            if self.side.contains(&hash) {
                let number = view::header(&*self.store, hash)?.number();
                forget(&mut batch, number, hash);
                self.side.remove(&hash);
            }
        }
        self.store.write(batch, Durability::Buffered)
    }

    /// Moves the tip below every block of the best chain that is marked.
    fn leave_marked(&mut self) -> Result<Option<Moved>, StoreError> {
        let mut lowest: Option<u64> = None;
        for hash in self.marks.hashes() {
            let Some(record) = view::find_header(&*self.store, *hash)? else {
                continue;
            };
            let number = record.number();
            if view::canonical_hash(&*self.store, number)? == Some(*hash) {
                lowest = Some(lowest.map_or(number, |lowest| lowest.min(number)));
            }
        }
        let mut moved = None;
        if let Some(number) = lowest {
            let below = Branch {
                fork: number - 1,
                blocks: Vec::new(),
            };
            self.switch(&below, self.origin()?, &mut moved)?;
        }
        Ok(moved)
    }

    /// The tip that a change in several batches began at; without one the present tip.
    fn origin(&self) -> Result<B256, StoreError> {
        let intent = self.store.get(Column::Meta, meta::INTENT)?;
        intent.map_or(Ok(self.tip.hash), |hash| keys::parse_hash(&hash))
    }

    /// The heaviest branch above the tip's work, without its invalid end. Of equal ones
    /// the `origin` is better, if a change in several batches has to be taken back.
    fn better_branch(&self, origin: B256) -> Result<Option<Branch>, StoreError> {
        let mut best: Option<(HeaderRecord, Branch)> = None;
        for (work, leaf) in self.side.leaves() {
            if work < self.tip.work {
                break;
            }
            let mut blocks = Vec::new();
            let mut at = leaf;
            while let Some(parent) = self.side.parent(&at) {
                blocks.push(at);
                if self.marks.reason(&at).is_some() {
                    blocks.clear();
                }
                at = parent;
            }
            let Some(end) = blocks.first() else { continue };
            let end = view::header(&*self.store, *end)?;
            let better_than = best.as_ref().map_or(self.tip.work, |(end, _)| end.work);
            // R-FORK-3: "the one that was executed first stays."
            if end.work > better_than || (end.work == better_than && end.hash == origin) {
                blocks.reverse();
                let fork = view::header(&*self.store, at)?.number();
                best = Some((end, Branch { fork, blocks }));
            }
        }
        Ok(best.map(|(_, branch)| branch))
    }

    /// Moves the tip to the end of `branch`. Returns the block that proved invalid,
    /// if one did; then the tip is where the last batch left it, which is the old
    /// tip unless the branch took several batches. Between batches the store says that
    /// the change began at `origin`.
    fn switch(
        &mut self,
        branch: &Branch,
        origin: B256,
        moved: &mut Option<Moved>,
    ) -> Result<Option<(B256, String)>, StoreError> {
        let mut blocks = branch.blocks.iter();
        loop {
            let mut transition = Transition::new(
                &*self.store,
                &self.spec,
                &mut self.machine,
                Arc::clone(&self.tip),
            );
            let mut done = false;
            while !done && transition.size_bytes() <= self.max_batch_bytes {
                if transition.tip().number() > branch.fork && !blocks_begun(&blocks, branch) {
                    transition.disconnect()?;
                } else if let Some(hash) = blocks.next() {
                    let block = stored_block(&*self.store, &self.spec, *hash)?;
                    let linked = link(&self.spec, transition.tip(), &block)
                        .map_err(|error| StoreError::corrupt(error.to_string()))?;
                    match transition.connect(&block, linked) {
                        Ok(()) => {}
                        Err(ConnectError::Ours(error)) => return Err(error),
                        Err(ConnectError::Invalid(fault)) => {
                            return Ok(Some((*hash, fault.to_string())));
                        }
                    }
                } else {
                    done = true;
                }
            }
            let intent = (!done).then_some(origin);
            let part = transition.commit(Durability::Synced, intent)?;
            self.follow(&part);
            *moved = merge(moved.take(), Some(part));
            if done {
                return Ok(None);
            }
        }
    }

    fn clear_intent(&self) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        batch.delete(Column::Meta, meta::INTENT);
        self.store.write(batch, Durability::Synced)
    }
}

fn blocks_begun(rest: &std::slice::Iter<'_, B256>, branch: &Branch) -> bool {
    rest.len() < branch.blocks.len()
}

fn merge(first: Option<Moved>, second: Option<Moved>) -> Option<Moved> {
    match (first, second) {
        (Some(first), Some(second)) => Some(first.then(second)),
        (first, second) => first.or(second),
    }
}

/// A side block from the store, verified again: senders are not stored for it.
fn stored_block(
    store: &dyn crate::store::Store,
    spec: &cairn_genesis::ChainSpec,
    hash: B256,
) -> Result<VerifiedBlock, StoreError> {
    let record = view::header(store, hash)?;
    let transactions = view::body(store, record.number(), hash)?;
    let block = Block {
        header: record.header,
        seal: record.seal,
        transactions,
    };
    verify::block(spec, block)
        .map_err(|fault| StoreError::corrupt(format!("stored block {hash}: {fault}")))
}
