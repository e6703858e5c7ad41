//! `4byteTracer` and `noopTracer`.

use alloy_primitives::{Address, U256};
use cairn_vm::CallRequest;
use cairn_vm::opcode as op;
use serde_json::json;

use super::programs::{apply, in_memory, small, word};
use super::world::{World, call, creation};
use super::{CONTRACT, OTHER};

/// Calls `to` with the first `len` bytes of memory.
fn calling(to: Address, len: u64) -> Vec<u8> {
    let zero = U256::ZERO;
    let operands = [
        U256::from(5_000),
        word(to),
        zero,
        U256::from(len),
        zero,
        zero,
    ];
    [apply(op::STATICCALL, &operands), vec![op::POP]].concat()
}

#[test]
fn selectors_are_counted_by_the_length_of_what_follows() {
    let code = [
        in_memory(&[0xab, 0xcd, 0xef, 0x01, 5]),
        calling(OTHER, 4),
        calling(OTHER, 5),
        calling(OTHER, 5),
        // Too short, and no function at all.
        calling(OTHER, 3),
        calling(Address::with_last_byte(4), 32),
    ];
    let world = World::with(code.concat()).contract(OTHER, vec![op::STOP]);
    let outer = CallRequest {
        input: vec![0x12, 0x34, 0x56, 0x78, 9, 9].into(),
        ..call(CONTRACT)
    };
    let counted = world.trace(&json!({"tracer": "4byteTracer"}), &outer);
    let expected = json!({"0x12345678-2": 1, "0xabcdef01-0": 1, "0xabcdef01-1": 2});
    assert_eq!(counted, expected);
}

#[test]
fn init_code_has_no_selector() {
    let world = World::with(vec![]);
    let created = world.trace(
        &json!({"tracer": "4byteTracer"}),
        &creation(small(op::RETURN, &[0, 0])),
    );
    assert_eq!(created, json!({}));
}

#[test]
fn the_noop_tracer_says_nothing() {
    let world = World::with(small(op::SSTORE, &[1, 2]));
    assert_eq!(
        world.trace(&json!({"tracer": "noopTracer"}), &call(CONTRACT)),
        json!({})
    );
}
