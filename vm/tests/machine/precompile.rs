//! Precompiles: called with input and gas, paid by what they use.

use crate::world::{ALICE, FUNDS, World, block, transfer};
use alloy_primitives::{Address, Bytes, TxKind, U256};
use cairn_vm::{
    Halt, Machine, Outcome, PrecompileFailure, PrecompileFn, PrecompileOutput, PrecompileResult,
    Precompiles, Status, TxEnv,
};

const AT: Address = Address::repeat_byte(0x99);

fn echo(input: &[u8], gas: u64) -> PrecompileResult {
    let gas_used = 100;
    if gas < gas_used {
        return Err(PrecompileFailure::OutOfGas);
    }
    Ok(PrecompileOutput {
        gas_used,
        output: Bytes::copy_from_slice(input),
    })
}

fn refuse(_: &[u8], _: u64) -> PrecompileResult {
    Err(PrecompileFailure::InvalidInput)
}

fn greedy(_: &[u8], gas: u64) -> PrecompileResult {
    Ok(PrecompileOutput {
        gas_used: gas.saturating_add(1),
        output: Bytes::new(),
    })
}

fn run(function: PrecompileFn, gas_limit: u64) -> (Outcome, World) {
    let mut machine = Machine::new(Precompiles::from_iter([(AT, function)]));
    let input = Bytes::from_static(&[0, 0, 0]);
    let tx = TxEnv {
        to: TxKind::Call(AT),
        input,
        gas_limit,
        ..transfer()
    };
    let world = World::new();
    let outcome = world.transact_on(&mut machine, &block(), &tx).unwrap();
    let after = world.after(&outcome.diff);
    (outcome, after)
}

#[test]
fn output_and_gas_come_from_the_function() {
    let (outcome, after) = run(echo, 50_000);
    assert_eq!(outcome.status, Status::Success);
    assert_eq!(outcome.output.as_ref(), [0, 0, 0]);
    assert_eq!(outcome.gas_used, 21_000 + 3 * 4 + 100);
    assert_eq!(after.balance(AT), U256::from(1_000));
}

#[test]
fn the_function_gets_the_gas_that_is_left() {
    let (enough, _) = run(echo, 21_012 + 100);
    assert_eq!(enough.status, Status::Success);
    let (short, _) = run(echo, 21_012 + 99);
    assert_eq!(short.status, Status::Halt(Halt::OutOfGas));
}

#[test]
fn a_failure_consumes_all_gas_and_returns_the_value() {
    let cases = [
        (refuse as PrecompileFn, Halt::PrecompileFailed),
        (greedy, Halt::OutOfGas),
    ];
    for (function, halt) in cases {
        let (outcome, after) = run(function, 50_000);
        assert_eq!(outcome.status, Status::Halt(halt));
        assert_eq!(outcome.gas_used, 50_000);
        assert!(outcome.output.is_empty());
        assert_eq!(after.balance(AT), U256::ZERO);
        assert_eq!(after.balance(ALICE), U256::from(FUNDS - 50_000 * 9));
    }
}

#[test]
fn of_two_functions_for_one_address_the_last_stands() {
    let table = Precompiles::from_iter([(AT, refuse as PrecompileFn), (AT, echo)]);
    assert!(
        table
            .get(&AT)
            .is_some_and(|function| function(&[], 1_000).is_ok())
    );
    assert!(table.get(&ALICE).is_none());
    assert_eq!(table.addresses().collect::<Vec<_>>(), [AT]);
}
