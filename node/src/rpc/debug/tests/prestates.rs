//! `prestateTracer`.

use alloy_primitives::{Address, B256, U256, hex, keccak256};
use cairn_vm::opcode as op;
use cairn_vm::{CallRequest, delegation};
use serde_json::{Value, json};

use super::programs::{apply, call_with_value, deploying, in_memory, small, word};
use super::world::{World, call, creation};
use super::{CONTRACT, MINER, NOBODY, OTHER, SENDER};

const ETHER: &str = "0xde0b6b3a7640000";

fn trace(world: &World, call: &CallRequest, options: Value) -> Value {
    world.trace(
        &json!({"tracer": "prestateTracer", "tracerConfig": options}),
        call,
    )
}

fn diff(world: &World, call: &CallRequest) -> Value {
    trace(world, call, json!({"diffMode": true}))
}

fn address(address: Address) -> String {
    format!("{address:#x}")
}

fn slot(value: u64) -> String {
    B256::from(U256::from(value)).to_string()
}

/// An object of these.
fn object(entries: Vec<(String, Value)>) -> Value {
    Value::Object(entries.into_iter().collect())
}

fn contract(code: &[u8], balance: &str) -> Value {
    json!({
        "balance": balance, "code": hex::encode_prefixed(code), "codeHash": keccak256(code), "nonce": 1,
    })
}

#[test]
fn what_was_looked_at_is_shown_as_it_was() {
    let code = [
        small(op::SSTORE, &[1, 9]),
        small(op::SLOAD, &[2]),
        small(op::SLOAD, &[3]),
        apply(op::BALANCE, &[word(OTHER)]),
        apply(op::EXTCODESIZE, &[word(NOBODY)]),
    ];
    let code = code.concat();
    let world = World::with(code.clone())
        .slot(CONTRACT, 1, 5)
        .slot(CONTRACT, 2, 6);
    let world = world.account(OTHER, 77).account(MINER, 1);
    let mut expected = contract(&code, "0x0");
    let storage = [(1, 5), (2, 6), (3, 0)].map(|(at, value)| (slot(at), json!(slot(value))));
    expected["storage"] = object(storage.into());
    let others = [(SENDER, ETHER), (OTHER, "0x4d"), (MINER, "0x1")];
    let others = others.map(|(who, balance)| (address(who), json!({"balance": balance})));
    let mut all = vec![(address(CONTRACT), expected)];
    all.extend(others);
    assert_eq!(trace(&world, &call(CONTRACT), json!({})), object(all));
}

#[test]
fn options_leave_out_and_put_in() {
    let code = small(op::SLOAD, &[1]);
    let world = World::with(code.clone()).slot(CONTRACT, 1, 5);
    let options = json!({"disableCode": true, "disableStorage": true, "includeEmpty": true});
    let shown = trace(&world, &call(CONTRACT), options);
    assert_eq!(
        shown[address(CONTRACT)],
        json!({"balance": "0x0", "codeHash": keccak256(&code), "nonce": 1})
    );
    assert_eq!(shown[address(MINER)], json!({"balance": "0x0"}));
    let plain = trace(&world, &call(CONTRACT), json!({}));
    assert!(plain.get(address(MINER)).is_none());
}

#[test]
fn an_instruction_that_fails_looks_at_nothing() {
    let failing = apply(op::BALANCE, &[word(OTHER)]);
    let code = call_with_value(op::CALL, 200, Address::repeat_byte(9), 0);
    let world = World::with(code)
        .account(OTHER, 77)
        .contract(Address::repeat_byte(9), failing);
    let shown = trace(&world, &call(CONTRACT), json!({}));
    assert!(shown.get(address(OTHER)).is_none());
    assert!(shown.get(address(Address::repeat_byte(9))).is_some());
}

#[test]
fn a_delegation_is_followed() {
    let indicator = delegation::indicator(OTHER);
    let code = call_with_value(op::CALL, 900, Address::repeat_byte(9), 0);
    let world = World::with(code).contract(Address::repeat_byte(9), indicator.clone());
    let world = world.contract(OTHER, vec![op::STOP]);
    let shown = trace(&world, &call(CONTRACT), json!({}));
    assert_eq!(
        shown[address(Address::repeat_byte(9))],
        contract(&indicator, "0x0")
    );
    assert_eq!(shown[address(OTHER)], contract(&[op::STOP], "0x0"));
    let directly = trace(&world, &call(Address::repeat_byte(9)), json!({}));
    assert_eq!(directly[address(OTHER)], contract(&[op::STOP], "0x0"));
}

