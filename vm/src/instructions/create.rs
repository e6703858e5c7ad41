//! CREATE and CREATE2: what they ask for and what they cost.
//!
//! Running the init code is the [`engine`](crate::engine)'s matter.

use alloy_primitives::U256;

use super::{Context, Stop};
use crate::{
    Halt, State,
    gas::{INIT_CODE_WORD, KECCAK_WORD, MAX_INIT_CODE_LEN, words},
    memory::Range,
    word,
};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CreateKind {
    Create,
    Create2,
}

/// A creation whose price was paid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Creation {
    pub value: U256,
    /// Where in the creator's memory the init code lies.
    pub init_code: Range,
    /// CREATE2's.
    pub salt: Option<U256>,
    pub gas: u64,
}

/// Pays for a creation and takes its operands off the stack, where a zero takes their place: the result
/// of one that fails.
pub(crate) fn prepare<S>(
    context: &mut Context<'_, '_, S>,
    kind: CreateKind,
) -> Result<Creation, Stop<S::Error>>
where
    S: State + ?Sized,
{
    context.changes_state()?;
    let frame = &context.frame;
    let (value, offset, len) = (frame.peek(0), frame.peek(1), frame.peek(2));
    let salt = (kind == CreateKind::Create2).then(|| frame.peek(3));
    let bytes = word::saturated(len);
    // EIP-3860: "if length of initcode is larger than MAX_INITCODE_SIZE, instruction fails with exceptional abort".
    if bytes > MAX_INIT_CODE_LEN as u64 {
        return Err(Stop::Halt(Halt::InitCodeTooLarge));
    }
    context.charge(words(bytes, INIT_CODE_WORD))?;
    if salt.is_some() {
        context.charge(words(bytes, KECCAK_WORD))?;
    }
    let init_code = context.expand(offset, len)?;
    // EIP-150: all but one 64th.
    let gas = context.gas - context.gas / 64;
    context.charge(gas)?;
    context
        .frame
        .replace(if salt.is_some() { 4 } else { 3 }, U256::ZERO);
    Ok(Creation {
        value,
        init_code,
        salt,
        gas,
    })
}
