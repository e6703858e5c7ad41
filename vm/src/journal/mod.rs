//! The working copy of the state during one transaction, with undo.
//!
//! ```text
//! State ──load──► Account, Slot ──set──► Change (the inverse) pushed ──revert──► popped and applied
//!                      │
//!                      └──finish──► Diff (what differs from what State said)
//! ```
//!
//! - [`mod@account`]: balances, nonces, code, creation and destruction, warm accounts;
//! - [`mod@storage`]: slots, warm slots, transient storage;
//! - `change`: the one function that does and undoes;
//! - `finish`: the end of the transaction.
//!
//! An account or slot is read from the [`State`](crate::State) at most once; a revert undoes what was
//! done to it, not that it was read. Warm sets are data (EIP-2929): the journal says whether an access
//! was cold, others charge for it.
//!
//! Deliberately absent: writing to the state, and gas.

pub mod account;
mod change;
mod finish;
pub mod storage;

pub use account::{Access, Account, AccountId};
pub use finish::Finished;
pub use storage::SlotAccess;

use alloy_primitives::{
    Address, Log, U256,
    map::{AddressMap, AddressSet, HashMap},
};
use change::Change;
use storage::{SlotKey, Slots};

/// Maps that grew beyond so many entries are given back after the transaction: clearing a map costs
/// time by its capacity, and one large transaction must not slow down all later ones.
const MAX_KEPT_ENTRIES: usize = 1_024;

/// The journal of one transaction at a time; [`Journal::reset`] makes it ready for the next one.
#[derive(Debug, Default)]
pub struct Journal {
    always_warm: AddressSet,
    accounts: Vec<Account>,
    ids: AddressMap<AccountId>,
    slots: Slots,
    transient: HashMap<SlotKey, U256>,
    changes: Vec<Change>,
    logs: Vec<Log>,
    refund: i64,
    burned: U256,
}

/// A moment to return to. Checkpoints nest: reverting to one invalidates those taken after it. To keep
/// the changes, drop it.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a checkpoint is taken in order to be reverted to"]
pub struct Checkpoint {
    changes: usize,
    logs: usize,
    refund: i64,
    burned: U256,
}

impl Journal {
    /// An empty journal in which the accounts `always_warm` are warm in every transaction.
    pub fn new(always_warm: impl IntoIterator<Item = Address>) -> Self {
        Self {
            always_warm: always_warm.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Forgets the transaction and keeps the allocations. Every [`AccountId`] becomes invalid.
    pub fn reset(&mut self) {
        let Self {
            always_warm: _,
            accounts,
            ids,
            slots,
            transient,
            changes,
            logs,
            refund,
            burned,
        } = self;
        accounts.clear();
        accounts.shrink_to(MAX_KEPT_ENTRIES);
        changes.clear();
        changes.shrink_to(MAX_KEPT_ENTRIES);
        ids.clear();
        ids.shrink_to(MAX_KEPT_ENTRIES);
        slots.clear(MAX_KEPT_ENTRIES);
        transient.clear();
        transient.shrink_to(MAX_KEPT_ENTRIES);
        logs.clear();
        *refund = 0;
        *burned = U256::ZERO;
    }

    /// The present moment.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            changes: self.changes.len(),
            logs: self.logs.len(),
            refund: self.refund,
            burned: self.burned,
        }
    }

    /// Undoes everything since `checkpoint`: accounts, slots, transient storage, warm sets, logs, refunds.
    pub fn revert(&mut self, checkpoint: Checkpoint) {
        let Checkpoint {
            changes,
            logs,
            refund,
            burned,
        } = checkpoint;
        while self.changes.len() > changes {
            let Some(inverse) = self.changes.pop() else {
                break;
            };
            self.apply(inverse);
        }
        self.logs.truncate(logs);
        self.refund = refund;
        self.burned = burned;
    }

    /// Appends a log.
    pub fn log(&mut self, log: Log) {
        self.logs.push(log);
    }

    /// The logs so far.
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// Adds to the refund counter. Negative amounts take back what an earlier write earned (EIP-3529).
    pub fn add_refund(&mut self, gas: i64) {
        self.refund = self.refund.saturating_add(gas);
    }

    /// The refund counter. Below zero only within a frame whose parents earned at least as much.
    pub fn refund(&self) -> i64 {
        self.refund
    }
}
