//! Transactions that wait for a block.
//!
//! ```text
//! RPC, gossip, journal ─ VerifiedTransaction ─► admit ──────► queues by sender ──► best ─► template
//! new tip ─ mined, returned, changed accounts ► tip_changed ──┘   │
//!                                                                 └► why, by_sender, … ─► RPC
//! ```
//!
//! A deterministic structure without I/O: one owner, no locks, no clock, no
//! randomness. The time is an argument, accounts are read through [`Accounts`].
//! The same calls in the same order give the same pool everywhere.
//!
//! | file | holds |
//! |---|---|
//! | `admission` | the rules for one newcomer, in the order in which they are checked |
//! | `tip` | what a new tip does: mined, returned and touched senders |
//! | `sender` | the queue of one sender, and which part of it can be executed |
//! | `order` | who is evicted first, who is mined first |
//! | `limit` | the bounds, and making room within them |
//! | `delegation` | accounts that a transaction in the pool is about to delegate |
//! | `refusal` | every reason against a transaction, worded for its sender |
//! | `why` | why a transaction in the pool is not mined yet |
//!
//! What holds after each call, and is checked by the model test:
//! - The pool's view of the chain is that of the last [`Mempool::tip_changed`]: a
//!   sender's account is read when he enters, and again only when the node says that
//!   it changed. No call reads every account.
//! - A sender has one transaction per nonce, none below the account's nonce, and no
//!   queue is empty.
//! - Every index names the same transactions; count and bytes are exact and within
//!   [`Limits`].
//! - Eviction takes what is worth least to a miner and never makes a gap.
//!
//! With n transactions in the pool and q of one sender, admission and removal cost
//! O(q + log n), where q ≤ [`Limits::per_sender`] except after a deep reorganization;
//! a changed base fee costs O(n log n) once; ordering for a block costs
//! O(senders) and O(log senders) for each transaction that is taken.
//!
//! Deliberately absent: signature checks (the type [`VerifiedTransaction`] is the
//! proof), privileges for local transactions (they would be invisible limits), and
//! the journal on disk, which the node writes from [`Mempool::iter`].

mod admission;
mod delegation;
#[cfg(test)]
mod invariants;
mod limit;
#[cfg(test)]
mod model;
mod order;
mod refusal;
mod sender;
#[cfg(test)]
mod testing;
mod tip;
mod why;

use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use cairn_genesis::VerifiedTransaction;

pub use admission::Admitted;
use delegation::Delegations;
pub use limit::{Limits, MAX_TRANSACTION_BYTES};
use order::Key;
pub use order::{Best, Price, Worth};
pub use refusal::{AdmitError, DropReason, Fee, Gone, Refusal};
use sender::Entry;
pub use sender::{AccountCode, Accounts, Sender, SenderState};
pub use tip::{Changes, TipChange};
pub use why::{Status, Waiting};

/// What the pool needs to know of the chain's tip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// Number of the block at the tip.
    pub number: u64,
    /// Base fee of the block after it, in wei per gas.
    pub base_fee: u64,
    /// Gas limit of the block after it.
    pub gas_limit: u64,
}

/// The pool. See the [module](self) for what it promises.
#[derive(Debug)]
pub struct Mempool {
    limits: Limits,
    tip: Tip,
    /// The queues. Ordered maps throughout: their iteration is the same everywhere.
    senders: BTreeMap<Address, Sender>,
    /// Where each transaction is: its sender and nonce.
    by_hash: BTreeMap<B256, (Address, u64)>,
    /// Every transaction in the order of eviction.
    order: BTreeSet<Key>,
    /// Accounts that transactions in the pool would delegate.
    delegations: Delegations,
    /// Length of all envelopes.
    bytes: usize,
    /// Admission number of the next transaction.
    next_sequence: u64,
}

impl Mempool {
    /// An empty pool at `tip`.
    pub fn new(limits: Limits, tip: Tip) -> Self {
        Self {
            limits,
            tip,
            senders: BTreeMap::new(),
            by_hash: BTreeMap::new(),
            order: BTreeSet::new(),
            delegations: Delegations::default(),
            bytes: 0,
            next_sequence: 1,
        }
    }

    /// The bounds that the pool was made with.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The tip that the pool was last told of.
    pub fn tip(&self) -> Tip {
        self.tip
    }

