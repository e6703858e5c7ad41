//! The chain: which blocks are known, which branch is best, what it says.
//!
//! ```text
//! VerifiedBlock ─► accept ─┬─ parent unknown ──► orphans
//!                          ├─ ahead of the clock ► future blocks
//!                          ├─ on the tip ──────► Transition: connect ──► ONE batch
//!                          └─ on a side branch ► side blocks ─► heavier than the tip?
//!                                                  Transition: disconnect…, connect… ─► ONE batch
//! ```
//!
//! The tip moves only to strictly more work, fully executed (R-FORK-2). A branch that
//! turns out invalid midway leaves the tip where it was. The clock is an argument.
//!
//! [`view`] is the reading side, on snapshots; this side is the only writer.
//!
//! Deliberately absent: signature checks (a [`VerifiedBlock`] has passed them),
//! peers, threads, and any state that is not in the store or bounded here.

pub mod audit;
mod error;
mod execute;
pub mod import;
mod init;
mod marks;
mod orphans;
mod record;
mod reorg;
mod replay;
mod side;
mod template;
#[cfg(test)]
mod testing;
#[cfg(test)]
pub(crate) mod tests;
mod transition;
pub mod verify;
pub mod view;

use std::sync::Arc;

use alloy_primitives::{B256, U256};
use cairn_genesis::check::after_parent::{self, Linked, Parent};
use cairn_genesis::{ChainSpec, VerifiedBlock};
use cairn_vm::Machine;

pub use error::{BlockError, ConnectError, ExecutionFault};
pub use execute::block_env;
pub use orphans::{MAX_FUTURE, MAX_ORPHANS};
pub use record::{HeaderRecord, ReceiptRecord};
pub use replay::Replay;
pub use template::{Template, TemplateRequest};
pub use transition::Moved;
pub(crate) use transition::encode_body;
pub use view::{ChainView, Tip};

use crate::store::{Batch, Column, Durability, Store, StoreError, keys};
use marks::InvalidMarks;
use orphans::{FutureBlocks, Orphans};
use side::SideBlocks;
use transition::{Transition, unexecuted};

/// Bytes from which a change of the tip is written in several batches.
const MAX_BATCH_BYTES: usize = 64 << 20;

/// Blocks below the tip whose work a side branch need not have to be stored: it must
/// have more than the tip's less that of these. Trades deep reorganizations, which
/// then need the blocks again in order, against what a flood can fill the disk with.
pub const SIDE_WORK_BLOCKS: u64 = 256;

/// The reason of a mark that the operator set.
pub const OPERATOR_REASON: &str = "invalidated by the operator";

/// What became of a block that was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It was known already.
    Known,
    /// Its parent is unknown; it waits.
    Orphan,
    /// Its time has not come; it waits.
    Future,
    /// It is kept on a side branch.
    Side,
    /// It is on the best chain now.
    Best,
}

/// The chain and its store's write side.
pub struct Chain {
    store: Arc<dyn Store>,
    spec: Arc<ChainSpec>,
    machine: Machine,
    tip: Arc<HeaderRecord>,
    side: SideBlocks,
    marks: InvalidMarks,
    orphans: Orphans,
    future: FutureBlocks,
    max_batch_bytes: usize,
}

impl Chain {
    /// Opens the chain of `spec` in `store`: writes genesis into an empty store,
    /// finishes a change of the tip that was cut off.
    pub fn open(store: Arc<dyn Store>, spec: Arc<ChainSpec>) -> Result<Self, StoreError> {
        Self::open_with(store, spec, MAX_BATCH_BYTES)
    }

    fn open_with(
        store: Arc<dyn Store>,
        spec: Arc<ChainSpec>,
        max_batch_bytes: usize,
    ) -> Result<Self, StoreError> {
        let tip = init::tip(&*store, &spec)?;
        let mut chain = Self {
            machine: Machine::new(crate::precompiles::precompiles()),
            tip,
            side: SideBlocks::load(&*store)?,
            marks: InvalidMarks::load(&*store)?,
            orphans: Orphans::default(),
            future: FutureBlocks::default(),
            store,
            spec,
            max_batch_bytes,
        };
        chain.resume()?;
        Ok(chain)
    }

