//! Random journals against a model that keeps the whole state in maps and clones it at a checkpoint.

use crate::world::{Entry, World};
use alloy_primitives::{Address, B256, Bytes, Log, LogData, U256, keccak256};
use cairn_vm::{AccountDiff, AccountInfo, Journal, SlotDiff, journal::Checkpoint};
use proptest::{collection::vec, prelude::*};
use std::collections::{BTreeMap, BTreeSet};

/// Accounts and slots that operations choose from.
const ACCOUNTS: u8 = 5;
const SLOTS: u8 = 4;

#[derive(Clone, Debug)]
enum Op {
    Touch(u8),
    Credit(u8, u8),
    Debit(u8, u8),
    Transfer(u8, u8, u8),
    Nonce(u8, u8),
    Code(u8, u8),
    Create(u8),
    SelfDestruct(u8, u8),
    Access(u8),
    WarmAccount(u8),
    WarmSlot(u8, u8),
    Load(u8, u8),
    Store(u8, u8, u8),
    Transient(u8, u8, u8),
    Log(u8),
    Refund(i8),
    Checkpoint,
    Revert,
    Keep,
}

fn op() -> impl Strategy<Value = Op> {
    let a = 0..ACCOUNTS;
    let s = 0..SLOTS;
    let v = 0..4_u8;
    prop_oneof![
        a.clone().prop_map(Op::Touch),
        (a.clone(), v.clone()).prop_map(|(a, v)| Op::Credit(a, v)),
        (a.clone(), v.clone()).prop_map(|(a, v)| Op::Debit(a, v)),
        (a.clone(), a.clone(), v.clone()).prop_map(|(a, b, v)| Op::Transfer(a, b, v)),
        (a.clone(), v.clone()).prop_map(|(a, v)| Op::Nonce(a, v)),
        (a.clone(), v.clone()).prop_map(|(a, v)| Op::Code(a, v)),
        a.clone().prop_map(Op::Create),
        (a.clone(), a.clone()).prop_map(|(a, b)| Op::SelfDestruct(a, b)),
        a.clone().prop_map(Op::Access),
        a.clone().prop_map(Op::WarmAccount),
        (a.clone(), s.clone()).prop_map(|(a, s)| Op::WarmSlot(a, s)),
        (a.clone(), s.clone()).prop_map(|(a, s)| Op::Load(a, s)),
        (a.clone(), s.clone(), v.clone()).prop_map(|(a, s, v)| Op::Store(a, s, v)),
        (a, s, v.clone()).prop_map(|(a, s, v)| Op::Transient(a, s, v)),
        v.prop_map(Op::Log),
        any::<i8>().prop_map(Op::Refund),
        Just(Op::Checkpoint),
        Just(Op::Checkpoint),
        Just(Op::Revert),
        Just(Op::Keep),
    ]
}

fn address(account: u8) -> Address {
    Address::repeat_byte(account + 1)
}

fn number(value: u8) -> U256 {
    U256::from(value)
}

/// Code number 0 is no code.
fn code(value: u8) -> Bytes {
    Bytes::from(vec![value; value.into()])
}

fn log(value: u8) -> Log {
    Log {
        address: address(value),
        data: LogData::new_unchecked(vec![], code(value)),
    }
}

/// One account of each kind: absent, empty, funded, contract with storage, balance only.
fn world() -> World {
    let storage = BTreeMap::from([(number(0), number(3)), (number(1), number(1))]);
    let contract = Entry {
        nonce: 1,
        balance: number(5),
        code: code(2),
        storage,
    };
    World::default()
        .with(address(1), Entry::default())
        .with(
            address(2),
            Entry {
                nonce: 3,
                balance: number(9),
                ..Entry::default()
            },
        )
        .with(address(3), contract)
        .with(
            address(4),
            Entry {
                balance: number(7),
                ..Entry::default()
            },
        )
}

