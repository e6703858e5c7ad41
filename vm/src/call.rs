//! A call frame: move the value, then run the target's precompile or code.

use crate::{
    Halt, Journal, PrecompileFailure, PrecompileFn, Precompiles, State, delegation,
    frame::{FrameResult, execute},
    journal::AccountId,
};
use alloy_primitives::{Address, Bytes, U256};

/// A call.
pub(crate) struct Call<'a> {
    pub caller: AccountId,
    pub target: Address,
    pub value: U256,
    pub input: &'a Bytes,
    pub gas: u64,
}

/// Runs a call frame. Target and delegate become warm, also if the frame fails.
pub(crate) fn call<S>(
    journal: &mut Journal,
    precompiles: &Precompiles,
    state: &S,
    call: &Call<'_>,
) -> Result<FrameResult, S::Error>
where
    S: State + ?Sized,
{
    let target = journal.access(state, call.target)?.id;
    let code = executed_code(journal, state, target)?;
    let checkpoint = journal.checkpoint();
    let result = match journal.transfer(call.caller, target, call.value) {
        Err(halt) => FrameResult::halt(halt),
        Ok(()) => match precompiles.get(&call.target) {
            Some(function) => run_precompile(function, call.input, call.gas),
            None => execute(&code, call.gas),
        },
    };
    Ok(result.settle(journal, checkpoint))
}

/// The code that a call to `target` runs. EIP-7702: "clients must retrieve only the first code and then
/// stop following the delegation chain"; "if a transaction's destination has a delegation indicator, add
/// the target of the delegation to accessed_addresses".
fn executed_code<S>(journal: &mut Journal, state: &S, target: AccountId) -> Result<Bytes, S::Error>
where
    S: State + ?Sized,
{
    let code = journal.code(state, target)?;
    match delegation::delegate(&code) {
        None => Ok(code),
        Some(delegate) => {
            let delegate = journal.access(state, delegate)?.id;
            journal.code(state, delegate)
        }
    }
}

fn run_precompile(function: PrecompileFn, input: &[u8], gas: u64) -> FrameResult {
    match function(input, gas) {
        Ok(done) => match gas.checked_sub(done.gas_used) {
            Some(gas_left) => FrameResult::success(gas_left, done.output),
            None => FrameResult::halt(Halt::OutOfGas),
        },
        Err(PrecompileFailure::OutOfGas) => FrameResult::halt(Halt::OutOfGas),
        Err(PrecompileFailure::InvalidInput) => FrameResult::halt(Halt::PrecompileFailed),
    }
}
