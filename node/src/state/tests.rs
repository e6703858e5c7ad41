//! The state against a model of it: random blocks executed, committed in batches of any
//! length, read at every height, and undone again.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_genesis::{GenesisAccount, state_root};
use cairn_vm::{AccountDiff, AccountInfo, Diff, SlotDiff, State};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Account, BlockChanges, Changes, Pending, StateAt, account_key, slot_key};
use crate::store::{Batch, Column, Durability, Memory, Reader, Store, keys};

/// All accounts that exist; none is empty.
type Model = BTreeMap<Address, GenesisAccount>;

/// Enough for tries of several levels.
const ACCOUNTS: u8 = 60;
const SLOTS: u8 = 40;

/// Stands from the start, and is written to before the first transaction of each block.
const HISTORY: u8 = 0;

#[derive(Debug, Clone)]
enum Change {
    Balance(u8, u64),
    Nonce(u8),
    Code(u8, u8),
    Slots(u8, Vec<(u8, u8)>),
    Delete(u8),
}

/// What one block does: a slot of the history contract, transactions, a credit.
#[derive(Debug, Clone)]
struct Block {
    slot: u8,
    transactions: Vec<Vec<Change>>,
    credit: (u8, u64),
    /// Whether the batch ends with it.
    commit: bool,
}

fn change() -> impl Strategy<Value = Change> {
    let who = 1..ACCOUNTS;
    prop_oneof![
        4 => (who.clone(), any::<u64>()).prop_map(|(who, wei)| Change::Balance(who, wei)),
        1 => who.clone().prop_map(Change::Nonce),
        1 => (who.clone(), 1..4u8).prop_map(|(who, code)| Change::Code(who, code)),
        2 => (1..6u8, vec((0..SLOTS, 0..3u8), 1..20)).prop_map(|(who, to)| Change::Slots(who, to)),
        2 => who.prop_map(Change::Delete),
    ]
}

fn block() -> impl Strategy<Value = Block> {
    let transactions = vec(vec(change(), 0..12), 0..4);
    let credit = (1..ACCOUNTS, 0..3u64);
    (any::<u8>(), transactions, credit, any::<bool>()).prop_map(
        |(slot, transactions, credit, commit)| Block {
            slot,
            transactions,
            credit,
            commit,
        },
    )
}

fn address(who: u8) -> Address {
    Address::repeat_byte(who)
}

fn word(value: u8) -> B256 {
    B256::with_last_byte(value)
}

fn number(value: B256) -> U256 {
    U256::from_be_bytes(value.0)
}

/// Makes a change to the model; what would leave an empty account with storage, which the
/// rules cannot, is not done.
fn apply(model: &mut Model, change: &Change) {
    let who = match change {
        Change::Balance(who, _) | Change::Nonce(who) | Change::Code(who, _) => *who,
        Change::Slots(who, _) | Change::Delete(who) => *who,
    };
    let account = model.entry(address(who)).or_default();
    match change {
        Change::Balance(_, wei) => account.balance = U256::from(*wei),
        Change::Nonce(_) => account.nonce += 1,
        Change::Code(_, code) => account.code = Bytes::from(vec![*code; 3]),
        Change::Slots(_, slots) => {
            account.nonce = account.nonce.max(1);
            for (slot, value) in slots {
                account.storage.insert(word(*slot), word(*value));
            }
            account.storage.retain(|_, value| !value.is_zero());
        }
        Change::Delete(_) if account.storage.is_empty() => *account = GenesisAccount::default(),
        Change::Delete(_) => {}
    }
    let is_empty = *account == GenesisAccount::default();
    if is_empty {
        model.remove(&address(who));
    }
}

/// What a machine would say of a transaction, given the state before it.
fn diff(state: &impl State<Error: std::fmt::Debug>, before: &Model, after: &Model) -> Diff {
    let all = (0..ACCOUNTS).map(address);
    let changed = all.filter(|who| before.get(who) != after.get(who));
    let accounts = changed.map(|who| {
        let (old, new) = (before.get(&who), after.get(&who));
        let slots = (0..SLOTS).map(word).filter_map(|slot| {
            let value = |account: Option<&GenesisAccount>| {
                number(
                    account
                        .and_then(|account| account.storage.get(&slot))
                        .copied()
                        .unwrap_or_default(),
                )
            };
            let (before, after) = (value(old), value(new));
            let slot = number(slot);
            (before != after).then_some(SlotDiff {
                slot,
                before,
                after,
            })
        });
        let code = |account: Option<&GenesisAccount>| account.map(|account| account.code.clone());
        let new_code = code(new).filter(|code| !code.is_empty());
        AccountDiff {
            address: who,
            before: state.account(who).unwrap(),
            after: new.map(info),
            code: new_code.filter(|new| code(old).as_ref() != Some(new)),
            storage: slots.collect(),
        }
    });
    Diff {
        accounts: accounts.collect(),
    }
}

