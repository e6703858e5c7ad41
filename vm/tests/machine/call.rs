//! Calls to accounts with code, and calls that nobody pays for.

use crate::world::{ALICE, BOB, Broken, FUNDS, World, block, change, transfer};
use alloy_primitives::{Bytes, TxKind, U256};
use cairn_vm::{
    CallRequest, Halt, InvalidTransaction, Machine, Outcome, Status, TransactError, TxEnv,
    delegation,
};

fn request() -> CallRequest {
    CallRequest {
        sender: ALICE,
        gas_limit: 100_000,
        gas_price: 5,
        to: TxKind::Call(BOB),
        value: U256::from(1_000),
        ..CallRequest::default()
    }
}

fn call(world: &World, request: &CallRequest) -> Result<Outcome, TransactError<Broken>> {
    Machine::default().call(world, &block(), request)
}

#[test]
fn code_would_need_an_interpreter() {
    let world = World::new().with_code(BOB, &[0]);
    let tx = TxEnv {
        gas_limit: 50_000,
        ..transfer()
    };
    let outcome = world.transact(&block(), &tx).unwrap();
    assert_eq!(outcome.status, Status::Halt(Halt::NoInterpreter));
    assert_eq!(outcome.gas_used, 50_000);
    assert!(
        outcome
            .diff
            .accounts
            .iter()
            .all(|change| change.address != BOB)
    );
    let after = world.after(&outcome.diff);
    assert_eq!(after.balance(ALICE), U256::from(FUNDS - 50_000 * 9));
    assert_eq!(change(&outcome, ALICE).after.unwrap().nonce, 1);
}

#[test]
fn a_delegated_account_runs_its_delegates_code() {
    let contract = alloy_primitives::Address::repeat_byte(0xcc);
    let world = World::new().with_code(BOB, &delegation::indicator(contract));
    let to_nothing = world.transact(&block(), &transfer()).unwrap();
    assert_eq!(
        to_nothing.status,
        Status::Success,
        "a delegate without code is empty code"
    );
    let world = world.with_code(contract, &[0]);
    let to_code = world.transact(&block(), &transfer()).unwrap();
    assert_eq!(to_code.status, Status::Halt(Halt::NoInterpreter));
}

#[test]
fn a_chain_of_delegations_is_followed_once() {
    // The delegate's own indicator is what would run: code that begins with the invalid opcode 0xef.
    let middle = alloy_primitives::Address::repeat_byte(0xcc);
    let world = World::new()
        .with_code(BOB, &delegation::indicator(middle))
        .with_code(middle, &delegation::indicator(ALICE));
    let outcome = world.transact(&block(), &transfer()).unwrap();
    assert_eq!(outcome.status, Status::Halt(Halt::NoInterpreter));
}

#[test]
fn a_receiver_that_would_overflow_halts() {
    let full = crate::world::Entry {
        balance: U256::MAX,
        ..Default::default()
    };
    let world = World::new().with(BOB, full);
    // Sums would wrap in the world's own checks, so the machine is asked directly.
    let outcome = Machine::default()
        .transact(&world, &block(), &transfer())
        .unwrap();
    assert_eq!(outcome.status, Status::Halt(Halt::BalanceOverflow));
    assert!(
        outcome
            .diff
            .accounts
            .iter()
            .all(|change| change.address != BOB)
    );
}

#[test]
fn a_call_pays_nothing_and_ignores_nonces() {
    let world = World::new();
    let outcome = call(&world, &request()).unwrap();
    assert_eq!(
        (outcome.status, outcome.gas_used),
        (Status::Success, 21_000)
    );
    let after = world.after(&outcome.diff);
    assert_eq!(after.balance(ALICE), U256::from(FUNDS - 1_000));
    assert_eq!(after.balance(BOB), U256::from(1_000));
    assert_eq!(after.supply(), world.supply());
}

#[test]
fn a_call_may_come_from_a_contract_and_exceed_block_and_cap() {
    let world = World::default().with_code(ALICE, &[0]);
    let request = CallRequest {
        value: U256::ZERO,
        gas_limit: u64::MAX,
        ..request()
    };
    assert_eq!(call(&world, &request).unwrap().status, Status::Success);
}

#[test]
fn a_call_at_the_highest_nonce_works() {
    let alice = crate::world::Entry {
        nonce: u64::MAX,
        balance: U256::from(FUNDS),
        ..Default::default()
    };
    let outcome = call(&World::default().with(ALICE, alice), &request()).unwrap();
    assert_eq!(change(&outcome, ALICE).after.unwrap().nonce, u64::MAX);
}

#[test]
fn a_call_still_needs_value_and_intrinsic_gas() {
    let world = World::new();
    let exact = CallRequest {
        value: U256::from(FUNDS),
        gas_limit: 21_000,
        ..request()
    };
    assert!(call(&world, &exact).is_ok());

    let (available, required) = (U256::from(FUNDS), U256::from(FUNDS + 1));
    let poor = CallRequest {
        value: required,
        ..request()
    };
    let reason = InvalidTransaction::InsufficientFunds {
        available,
        required,
    };
    assert_eq!(call(&world, &poor), Err(reason.into()));

    let starved = CallRequest {
        gas_limit: 20_999,
        ..request()
    };
    let reason = InvalidTransaction::IntrinsicGas {
        got: 20_999,
        required: 21_000,
    };
    assert_eq!(call(&world, &starved), Err(reason.into()));
}

#[test]
fn a_call_may_create() {
    let request = CallRequest {
        to: TxKind::Create,
        input: Bytes::new(),
        ..request()
    };
    let outcome = call(&World::new(), &request).unwrap();
    assert_eq!(outcome.created, Some(ALICE.create(0)));
    assert_eq!(
        (outcome.status, outcome.gas_used),
        (Status::Success, 53_000)
    );
}
