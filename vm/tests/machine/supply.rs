//! Random transactions: transfers against an oracle that is a page of plain arithmetic, and everything else
//! against what must always hold (see `World::transact_on`: supply, order and truth of the diff, one
//! question per account).

use crate::world::{Entry, World};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use cairn_vm::{
    Authorization, BlockEnv, InvalidTransaction, Machine, PrecompileOutput, PrecompileResult,
    Precompiles, TransactError, TxEnv, delegation,
};
use proptest::{collection::vec, option, prelude::*};
use std::collections::BTreeMap;

const BASE_FEE: u64 = 7;

fn address(account: u8) -> Address {
    Address::repeat_byte(account + 1)
}

fn anyone() -> impl Strategy<Value = Address> {
    (0..6_u8).prop_map(address)
}

/// Plain accounts only: some absent, some empty, some poor, some rich.
fn plain_world() -> impl Strategy<Value = World> {
    let balance = prop_oneof![Just(0), 200_000..230_000_u64, Just(1_000_000_000)];
    vec(option::of((0..3_u64, balance)), 6).prop_map(|accounts| {
        let mut world = World::default();
        for (number, account) in (0..).zip(accounts) {
            if let Some((nonce, balance)) = account {
                let balance = U256::from(balance);
                world = world.with(
                    address(number),
                    Entry {
                        nonce,
                        balance,
                        ..Entry::default()
                    },
                );
            }
        }
        world
    })
}

/// Plain accounts, contracts, delegated accounts, and one with nothing but storage.
fn any_world() -> impl Strategy<Value = World> {
    plain_world().prop_map(|world| {
        let storage = BTreeMap::from([(U256::from(1), U256::from(1))]);
        let contract = Entry {
            nonce: 1,
            code: vec![0].into(),
            ..Entry::default()
        };
        let code = delegation::indicator(address(4));
        let balance = U256::from(1_000_000_000);
        world
            .with(address(4), contract)
            .with(
                address(5),
                Entry {
                    nonce: 1,
                    balance,
                    code,
                    ..Entry::default()
                },
            )
            .with(
                address(0).create(0),
                Entry {
                    storage,
                    ..Entry::default()
                },
            )
    })
}

fn transfers() -> impl Strategy<Value = TxEnv> {
    let fees = (0..20_u128, 0..20_u128);
    let input = vec(0..2_u8, 0..8);
    let gas = prop_oneof![Just(21_000), 20_990..21_400_u64, 10_000_000..17_000_000_u64];
    (anyone(), 0..3_u64, gas, fees, anyone(), 0..2_000_u64, input).prop_map(
        |(sender, nonce, gas_limit, (max_fee, max_priority_fee), to, value, input)| TxEnv {
            sender,
            nonce,
            gas_limit,
            max_fee,
            max_priority_fee,
            to: TxKind::Call(to),
            value: U256::from(value),
            input: Bytes::from(input),
            ..TxEnv::default()
        },
    )
}

fn authorizations() -> impl Strategy<Value = Vec<Authorization>> {
    let chain_id = (0..3_u64).prop_map(U256::from);
    let delegate = prop_oneof![Just(Address::ZERO), anyone()];
    let one = (
        chain_id,
        delegate,
        0..3_u64,
        option::weighted(0.9, anyone()),
    )
        .prop_map(|(chain_id, address, nonce, authority)| Authorization {
            chain_id,
            address,
            nonce,
            authority,
        });
    vec(one, 0..4)
}

fn anything() -> impl Strategy<Value = TxEnv> {
    let list = vec(
        (
            anyone(),
            vec(any::<u8>().prop_map(B256::with_last_byte), 0..3),
        ),
        0..3,
    );
    (
        transfers(),
        0..4_u8,
        authorizations(),
        list,
        21_000..300_000_u64,
    )
        .prop_map(
            |(tx, kind, authorizations, access_list, gas_limit)| match kind {
                0 => TxEnv {
                    to: TxKind::Create,
                    gas_limit,
                    access_list,
                    ..tx
                },
                1 => TxEnv {
                    to: TxKind::Create,
                    gas_limit,
                    input: Bytes::new(),
                    ..tx
                },
                _ => TxEnv {
                    authorizations,
                    gas_limit,
                    access_list,
                    ..tx
                },
            },
        )
}