#[test]
fn a_diff_shows_what_changed_before_and_after() {
    let code = [
        small(op::SSTORE, &[1, 9]),
        small(op::SSTORE, &[2, 0]),
        small(op::SSTORE, &[3, 4]),
        small(op::SSTORE, &[4, 6]),
        small(op::SLOAD, &[5]),
        apply(op::BALANCE, &[word(OTHER)]),
    ];
    let code = code.concat();
    let world = World::with(code.clone()).account(OTHER, 77);
    let world = (1..=5).fold(world, |world, at| {
        world.slot(CONTRACT, at, if at == 3 { 0 } else { at + 2 })
    });
    let outer = CallRequest {
        value: U256::from(3),
        ..call(CONTRACT)
    };
    let mut before = contract(&code, "0x0");
    before["storage"] = object(vec![(slot(1), json!(slot(3))), (slot(2), json!(slot(4)))]);
    let after = json!({
        "balance": "0x3",
        "storage": object(vec![(slot(1), json!(slot(9))), (slot(3), json!(slot(4)))]),
    });
    assert_eq!(
        diff(&world, &outer),
        json!({
            "post": {
                address(SENDER): {"balance": "0xde0b6b3a763fffd", "nonce": 1},
                address(CONTRACT): after,
            },
            "pre": {
                address(SENDER): {"balance": ETHER},
                address(CONTRACT): before,
            },
        })
    );
}

#[test]
fn a_new_contract_has_an_after_only() {
    let world = World::with(vec![]);
    let created = diff(&world, &creation(deploying(&[op::PC])));
    let new = address(SENDER.create(0));
    assert_eq!(
        created["post"][&new],
        json!({"code": "0x58", "codeHash": keccak256([op::PC]), "nonce": 1})
    );
    assert!(created["pre"].get(&new).is_none());
    let options = json!({"diffMode": true, "disableCode": true});
    let without = trace(&world, &creation(deploying(&[op::PC])), options);
    assert_eq!(
        without["post"][&new],
        json!({"codeHash": keccak256([op::PC]), "nonce": 1})
    );
}

#[test]
fn what_failed_changed_nothing_but_the_sender() {
    let world = World::with([small(op::SSTORE, &[1, 9]), vec![op::INVALID]].concat());
    let expected = json!({
        "post": {address(SENDER): {"nonce": 1}},
        "pre": {address(SENDER): {"balance": ETHER}},
    });
    assert_eq!(diff(&world, &call(CONTRACT)), expected);
}

#[test]
fn a_contract_that_was_there_stays_without_its_balance() {
    let code = apply(op::SELFDESTRUCT, &[word(NOBODY)]);
    let world = World::with(code.clone()).account(CONTRACT, 6);
    let changed = diff(&world, &call(CONTRACT));
    assert_eq!(changed["pre"][address(CONTRACT)], contract(&code, "0x6"));
    assert_eq!(
        changed["post"][address(CONTRACT)],
        json!({"balance": "0x0"})
    );
    assert_eq!(changed["post"][address(NOBODY)], json!({"balance": "0x6"}));
    assert!(changed["pre"].get(address(NOBODY)).is_none());
}

#[test]
fn a_new_contract_that_is_gone_has_a_before_only() {
    let init = apply(op::SELFDESTRUCT, &[word(NOBODY)]);
    let len = init.len() as u64;
    let code = [in_memory(&init), small(op::CREATE, &[0, 0, len])].concat();
    let new = CONTRACT.create(1);
    let world = World::with(code).account(new, 8);
    let changed = diff(&world, &call(CONTRACT));
    assert_eq!(changed["pre"][address(new)], json!({"balance": "0x8"}));
    assert!(changed["post"].get(address(new)).is_none());
    assert_eq!(changed["post"][address(NOBODY)], json!({"balance": "0x8"}));
    assert_eq!(changed["post"][address(CONTRACT)], json!({"nonce": 2}));
}

#[test]
fn an_account_that_is_emptied_has_nothing_after() {
    // The sender's own account is the only one that can be left with nothing: here with a nonce.
    let world = World::with(vec![]).account(OTHER, 0);
    let transfer = CallRequest {
        value: U256::from(1_000_000_000_000_000_000_u64),
        ..call(OTHER)
    };
    let changed = diff(&world, &transfer);
    assert_eq!(
        changed["post"][address(SENDER)],
        json!({"balance": "0x0", "nonce": 1})
    );
    assert_eq!(changed["post"][address(OTHER)], json!({"balance": ETHER}));
}
