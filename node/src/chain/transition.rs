//! From one tip to another: blocks undone and connected on an overlay, and then
//! ONE atomic batch.
//!
//! Do and undo stand side by side here: whatever [`Transition::connect`] writes,
//! [`Transition::disconnect`] removes.

use std::collections::HashSet;
use std::sync::Arc;

use alloy_primitives::B256;
use cairn_genesis::check::{after_execution, after_parent::Linked};
use cairn_genesis::{ChainSpec, Receipt, Transaction, VerifiedBlock};
use cairn_vm::Machine;

use super::error::{ConnectError, ExecutionFault};
use super::execute::{BlockExecution, Executed, block_env};
use super::record::{HeaderRecord, ReceiptRecord, block_bloom, encode_receipts};
use super::view;
use crate::state::{Changes, Pending};
use crate::store::schema::meta;
use crate::store::{Batch, Column, Durability, Store, StoreError, keys};

/// A change of the tip in the making. Dropping it leaves the store untouched.
pub struct Transition<'a> {
    store: &'a dyn Store,
    spec: &'a ChainSpec,
    machine: &'a mut Machine,
    pending: Pending,
    batch: Batch,
    moved: Moved,
}

/// What a transition did, for the mempool and for those who listen.
#[derive(Debug, Clone)]
pub struct Moved {
    /// The tip before.
    pub from: Arc<HeaderRecord>,
    /// The tip after.
    pub to: Arc<HeaderRecord>,
    /// Blocks that left the best chain, from the old tip downward.
    pub disconnected: Vec<Arc<HeaderRecord>>,
    /// Blocks that joined it, upward to the new tip.
    pub connected: Vec<Arc<HeaderRecord>>,
    /// State keys of the accounts that may differ between the two tips: all that a block on
    /// the way has a before-image of, whoever changed them.
    pub touched: HashSet<B256>,
}

impl Moved {
    /// This move followed by `next`, which begins where this one ends. Blocks that
    /// one connects and the other disconnects cancel out.
    pub fn then(mut self, next: Self) -> Self {
        for record in next.disconnected {
            match self.connected.last() {
                Some(last) if last.hash == record.hash => drop(self.connected.pop()),
                _ => self.disconnected.push(record),
            }
        }
        for record in next.connected {
            match self.disconnected.last() {
                Some(last) if last.hash == record.hash => drop(self.disconnected.pop()),
                _ => self.connected.push(record),
            }
        }
        self.to = next.to;
        self.touched.extend(next.touched);
        self
    }
}

impl<'a> Transition<'a> {
    /// Begins at the tip of `store`.
    pub fn new(
        store: &'a dyn Store,
        spec: &'a ChainSpec,
        machine: &'a mut Machine,
        tip: Arc<HeaderRecord>,
    ) -> Self {
        Self {
            store,
            spec,
            machine,
            pending: Pending::default(),
            batch: Batch::default(),
            moved: Moved {
                from: Arc::clone(&tip),
                to: tip,
                disconnected: Vec::new(),
                connected: Vec::new(),
                touched: HashSet::new(),
            },
        }
    }

    /// Where the transition stands.
    pub fn tip(&self) -> &Arc<HeaderRecord> {
        &self.moved.to
    }

    /// What the batch would hold so far, roughly.
    pub fn size_bytes(&self) -> usize {
        self.batch.size_bytes() + self.pending.size_bytes()
    }

    /// Executes `block`, whose parent is where the transition stands, and makes it
    /// the tip. After an error the transition is of no further use.
    pub fn connect(&mut self, block: &VerifiedBlock, linked: Linked) -> Result<(), ConnectError> {
        let header = block.header();
        let mut execution = BlockExecution::begin(
            self.store,
            &mut self.pending,
            self.machine,
            block_env(self.spec, header),
            header.parent_hash,
        )?;
        tracing::debug_span!("execute").in_scope(|| {
            let mut transactions = block.transactions().iter();
            transactions.try_for_each(|transaction| execution.transact(transaction))
        })?;
        let executed = execution.finish(self.spec.subsidy(header.number))?;
        let receipts: Vec<Receipt> = executed
            .receipts
            .iter()
            .map(|record| record.receipt.clone())
            .collect();
        after_execution::block(header, executed.gas_used, &receipts, executed.state_root)
            .map_err(ExecutionFault::Result)?;
        let record = Arc::new(self.record(block, linked, &executed));
        self.write_connected(block, &record, &executed);
        self.pending.set_canonical(record.number(), record.hash);
        self.touch(&executed.changes);
        self.moved.connected.push(Arc::clone(&record));
        self.moved.to = record;
        Ok(())
    }

    /// Undoes the block that the transition stands at; its parent becomes the tip.
    pub fn disconnect(&mut self) -> Result<(), StoreError> {
        let record = Arc::clone(&self.moved.to);
        let (number, hash) = (record.number(), record.hash);
        let parent = view::header(self.store, record.header.parent_hash)?;
        let block = keys::block(number, hash);
        let changes = self.store.get(Column::Changes, &block)?.ok_or_else(|| {
            StoreError::corrupt(format!("the changes of block {number} are missing"))
        })?;
        let changes = Changes::decode(&changes)?;
        self.pending.undo(&changes);
        let accounts: Vec<_> = changes.accounts.iter().map(|(key, _)| *key).collect();
        let slots: Vec<_> = changes.storage.iter().map(|(key, _)| *key).collect();
        let root = self.pending.update_root(self.store, &accounts, &slots)?;
        if root != parent.header.state_root {
            return Err(StoreError::corrupt(format!(
                "undoing block {number} gave state root {root}, its parent has {}",
                parent.header.state_root
            )));
        }
        let transactions = view::body(self.store, number, hash)?;
        let receipts = view::receipts(self.store, number, hash)?;
        self.write_disconnected(&record, &changes, &transactions, &receipts);
        self.touch(&changes);
        self.moved.disconnected.push(record);
        self.moved.to = Arc::new(parent);
        Ok(())
    }