    /// Number of transactions.
    pub fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// Whether there is no transaction.
    pub fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }

    /// Length of all envelopes in bytes.
    pub fn size_bytes(&self) -> usize {
        self.bytes
    }

    /// How many transactions are pending and how many are queued, in this order
    /// (see [`Sender::pending`]). O(senders).
    pub fn pending_and_queued(&self) -> (usize, usize) {
        let pending = self.senders.values().map(Sender::pending_len).sum();
        (pending, self.len().saturating_sub(pending))
    }

    /// Whether the transaction is in the pool.
    pub fn contains(&self, hash: B256) -> bool {
        self.by_hash.contains_key(&hash)
    }

    /// The transaction with this hash.
    pub fn get(&self, hash: B256) -> Option<&VerifiedTransaction> {
        let (sender, nonce) = *self.by_hash.get(&hash)?;
        self.get_by_nonce(sender, nonce)
    }

    /// The transaction of `sender` with this nonce.
    pub fn get_by_nonce(&self, sender: Address, nonce: u64) -> Option<&VerifiedTransaction> {
        Some(&self.senders.get(&sender)?.entries.get(&nonce)?.transaction)
    }

    /// Takes a transaction out at time `now_ms`, whatever it is worth: the wish of
    /// whoever runs the node, or the end of one that execution refuses.
    pub fn remove(&mut self, now_ms: u64, hash: B256) -> Option<VerifiedTransaction> {
        let entry = self.take_by_hash(hash)?;
        self.rerank(entry.transaction.sender(), now_ms);
        Some(entry.transaction)
    }

    /// The queue of one sender, if he has any transaction in the pool.
    pub fn by_sender(&self, sender: Address) -> Option<&Sender> {
        self.senders.get(&sender)
    }

    /// All queues, ordered by address.
    pub fn senders(&self) -> impl Iterator<Item = (Address, &Sender)> {
        self.senders
            .iter()
            .map(|(address, sender)| (*address, sender))
    }

    /// All transactions, by sender and nonce: in this order a pool without a full
    /// limit admits all of them again.
    pub fn iter(&self) -> impl Iterator<Item = &VerifiedTransaction> {
        self.senders
            .values()
            .flat_map(|sender| sender.entries.values())
            .map(|entry| &entry.transaction)
    }

    /// The nonce after the sender's pending transactions: what a wallet uses next.
    /// None if he has no transaction in the pool; then it is the account's nonce.
    pub fn next_nonce(&self, sender: Address) -> Option<u64> {
        self.senders.get(&sender).map(Sender::next_nonce)
    }

    /// What a block with `base_fee` could hold, most profitable first.
    pub fn best(&self, base_fee: u64) -> Best<'_> {
        Best::new(self, base_fee)
    }
}

/// The only functions that write the indexes, so that these cannot disagree.
impl Mempool {
    fn entry(&self, key: &Key) -> &Entry {
        self.senders
            .get(&key.sender)
            .and_then(|sender| sender.entries.get(&key.nonce()))
            .expect("put and take change the eviction index together with the queues")
    }

    /// Puts an entry into the queue of its sender, whose account has `state`.
    /// Returns the entry that had the nonce before. [`Mempool::rerank`] must follow.
    fn put(&mut self, entry: Entry, state: SenderState) -> Option<Entry> {
        let (sender, nonce) = (entry.transaction.sender(), entry.transaction.nonce());
        let occupied = self
            .senders
            .get(&sender)
            .is_some_and(|queue| queue.entries.contains_key(&nonce));
        let replaced = occupied.then(|| self.take(sender, nonce));
        self.by_hash
            .insert(entry.transaction.hash(), (sender, nonce));
        self.order.insert(entry.key());
        self.delegations.add(&entry.transaction);
        self.bytes += entry.bytes();
        self.senders
            .entry(sender)
            .or_insert_with(|| Sender::new(state))
            .insert(entry);
        replaced
    }

    /// Takes an entry out. Unless it was the sender's last nonce,
    /// [`Mempool::rerank`] must follow.
    fn take(&mut self, sender: Address, nonce: u64) -> Entry {
        let Slot::Occupied(mut queue) = self.senders.entry(sender) else {
            unreachable!("callers name senders that are in the pool: {sender}");
        };
        let entry = queue
            .get_mut()
            .remove(nonce)
            .expect("callers name nonces that are in the queue");
        if queue.get().entries.is_empty() {
            queue.remove();
        }
        self.by_hash.remove(&entry.transaction.hash());
        self.order.remove(&entry.key());
        self.delegations.remove(&entry.transaction);
        self.bytes -= entry.bytes();
        entry
    }

    /// Takes out a transaction that may or may not be there.
    fn take_by_hash(&mut self, hash: B256) -> Option<Entry> {
        let (sender, nonce) = *self.by_hash.get(&hash)?;
        Some(self.take(sender, nonce))
    }

    /// Ranks a sender's entries again after one of them, the account or the base fee
    /// changed. Nothing happens for a sender who has none.
    fn rerank(&mut self, sender: Address, now_ms: u64) {
        let Some(queue) = self.senders.get_mut(&sender) else {
            return;
        };
        let order = &mut self.order;
        queue.rerank(now_ms, self.tip.base_fee, |old, new| {
            order.remove(&old);
            order.insert(new);
        });
    }

    /// Ranks all entries again: the base fee changed, and with it the order of prices.
    fn rerank_all(&mut self, now_ms: u64) {
        let mut keys = Vec::with_capacity(self.order.len());
        for queue in self.senders.values_mut() {
            queue.rerank(now_ms, self.tip.base_fee, |_, _| {});
            keys.extend(queue.entries.values().map(Entry::key));
        }
        // Collecting sorts once and builds the set in one go.
        self.order = keys.into_iter().collect();
    }
}