/// The naive journal.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    entries: BTreeMap<u8, Entry>,
    touched: BTreeSet<u8>,
    created: BTreeSet<u8>,
    destroyed: BTreeSet<u8>,
    warm: BTreeSet<u8>,
    warm_slots: BTreeSet<(u8, u8)>,
    transient: BTreeMap<(u8, u8), u8>,
    logs: Vec<u8>,
    refund: i64,
    burned: U256,
}

impl Model {
    fn new(world: &World) -> Self {
        let entry = |account| {
            world
                .entries
                .get(&address(account))
                .cloned()
                .unwrap_or_default()
        };
        let entries = (0..ACCOUNTS)
            .map(|account| (account, entry(account)))
            .collect();
        Self {
            entries,
            ..Self::default()
        }
    }

    fn entry(&mut self, account: u8) -> &mut Entry {
        self.entries.get_mut(&account).unwrap()
    }

    fn slot(&self, account: u8, slot: u8) -> U256 {
        self.entries[&account]
            .storage
            .get(&number(slot))
            .copied()
            .unwrap_or_default()
    }

    fn move_wei(&mut self, from: Option<u8>, to: Option<u8>, wei: U256) -> bool {
        if let Some(from) = from {
            let Some(rest) = self.entries[&from].balance.checked_sub(wei) else {
                return false;
            };
            self.entry(from).balance = rest;
            self.touched.insert(from);
        }
        if let Some(to) = to {
            self.entry(to).balance += wei;
            self.touched.insert(to);
        }
        true
    }

    fn self_destruct(&mut self, account: u8, target: u8) {
        let balance = self.entries[&account].balance;
        let created = self.created.contains(&account);
        if account != target {
            self.move_wei(Some(account), Some(target), balance);
        } else if created {
            self.move_wei(Some(account), None, balance);
            self.burned += balance;
        }
        if created {
            self.destroyed.insert(account);
        }
    }

    fn after(&self, world: &World, account: u8) -> Option<Entry> {
        let entry = &self.entries[&account];
        let empty = entry.info().is_empty();
        if self.destroyed.contains(&account) || (empty && self.touched.contains(&account)) {
            return None;
        }
        if empty {
            world.entries.get(&address(account)).cloned()
        } else {
            Some(entry.clone())
        }
    }

    /// What the diff must be, account by account.
    fn diff(&self, world: &World) -> Vec<AccountDiff> {
        (0..ACCOUNTS)
            .filter_map(|account| self.account_diff(world, account))
            .collect()
    }

    fn account_diff(&self, world: &World, account: u8) -> Option<AccountDiff> {
        let address = address(account);
        let old = world.entries.get(&address).cloned();
        let new = self.after(world, account);
        let mut storage = Vec::new();
        for slot in (0..SLOTS).filter(|_| new.is_some()) {
            let of = |entry: &Entry| entry.storage.get(&number(slot)).copied();
            let before = old.as_ref().and_then(of).unwrap_or_default();
            let after = self.slot(account, slot);
            if before != after {
                storage.push(SlotDiff {
                    slot: number(slot),
                    before,
                    after,
                });
            }
        }
        let before = old.as_ref().map(Entry::info);
        let written = storage.iter().any(|slot| !slot.after.is_zero());
        let had_storage = before.is_some_and(|info| info.has_storage);
        let after = new.as_ref().map(|entry| AccountInfo {
            has_storage: had_storage || written,
            ..entry.info()
        });
        if before == after && storage.is_empty() {
            return None;
        }
        let hash = |entry: &Option<Entry>| entry.as_ref().map(|entry| keccak256(&entry.code));
        let is_new = hash(&old) != hash(&new);
        let code = new
            .map(|entry| entry.code)
            .filter(|code| is_new && !code.is_empty());
        Some(AccountDiff {
            address,
            before,
            after,
            code,
            storage,
        })
    }
}

/// A journal and its model, led through the same operations.
struct Pair<'a> {
    world: &'a World,
    journal: &'a mut Journal,
    model: Model,
    saved: Vec<(Checkpoint, Model)>,
}

