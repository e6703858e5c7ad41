//! Words of block, transaction and frame.

use alloy_primitives::{Address, U256};

use super::{Context, Stop};
use crate::{State, frame::Frame, interpreter::Env, opcode, word as words};

/// How far back BLOCKHASH looks.
const BLOCK_HASHES: u64 = 256;

/// The word that the instruction `byte` reads.
#[inline(never)]
pub(crate) fn word(byte: u8, frame: &Frame, env: &Env<'_>) -> U256 {
    let block = env.block;
    match byte {
        opcode::ADDRESS => of(frame.address),
        opcode::ORIGIN => of(env.origin),
        opcode::CALLER => of(frame.caller),
        opcode::CALLVALUE => frame.value,
        opcode::GASPRICE => U256::from(env.gas_price),
        opcode::COINBASE => of(block.beneficiary),
        opcode::TIMESTAMP => U256::from(block.timestamp),
        opcode::NUMBER => U256::from(block.number),
        opcode::PREVRANDAO => block.prevrandao.into(),
        opcode::GASLIMIT => U256::from(block.gas_limit),
        opcode::CHAINID => U256::from(block.chain_id),
        opcode::BASEFEE => U256::from(block.base_fee),
        opcode::BLOBBASEFEE => U256::from(block.blob_base_fee),
        _ => U256::ZERO,
    }
}

fn of(address: Address) -> U256 {
    address.into_word().into()
}

/// BLOCKHASH: "the hash of one of the 256 most recent complete blocks", else 0.
#[inline(never)]
pub(crate) fn block_hash<S>(
    context: &mut Context<'_, '_, S>,
    number: U256,
) -> Result<U256, Stop<S::Error>>
where
    S: State + ?Sized,
{
    let current = context.world.env.block.number;
    match words::small(number) {
        Some(number) if number < current && current - number <= BLOCK_HASHES => {
            let hash = context.world.state.block_hash(number);
            Ok(hash.map_err(Stop::State)?.into())
        }
        _ => Ok(U256::ZERO),
    }
}
