//! The tracers over code assembled by hand, in a world of a few accounts. What is expected was
//! derived from the rules of gas, and from what go-ethereum's tracers write.

mod calls;
mod four_byte;
mod limits;
mod prestates;
mod prices;
mod programs;
mod steps;
mod world;

use alloy_primitives::{Address, address};

/// Who calls.
pub const SENDER: Address = address!("00000000000000000000000000000000000000a1");
/// The contract that is called.
pub const CONTRACT: Address = address!("00000000000000000000000000000000000000c1");
/// Another one.
pub const OTHER: Address = address!("00000000000000000000000000000000000000c2");
/// An account that is not there.
pub const NOBODY: Address = address!("00000000000000000000000000000000000000dd");
/// Who mines.
pub const MINER: Address = address!("00000000000000000000000000000000000000ee");
