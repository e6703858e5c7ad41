//! Precompiles: called with input and gas, paid by what they use.

use crate::world::{ALICE, FUNDS, World, block, transfer};
use alloy_primitives::{Address, Bytes, TxKind, U256, hex};
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
    run_with(Precompiles::from_iter([(AT, function)]), gas_limit)
}

fn run_with(precompiles: Precompiles, gas_limit: u64) -> (Outcome, World) {
    let mut machine = Machine::new(precompiles);
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
    assert!(table.contains(&AT) && !table.contains(&ALICE));
    assert_eq!(table.addresses().collect::<Vec<_>>(), [AT]);
    assert_eq!(run_with(table, 50_000).0.status, Status::Success);
}

#[test]
fn osaka_has_1_to_17_and_256_and_a_chain_may_add_its_own() {
    let mut precompiles = Precompiles::osaka();
    precompiles.extend([(AT, echo as PrecompileFn)]);
    let numbers = (1..=0x11).chain([0x100]);
    let mut expected: Vec<Address> = numbers
        .map(|number: u64| Address::from_word(U256::from(number).into()))
        .collect();
    expected.push(AT);
    let mut addresses: Vec<Address> = precompiles.addresses().collect();
    addresses.sort_unstable();
    assert_eq!(addresses, expected);
    assert_eq!(run_with(precompiles, 50_000).0.output.as_ref(), [0, 0, 0]);
}

#[test]
fn ethereums_precompiles_are_charged_by_their_rules() {
    let sha256 = Address::with_last_byte(2);
    let tx = TxEnv {
        to: TxKind::Call(sha256),
        input: Bytes::from_static(b"abc"),
        gas_limit: 50_000,
        ..transfer()
    };
    let mut machine = Machine::new(Precompiles::osaka());
    let outcome = World::new()
        .transact_on(&mut machine, &block(), &tx)
        .unwrap();
    let expected = hex!("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(outcome.output.as_ref(), expected);
    assert_eq!(outcome.gas_used, 21_000 + 3 * 16 + 60 + 12);
}
