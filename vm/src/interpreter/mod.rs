//! The interpreter: runs the operations of one frame until it ends or calls.
//!
//! [`run`](run()) is the loop, with all that is hot: arithmetic, jumps, memory words. What reads the state or moves many
//! bytes is a function in [`instructions`](crate::instructions). Here is what the loop shares with them.

mod run;

pub(crate) use run::run;

use alloy_primitives::{Address, U256};

use crate::{
    BlockEnv, Journal, Status,
    hashes::Hashes,
    instructions::{call::Call, create::Creation},
    memory::{Memory, Range},
    word,
};

/// What instructions see of the transaction.
#[derive(Clone, Copy)]
pub(crate) struct Env<'a> {
    pub block: &'a BlockEnv,
    /// ORIGIN.
    pub origin: Address,
    /// GASPRICE, wei.
    pub gas_price: u128,
}

/// All that a frame shares with the others.
pub(crate) struct World<'a, S: ?Sized> {
    pub journal: &'a mut Journal,
    pub state: &'a S,
    pub env: Env<'a>,
    /// The output of the last call of the running frame.
    pub return_data: &'a mut Vec<u8>,
    pub hashes: &'a mut Hashes,
    /// Calldata of the running frame.
    pub input: &'a [u8],
    /// How deep the running frame is nested, from 1.
    pub depth: usize,
}

/// Why the interpreter stopped.
#[derive(Debug)]
pub(crate) enum Exit {
    /// The frame ended; its output is in `return_data`.
    End(Status),
    /// A call that was paid for.
    Call(Call),
    /// A creation that was paid for.
    Create(Creation),
}

/// Charges `cost`; `None` if the gas does not suffice.
#[inline(always)]
fn charge(gas: &mut u64, cost: u64) -> Option<()> {
    *gas = gas.checked_sub(cost)?;
    Some(())
}

/// Makes memory available and pays for it.
#[inline(always)]
pub(crate) fn expand(memory: &mut Memory, gas: &mut u64, offset: U256, len: U256) -> Option<Range> {
    let (range, cost) = memory.plan(offset, len)?;
    if cost > 0 {
        charge(gas, cost)?;
    }
    memory.grow(range);
    Some(range)
}

/// Memory for one word at `offset`. Returns where it starts.
#[inline(always)]
fn expand_word(memory: &mut Memory, gas: &mut u64, offset: U256) -> Option<usize> {
    if let Some(offset) = word::small(offset)
        && offset < memory.len().saturating_sub(31) as u64
    {
        return Some(offset as usize);
    }
    expand(memory, gas, offset, U256::from(32)).map(|range| range.start)
}
