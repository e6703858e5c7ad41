//! The state at any height: before-images first, the tip otherwise.

use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_vm::{AccountInfo, State};

use super::pending::{decode_word, stored_block_hash, stored_code};
use super::{Account, account_key, slot_key};
use crate::store::{Column, Reader, StoreError, keys};

/// Why the state at a height cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The history below `floor` has been removed.
    #[error("the state at block {number} is pruned; this node keeps the state from block {floor}")]
    Pruned {
        /// The height asked for.
        number: u64,
        /// The first height that can be answered.
        floor: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The state after the canonical block at one height.
///
/// A key's value at height N is the first before-image recorded above N, or what
/// stands at the tip if nothing changed it since.
#[derive(Clone, Copy)]
pub struct StateAt<'a> {
    reader: &'a dyn Reader,
    number: u64,
    is_tip: bool,
}

impl<'a> StateAt<'a> {
    /// The state after block `number` of a snapshot whose tip is `tip` and whose
    /// history begins at `floor`; `number ≤ tip`.
    pub fn new(
        reader: &'a dyn Reader,
        number: u64,
        tip: u64,
        floor: u64,
    ) -> Result<Self, StateError> {
        if number < floor {
            return Err(StateError::Pruned { number, floor });
        }
        Ok(Self {
            reader,
            number,
            is_tip: number >= tip,
        })
    }

    /// The account at `address`.
    pub fn account(&self, address: Address) -> Result<Option<Account>, StoreError> {
        let key = account_key(address);
        let bytes = match self.before_image(Column::AccountHistory, key.as_slice())? {
            Some(before) => (!before.is_empty()).then_some(before),
            None => self.reader.get(Column::Accounts, key.as_slice())?,
        };
        bytes.map(|bytes| Account::decode(&bytes)).transpose()
    }

    /// The word in a storage slot.
    pub fn slot(&self, address: Address, slot: U256) -> Result<U256, StoreError> {
        let key = keys::slot(account_key(address), slot_key(slot));
        let bytes = match self.before_image(Column::StorageHistory, &key)? {
            Some(before) => Some(before),
            None => self.reader.get(Column::Storage, &key)?,
        };
        bytes.map_or(Ok(U256::ZERO), |bytes| decode_word(&bytes))
    }

    /// What stood at `key` before the first block above this height that changed it.
    fn before_image(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if self.is_tip {
            return Ok(None);
        }
        let mut cursor = self.reader.cursor(column);
        cursor.seek(&keys::history(key, self.number.saturating_add(1)))?;
        let found = cursor.entry().filter(|(found, _)| found.starts_with(key));
        Ok(found.map(|(_, value)| value.to_vec()))
    }
}

impl State for StateAt<'_> {
    type Error = StoreError;

    fn account(&self, address: Address) -> Result<Option<AccountInfo>, StoreError> {
        let account = StateAt::account(self, address)?;
        Ok(account.map(|account| account.info()))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StoreError> {
        self.slot(address, slot)
    }

    fn code(&self, hash: B256) -> Result<Bytes, StoreError> {
        stored_code(self.reader, hash)
    }

    fn block_hash(&self, number: u64) -> Result<B256, StoreError> {
        match number <= self.number {
            true => stored_block_hash(self.reader, number),
            false => Ok(B256::ZERO),
        }
    }
}