    /// Writes everything at once. `intent` is the tip that the first of several
    /// transitions began at, if further ones are to follow this.
    pub fn commit(
        mut self,
        durability: Durability,
        intent: Option<B256>,
    ) -> Result<Moved, StoreError> {
        let _span = tracing::debug_span!("commit").entered();
        self.pending.write_to(&mut self.batch);
        self.batch
            .put(Column::Meta, meta::TIP, self.moved.to.hash.to_vec());
        match intent {
            Some(origin) => self.batch.put(Column::Meta, meta::INTENT, origin.to_vec()),
            None => self.batch.delete(Column::Meta, meta::INTENT),
        }
        self.store.write(self.batch, durability)?;
        Ok(self.moved)
    }

    fn record(&self, block: &VerifiedBlock, linked: Linked, executed: &Executed) -> HeaderRecord {
        let parent = &self.moved.to;
        HeaderRecord {
            issued: parent.issued.saturating_add(executed.issued),
            burned: parent.burned.saturating_add(executed.burned),
            ..unexecuted(block, linked)
        }
    }

    fn write_connected(
        &mut self,
        block: &VerifiedBlock,
        record: &HeaderRecord,
        executed: &Executed,
    ) {
        let (number, hash) = (record.number(), record.hash);
        let key = keys::block(number, hash);
        let batch = &mut self.batch;
        batch.put(Column::Headers, hash, record.encode());
        batch.put(Column::Bodies, key, encode_body(block));
        batch.put(Column::Receipts, key, encode_receipts(&executed.receipts));
        batch.delete(Column::SideReceipts, key);
        let bloom = block_bloom(&executed.receipts);
        if !bloom.is_zero() {
            batch.put(Column::Blooms, keys::height(number), bloom.to_vec());
        }
        batch.put(Column::Canonical, keys::height(number), hash.to_vec());
        batch.delete(Column::Side, key);
        batch.put(Column::Changes, key, executed.changes.encode());
        for (index, transaction) in (0u32..).zip(block.transactions()) {
            let location = keys::location(number, index);
            batch.put(Column::TxIndex, transaction.hash(), location);
        }
        for (account, before) in &executed.changes.accounts {
            let before = before.map(|account| account.encode()).unwrap_or_default();
            let key = keys::history(account.as_slice(), number);
            batch.put(Column::AccountHistory, key, before);
        }
        for ((account, slot), before) in &executed.changes.storage {
            let key = keys::history(&keys::slot(*account, *slot), number);
            batch.put(
                Column::StorageHistory,
                key,
                before.to_be_bytes_trimmed_vec(),
            );
        }
    }

    fn write_disconnected(
        &mut self,
        record: &HeaderRecord,
        changes: &Changes,
        transactions: &[Transaction],
        receipts: &[ReceiptRecord],
    ) {
        let number = record.number();
        let key = keys::block(number, record.hash);
        let batch = &mut self.batch;
        batch.delete(Column::Receipts, key);
        batch.put(Column::SideReceipts, key, encode_receipts(receipts));
        batch.delete(Column::Blooms, keys::height(number));
        batch.delete(Column::Canonical, keys::height(number));
        batch.put(Column::Side, key, record.size_bytes.to_be_bytes());
        batch.delete(Column::Changes, key);
        for transaction in transactions {
            batch.delete(Column::TxIndex, transaction.hash());
        }
        for (account, _) in &changes.accounts {
            let key = keys::history(account.as_slice(), number);
            batch.delete(Column::AccountHistory, key);
        }
        for ((account, slot), _) in &changes.storage {
            let key = keys::history(&keys::slot(*account, *slot), number);
            batch.delete(Column::StorageHistory, key);
        }
    }

    fn touch(&mut self, changes: &Changes) {
        let accounts = changes.accounts.iter().map(|(key, _)| *key);
        self.moved.touched.extend(accounts);
    }
}

/// The record of a block that has not been executed (yet).
pub fn unexecuted(block: &VerifiedBlock, linked: Linked) -> HeaderRecord {
    let count = block.transactions().len();
    HeaderRecord {
        hash: block.hash(),
        header: block.header().clone(),
        seal: *block.sealed().seal(),
        work: linked.work,
        skipped: linked.skipped,
        issued: Default::default(),
        burned: Default::default(),
        size_bytes: u32::try_from(block.size_bytes()).expect("a block has at most 8 MiB"),
        tx_count: u32::try_from(count).expect("a block of 8 MiB holds fewer transactions"),
    }
}

/// The list of envelopes as [`Column::Bodies`] holds it.
pub fn encode_body(block: &VerifiedBlock) -> Vec<u8> {
    let envelopes: Vec<_> = block
        .transactions()
        .iter()
        .map(|transaction| transaction.envelope().clone())
        .collect();
    alloy_rlp::encode(envelopes)
}
