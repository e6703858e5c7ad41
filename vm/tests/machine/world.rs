//! A state in memory that counts what it is asked, and short names for what tests need.

use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use cairn_vm::{AccountInfo, BlockEnv, Diff, Machine, Outcome, State, TxEnv};
use std::{cell::RefCell, collections::BTreeMap};

/// Who signs unless a test says otherwise.
pub const ALICE: Address = Address::repeat_byte(0xa1);
/// Who receives.
pub const BOB: Address = Address::repeat_byte(0xb0);
/// Who mines.
pub const MINER: Address = Address::repeat_byte(0x33);
/// What Alice owns.
pub const FUNDS: u64 = 1_000_000_000;

/// One account of the world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    pub nonce: u64,
    pub balance: U256,
    pub code: Bytes,
    pub storage: BTreeMap<U256, U256>,
}

impl Entry {
    pub fn info(&self) -> AccountInfo {
        let empty = AccountInfo::default();
        let code_hash = if self.code.is_empty() {
            empty.code_hash
        } else {
            keccak256(&self.code)
        };
        let has_storage = !self.storage.is_empty();
        AccountInfo {
            nonce: self.nonce,
            balance: self.balance,
            code_hash,
            has_storage,
        }
    }
}

/// The state failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the disk is gone")]
pub struct Broken;

/// A state in memory.
#[derive(Debug, Default)]
pub struct World {
    pub entries: BTreeMap<Address, Entry>,
    pub broken: bool,
    asked: RefCell<BTreeMap<Address, usize>>,
}

impl World {
    /// Alice with funds, nobody else.
    pub fn new() -> Self {
        Self::default().with_balance(ALICE, FUNDS)
    }

    pub fn with(mut self, address: Address, entry: Entry) -> Self {
        self.entries.insert(address, entry);
        self
    }

    pub fn with_balance(self, address: Address, wei: u64) -> Self {
        self.with(
            address,
            Entry {
                balance: U256::from(wei),
                ..Entry::default()
            },
        )
    }

    pub fn with_code(self, address: Address, code: &[u8]) -> Self {
        let code = Bytes::copy_from_slice(code);
        self.with(
            address,
            Entry {
                nonce: 1,
                code,
                ..Entry::default()
            },
        )
    }

    /// Executes on a new machine without precompiles, and checks what holds for every outcome.
    pub fn transact(&self, block: &BlockEnv, tx: &TxEnv) -> Result<Outcome, Error> {
        self.transact_on(&mut Machine::default(), block, tx)
    }

    /// Executes, and checks what holds for every outcome.
    pub fn transact_on(
        &self,
        machine: &mut Machine,
        block: &BlockEnv,
        tx: &TxEnv,
    ) -> Result<Outcome, Error> {
        self.asked.borrow_mut().clear();
        let result = machine.transact(self, block, tx);
        let asked = self.asked.borrow();
        assert!(
            asked.values().all(|times| *times == 1),
            "asked more than once: {asked:?}"
        );
        if let Ok(outcome) = &result {
            self.check(outcome, block, tx);
        }
        result
    }

    /// How often the state was asked for this account in the last transaction.
    pub fn times_asked(&self, address: Address) -> usize {
        self.asked.borrow().get(&address).copied().unwrap_or(0)
    }

    pub fn supply(&self) -> U256 {
        self.entries.values().map(|entry| entry.balance).sum()
    }

    pub fn balance(&self, address: Address) -> U256 {
        self.entries
            .get(&address)
            .map_or(U256::ZERO, |entry| entry.balance)
    }

    /// Makes the changes of a diff.
    pub fn apply(&mut self, diff: &Diff) {
        for change in &diff.accounts {
            let Some(after) = change.after else {
                self.entries.remove(&change.address);
                continue;
            };
            let entry = self.entries.entry(change.address).or_default();
            entry.nonce = after.nonce;
            entry.balance = after.balance;
            if let Some(code) = &change.code {
                entry.code = code.clone();
            } else if !after.has_code() {
                entry.code = Bytes::new();
            }
            for slot in &change.storage {
                entry.storage.insert(slot.slot, slot.after);
            }
            entry.storage.retain(|_, value| !value.is_zero());
            assert_eq!(entry.info().code_hash, after.code_hash);
        }
    }

