//! A creation frame: claim the address, move the value, then run the init code.

use crate::{
    Halt, Journal, State,
    frame::{FrameResult, execute},
    journal::AccountId,
};
use alloy_primitives::{Address, Bytes, U256};

/// A creation. The creator's nonce is incremented already.
pub(crate) struct Create<'a> {
    pub caller: AccountId,
    pub address: Address,
    pub value: U256,
    pub init_code: &'a Bytes,
    pub gas: u64,
}

/// Runs a creation frame. The new address becomes warm, also if the frame fails (EIP-2929).
pub(crate) fn create<S>(
    journal: &mut Journal,
    state: &S,
    create: &Create<'_>,
) -> Result<FrameResult, S::Error>
where
    S: State + ?Sized,
{
    let contract = journal.access(state, create.address)?.id;
    // EIP-7610: "then the creation MUST throw as if the first byte in the init code were an invalid opcode".
    if journal.account(contract).collides() {
        return Ok(FrameResult::halt(Halt::CreateCollision));
    }
    let checkpoint = journal.checkpoint();
    journal.create_contract(contract);
    let result = match journal.transfer(create.caller, contract, create.value) {
        Err(halt) => FrameResult::halt(halt),
        Ok(()) => execute(create.init_code, create.gas),
    };
    Ok(result.settle(journal, checkpoint))
}