    /// The executed tip.
    pub fn tip(&self) -> &Arc<HeaderRecord> {
        &self.tip
    }

    /// The rules of this chain.
    pub fn spec(&self) -> &Arc<ChainSpec> {
        &self.spec
    }

    /// The database below.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Blocks that wait: orphans and future ones.
    pub fn waiting(&self) -> (usize, usize) {
        (self.orphans.len(), self.future.len())
    }

    /// Takes in a block, and then those that were waiting for it. `moves` gets
    /// every change of the tip; it holds even where the result is an error.
    pub fn accept(
        &mut self,
        now_s: u64,
        block: VerifiedBlock,
        moves: &mut Vec<Moved>,
    ) -> Result<Accepted, BlockError> {
        self.accept_proven(now_s, block, U256::ZERO, moves)
    }

    fn accept_proven(
        &mut self,
        now_s: u64,
        block: VerifiedBlock,
        proven_work: U256,
        moves: &mut Vec<Moved>,
    ) -> Result<Accepted, BlockError> {
        let hash = block.hash();
        let accepted = self.accept_one(now_s, block, proven_work, moves)?;
        if matches!(accepted, Accepted::Best | Accepted::Side) {
            self.accept_waiting(now_s, hash, moves)?;
        }
        Ok(accepted)
    }

    /// Takes in the blocks whose time has come.
    pub fn accept_due(&mut self, now_s: u64, moves: &mut Vec<Moved>) -> Result<(), StoreError> {
        let drift = self.spec.max_future_drift.unwrap_or_default();
        for block in self.future.take_due(now_s.saturating_add(drift)) {
            match self.accept(now_s, block, moves) {
                Err(BlockError::Ours(error)) => return Err(error),
                Err(error) => tracing::debug!(%error, "a block that was held is refused"),
                Ok(_) => {}
            }
        }
        Ok(())
    }

    /// Takes in blocks that follow each other upward, of a branch whose headers have shown
    /// `proven_work`. On the tip they share batches; elsewhere they are kept, also far below
    /// the tip, until the branch wins.
    ///
    /// # Errors
    /// How many were taken in, and why the next was not.
    pub fn accept_branch(
        &mut self,
        now_s: u64,
        blocks: Vec<VerifiedBlock>,
        proven_work: U256,
        moves: &mut Vec<Moved>,
    ) -> Result<(), (usize, BlockError)> {
        let on_tip = blocks
            .first()
            .is_some_and(|first| first.header().parent_hash == self.tip.hash);
        if on_tip && blocks.len() > 1 {
            match self.extend(now_s, &blocks, moves) {
                Ok(()) => return Ok(()),
                Err(BlockError::Ours(error)) => return Err((0, error.into())),
                // One by one, then, up to the one that is at fault: it gets its mark.
                Err(_) => {}
            }
        }
        for (index, block) in blocks.into_iter().enumerate() {
            let hash = block.hash();
            match self.accept_proven(now_s, block, proven_work, moves) {
                Ok(Accepted::Orphan) => return Err((index, BlockError::Unknown { hash })),
                Ok(_) => {}
                Err(error) => return Err((index, error)),
            }
        }
        Ok(())
    }