fn info(account: &GenesisAccount) -> AccountInfo {
    AccountInfo {
        nonce: account.nonce,
        balance: account.balance,
        code_hash: account.code_hash(),
        has_storage: !account.storage.is_empty(),
    }
}

fn record(account: &GenesisAccount) -> Account {
    Account {
        nonce: account.nonce,
        balance: account.balance,
        code_hash: account.code_hash(),
        storage_root: account.storage_root(),
    }
}

/// Store, overlay and model in step.
struct Bench {
    store: Memory,
    pending: Pending,
    batch: Batch,
    model: Model,
    /// The model after each block.
    models: Vec<Model>,
    /// What each block changed.
    changes: Vec<Changes>,
}

impl Bench {
    fn new() -> Self {
        let mut bench = Self {
            store: Memory::default(),
            pending: Pending::default(),
            batch: Batch::default(),
            model: Model::new(),
            models: Vec::new(),
            changes: Vec::new(),
        };
        let contract = GenesisAccount {
            nonce: 1,
            ..GenesisAccount::default()
        };
        let key = bench
            .pending
            .insert_account(address(HISTORY), record(&contract), Bytes::new());
        bench.model.insert(address(HISTORY), contract);
        bench
            .pending
            .update_root(&bench.store, &[key], &[])
            .unwrap();
        bench.models.push(bench.model.clone());
        bench
    }

    fn execute(&mut self, block: &Block) {
        let mut changes = BlockChanges::default();
        let (slot, value) = (block.slot % SLOTS, block.slot % 3);
        self.write_history(slot, value, &mut changes);
        for transaction in &block.transactions {
            let before = self.model.clone();
            transaction
                .iter()
                .for_each(|change| apply(&mut self.model, change));
            let diff = diff(&self.pending.over(&self.store), &before, &self.model);
            self.pending.apply(&self.store, diff, &mut changes).unwrap();
        }
        self.credit(block.credit, &mut changes);
        let root = self.pending.root_after(&self.store, &changes).unwrap();
        assert_eq!(root, state_root(&self.model));
        self.keep(changes.into_changes());
        if block.commit {
            self.commit();
        }
    }

    fn write_history(&mut self, slot: u8, value: u8, changes: &mut BlockChanges) {
        let contract = self.model.get_mut(&address(HISTORY)).unwrap();
        contract.storage.insert(word(slot), word(value));
        contract.storage.retain(|_, value| !value.is_zero());
        let (slot, value) = (U256::from(slot), U256::from(value));
        let history = address(HISTORY);
        self.pending
            .write_slot(&self.store, history, slot, value, changes)
            .unwrap();
    }

    fn credit(&mut self, (who, wei): (u8, u64), changes: &mut BlockChanges) {
        let amount = U256::from(wei);
        self.pending
            .credit(&self.store, address(who), amount, changes)
            .unwrap();
        if wei > 0 {
            self.model.entry(address(who)).or_default().balance += amount;
        }
    }

    /// Writes down the before-images as a connected block does.
    fn keep(&mut self, changes: Changes) {
        let height = self.models.len() as u64;
        for (account, before) in &changes.accounts {
            let before = before.map(|account| account.encode()).unwrap_or_default();
            self.batch.put(
                Column::AccountHistory,
                keys::history(account.as_slice(), height),
                before,
            );
        }
        for ((account, slot), before) in &changes.storage {
            let key = keys::history(&keys::slot(*account, *slot), height);
            self.batch.put(
                Column::StorageHistory,
                key,
                before.to_be_bytes_trimmed_vec(),
            );
        }
        assert_eq!(Changes::decode(&changes.encode()).as_ref(), Ok(&changes));
        self.changes.push(changes);
        self.models.push(self.model.clone());
    }

    fn commit(&mut self) {
        let mut batch = std::mem::take(&mut self.batch);
        std::mem::take(&mut self.pending).write_to(&mut batch);
        self.store.write(batch, Durability::Synced).unwrap();
        self.check_flat();
    }

