//! Code, put together from pieces.

use alloy_primitives::{Address, U256};
use cairn_vm::opcode as op;

/// Pushes a number in the shortest form.
pub fn push(value: U256) -> Vec<u8> {
    let bytes = value.to_be_bytes_trimmed_vec();
    let len = u8::try_from(bytes.len()).unwrap();
    [vec![op::PUSH0 + len], bytes].concat()
}

/// An instruction with its operands, the one on top first.
pub fn apply(byte: u8, operands: &[U256]) -> Vec<u8> {
    let mut code: Vec<u8> = operands
        .iter()
        .rev()
        .flat_map(|operand| push(*operand))
        .collect();
    code.push(byte);
    code
}

/// The same with small operands.
pub fn small(byte: u8, operands: &[u64]) -> Vec<u8> {
    let operands: Vec<U256> = operands
        .iter()
        .map(|operand| U256::from(*operand))
        .collect();
    apply(byte, &operands)
}

/// The word that stands for an address.
pub fn word(address: Address) -> U256 {
    address.into_word().into()
}

/// CALL or CALLCODE with `gas` and `value`, no data, and the result thrown away.
pub fn call_with_value(byte: u8, gas: u64, to: Address, value: u64) -> Vec<u8> {
    let zero = U256::ZERO;
    let operands = [
        U256::from(gas),
        word(to),
        U256::from(value),
        zero,
        zero,
        zero,
        zero,
    ];
    [apply(byte, &operands), vec![op::POP]].concat()
}

/// DELEGATECALL or STATICCALL likewise.
pub fn call_without_value(byte: u8, gas: u64, to: Address) -> Vec<u8> {
    let zero = U256::ZERO;
    let operands = [U256::from(gas), word(to), zero, zero, zero, zero];
    [apply(byte, &operands), vec![op::POP]].concat()
}

/// Writes `code` (at most 32 bytes) to the start of memory.
pub fn in_memory(code: &[u8]) -> Vec<u8> {
    let mut word = [0; 32];
    word[..code.len()].copy_from_slice(code);
    apply(op::MSTORE, &[U256::ZERO, U256::from_be_bytes(word)])
}

/// Init code that deploys `code` (at most 32 bytes).
pub fn deploying(code: &[u8]) -> Vec<u8> {
    [in_memory(code), small(op::RETURN, &[0, code.len() as u64])].concat()
}