    /// Extends the tip by blocks that follow each other, in as few batches as
    /// memory allows: how a long chain is taken in. `moves` gets every change of the tip;
    /// it holds even where the result is an error.
    ///
    /// # Errors
    /// The first block that is refused; it gets no mark.
    pub fn extend(
        &mut self,
        now_s: u64,
        blocks: &[VerifiedBlock],
        moves: &mut Vec<Moved>,
    ) -> Result<(), BlockError> {
        for block in blocks {
            self.check_mark(block.hash())?;
        }
        let mut blocks = blocks.iter().peekable();
        while blocks.peek().is_some() {
            let mut transition = Transition::new(
                &*self.store,
                &self.spec,
                &mut self.machine,
                Arc::clone(&self.tip),
            );
            while let Some(block) = blocks.peek() {
                let linked = link(&self.spec, transition.tip(), block)?;
                if let Some(not_yet) = after_parent::not_yet(&self.spec, block.header(), now_s) {
                    return Err(not_yet.into());
                }
                transition.connect(block, linked)?;
                blocks.next();
                if transition.size_bytes() > self.max_batch_bytes {
                    break;
                }
            }
            let part = transition.commit(Durability::Synced, None)?;
            self.follow(&part);
            moves.push(part);
        }
        Ok(())
    }

    fn accept_waiting(
        &mut self,
        now_s: u64,
        parent: B256,
        moves: &mut Vec<Moved>,
    ) -> Result<(), StoreError> {
        let mut parents = vec![parent];
        while let Some(parent) = parents.pop() {
            for child in self.orphans.take_children(parent) {
                let hash = child.hash();
                match self.accept_one(now_s, child, U256::ZERO, moves) {
                    Ok(_) => parents.push(hash),
                    Err(BlockError::Ours(error)) => return Err(error),
                    Err(error) => tracing::debug!(%error, "an orphan is refused"),
                }
            }
        }
        Ok(())
    }

    fn accept_one(
        &mut self,
        now_s: u64,
        block: VerifiedBlock,
        proven_work: U256,
        moves: &mut Vec<Moved>,
    ) -> Result<Accepted, BlockError> {
        let hash = block.hash();
        self.check_mark(hash)?;
        if view::find_header(&*self.store, hash)?.is_some() {
            return Ok(Accepted::Known);
        }
        self.check_mark(block.header().parent_hash)?;
        let Some(parent) = self.parent(&block)? else {
            self.orphans.insert(block);
            return Ok(Accepted::Orphan);
        };
        self.check_ancestors(parent.hash)?;
        let linked = link(&self.spec, &parent, &block)?;
        if let Some(not_yet) = after_parent::not_yet(&self.spec, block.header(), now_s) {
            return self.hold(now_s, block, not_yet);
        }
        if parent.hash == self.tip.hash {
            moves.push(self.extend_tip(&block, linked)?);
            return Ok(Accepted::Best);
        }
        self.keep_side(&block, linked, proven_work)?;
        if linked.work > self.tip.work {
            moves.extend(self.activate()?);
            self.check_mark(hash)?;
        }
        match self.tip.hash == hash {
            true => Ok(Accepted::Best),
            false => Ok(Accepted::Side),
        }
    }

    fn parent(&self, block: &VerifiedBlock) -> Result<Option<Arc<HeaderRecord>>, StoreError> {
        let hash = block.header().parent_hash;
        if hash == self.tip.hash {
            return Ok(Some(Arc::clone(&self.tip)));
        }
        Ok(view::find_header(&*self.store, hash)?.map(Arc::new))
    }

    /// R-INV-3: "a block of the future (R-HDR-7) is held (at most 64 blocks, at most 2 ×
    /// `max_future_drift` ahead) and tried again."
    fn hold(
        &mut self,
        now_s: u64,
        block: VerifiedBlock,
        not_yet: cairn_genesis::NotYet,
    ) -> Result<Accepted, BlockError> {
        let drift = self.spec.max_future_drift.unwrap_or_default();
        if block.header().timestamp > now_s.saturating_add(drift.saturating_mul(2)) {
            return Err(not_yet.into());
        }
        self.future.insert(block);
        Ok(Accepted::Future)
    }

