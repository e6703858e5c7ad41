//! Contract creation, as far as it goes without an interpreter.

use crate::world::{ALICE, Entry, FUNDS, World, block, change, creation};
use alloy_primitives::{Address, U256, address};
use cairn_vm::{Halt, Status, TxEnv};

/// The address of Alice's first contract.
fn contract() -> Address {
    ALICE.create(0)
}

#[test]
fn the_address_comes_from_sender_and_nonce() {
    // A known pair: this sender's contract of nonce 0.
    let sender = address!("0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0");
    let world = World::default().with_balance(sender, FUNDS);
    let tx = TxEnv {
        sender,
        ..creation(&[])
    };
    let outcome = world.transact(&block(), &tx).unwrap();
    let expected = address!("0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d");
    assert_eq!(outcome.created, Some(expected));
}

#[test]
fn empty_init_code_makes_an_empty_contract_with_nonce_1() {
    let outcome = World::new().transact(&block(), &creation(&[])).unwrap();
    assert_eq!(outcome.status, Status::Success);
    assert_eq!(outcome.created, Some(contract()));
    assert_eq!(outcome.gas_used, 53_000);
    let created = change(&outcome, contract());
    let after = created.after.unwrap();
    assert_eq!((after.nonce, after.balance), (1, U256::from(1_000)));
    assert!(!after.has_code());
    assert_eq!(created.code, None);
    assert_eq!(change(&outcome, ALICE).after.unwrap().nonce, 1);
}

#[test]
fn a_balance_at_the_address_is_no_collision() {
    let world = World::new().with_balance(contract(), 5);
    let outcome = world.transact(&block(), &creation(&[])).unwrap();
    assert_eq!(outcome.status, Status::Success);
    assert_eq!(
        change(&outcome, contract()).after.unwrap().balance,
        U256::from(1_005)
    );
}

#[test]
fn eip_684_and_7610_nonce_code_or_storage_at_the_address_collide() {
    let nonce = Entry {
        nonce: 1,
        ..Entry::default()
    };
    let code = Entry {
        code: vec![0].into(),
        ..Entry::default()
    };
    let storage = [(U256::ZERO, U256::from(1))].into();
    let storage = Entry {
        storage,
        ..Entry::default()
    };
    for entry in [nonce, code, storage] {
        let world = World::new().with(contract(), entry);
        let outcome = world.transact(&block(), &creation(&[])).unwrap();
        assert_eq!(outcome.status, Status::Halt(Halt::CreateCollision));
        assert_eq!(outcome.gas_used, 200_000, "a halt consumes all gas");
        assert_eq!(outcome.created, Some(contract()));
        assert!(
            outcome
                .diff
                .accounts
                .iter()
                .all(|change| change.address != contract())
        );
        assert_eq!(change(&outcome, ALICE).after.unwrap().nonce, 1);
    }
}

#[test]
fn init_code_would_need_an_interpreter() {
    let world = World::new();
    let outcome = world.transact(&block(), &creation(&[0x60])).unwrap();
    assert_eq!(outcome.status, Status::Halt(Halt::NoInterpreter));
    assert_eq!(outcome.gas_used, 200_000);
    assert!(
        outcome
            .diff
            .accounts
            .iter()
            .all(|change| change.address != contract())
    );
    // The value came back with the revert; the gas did not.
    let after = world.after(&outcome.diff);
    assert_eq!(after.balance(ALICE), U256::from(FUNDS - 200_000 * 9));
}