    /// The flat state is the model's, and the stored trie has its root.
    fn check_flat(&self) {
        let root = Pending::default()
            .update_root(&self.store, &[], &[])
            .unwrap();
        assert_eq!(root, state_root(&self.model));
        let account = |(who, account): (&Address, &GenesisAccount)| {
            (account_key(*who).to_vec(), record(account).encode())
        };
        let accounts: BTreeMap<_, _> = self.model.iter().map(account).collect();
        assert_eq!(self.column(Column::Accounts), accounts);
        let slots = self.model.iter().flat_map(|(who, account)| {
            let word = move |(slot, value): (&B256, &B256)| {
                let key = keys::slot(account_key(*who), slot_key(number(*slot)));
                (key.to_vec(), number(*value).to_be_bytes_trimmed_vec())
            };
            account.storage.iter().map(word)
        });
        assert_eq!(self.column(Column::Storage), slots.collect());
    }

    fn column(&self, column: Column) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut entries = BTreeMap::new();
        let mut cursor = self.store.cursor(column);
        cursor.seek(&[]).unwrap();
        while let Some((key, value)) = cursor.entry() {
            entries.insert(key.to_vec(), value.to_vec());
            cursor.advance().unwrap();
        }
        entries
    }

    /// At every height each account and slot is what it was.
    fn check_history(&self) {
        let tip = self.models.len() as u64 - 1;
        for (height, model) in (0..).zip(&self.models) {
            let state = StateAt::new(&self.store, height, tip, 0).unwrap();
            for who in (0..ACCOUNTS).map(address) {
                let expected = model.get(&who);
                assert_eq!(
                    state.account(who),
                    Ok(expected.map(record)),
                    "height {height}"
                );
                let read = State::account(&state, who).unwrap();
                assert_eq!(read, expected.map(info));
                if let Some(account) = expected {
                    assert_eq!(state.code(account.code_hash()), Ok(account.code.clone()));
                }
            }
            for (who, slot) in (0..6).flat_map(|who| (0..SLOTS).map(move |slot| (who, slot))) {
                let account = model.get(&address(who));
                let expected = account.and_then(|account| account.storage.get(&word(slot)));
                let expected = number(expected.copied().unwrap_or_default());
                assert_eq!(state.slot(address(who), U256::from(slot)), Ok(expected));
            }
        }
    }

    /// Back to the first state, committing now and then.
    fn undo_all(&mut self, blocks: &[Block]) {
        self.models.pop();
        for block in blocks.iter().rev() {
            let changes = self.changes.pop().unwrap();
            self.model = self.models.pop().unwrap();
            self.pending.undo(&changes);
            let accounts: Vec<_> = changes.accounts.iter().map(|(key, _)| *key).collect();
            let slots: Vec<_> = changes.storage.iter().map(|(key, _)| *key).collect();
            let root = self
                .pending
                .update_root(&self.store, &accounts, &slots)
                .unwrap();
            assert_eq!(root, state_root(&self.model));
            if block.commit {
                self.commit();
            }
        }
        self.commit();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn state_roots_history_and_undo_are_the_models(blocks in vec(block(), 1..10)) {
        let mut bench = Bench::new();
        blocks.iter().for_each(|block| bench.execute(block));
        bench.commit();
        bench.check_history();
        bench.undo_all(&blocks);
        prop_assert_eq!(bench.model.len(), 1);
    }
}

/// An account that was absent, one that was empty of coins and a slot that was zero are
/// three things, and none of them is "unchanged".
#[test]
fn absent_empty_and_zero_stay_apart_in_history() {
    let who = address(9);
    let key = account_key(who);
    let slot = keys::slot(key, slot_key(U256::ONE));
    let store = Memory::default();
    let mut batch = Batch::default();
    batch.put(Column::AccountHistory, keys::history(key.as_slice(), 5), []);
    let empty = Account::default();
    batch.put(
        Column::AccountHistory,
        keys::history(key.as_slice(), 7),
        empty.encode(),
    );
    batch.put(Column::StorageHistory, keys::history(&slot, 7), []);
    batch.put(Column::Storage, slot, [3]);
    store.write(batch, Durability::Synced).unwrap();
    let at = |number| StateAt::new(&store, number, 9, 0).unwrap();
    assert_eq!(at(4).account(who), Ok(None), "block 5 made it");
    assert_eq!(at(6).account(who), Ok(Some(empty)), "block 7 changed it");
    assert_eq!(at(7).account(who), Ok(None), "it is absent at the tip");
    assert_eq!(at(6).slot(who, U256::ONE), Ok(U256::ZERO));
    assert_eq!(at(7).slot(who, U256::ONE), Ok(U256::from(3)));
}