    /// The world after a diff.
    pub fn after(&self, diff: &Diff) -> Self {
        let mut world = Self {
            entries: self.entries.clone(),
            ..Self::default()
        };
        world.apply(diff);
        world
    }

    /// Gas within bounds, the diff true and in order, and no coin made or lost.
    fn check(&self, outcome: &Outcome, block: &BlockEnv, tx: &TxEnv) {
        assert!(outcome.gas_used <= tx.gas_limit);
        let accounts = &outcome.diff.accounts;
        assert!(accounts.is_sorted_by(|a, b| a.address < b.address));
        for change in accounts {
            let before = self.entries.get(&change.address).map(Entry::info);
            assert_eq!(change.before, before, "{}", change.address);
            assert!(
                change.after != before || !change.storage.is_empty(),
                "not a change"
            );
            assert!(change.storage.is_sorted_by(|a, b| a.slot < b.slot));
            assert!(change.storage.iter().all(|slot| slot.before != slot.after));
        }
        let burned = U256::from(outcome.gas_used) * U256::from(block.base_fee);
        let after = self.after(&outcome.diff).supply();
        assert_eq!(self.supply(), after + burned + outcome.destroyed);
    }
}

/// What a transaction on a [`World`] fails with.
pub type Error = cairn_vm::TransactError<Broken>;

impl State for World {
    type Error = Broken;

    fn account(&self, address: Address) -> Result<Option<AccountInfo>, Broken> {
        *self.asked.borrow_mut().entry(address).or_default() += 1;
        if self.broken {
            return Err(Broken);
        }
        Ok(self.entries.get(&address).map(Entry::info))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, Broken> {
        let entry = self.entries.get(&address);
        Ok(entry
            .and_then(|entry| entry.storage.get(&slot))
            .copied()
            .unwrap_or_default())
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, Broken> {
        let mut codes = self.entries.values().map(|entry| &entry.code);
        let code = codes.find(|code| !code.is_empty() && keccak256(code) == code_hash);
        Ok(code
            .expect("asked for a hash that no account named")
            .clone())
    }

    fn block_hash(&self, number: u64) -> Result<B256, Broken> {
        Ok(keccak256(number.to_be_bytes()))
    }
}

/// A block with a base fee of 7 wei.
pub fn block() -> BlockEnv {
    BlockEnv {
        number: 1,
        timestamp: 1_000,
        beneficiary: MINER,
        gas_limit: 30_000_000,
        base_fee: 7,
        blob_base_fee: 1,
        chain_id: 31_337,
        ..BlockEnv::default()
    }
}

/// Alice's first transaction: 1,000 wei to Bob at 10 wei per gas, of which 2 are a tip.
pub fn transfer() -> TxEnv {
    TxEnv {
        sender: ALICE,
        gas_limit: 21_000,
        max_fee: 10,
        max_priority_fee: 2,
        to: TxKind::Call(BOB),
        value: U256::from(1_000),
        ..TxEnv::default()
    }
}

/// A creation by Alice's first transaction with this init code.
pub fn creation(init_code: &[u8]) -> TxEnv {
    let input = Bytes::copy_from_slice(init_code);
    TxEnv {
        to: TxKind::Create,
        input,
        gas_limit: 200_000,
        ..transfer()
    }
}

/// What the diff says of an account; panics if it is not in the diff.
pub fn change(outcome: &Outcome, address: Address) -> &cairn_vm::AccountDiff {
    let accounts = &outcome.diff.accounts;
    accounts
        .iter()
        .find(|change| change.address == address)
        .expect("the account changed")
}
