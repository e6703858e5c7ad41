//! What one seed stands for: a world, a block and a transaction.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use cairn_vm::{Authorization, BlockEnv, TxEnv, delegation};

use crate::{
    cast::{ABSENT, CONTRACTS, DELEGATED, DELEGATED_SENDER, MINER, PLAIN, SENDER},
    generator::{self, Purpose, values},
    rng::Rng,
    world::{Account, World},
};

/// So many neighbouring seeds share their contracts, all but the first: both machines have prepared them.
pub const NEIGHBORS: u64 = 16;

/// A transaction in its world.
#[derive(Clone, Debug)]
pub struct Case {
    pub world: Arc<World>,
    pub block: BlockEnv,
    pub tx: TxEnv,
}

/// What neighbouring seeds have in common.
#[derive(Clone, Debug)]
pub struct Neighborhood {
    number: u64,
    world: World,
    block: BlockEnv,
}

impl Neighborhood {
    /// The one that `seed` belongs to.
    pub fn of(seed: u64) -> Self {
        let number = seed / NEIGHBORS;
        let rng = &mut Rng::new(!number);
        let mut world = World::default();
        for (index, address) in CONTRACTS.into_iter().enumerate().skip(1) {
            let budget = rng.below(20);
            world.put(contract(rng, index, address, budget));
        }
        for address in PLAIN {
            world.put(Account::new(
                address,
                rng.below(2) as u64,
                U256::from(1_000),
            ));
        }
        for (index, address) in DELEGATED.into_iter().enumerate() {
            let delegate = [
                CONTRACTS[1],
                DELEGATED[0],
                Address::with_last_byte(2),
                ABSENT[0],
            ][index];
            world.put(delegated(rng, address, delegate));
        }
        world.put(delegated(rng, DELEGATED_SENDER, CONTRACTS[2]));
        world.put(Account::new(
            SENDER,
            rng.below(3) as u64,
            U256::from(1_u64 << 50),
        ));
        if rng.one_in(2) {
            world.put(Account::new(MINER, 0, U256::from(1)));
        }
        Self {
            number,
            world,
            block: block(rng),
        }
    }

    pub fn contains(&self, seed: u64) -> bool {
        self.number == seed / NEIGHBORS
    }

    /// The case of `seed`.
    pub fn case(&self, seed: u64) -> Case {
        let rng = &mut Rng::new(seed);
        let mut world = self.world.clone();
        let budget = rng.pick(&[3, 8, 12, 16, 24, 40]);
        world.put(contract(rng, 0, CONTRACTS[0], budget));
        let tx = transaction(rng, &world, &self.block);
        Case {
            world: Arc::new(world),
            block: self.block.clone(),
            tx,
        }
    }
}

fn block(rng: &mut Rng) -> BlockEnv {
    BlockEnv {
        number: rng.pick(&[1, 255, 256, 257, 1_000]),
        timestamp: rng.next() >> 30,
        beneficiary: rng.pick(&[MINER, MINER, MINER, ABSENT[1], SENDER, CONTRACTS[1]]),
        gas_limit: rng.pick(&[30_000_000, 30_000_000, 30_000_000, 16_777_216, 900_000]),
        base_fee: rng.below(10) as u64,
        prevrandao: B256::from(values::word(rng)),
        blob_base_fee: 1,
        chain_id: 31_337,
    }
}

fn contract(rng: &mut Rng, index: usize, address: Address, budget: usize) -> Account {
    let mut code = generator::program(rng, Purpose::Runtime(index), budget);
    match rng.below(40) {
        0..=3 => generator::mutate(rng, &mut code),
        4 => code = generator::noise(rng),
        _ => {}
    }
    let balance = U256::from(rng.pick(&[0, 0, 1, 10_000]));
    let account = Account::new(address, 1, balance).with_code(code.into());
    account.with_storage(storage(rng))
}

fn delegated(rng: &mut Rng, address: Address, delegate: Address) -> Account {
    let balance = U256::from(1_u64 << 50);
    let account = Account::new(address, rng.below(3) as u64, balance);
    account
        .with_code(delegation::indicator(delegate))
        .with_storage(storage(rng))
}

fn storage(rng: &mut Rng) -> Vec<(U256, U256)> {
    let slots = (0..6).filter(|_| rng.one_in(2)).collect::<Vec<_>>();
    slots
        .into_iter()
        .map(|slot| (U256::from(slot), U256::from(rng.between(1, 3))))
        .collect()
}

