//! The addresses that take part.

use alloy_primitives::{Address, address};

/// Who signs.
pub const SENDER: Address = address!("00000000000000000000000000000000000a11ce");
/// Who signs as well, and runs a contract's code (EIP-7702).
pub const DELEGATED_SENDER: Address = address!("00000000000000000000000000000000de1e9a7e");
/// Who mines.
pub const MINER: Address = address!("00000000000000000000000000000000000c01db");
/// The contracts; the first is of this program, the others are shared with its neighbours.
pub const CONTRACTS: [Address; 4] = [
    address!("c0de000000000000000000000000000000000001"),
    address!("c0de000000000000000000000000000000000002"),
    address!("c0de000000000000000000000000000000000003"),
    address!("c0de000000000000000000000000000000000004"),
];
/// Accounts without code.
pub const PLAIN: [Address; 2] = [
    address!("00000000000000000000000000000000000b0b01"),
    address!("00000000000000000000000000000000000b0b02"),
];
/// Accounts that delegate: to contracts, to one another, to a precompile, to nobody.
pub const DELEGATED: [Address; 4] = [
    address!("de1e000000000000000000000000000000000001"),
    address!("de1e000000000000000000000000000000000002"),
    address!("de1e000000000000000000000000000000000003"),
    address!("de1e000000000000000000000000000000000004"),
];
/// Accounts that do not exist.
pub const ABSENT: [Address; 3] = [
    address!("ab5e000000000000000000000000000000000001"),
    address!("ab5e000000000000000000000000000000000002"),
    Address::ZERO,
];
