//! The queue of one sender, ordered by nonce.
//!
//! A queue has two parts: first what can be executed one after the other from the
//! account's nonce on (*pending*), then what waits for a missing nonce, for funds,
//! or for the one place that a delegated account has (*queued*).

use std::collections::BTreeMap;
use std::collections::btree_map::Values;
use std::iter::{Skip, Take};

use alloy_primitives::{Address, U256};
use cairn_genesis::{Transaction, VerifiedTransaction};

use super::order::{Key, Price, Rank};
use super::refusal::Refusal;

/// Reads accounts at the tip that the pool was last told of.
pub trait Accounts {
    /// A failure of the store or the state: never a property of the account.
    type Error: std::error::Error + 'static;

    /// What the pool needs to know of an account. One that does not exist has nonce 0,
    /// balance 0 and no code.
    fn sender_state(&self, address: Address) -> Result<SenderState, Self::Error>;
}

/// What the pool needs to know of a sender's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SenderState {
    /// The next nonce that a block can hold.
    pub nonce: u64,
    /// Balance in wei.
    pub balance: U256,
    /// What the account has for code.
    pub code: AccountCode,
}

/// The kinds of code that matter for sending transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccountCode {
    /// No code: a plain key.
    #[default]
    None,
    /// An EIP-7702 delegation (`0xef0100` ‖ address): sends like a key, but others can
    /// spend its balance at any time.
    Delegation,
    /// Anything else: cannot send (EIP-3607).
    Contract,
}

/// A transaction in the pool.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) transaction: VerifiedTransaction,
    /// Admission number: unique, rising.
    pub(super) sequence: u64,
    /// Since when it has been executable, or waiting.
    pub(super) since_ms: u64,
    /// The most that it can cost the sender, in wei.
    pub(super) cost: U256,
    /// Its present place in the order of eviction.
    pub(super) rank: Rank,
}

impl Entry {
    pub(super) fn new(
        transaction: VerifiedTransaction,
        sequence: u64,
        since_ms: u64,
        rank: Rank,
    ) -> Self {
        let cost = highest_cost(&transaction);
        Self {
            transaction,
            sequence,
            since_ms,
            cost,
            rank,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.transaction.envelope().len()
    }

    pub(super) fn key(&self) -> Key {
        Key::new(
            self.rank,
            self.transaction.sender(),
            self.transaction.nonce(),
        )
    }
}

/// The most that `transaction` can take from its sender: gas limit × max fee + value.
/// Saturates at 2^256 − 1, which nobody owns.
pub(super) fn highest_cost(transaction: &Transaction) -> U256 {
    // 64 bits × 128 bits fit into 256.
    let gas = U256::from(transaction.gas_limit()) * U256::from(transaction.max_fee());
    gas.saturating_add(transaction.value())
}

/// The transactions of one sender in the pool.
#[derive(Debug)]
pub struct Sender {
    pub(super) state: SenderState,
    pub(super) entries: BTreeMap<u64, Entry>,
    /// How many entries, from the first on, can be executed one after the other.
    executable: usize,
}

impl Sender {
    pub(super) fn new(state: SenderState) -> Self {
        Self {
            state,
            entries: BTreeMap::new(),
            executable: 0,
        }
    }

    /// The account's state at the tip.
    pub fn state(&self) -> SenderState {
        self.state
    }

    /// Transactions that could be executed now one after the other, in nonce order.
    /// Those below the base fee are among them.
    pub fn pending(&self) -> impl Iterator<Item = &VerifiedTransaction> {
        self.executable().map(|entry| &entry.transaction)
    }

    /// Transactions that wait for a missing nonce, for funds, or for the end of a
    /// delegation, in nonce order.
    pub fn queued(&self) -> impl Iterator<Item = &VerifiedTransaction> {
        self.waiting().map(|entry| &entry.transaction)
    }

    /// How many [`Sender::pending`] yields.
    pub fn pending_len(&self) -> usize {
        self.executable
    }

    /// How many [`Sender::queued`] yields.
    pub fn queued_len(&self) -> usize {
        self.entries.len().saturating_sub(self.executable)
    }

    /// The nonce after the pending transactions.
    pub fn next_nonce(&self) -> u64 {
        match self.executable().next_back() {
            Some(last) => last.transaction.nonce().saturating_add(1),
            None => self.state.nonce,
        }
    }

    /// Puts an entry into its place, which must be free; [`Sender::rerank`] must follow.
    pub(super) fn insert(&mut self, entry: Entry) {
        self.entries.insert(entry.transaction.nonce(), entry);
    }

