//! Bytes: hashing, reading and copying.

use alloy_primitives::U256;

use super::{Context, Stop};
use crate::{
    Halt,
    code::OpKind,
    gas::{COPY_WORD, KECCAK_WORD, words},
    hashes::Hashes,
    interpreter::expand,
    memory::Memory,
    word,
};

/// KECCAK256. `None` if the gas does not suffice.
#[inline(always)]
pub(crate) fn keccak(
    memory: &mut Memory,
    hashes: &mut Hashes,
    gas: &mut u64,
    offset: U256,
    len: U256,
) -> Option<U256> {
    let price = words(word::saturated(len), KECCAK_WORD);
    *gas = gas.checked_sub(price)?;
    let range = expand(memory, gas, offset, len)?;
    Some(hashes.keccak(memory.get(range)).into())
}

/// CALLDATALOAD: 32 bytes from `offset` on, zeros where the data ends.
#[inline(always)]
pub(crate) fn load(data: &[u8], offset: U256) -> U256 {
    let offset = word::saturated(offset).min(data.len() as u64) as usize;
    let data = &data[offset..];
    match data.first_chunk::<32>() {
        Some(word) => U256::from_be_bytes(*word),
        None => {
            let mut word = [0; 32];
            word[..data.len()].copy_from_slice(data);
            U256::from_be_bytes(word)
        }
    }
}

/// CALLDATACOPY, CODECOPY, RETURNDATACOPY, MCOPY: `[to, from, len]`.
#[inline(never)]
pub(crate) fn copy<S: ?Sized, E>(
    context: &mut Context<'_, '_, S>,
    code: OpKind,
    program: &[u8],
    [to, from, len]: [U256; 3],
) -> Result<(), Stop<E>> {
    context.charge(words(word::saturated(len), COPY_WORD))?;
    match code {
        OpKind::MCopy => {
            // EIP-5656: memory grows to the farther end of the two ranges.
            let farther = if word::lt(to, from) { from } else { to };
            context.expand(farther, len)?;
            let source = context.expand(from, len)?;
            let target = context.expand(to, len)?;
            context.frame.memory.copy_within(source, target.start);
        }
        OpKind::ReturnDataCopy => {
            // EIP-211: "if start + length is larger than RETURNDATASIZE, the current call fails".
            let end = word::small(from).and_then(|from| from.checked_add(word::small(len)?));
            if end.is_none_or(|end| end > context.world.return_data.len() as u64) {
                return Err(Stop::Halt(Halt::ReturnDataOutOfBounds));
            }
            let range = context.expand(to, len)?;
            context
                .frame
                .memory
                .copy_from(range, context.world.return_data, from);
        }
        _ => {
            let range = context.expand(to, len)?;
            let data = if code == OpKind::CodeCopy {
                program
            } else {
                context.world.input
            };
            context.frame.memory.copy_from(range, data, from);
        }
    }
    Ok(())
}