/// A transaction, mostly a call of the first contract by an account that can pay for it.
pub fn transaction(rng: &mut Rng, world: &World, block: &BlockEnv) -> TxEnv {
    let sender = match rng.below(60) {
        0..=7 => DELEGATED_SENDER,
        8 if rng.one_in(4) => CONTRACTS[2],
        9 if rng.one_in(4) => ABSENT[0],
        _ => SENDER,
    };
    let to = match rng.below(30) {
        0..=2 => TxKind::Create,
        3..=5 => TxKind::Call(values::address(rng)),
        6 => TxKind::Call(DELEGATED_SENDER),
        _ => TxKind::Call(CONTRACTS[0]),
    };
    let nonce = world.get(sender).map_or(0, |account| account.info.nonce);
    let max_fee = u128::from(block.base_fee) + rng.below(4) as u128;
    let tx = TxEnv {
        sender,
        nonce: if rng.one_in(200) {
            values::word(rng).as_limbs()[0]
        } else {
            nonce
        },
        gas_limit: 0,
        max_fee: if rng.one_in(200) {
            rng.below(12) as u128
        } else {
            max_fee
        },
        max_priority_fee: rng.below(3).min(max_fee as usize) as u128,
        to,
        value: if rng.one_in(100) {
            values::word(rng)
        } else {
            U256::from(rng.pick(&[0, 0, 0, 1, 1_000]))
        },
        input: input(rng, to),
        access_list: access_list(rng),
        authorizations: if to.is_create() && !rng.one_in(40) {
            Vec::new()
        } else {
            authorizations(rng, world)
        },
    };
    TxEnv {
        gas_limit: gas_limit(rng, &tx),
        ..tx
    }
}

/// Enough to begin, and some more.
fn gas_limit(rng: &mut Rng, tx: &TxEnv) -> u64 {
    let intrinsic =
        cairn_vm::IntrinsicGas::new(tx.to, &tx.input, &tx.access_list, tx.authorizations.len());
    let least = intrinsic.initial.max(intrinsic.floor);
    if tx.to.is_create() && rng.one_in(16) {
        // As much as the longest code costs.
        return least + rng.between(4_900_000, 6_000_000);
    }
    match rng.below(1_000) {
        0..=9 => least - rng.between(0, 1),
        10..=49 => least + rng.between(0, 5_000),
        50..=249 => least + rng.between(0, 60_000),
        250..=799 => least + rng.between(60_000, 250_000),
        800..=996 => least + rng.between(250_000, 900_000),
        997 => rng.between(1_000_000, 17_000_000),
        _ => rng.between(1_000_000, 6_000_000),
    }
}

fn input(rng: &mut Rng, to: TxKind) -> Bytes {
    if to.is_create() {
        let budget = rng.below(16);
        let mut code = generator::program(rng, Purpose::Init, budget);
        if rng.one_in(10) {
            generator::mutate(rng, &mut code);
        }
        if rng.one_in(100) {
            code.resize(rng.pick(&[49_152, 49_153]), 0);
        }
        return code.into();
    }
    let len = rng.pick(&[0, 0, 4, 32, 36, 68, 100]);
    let mut input = rng.bytes(len);
    if rng.one_in(2) {
        input.iter_mut().for_each(|byte| *byte &= 3);
    }
    input.into()
}

fn access_list(rng: &mut Rng) -> Vec<(Address, Vec<B256>)> {
    if !rng.one_in(6) {
        return Vec::new();
    }
    let entry = |rng: &mut Rng| {
        let address = values::address(rng);
        let slots = (0..rng.below(4))
            .map(|_| values::slot(rng).into())
            .collect();
        (address, slots)
    };
    (0..rng.between(1, 3)).map(|_| entry(rng)).collect()
}

fn authorizations(rng: &mut Rng, world: &World) -> Vec<Authorization> {
    if !rng.one_in(12) {
        return Vec::new();
    }
    let entry = |rng: &mut Rng| {
        let authority = match rng.below(8) {
            0 => SENDER,
            1 => DELEGATED_SENDER,
            2 | 3 => rng.pick(&PLAIN),
            4 => rng.pick(&DELEGATED),
            _ => values::address(rng),
        };
        let nonce = world.get(authority).map_or(0, |account| account.info.nonce);
        let nonce = match rng.below(12) {
            0 => u64::MAX,
            1 | 2 => nonce + 1,
            _ => nonce,
        };
        Authorization {
            chain_id: U256::from(rng.pick(&[0, 31_337, 31_337, 31_337, 1])),
            address: values::address(rng),
            nonce,
            authority: (!rng.one_in(12)).then_some(authority),
        }
    };
    (0..rng.between(1, 3)).map(|_| entry(rng)).collect()
}