    /// Takes an entry out. Unless it was the last one, [`Sender::rerank`] must follow.
    pub(super) fn remove(&mut self, nonce: u64) -> Option<Entry> {
        let removed = self.entries.remove(&nonce);
        // Right for the last entry: where it was executable, all were.
        self.executable = self.executable.min(self.entries.len());
        removed
    }

    pub(super) fn executable(&self) -> Take<Values<'_, u64, Entry>> {
        self.entries.values().take(self.executable)
    }

    fn waiting(&self) -> Skip<Values<'_, u64, Entry>> {
        self.entries.values().skip(self.executable)
    }

    /// How many entries have lower nonces than `nonce`, and the most that they can cost.
    fn before(&self, nonce: u64) -> (usize, U256) {
        let before = self.entries.range(..nonce);
        before.fold((0, U256::ZERO), |(count, cost), (_, entry)| {
            (count + 1, cost.saturating_add(entry.cost))
        })
    }

    /// Whether the sender can pay for a transaction with `nonce` and `cost` on top of
    /// everything that it has in the pool with lower nonces.
    pub(super) fn check_funds(
        &self,
        sender: Address,
        nonce: u64,
        cost: U256,
    ) -> Result<(), Refusal> {
        let (earlier, before) = self.before(nonce);
        let (got, expected) = (self.state.balance, before.saturating_add(cost));
        if expected <= got {
            return Ok(());
        }
        Err(Refusal::InsufficientFunds {
            sender,
            got,
            expected,
            earlier,
        })
    }

    /// The rank that a transaction gets which enters the queue now.
    pub(super) fn rank_of_newcomer(
        &self,
        transaction: &Transaction,
        sequence: u64,
        base_fee: u64,
    ) -> Rank {
        let nonce = transaction.nonce();
        let mut place = Place::first(&self.state);
        for (nonce, entry) in self.entries.range(..nonce) {
            place.step(*nonce, entry.cost, entry.rank);
        }
        let cost = highest_cost(transaction);
        let executable = place.obstacle(&self.state, nonce, cost).is_none();
        place
            .rank
            .followed_by(executable, Price::of(transaction, base_fee), sequence)
    }

    /// Ranks every entry again after anything changed: an entry, the account, or the
    /// base fee. Calls `moved` with the old and the new key of each whose rank changed.
    pub(super) fn rerank(&mut self, now_ms: u64, base_fee: u64, mut moved: impl FnMut(Key, Key)) {
        let mut place = Place::first(&self.state);
        self.executable = 0;
        for (nonce, entry) in &mut self.entries {
            let executable = place.obstacle(&self.state, *nonce, entry.cost).is_none();
            let price = Price::of(&entry.transaction, base_fee);
            let rank = place.rank.followed_by(executable, price, entry.sequence);
            place.step(*nonce, entry.cost, rank);
            self.executable += usize::from(rank.worth().executable);
            if rank == entry.rank {
                continue;
            }
            if rank.worth().executable != entry.rank.worth().executable {
                entry.since_ms = now_ms;
            }
            let old = entry.key();
            entry.rank = rank;
            moved(old, entry.key());
        }
    }
}

/// What keeps a transaction from being executed when those before it have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// The transaction with this nonce is missing.
    Gap {
        /// The missing nonce.
        missing: u64,
    },
    /// The sender is delegated and has another transaction before it.
    Delegated,
    /// All up to this one can cost more than the sender has.
    Funds {
        /// The most that they can cost.
        needed: U256,
    },
}

/// A place in a queue, reached by stepping over the entries in nonce order.
#[derive(Debug)]
pub(super) struct Place {
    /// The nonce that comes next without a gap.
    expected: u64,
    /// The most that all entries so far can cost.
    spent: U256,
    /// Rank of the last entry so far.
    pub(super) rank: Rank,
}

impl Place {
    /// Before the first entry.
    pub(super) fn first(state: &SenderState) -> Self {
        Self {
            expected: state.nonce,
            spent: U256::ZERO,
            rank: Rank::BEST,
        }
    }

    /// What keeps an entry at this place from being executed, itself considered alone.
    pub(super) fn obstacle(&self, state: &SenderState, nonce: u64, cost: U256) -> Option<Obstacle> {
        if nonce != self.expected {
            return Some(Obstacle::Gap {
                missing: self.expected,
            });
        }
        if state.code == AccountCode::Delegation && nonce != state.nonce {
            return Some(Obstacle::Delegated);
        }
        let needed = self.spent.saturating_add(cost);
        (needed > state.balance).then_some(Obstacle::Funds { needed })
    }

    /// Moves behind an entry.
    pub(super) fn step(&mut self, nonce: u64, cost: U256, rank: Rank) {
        self.expected = nonce.saturating_add(1);
        self.spent = self.spent.saturating_add(cost);
        self.rank = rank;
    }
}
