//! Do and undo, by the same function.

use super::{
    AccountId, Journal,
    storage::{SlotId, SlotKey},
};
use alloy_primitives::{B256, Bytes, U256};
use std::mem::{replace, swap};

/// One field and the value it shall have. Applying a change gives the change that takes it back, so
/// doing and undoing cannot diverge.
#[derive(Debug)]
pub(super) enum Change {
    Balance(AccountId, U256),
    Nonce(AccountId, u64),
    /// Hash, and the code itself where it is known. Boxed: it is rare, and would double the size of all others.
    Code(AccountId, Box<(B256, Option<Bytes>)>),
    Touched(AccountId, bool),
    WarmAccount(AccountId, bool),
    Created(AccountId, bool),
    Destroyed(AccountId, bool),
    Slot(SlotId, U256),
    WarmSlot(SlotId, bool),
    Transient(SlotKey, U256),
}

impl Journal {
    /// Makes a change that a revert will undo.
    pub(super) fn record(&mut self, change: Change) {
        let inverse = self.apply(change);
        self.changes.push(inverse);
    }

    /// Makes a change and returns its inverse.
    pub(super) fn apply(&mut self, change: Change) -> Change {
        let accounts = &mut self.accounts;
        match change {
            Change::Balance(id, to) => {
                Change::Balance(id, replace(&mut accounts[id.0].info.balance, to))
            }
            Change::Nonce(id, to) => Change::Nonce(id, replace(&mut accounts[id.0].info.nonce, to)),
            Change::Code(id, mut code) => {
                let account = &mut accounts[id.0];
                swap(&mut account.info.code_hash, &mut code.0);
                swap(&mut account.code, &mut code.1);
                Change::Code(id, code)
            }
            Change::Touched(id, to) => {
                Change::Touched(id, replace(&mut accounts[id.0].touched, to))
            }
            Change::WarmAccount(id, to) => {
                Change::WarmAccount(id, replace(&mut accounts[id.0].warm, to))
            }
            Change::Created(id, to) => {
                Change::Created(id, replace(&mut accounts[id.0].created, to))
            }
            Change::Destroyed(id, to) => {
                Change::Destroyed(id, replace(&mut accounts[id.0].destroyed, to))
            }
            Change::Slot(id, to) => {
                let slot = self.slots.get_mut(id);
                Change::Slot(id, replace(&mut slot.current, to))
            }
            Change::WarmSlot(id, to) => {
                let slot = self.slots.get_mut(id);
                Change::WarmSlot(id, replace(&mut slot.warm, to))
            }
            Change::Transient(key, to) => {
                let before = self.transient.insert(key, to);
                Change::Transient(key, before.unwrap_or_default())
            }
        }
    }
}