fn block(beneficiary: Address) -> BlockEnv {
    BlockEnv {
        beneficiary,
        base_fee: BASE_FEE,
        gas_limit: 15_000_000,
        chain_id: 1,
        ..BlockEnv::default()
    }
}

/// Stands at account 3: uses 5 gas per byte, refuses an input that begins with 1.
fn picky(input: &[u8], gas: u64) -> PrecompileResult {
    let gas_used = 5 * u64::try_from(input.len()).unwrap();
    if input.first() == Some(&1) || gas_used > gas {
        return Err(cairn_vm::PrecompileFailure::InvalidInput);
    }
    Ok(PrecompileOutput {
        gas_used,
        output: Bytes::copy_from_slice(input),
    })
}

/// Balances and nonces after a transfer between plain accounts; `None` if it is invalid.
fn oracle(world: &World, block: &BlockEnv, tx: &TxEnv) -> Option<BTreeMap<Address, (u64, U256)>> {
    let TxKind::Call(to) = tx.to else {
        panic!("a transfer has a target")
    };
    let mut accounts: BTreeMap<Address, (u64, U256)> = (0..6)
        .map(|number| (address(number), (0, U256::ZERO)))
        .collect();
    for (address, entry) in &world.entries {
        accounts.insert(*address, (entry.nonce, entry.balance));
    }
    let zeros = tx.input.iter().filter(|byte| **byte == 0).count();
    let tokens = u64::try_from(zeros + 4 * (tx.input.len() - zeros)).unwrap();
    let gas = 21_000 + 10 * tokens;

    let (nonce, balance) = accounts[&tx.sender];
    let most = U256::from(tx.gas_limit) * U256::from(tx.max_fee) + tx.value;
    let valid = nonce == tx.nonce
        && tx.max_fee >= u128::from(BASE_FEE)
        && tx.max_fee >= tx.max_priority_fee
        && tx.gas_limit >= gas
        && tx.gas_limit <= 15_000_000
        && balance >= most;
    let tip = tx
        .max_priority_fee
        .min(tx.max_fee.checked_sub(BASE_FEE.into())?);
    let fee = U256::from(gas) * U256::from(tip + u128::from(BASE_FEE));
    valid.then(|| {
        accounts.insert(tx.sender, (nonce + 1, balance - fee - tx.value));
        accounts.get_mut(&to).unwrap().1 += tx.value;
        accounts.get_mut(&block.beneficiary).unwrap().1 += U256::from(gas) * U256::from(tip);
        accounts
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn transfers_do_what_the_oracle_says(
        world in plain_world(),
        txs in vec((transfers(), anyone()), 1..6),
    ) {
        let mut world = world;
        let mut machine = Machine::default();
        for (tx, beneficiary) in txs {
            let block = block(beneficiary);
            let expected = oracle(&world, &block, &tx);
            let Ok(outcome) = world.transact_on(&mut machine, &block, &tx) else {
                prop_assert_eq!(expected, None);
                continue;
            };
            world.apply(&outcome.diff);
            for (address, (nonce, balance)) in expected.expect("valid by the oracle") {
                let entry = world.entries.get(&address).cloned().unwrap_or_default();
                prop_assert_eq!((entry.nonce, entry.balance), (nonce, balance));
            }
        }
    }

    #[test]
    fn whatever_happens_no_coin_is_made_or_lost(
        world in any_world(),
        txs in vec((anything(), anyone()), 1..6),
    ) {
        let mut world = world;
        let table = || Precompiles::from_iter([(address(3), picky as cairn_vm::PrecompileFn)]);
        let mut machine = Machine::new(table());
        for (mut tx, beneficiary) in txs {
            let block = block(beneficiary);
            // Most random transactions fail by their nonce; take the right one and look further.
            let first = world.transact_on(&mut machine, &block, &tx);
            if let Err(TransactError::Invalid(
                InvalidTransaction::NonceTooLow { expected, .. }
                | InvalidTransaction::NonceTooHigh { expected, .. },
            )) = first {
                tx.nonce = expected;
            }
            let reused = world.transact_on(&mut machine, &block, &tx);
            let fresh = world.transact_on(&mut Machine::new(table()), &block, &tx);
            prop_assert_eq!(&reused, &fresh);
            if let Ok(outcome) = reused {
                world.apply(&outcome.diff);
            }
        }
    }
}
