//! Storage slots, permanent and transient.

use super::{AccountId, Journal, change::Change};
use crate::State;
use alloy_primitives::{Address, B256, U256};

/// A slot of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SlotKey {
    pub account: AccountId,
    pub slot: U256,
}

/// A slot as the transaction sees it now.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slot {
    /// What the state said; meaningful once `loaded`.
    pub original: U256,
    pub current: U256,
    pub loaded: bool,
    pub warm: bool,
}

/// The answer to an access by EIP-2929, with all that SSTORE's price depends on (EIP-2200).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotAccess {
    /// The value when the transaction began.
    pub original: U256,
    /// The value now.
    pub current: U256,
    /// Whether this was the first access. From now on the slot is warm.
    pub cold: bool,
}

impl Journal {
    /// Reads a slot, tells whether it was cold, and makes it warm. The state is asked at most once.
    pub fn access_slot<S>(
        &mut self,
        state: &S,
        account: AccountId,
        slot: U256,
    ) -> Result<SlotAccess, S::Error>
    where
        S: State + ?Sized,
    {
        let key = SlotKey { account, slot };
        let owner = &self.accounts[account.0];
        let entry = self.slots.entry(key).or_default();
        if !entry.loaded {
            // New contracts have no storage: EIP-7610 forbids creation where there is some.
            if owner.before.is_some() && !owner.created {
                entry.original = state.storage(owner.address, slot)?;
            }
            entry.current = entry.original;
            entry.loaded = true;
        }
        let Slot {
            original,
            current,
            warm,
            ..
        } = *entry;
        if !warm {
            self.record(Change::WarmSlot(key, true));
        }
        Ok(SlotAccess {
            original,
            current,
            cold: !warm,
        })
    }

    /// Writes a slot that was accessed before in this transaction.
    ///
    /// # Panics
    ///
    /// If it was not: its original value, which prices the write, would be unknown.
    pub fn set_slot(&mut self, account: AccountId, slot: U256, value: U256) {
        self.touch(account);
        self.record(Change::Slot(SlotKey { account, slot }, value));
    }

    /// Makes a slot warm without reading it (EIP-2930).
    pub fn warm_slot(&mut self, address: Address, slot: B256) {
        let key = SlotKey {
            account: self.id(address),
            slot: U256::from_be_bytes(slot.0),
        };
        if !self.slots.entry(key).or_default().warm {
            self.record(Change::WarmSlot(key, true));
        }
    }

    /// Reads transient storage (EIP-1153), which begins each transaction as zeros.
    pub fn transient(&self, account: AccountId, slot: U256) -> U256 {
        self.transient
            .get(&SlotKey { account, slot })
            .copied()
            .unwrap_or_default()
    }

    /// Writes transient storage (EIP-1153).
    pub fn set_transient(&mut self, account: AccountId, slot: U256, value: U256) {
        self.record(Change::Transient(SlotKey { account, slot }, value));
    }
}
