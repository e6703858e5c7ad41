//! Who pays what to whom, and what the diff says of it.

use crate::world::{ALICE, BOB, Entry, FUNDS, MINER, World, block, change, transfer};
use alloy_primitives::{Bytes, TxKind, U256};
use cairn_vm::{AccountInfo, BlockEnv, Machine, Status, TxEnv};

#[test]
fn a_transfer_moves_value_tip_and_nothing_else() {
    let world = World::new();
    let outcome = world.transact(&block(), &transfer()).unwrap();
    assert_eq!(outcome.status, Status::Success);
    assert_eq!((outcome.gas_used, outcome.gas_refunded), (21_000, 0));
    assert_eq!((outcome.created, outcome.destroyed), (None, U256::ZERO));
    assert!(outcome.output.is_empty() && outcome.logs.is_empty());

    // Effective price: base fee 7 + tip 2.
    let after = world.after(&outcome.diff);
    assert_eq!(after.balance(ALICE), U256::from(FUNDS - 1_000 - 21_000 * 9));
    assert_eq!(after.balance(BOB), U256::from(1_000));
    assert_eq!(after.balance(MINER), U256::from(21_000 * 2));
    assert_eq!(after.entries[&ALICE].nonce, 1);
    assert_eq!(outcome.diff.accounts.len(), 3);
    assert_eq!(change(&outcome, BOB).before, None);
    assert_eq!(change(&outcome, BOB).code, None);
}

#[test]
fn the_tip_is_what_the_max_fee_leaves() {
    let world = World::new();
    for (max_fee, max_priority_fee, tip) in [(7, 7, 0), (8, 5, 1), (100, 5, 5), (12, 12, 5)] {
        let tx = TxEnv {
            max_fee,
            max_priority_fee,
            ..transfer()
        };
        let after = world.after(&world.transact(&block(), &tx).unwrap().diff);
        assert_eq!(after.balance(MINER), U256::from(21_000 * tip));
        assert_eq!(
            after.balance(ALICE),
            U256::from(FUNDS - 1_000 - 21_000 * (7 + tip))
        );
    }
}

#[test]
fn the_highest_fees_do_not_overflow() {
    let world = World::default().with(
        ALICE,
        Entry {
            balance: U256::MAX,
            ..Entry::default()
        },
    );
    let tx = TxEnv {
        max_fee: u128::MAX,
        max_priority_fee: u128::MAX,
        ..transfer()
    };
    let after = world.after(&world.transact(&block(), &tx).unwrap().diff);
    let tip = U256::from(u128::MAX - 7) * U256::from(21_000);
    assert_eq!(after.balance(MINER), tip);
}

#[test]
fn unused_gas_is_given_back() {
    let world = World::new();
    let tx = TxEnv {
        gas_limit: 90_000,
        ..transfer()
    };
    let outcome = world.transact(&block(), &tx).unwrap();
    assert_eq!(outcome.gas_used, 21_000);
    let after = world.after(&outcome.diff);
    assert_eq!(after.balance(ALICE), U256::from(FUNDS - 1_000 - 21_000 * 9));
}

#[test]
fn eip_7623_calldata_pays_the_floor() {
    let world = World::new();
    let input = Bytes::from_static(&[1, 2, 3, 0]);
    let tx = TxEnv {
        gas_limit: 90_000,
        input,
        ..transfer()
    };
    let outcome = world.transact(&block(), &tx).unwrap();
    assert_eq!(outcome.gas_used, 21_000 + 3 * 40 + 10);
}

#[test]
fn sender_receiver_and_beneficiary_may_be_one() {
    let world = World::new();
    let to_self = TxEnv {
        to: TxKind::Call(ALICE),
        ..transfer()
    };
    let own_block = BlockEnv {
        beneficiary: ALICE,
        ..block()
    };
    let outcome = world.transact(&own_block, &to_self).unwrap();
    assert_eq!(outcome.diff.accounts.len(), 1);
    assert_eq!(
        world.after(&outcome.diff).balance(ALICE),
        U256::from(FUNDS - 21_000 * 7)
    );
    assert_eq!(world.times_asked(ALICE), 1);
}

#[test]
fn eip_161_nothing_received_makes_no_account() {
    let world = World::new();
    let tx = TxEnv {
        value: U256::ZERO,
        max_priority_fee: 0,
        ..transfer()
    };
    let outcome = world.transact(&block(), &tx).unwrap();
    let changed: Vec<_> = outcome
        .diff
        .accounts
        .iter()
        .map(|change| change.address)
        .collect();
    assert_eq!(changed, [ALICE]);
}

#[test]
fn eip_161_a_touched_empty_account_vanishes() {
    let world = World::new()
        .with(BOB, Entry::default())
        .with(MINER, Entry::default());
    let tx = TxEnv {
        value: U256::ZERO,
        max_priority_fee: 0,
        ..transfer()
    };
    let outcome = world.transact(&block(), &tx).unwrap();
    for address in [BOB, MINER] {
        let change = change(&outcome, address);
        assert_eq!(change.before, Some(AccountInfo::default()));
        assert_eq!(change.after, None);
    }
}

#[test]
fn eip_161_an_empty_account_that_is_not_touched_stays() {
    let world = World::new().with(BOB, Entry::default());
    let to = TxKind::Call(ALICE);
    let tx = TxEnv {
        to,
        access_list: vec![(BOB, vec![])],
        gas_limit: 50_000,
        ..transfer()
    };
    let outcome = world.transact(&block(), &tx).unwrap();
    assert!(
        outcome
            .diff
            .accounts
            .iter()
            .all(|change| change.address != BOB)
    );
    assert_eq!(
        world.times_asked(BOB),
        0,
        "warm accounts are not read before they are used"
    );
}

#[test]
fn a_machine_forgets_the_transaction_before() {
    let world = World::new();
    let mut machine = Machine::default();
    let fresh = world.transact(&block(), &transfer());
    let refused = TxEnv {
        nonce: 9,
        ..transfer()
    };
    for _ in 0..3 {
        assert_eq!(
            world.transact_on(&mut machine, &block(), &transfer()),
            fresh
        );
        assert!(world.transact_on(&mut machine, &block(), &refused).is_err());
    }
}
