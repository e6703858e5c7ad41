//! The invariants of the pool, written down a second time and as plainly as possible,
//! for the tests.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use cairn_genesis::VerifiedTransaction;

use super::delegation::Delegations;
use super::order::Rank;
use super::sender::highest_cost;
use super::{AccountCode, Mempool, Price, Sender, SenderState, Status};

impl Mempool {
    /// Panics if anything that the pool promises after each call does not hold.
    pub(super) fn assert_consistent(&self) {
        self.assert_indexes_agree();
        assert!(
            self.len() <= self.limits.max_count,
            "{} transactions",
            self.len()
        );
        assert!(self.bytes <= self.limits.max_bytes, "{} bytes", self.bytes);
        for (address, queue) in &self.senders {
            self.assert_queue(*address, queue);
        }
        self.assert_best();
    }

    fn assert_queue(&self, address: Address, queue: &Sender) {
        assert!(!queue.entries.is_empty(), "an empty queue stays");
        assert_ne!(queue.state.code, AccountCode::Contract);
        let transactions = queue.entries.values().map(|entry| &entry.transaction);
        let executable = executable_nonces(queue.state, transactions);
        let pending: Vec<u64> = queue
            .pending()
            .map(|transaction| transaction.nonce())
            .collect();
        assert_eq!(pending, executable);
        assert_eq!(queue.queued().count(), queue.queued_len());
        assert_eq!(
            queue.pending_len() + queue.queued_len(),
            queue.entries.len()
        );
        let after_pending = executable.last().map_or(queue.state.nonce, |last| last + 1);
        assert_eq!(queue.next_nonce(), after_pending);

        let (mut rank, mut last_key) = (Rank::BEST, None);
        for (nonce, entry) in &queue.entries {
            let transaction = &entry.transaction;
            assert!(*nonce >= queue.state.nonce, "nonce {nonce} is used");
            assert_eq!(
                (transaction.sender(), transaction.nonce()),
                (address, *nonce)
            );
            assert_eq!(entry.cost, highest_cost(transaction));
            let price = Price::of(transaction, self.tip.base_fee);
            rank = rank.followed_by(executable.contains(nonce), price, entry.sequence);
            assert_eq!(entry.rank, rank, "the rank is out of date");
            assert!(
                last_key.is_none_or(|last| entry.key() < last),
                "eviction would make a gap"
            );
            last_key = Some(entry.key());
        }
    }

    fn assert_indexes_agree(&self) {
        let entries = || {
            self.senders
                .values()
                .flat_map(|queue| queue.entries.values())
        };
        let by_hash: BTreeMap<B256, (Address, u64)> = entries()
            .map(|e| {
                (
                    e.transaction.hash(),
                    (e.transaction.sender(), e.transaction.nonce()),
                )
            })
            .collect();
        assert_eq!(self.by_hash, by_hash);
        assert_eq!(self.order, entries().map(|entry| entry.key()).collect());
        assert_eq!(self.order.len(), self.by_hash.len());
        assert_eq!(
            self.bytes,
            entries()
                .map(|entry| entry.transaction.envelope().len())
                .sum::<usize>()
        );
        let mut delegations = Delegations::default();
        entries().for_each(|entry| delegations.add(&entry.transaction));
        assert_eq!(self.delegations, delegations);
        let sequences: BTreeSet<u64> = entries().map(|entry| entry.sequence).collect();
        assert_eq!(sequences.len(), self.len());
        assert!(sequences.last() < Some(&self.next_sequence));
        assert_eq!(
            self.pending_and_queued().0 + self.pending_and_queued().1,
            self.len()
        );
    }

    /// Compares [`Mempool::best`] with the naive way to find the order.
    fn assert_best(&self) {
        let base_fee = self.tip.base_fee;
        let best: Vec<B256> = self
            .best(base_fee)
            .map(|transaction| transaction.hash())
            .collect();
        assert_eq!(best, naive_best(self, base_fee));
        let ready: BTreeSet<B256> = best.iter().copied().collect();
        assert_eq!(ready.len(), best.len(), "a transaction twice");
        for transaction in self.iter() {
            let is_ready = matches!(self.why(transaction.hash()), Some(Status::Ready { .. }));
            assert_eq!(is_ready, ready.contains(&transaction.hash()));
        }
    }
}

/// The nonces that can be executed one after the other.
fn executable_nonces<'a>(
    state: SenderState,
    queue: impl Iterator<Item = &'a VerifiedTransaction>,
) -> Vec<u64> {
    let places = if state.code == AccountCode::Delegation {
        1
    } else {
        usize::MAX
    };
    let mut left = state.balance;
    let mut nonces = Vec::new();
    for (expected, transaction) in (state.nonce..).zip(queue).take(places) {
        let cost = highest_cost(transaction);
        if transaction.nonce() != expected || cost > left {
            break;
        }
        left -= cost;
        nonces.push(expected);
    }
    nonces
}

/// Takes the best first transaction of any sender until none is left.
fn naive_best(pool: &Mempool, base_fee: u64) -> Vec<B256> {
    let mut runs: Vec<Vec<&VerifiedTransaction>> = pool
        .senders
        .values()
        .map(|queue| queue.pending().collect())
        .collect();
    let mut hashes = Vec::new();
    loop {
        let sequence = |transaction: &VerifiedTransaction| {
            pool.senders[&transaction.sender()].entries[&transaction.nonce()].sequence
        };
        let first = |run: &Vec<&VerifiedTransaction>| {
            let transaction = run.first()?;
            let tip = transaction.effective_tip(base_fee)?;
            Some((tip, std::cmp::Reverse(sequence(transaction))))
        };
        let best = runs
            .iter_mut()
            .filter(|run| first(run).is_some())
            .max_by_key(|run| first(run));
        let Some(run) = best else { return hashes };
        hashes.push(run.remove(0).hash());
    }
}
