//! Contract creation: the address, collisions, init code, and the rules of what it deploys.

use crate::world::{ALICE, Entry, FUNDS, World, block, change, creation};
use alloy_primitives::{Address, U256, address, hex};
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
fn what_init_code_returns_is_deployed_and_paid_for() {
    // Returns one byte of memory.
    let outcome = World::new()
        .transact(&block(), &creation(&hex!("60015ff3")))
        .unwrap();
    assert_eq!(outcome.status, Status::Success);
    assert_eq!(outcome.output.as_ref(), [0]);
    let created = change(&outcome, contract());
    assert_eq!(created.code, Some(vec![0].into()));
    // Intrinsic gas with a word of four bytes, PUSH1 and PUSH0, a word of memory, a byte of code.
    let intrinsic = 53_000 + 2 + 4 * 16;
    assert_eq!(outcome.gas_used, intrinsic + 3 + 2 + 3 + 200);
}

#[test]
fn init_code_that_fails_leaves_nothing_but_a_nonce() {
    // EIP-170: 24,577 bytes.
    let too_long = hex!("6160015ff3");
    let cases = [
        (&hex!("fe")[..], Halt::InvalidOpcode(0xfe)),
        // EIP-3541: the byte 0xef.
        (&hex!("60ef5f5360015ff3"), Halt::CodeBeginsWithEf),
        (&too_long, Halt::CodeTooLarge),
        // 1,000 bytes of code cost more than there is.
        (&hex!("6103e85ff3"), Halt::OutOfGas),
    ];
    for (init_code, halt) in cases {
        let world = World::new();
        let outcome = world.transact(&block(), &creation(init_code)).unwrap();
        assert_eq!(outcome.status, Status::Halt(halt));
        assert_eq!(outcome.gas_used, 200_000);
        assert!(outcome.output.is_empty());
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
}

#[test]
fn init_code_that_reverts_keeps_gas_and_gives_its_reason() {
    let outcome = World::new()
        .transact(&block(), &creation(&hex!("60015ffd")))
        .unwrap();
    assert_eq!(outcome.status, Status::Revert);
    assert_eq!(outcome.output.as_ref(), [0]);
    assert!(outcome.gas_used < 54_000);
    assert_eq!(change(&outcome, ALICE).after.unwrap().nonce, 1);
}
