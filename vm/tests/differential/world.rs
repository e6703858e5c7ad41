//! A small state that both machines read.

use std::{convert::Infallible, sync::Arc};

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use cairn_vm::{AccountInfo, Diff, State, delegation};
use revm::{Database, bytecode::Bytecode, state::AccountInfo as RevmAccount};

/// An account with all that belongs to it.
#[derive(Clone, Debug)]
pub struct Account {
    pub address: Address,
    pub info: AccountInfo,
    pub code: Bytes,
    /// The same code, prepared for revm.
    bytecode: Bytecode,
    /// Slots that are not zero.
    pub storage: Vec<(U256, U256)>,
}

impl Account {
    pub fn new(address: Address, nonce: u64, balance: U256) -> Self {
        let info = AccountInfo {
            nonce,
            balance,
            ..AccountInfo::default()
        };
        let (code, bytecode) = (Bytes::new(), Bytecode::default());
        Self {
            address,
            info,
            code,
            bytecode,
            storage: Vec::new(),
        }
    }

    /// The account with this code.
    pub fn with_code(mut self, code: Bytes) -> Self {
        self.info.code_hash = if code.is_empty() {
            KECCAK256_EMPTY
        } else {
            keccak256(&code)
        };
        self.bytecode = match delegation::delegate(&code) {
            Some(delegate) => Bytecode::new_eip7702(delegate),
            None => Bytecode::new_legacy(code.clone()),
        };
        self.code = code;
        self
    }

    /// The account with this storage.
    pub fn with_storage(mut self, storage: Vec<(U256, U256)>) -> Self {
        self.info.has_storage = !storage.is_empty();
        self.storage = storage;
        self
    }
}

/// All accounts. There are so few that looking at each is the fastest way to find one.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub accounts: Vec<Account>,
}

impl World {
    pub fn get(&self, address: Address) -> Option<&Account> {
        self.accounts
            .iter()
            .find(|account| account.address == address)
    }

    /// Puts an account in the place of the one at its address, if there is one.
    pub fn put(&mut self, account: Account) {
        self.accounts.retain(|old| old.address != account.address);
        self.accounts.push(account);
    }

    /// The world after a transaction.
    pub fn after(&self, diff: &Diff) -> Self {
        let mut world = self.clone();
        for change in &diff.accounts {
            let old = self.get(change.address).cloned();
            world
                .accounts
                .retain(|account| account.address != change.address);
            let Some(info) = change.after else {
                continue;
            };
            let old = old.unwrap_or_else(|| Account::new(change.address, 0, U256::ZERO));
            let mut storage = old.storage.clone();
            for slot in &change.storage {
                storage.retain(|(key, _)| *key != slot.slot);
                if !slot.after.is_zero() {
                    storage.push((slot.slot, slot.after));
                }
            }
            let code = if info.has_code() {
                change.code.clone().unwrap_or(old.code)
            } else {
                Bytes::new()
            };
            let account = Account::new(change.address, info.nonce, info.balance);
            world
                .accounts
                .push(account.with_code(code).with_storage(storage));
        }
        world
    }
}

impl State for World {
    type Error = Infallible;

    fn account(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.get(address).map(|account| account.info))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, Infallible> {
        let storage = self
            .get(address)
            .map_or(&[][..], |account| &account.storage);
        let value = storage
            .iter()
            .find(|(key, _)| *key == slot)
            .map(|(_, value)| *value);
        Ok(value.unwrap_or_default())
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, Infallible> {
        let account = self
            .accounts
            .iter()
            .find(|account| account.info.code_hash == code_hash);
        Ok(account
            .expect("a code is asked for only if an account has it")
            .code
            .clone())
    }

    fn block_hash(&self, number: u64) -> Result<B256, Infallible> {
        Ok(keccak256(number.to_be_bytes()))
    }
}

/// The same world for revm.
#[derive(Clone, Debug, Default)]
pub struct Source(pub Arc<World>);

impl Database for Source {
    type Error = Infallible;

    fn basic(&mut self, address: Address) -> Result<Option<RevmAccount>, Infallible> {
        Ok(self.0.get(address).map(|account| {
            let AccountInfo {
                nonce,
                balance,
                code_hash,
                ..
            } = account.info;
            RevmAccount::new(balance, nonce, code_hash, account.bytecode.clone())
        }))
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, Infallible> {
        let account = self
            .0
            .accounts
            .iter()
            .find(|account| account.info.code_hash == code_hash);
        Ok(account
            .map(|account| account.bytecode.clone())
            .unwrap_or_default())
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, Infallible> {
        State::storage(&*self.0, address, slot)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Infallible> {
        State::block_hash(&*self.0, number)
    }
}
