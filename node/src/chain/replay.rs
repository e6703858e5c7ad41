//! The state within a block of the past: that of its parent, and what the block has changed so far.
//!
//! Its transactions are executed on it once more, one by one, up to the one that somebody asks about.

use std::collections::{HashMap, HashSet};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use cairn_genesis::{HISTORY_STORAGE_ADDRESS, Header};
use cairn_vm::{AccountInfo, Diff, State};

use super::execute::parent_hash_slot;
use crate::state::StateAt;
use crate::store::StoreError;

/// A state of the past with changes on top.
pub struct Replay<'v> {
    base: StateAt<'v>,
    accounts: HashMap<Address, Option<AccountInfo>>,
    storage: HashMap<(Address, U256), U256>,
    /// Accounts that vanished: of what is stored below nothing is theirs any more.
    vanished: HashSet<Address>,
    code: HashMap<B256, Bytes>,
    logs: usize,
}

impl<'v> Replay<'v> {
    /// The state as it is.
    pub fn on(base: StateAt<'v>) -> Self {
        Self {
            base,
            accounts: HashMap::new(),
            storage: HashMap::new(),
            vanished: HashSet::new(),
            code: HashMap::new(),
            logs: 0,
        }
    }

    /// The state that the first transaction of a block finds: `base`, the parent's, after R-EXE-1.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn begin(base: StateAt<'v>, header: &Header) -> Result<Self, StoreError> {
        let mut replay = Self::on(base);
        if StateAt::account(&base, HISTORY_STORAGE_ADDRESS)?.is_some() {
            let key = (HISTORY_STORAGE_ADDRESS, parent_hash_slot(header.number));
            replay.storage.insert(key, header.parent_hash.into());
        }
        Ok(replay)
    }

    /// Takes over what a transaction did.
    pub fn apply(&mut self, diff: Diff, logs: usize) {
        self.logs = self.logs.saturating_add(logs);
        for change in diff.accounts {
            let address = change.address;
            if change.after.is_none() {
                self.storage.retain(|(owner, _), _| *owner != address);
                self.vanished.insert(address);
            }
            self.accounts.insert(address, change.after);
            let slots = change.storage.into_iter();
            self.storage
                .extend(slots.map(|slot| ((address, slot.slot), slot.after)));
            if let Some(code) = change.code {
                self.code.insert(keccak256(&code), code);
            }
        }
    }

    /// How many logs the transactions so far have written.
    pub fn logs(&self) -> usize {
        self.logs
    }
}

impl State for Replay<'_> {
    type Error = StoreError;

    fn account(&self, address: Address) -> Result<Option<AccountInfo>, StoreError> {
        match self.accounts.get(&address) {
            Some(account) => Ok(*account),
            None => State::account(&self.base, address),
        }
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StoreError> {
        match self.storage.get(&(address, slot)) {
            Some(value) => Ok(*value),
            None if self.vanished.contains(&address) => Ok(U256::ZERO),
            None => self.base.storage(address, slot),
        }
    }

    fn code(&self, hash: B256) -> Result<Bytes, StoreError> {
        match self.code.get(&hash) {
            Some(code) => Ok(code.clone()),
            None => self.base.code(hash),
        }
    }

    fn block_hash(&self, number: u64) -> Result<B256, StoreError> {
        self.base.block_hash(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Account, account_key, slot_key};
    use crate::store::{Batch, Column, Durability, Memory, Store, keys};
    use cairn_vm::{AccountDiff, SlotDiff};

    const OWNER: Address = Address::repeat_byte(7);
    const SLOT: U256 = U256::ONE;

    /// A store whose tip, block 5, knows two accounts with 9 in slot 1, and code.
    fn store() -> Memory {
        let store = Memory::default();
        let mut batch = Batch::default();
        for address in [OWNER, HISTORY_STORAGE_ADDRESS] {
            let account = Account {
                nonce: 1,
                ..Account::default()
            };
            batch.put(Column::Accounts, account_key(address), account.encode());
            let key = keys::slot(account_key(address), slot_key(SLOT));
            batch.put(Column::Storage, key, vec![9]);
        }
        store.write(batch, Durability::Buffered).unwrap();
        store
    }

    fn header(number: u64) -> Header {
        let mut header = crate::chain::testing::record(number, 1, 1).header;
        header.parent_hash = B256::repeat_byte(0xaa);
        header
    }

    fn info(nonce: u64) -> AccountInfo {
        AccountInfo {
            nonce,
            ..AccountInfo::default()
        }
    }

    fn change(after: Option<AccountInfo>, storage: Vec<SlotDiff>) -> Diff {
        let (before, code) = (Some(info(1)), None);
        let address = OWNER;
        Diff {
            accounts: vec![AccountDiff {
                address,
                before,
                after,
                code,
                storage,
            }],
        }
    }

    #[test]
    fn the_first_transaction_sees_the_parents_hash_in_its_slot() {
        let store = store();
        let reader = store.snapshot();
        let base = StateAt::new(&*reader, 5, 5, 0).unwrap();
        let replay = Replay::begin(base, &header(2)).unwrap();
        let at = |slot| replay.storage(HISTORY_STORAGE_ADDRESS, slot).unwrap();
        assert_eq!(at(SLOT), U256::from_be_bytes([0xaa; 32]));
        assert_eq!(at(U256::from(2)), U256::ZERO);
        let plain = Replay::on(base).storage(HISTORY_STORAGE_ADDRESS, SLOT);
        assert_eq!(plain.unwrap(), U256::from(9));
    }

    #[test]
    fn changes_lie_over_what_is_stored() {
        let store = store();
        let reader = store.snapshot();
        let mut replay = Replay::on(StateAt::new(&*reader, 5, 5, 0).unwrap());
        assert_eq!(replay.storage(OWNER, SLOT).unwrap(), U256::from(9));
        let slot = SlotDiff {
            slot: SLOT,
            before: U256::from(9),
            after: U256::from(4),
        };
        replay.apply(change(Some(info(2)), vec![slot]), 3);
        assert_eq!(State::account(&replay, OWNER).unwrap(), Some(info(2)));
        assert_eq!(replay.storage(OWNER, SLOT).unwrap(), U256::from(4));
        assert_eq!(replay.logs(), 3);
    }

    #[test]
    fn what_vanished_takes_its_storage_along_for_good() {
        let store = store();
        let reader = store.snapshot();
        let mut replay = Replay::on(StateAt::new(&*reader, 5, 5, 0).unwrap());
        let slot = SlotDiff {
            slot: U256::from(2),
            before: U256::ZERO,
            after: U256::from(4),
        };
        replay.apply(change(Some(info(1)), vec![slot]), 0);
        replay.apply(change(None, vec![]), 0);
        assert_eq!(State::account(&replay, OWNER).unwrap(), None);
        replay.apply(change(Some(info(1)), vec![]), 0);
        for slot in [SLOT, U256::from(2)] {
            assert_eq!(replay.storage(OWNER, slot).unwrap(), U256::ZERO);
        }
    }
}
