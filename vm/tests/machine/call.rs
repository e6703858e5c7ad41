//! Calls to accounts with code, and calls that nobody pays for.

use crate::world::{ALICE, BOB, Broken, FUNDS, World, block, change, transfer};
use alloy_primitives::{Address, Bytes, TxKind, U256, hex};
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

/// `SSTORE(0, 42)`.
const STORE_42: [u8; 4] = hex!("602a5f55");

/// The slots of an account that an outcome changed, with their new values.
fn stored(outcome: &Outcome, address: Address) -> Vec<(U256, U256)> {
    let slots = &change(outcome, address).storage;
    slots.iter().map(|slot| (slot.slot, slot.after)).collect()
}

#[test]
fn code_runs_on_its_own_storage() {
    let world = World::new().with_code(BOB, &STORE_42);
    let tx = TxEnv {
        gas_limit: 50_000,
        ..transfer()
    };
    let outcome = world.transact(&block(), &tx).unwrap();
    assert_eq!(outcome.status, Status::Success);
    // PUSH1, PUSH0, and a cold slot that becomes non-zero.
    assert_eq!(outcome.gas_used, 21_000 + 3 + 2 + 22_100);
    assert_eq!(stored(&outcome, BOB), [(U256::ZERO, U256::from(42))]);
    assert_eq!(world.after(&outcome.diff).balance(BOB), U256::from(1_000));
}

#[test]
fn code_that_ends_without_stop_does_all_that_stands_before() {
    // Stores the length of the calldata.
    let world = World::new().with_code(BOB, &hex!("365f55"));
    let tx = TxEnv {
        gas_limit: 50_000,
        input: Bytes::from_static(&[1, 1]),
        ..transfer()
    };
    let outcome = world.transact(&block(), &tx).unwrap();
    assert_eq!(stored(&outcome, BOB), [(U256::ZERO, U256::from(2))]);
}

/// The static gas of a long block must not be taken for the place of a topic.
#[test]
fn many_logs_in_one_block_are_logs_without_topics() {
    let code = [&hex!("5f5fa0").repeat(150)[..], &[0]].concat();
    let world = World::new().with_code(BOB, &code);
    let tx = TxEnv {
        gas_limit: 200_000,
        ..transfer()
    };
    let outcome = world.transact(&block(), &tx).unwrap();
    assert_eq!(outcome.status, Status::Success);
    assert_eq!(outcome.gas_used, 21_000 + 150 * (2 + 2 + 375));
    assert_eq!(outcome.logs.len(), 150);
    assert!(outcome.logs.iter().all(|log| log.data.topics().is_empty()));
}

#[test]
fn a_halt_takes_all_gas_and_undoes_everything_else() {
    let world = World::new().with_code(BOB, &hex!("602a5f55fe"));
    let tx = TxEnv {
        gas_limit: 50_000,
        ..transfer()
    };
    let outcome = world.transact(&block(), &tx).unwrap();
    assert_eq!(outcome.status, Status::Halt(Halt::InvalidOpcode(0xfe)));
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
fn a_revert_keeps_the_gas_that_is_left() {
    // Stores, then reverts with a byte of memory.
    let world = World::new().with_code(BOB, &hex!("602a5f5560015ffd"));
    let tx = TxEnv {
        gas_limit: 50_000,
        ..transfer()
    };
    let outcome = world.transact(&block(), &tx).unwrap();
    assert_eq!(outcome.status, Status::Revert);
    assert_eq!(outcome.output.as_ref(), [0]);
    assert_eq!(outcome.gas_used, 21_000 + 22_105 + 3 + 2 + 3);
    assert_eq!(
        world.after(&outcome.diff).balance(BOB),
        U256::ZERO,
        "the value came back"
    );
}

#[test]
fn a_delegated_account_runs_its_delegates_code() {
    let contract = Address::repeat_byte(0xcc);
    let world = World::new().with_code(BOB, &delegation::indicator(contract));
    let tx = TxEnv {
        gas_limit: 50_000,
        ..transfer()
    };
    let to_nothing = world.transact(&block(), &tx).unwrap();
    assert_eq!(
        (to_nothing.status, to_nothing.gas_used),
        (Status::Success, 21_000),
        "a delegate without code is empty code"
    );
    let world = world.with_code(contract, &STORE_42);
    let to_code = world.transact(&block(), &tx).unwrap();
    assert_eq!(to_code.status, Status::Success);
    assert_eq!(stored(&to_code, BOB), [(U256::ZERO, U256::from(42))]);
}

#[test]
fn a_chain_of_delegations_is_followed_once() {
    // The delegate's own indicator is what runs: code that begins with the invalid opcode 0xef.
    let middle = Address::repeat_byte(0xcc);
    let world = World::new()
        .with_code(BOB, &delegation::indicator(middle))
        .with_code(middle, &delegation::indicator(ALICE));
    let outcome = world.transact(&block(), &transfer()).unwrap();
    assert_eq!(outcome.status, Status::Halt(Halt::InvalidOpcode(0xef)));
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
