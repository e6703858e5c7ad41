//! Storage slots, permanent and transient.

use super::{AccountId, Journal, change::Change};
use crate::State;
use alloy_primitives::{Address, B256, U256, map::HashMap};

/// A slot of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SlotKey {
    pub account: AccountId,
    pub slot: U256,
}

/// Names a slot that this transaction knows, cheaper than its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlotId(pub u32);

/// A slot as the transaction sees it now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub key: SlotKey,
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

/// Slots that are looked up without hashing; a power of two.
const RECENT: usize = 64;

/// The slots of a transaction.
#[derive(Debug)]
pub(super) struct Slots {
    all: Vec<Slot>,
    ids: HashMap<SlotKey, SlotId>,
    /// Where to look first, by the lowest bits of the slot. What is found may be another slot, or none.
    recent: [SlotId; RECENT],
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            ids: HashMap::default(),
            recent: [SlotId(0); RECENT],
        }
    }
}

impl Slots {
    /// Forgets them, and keeps allocations up to `kept` entries.
    pub fn clear(&mut self, kept: usize) {
        let Self {
            all,
            ids,
            recent: _,
        } = self;
        all.clear();
        all.shrink_to(kept);
        ids.clear();
        ids.shrink_to(kept);
    }

    pub fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.all.iter()
    }

    pub fn get_mut(&mut self, id: SlotId) -> &mut Slot {
        &mut self.all[id.0 as usize]
    }

    /// The slot of this key, if there is one.
    pub fn get(&self, key: SlotKey) -> Option<&Slot> {
        self.ids.get(&key).map(|id| &self.all[id.0 as usize])
    }

    /// The slot of this key; a new one if there is none.
    #[inline]
    pub fn id(&mut self, key: SlotKey) -> SlotId {
        let place = (key.slot.as_limbs()[0] as usize ^ key.account.0) % RECENT;
        let id = self.recent[place];
        match self.all.get(id.0 as usize) {
            Some(slot) if slot.key == key => id,
            _ => self.find(key, place),
        }
    }

    fn find(&mut self, key: SlotKey, place: usize) -> SlotId {
        let next = SlotId(self.all.len() as u32);
        let id = *self.ids.entry(key).or_insert(next);
        if id == next {
            let (original, current) = (U256::ZERO, U256::ZERO);
            self.all.push(Slot {
                key,
                original,
                current,
                loaded: false,
                warm: false,
            });
        }
        self.recent[place] = id;
        id
    }
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
        let id = self.slots.id(SlotKey { account, slot });
        let entry = self.slots.get_mut(id);
        if !entry.loaded {
            let owner = &self.accounts[account.0];
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
            self.record(Change::WarmSlot(id, true));
        }
        Ok(SlotAccess {
            original,
            current,
            cold: !warm,
        })
    }

    /// What an access to the slot would find, if this transaction has read it.
    pub fn peek_slot(&self, address: Address, slot: U256) -> Option<SlotAccess> {
        let Slot {
            original,
            current,
            warm,
            loaded,
            ..
        } = *self.slot(address, slot)?;
        loaded.then_some(SlotAccess {
            original,
            current,
            cold: !warm,
        })
    }

    /// Whether an access to the slot would find it warm (EIP-2929).
    pub fn is_slot_warm(&self, address: Address, slot: U256) -> bool {
        self.slot(address, slot).is_some_and(|slot| slot.warm)
    }

    fn slot(&self, address: Address, slot: U256) -> Option<&Slot> {
        let account = *self.ids.get(&address)?;
        self.slots.get(SlotKey { account, slot })
    }

    /// Writes a slot that was accessed before in this transaction.
    ///
    /// # Panics
    ///
    /// If it was not: its original value, which prices the write, would be unknown.
    pub fn set_slot(&mut self, account: AccountId, slot: U256, value: U256) {
        self.touch(account);
        let id = self.slots.id(SlotKey { account, slot });
        assert!(
            self.slots.get_mut(id).loaded,
            "a slot is accessed before it is written"
        );
        self.record(Change::Slot(id, value));
    }

    /// Makes a slot warm without reading it (EIP-2930).
    pub fn warm_slot(&mut self, address: Address, slot: B256) {
        let account = self.id(address);
        let id = self.slots.id(SlotKey {
            account,
            slot: slot.into(),
        });
        if !self.slots.get_mut(id).warm {
            self.record(Change::WarmSlot(id, true));
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