    fn extend_tip(&mut self, block: &VerifiedBlock, linked: Linked) -> Result<Moved, BlockError> {
        let mut transition = Transition::new(
            &*self.store,
            &self.spec,
            &mut self.machine,
            Arc::clone(&self.tip),
        );
        match transition.connect(block, linked) {
            Ok(()) => {
                let moved = transition.commit(Durability::Synced, None)?;
                self.follow(&moved);
                Ok(moved)
            }
            Err(ConnectError::Ours(error)) => Err(error.into()),
            Err(ConnectError::Invalid(fault)) => {
                self.mark_invalid(block.hash(), &fault.to_string())?;
                Err(fault.into())
            }
        }
    }

    /// Stores a block of a side branch, and drops what the limits no longer allow.
    fn keep_side(
        &mut self,
        block: &VerifiedBlock,
        linked: Linked,
        proven_work: U256,
    ) -> Result<(), BlockError> {
        let hash = block.hash();
        if linked.work.max(proven_work) <= self.work_floor()? {
            return Err(BlockError::TooLittleWork { hash });
        }
        let record = unexecuted(block, linked);
        let key = keys::block(record.number(), hash);
        let mut batch = Batch::default();
        batch.put(Column::Headers, hash, record.encode());
        batch.put(Column::Bodies, key, encode_body(block));
        batch.put(Column::Side, key, record.size_bytes.to_be_bytes());
        self.side.insert(&record);
        // What wins by itself needs no promise, and must not take that of a branch on its way.
        if linked.work <= self.tip.work && proven_work > self.tip.work {
            self.side.promise(hash, proven_work);
        }
        while let Some((number, weakest)) = self.side.excess(&hash, self.tip.work) {
            self.side.remove(&weakest);
            forget(&mut batch, number, weakest);
        }
        Ok(self.store.write(batch, Durability::Buffered)?)
    }

    fn work_floor(&self) -> Result<U256, StoreError> {
        let number = self.tip.number().saturating_sub(SIDE_WORK_BLOCKS);
        if number == 0 {
            return Ok(Default::default());
        }
        let hash = view::canonical_hash(&*self.store, number)?
            .ok_or_else(|| StoreError::corrupt(format!("no canonical block at {number}")))?;
        Ok(view::header(&*self.store, hash)?.work)
    }

    fn check_mark(&self, hash: B256) -> Result<(), BlockError> {
        match self.marks.reason(&hash) {
            Some(reason) => Err(BlockError::MarkedInvalid {
                invalid: hash,
                reason: reason.to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// Of the side blocks those alone are marked that the operator rejects (what is found to be
    /// invalid is dropped): without one there is no need to walk down a long branch.
    fn check_ancestors(&self, mut hash: B256) -> Result<(), BlockError> {
        if !self.marks.hashes().any(|marked| self.side.contains(marked)) {
            return Ok(());
        }
        while let Some(parent) = self.side.parent(&hash) {
            self.check_mark(hash)?;
            hash = parent;
        }
        Ok(())
    }

    /// Takes over the tip of a transition that was committed.
    fn follow(&mut self, moved: &Moved) {
        for record in &moved.disconnected {
            self.side.insert(record);
        }
        for record in &moved.connected {
            self.side.remove(&record.hash);
        }
        self.tip = Arc::clone(&moved.to);
    }
}

/// Checks a block against its parent.
fn link(
    spec: &ChainSpec,
    parent: &HeaderRecord,
    block: &VerifiedBlock,
) -> Result<Linked, cairn_genesis::InvalidBlock> {
    let parent = Parent {
        hash: parent.hash,
        header: &parent.header,
        skipped: parent.skipped,
        work: parent.work,
    };
    after_parent::header(spec, &parent, block.sealed())
}

/// Removes a block off the best chain from the store.
fn forget(batch: &mut Batch, number: u64, hash: B256) {
    let key = keys::block(number, hash);
    batch.delete(Column::Headers, hash);
    batch.delete(Column::Bodies, key);
    batch.delete(Column::Side, key);
    batch.delete(Column::SideReceipts, key);
}