impl Pair<'_> {
    fn step(&mut self, op: &Op) {
        match *op {
            Op::Checkpoint => self
                .saved
                .push((self.journal.checkpoint(), self.model.clone())),
            Op::Revert => {
                if let Some((checkpoint, model)) = self.saved.pop() {
                    self.journal.revert(checkpoint);
                    self.model = model;
                }
            }
            Op::Keep => drop(self.saved.pop()),
            Op::Log(value) => {
                self.journal.log(log(value));
                self.model.logs.push(value);
            }
            Op::Refund(gas) => {
                self.journal.add_refund(gas.into());
                self.model.refund += i64::from(gas);
            }
            Op::Touch(_)
            | Op::Credit(..)
            | Op::Debit(..)
            | Op::Transfer(..)
            | Op::Nonce(..)
            | Op::Code(..)
            | Op::Create(_)
            | Op::SelfDestruct(..) => self.account_step(op),
            Op::Access(_) | Op::WarmAccount(_) | Op::WarmSlot(..) | Op::Load(..) => {
                self.warmth_step(op);
            }
            Op::Store(..) | Op::Transient(..) => self.storage_step(op),
        }
        self.compare();
    }

    fn account_step(&mut self, op: &Op) {
        let Self {
            world,
            journal,
            model,
            ..
        } = self;
        let mut id = |account| journal.load(*world, address(account)).unwrap();
        match *op {
            Op::Touch(a) => {
                let a_id = id(a);
                journal.touch(a_id);
                model.touched.insert(a);
            }
            Op::Credit(a, wei) => {
                let a_id = id(a);
                journal.credit(a_id, number(wei)).unwrap();
                model.move_wei(None, Some(a), number(wei));
            }
            Op::Debit(a, wei) => {
                let a_id = id(a);
                let done = journal.debit(a_id, number(wei)).is_ok();
                assert_eq!(done, model.move_wei(Some(a), None, number(wei)));
            }
            Op::Transfer(a, b, wei) => {
                let (a_id, b_id) = (id(a), id(b));
                let done = journal.transfer(a_id, b_id, number(wei)).is_ok();
                assert_eq!(done, model.move_wei(Some(a), Some(b), number(wei)));
            }
            Op::Nonce(a, nonce) => {
                let a_id = id(a);
                journal.set_nonce(a_id, nonce.into());
                model.entry(a).nonce = nonce.into();
                model.touched.insert(a);
            }
            Op::Code(a, value) => {
                let a_id = id(a);
                journal.set_code(a_id, code(value));
                model.entry(a).code = code(value);
                model.touched.insert(a);
            }
            Op::Create(a) => {
                let a_id = id(a);
                // An address with storage that was not there before is one that was written to in this
                // transaction, which no creation can follow.
                if !journal.account(a_id).collides() && model.entries[&a].storage.is_empty() {
                    journal.create_contract(a_id);
                    model.entry(a).nonce = 1;
                    model.created.insert(a);
                    model.touched.insert(a);
                }
            }
            Op::SelfDestruct(a, b) => {
                let (a_id, b_id) = (id(a), id(b));
                journal.self_destruct(a_id, b_id).unwrap();
                model.self_destruct(a, b);
            }
            _ => unreachable!("not an account operation"),
        }
    }

    fn warmth_step(&mut self, op: &Op) {
        let Self {
            world,
            journal,
            model,
            ..
        } = self;
        match *op {
            Op::Access(a) => {
                let cold = journal.access(*world, address(a)).unwrap().cold;
                assert_eq!(cold, model.warm.insert(a));
            }
            Op::WarmAccount(a) => {
                journal.warm_account(address(a));
                model.warm.insert(a);
            }
            Op::WarmSlot(a, slot) => {
                journal.warm_slot(address(a), B256::with_last_byte(slot));
                model.warm_slots.insert((a, slot));
            }
            Op::Load(a, slot) => {
                let id = journal.load(*world, address(a)).unwrap();
                let access = journal.access_slot(*world, id, number(slot)).unwrap();
                assert_eq!(access.cold, model.warm_slots.insert((a, slot)));
                assert_eq!(access.current, model.slot(a, slot));
            }
            _ => unreachable!("not a warmth operation"),
        }
    }

    fn storage_step(&mut self, op: &Op) {
        let Self {
            world,
            journal,
            model,
            ..
        } = self;
        match *op {
            Op::Store(a, slot, value) => {
                let id = journal.load(*world, address(a)).unwrap();
                let access = journal.access_slot(*world, id, number(slot)).unwrap();
                assert_eq!(access.cold, model.warm_slots.insert((a, slot)));
                journal.set_slot(id, number(slot), number(value));
                model.touched.insert(a);
                model.entry(a).storage.insert(number(slot), number(value));
                model.entry(a).storage.retain(|_, value| !value.is_zero());
            }
            Op::Transient(a, slot, value) => {
                let id = journal.load(*world, address(a)).unwrap();
                journal.set_transient(id, number(slot), number(value));
                model.transient.insert((a, slot), value);
            }
            _ => unreachable!("not a storage operation"),
        }
    }

    /// Everything that can be seen without making it warm.
    fn compare(&mut self) {
        let Self {
            world,
            journal,
            model,
            ..
        } = self;
        for a in 0..ACCOUNTS {
            let id = journal.load(*world, address(a)).unwrap();
            let info = model.entries[&a].info();
            let account = journal.account(id).clone();
            assert_eq!(account.nonce(), info.nonce);
            assert_eq!(account.balance(), info.balance);
            assert_eq!(account.code_hash(), info.code_hash);
            assert_eq!(account.is_created(), model.created.contains(&a));
            assert_eq!(account.is_destroyed(), model.destroyed.contains(&a));
            let existed = world.entries.contains_key(&address(a));
            assert_eq!(account.exists(), existed || !info.is_empty());
            assert_eq!(journal.code(&Codes, id).unwrap(), model.entries[&a].code);
            for slot in 0..SLOTS {
                let value = model.transient.get(&(a, slot)).copied().unwrap_or(0);
                assert_eq!(journal.transient(id, number(slot)), number(value));
            }
        }
        assert_eq!(journal.refund(), model.refund);
        let logs: Vec<Log> = model.logs.iter().copied().map(log).collect();
        assert_eq!(journal.logs(), logs);
    }

    fn finish(mut self) {
        // Reading every slot makes it warm, which ends the comparison of warm sets.
        for (a, slot) in (0..ACCOUNTS).flat_map(|a| (0..SLOTS).map(move |slot| (a, slot))) {
            self.warmth_step(&Op::Load(a, slot));
        }
        (0..ACCOUNTS).for_each(|a| self.warmth_step(&Op::Access(a)));
        let finished = self.journal.finish();
        assert_eq!(finished.diff.accounts, self.model.diff(self.world));
        assert_eq!(finished.logs.len(), self.model.logs.len());
        let lost = self
            .model
            .destroyed
            .iter()
            .map(|account| self.model.entries[account].balance);
        assert_eq!(finished.destroyed, lost.sum::<U256>() + self.model.burned);
    }
}

/// A state that knows the codes of [`code`].
struct Codes;

impl cairn_vm::State for Codes {
    type Error = std::convert::Infallible;

    fn account(&self, _: Address) -> Result<Option<AccountInfo>, Self::Error> {
        unreachable!("every account is loaded")
    }

    fn storage(&self, _: Address, _: U256) -> Result<U256, Self::Error> {
        unreachable!("only codes are asked for")
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, Self::Error> {
        Ok((1..4)
            .map(code)
            .find(|code| keccak256(code) == code_hash)
            .expect("a code in use"))
    }

    fn block_hash(&self, _: u64) -> Result<B256, Self::Error> {
        unreachable!("only codes are asked for")
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_journal_does_what_the_model_does(transactions in vec(vec(op(), 0..60), 1..4)) {
        let world = world();
        let mut journal = Journal::default();
        for ops in transactions {
            journal.reset();
            let model = Model::new(&world);
            let mut pair = Pair { world: &world, journal: &mut journal, model, saved: vec![] };
            ops.iter().for_each(|op| pair.step(op));
            pair.finish();
        }
    }
}
