//! CALL, CALLCODE, DELEGATECALL, STATICCALL: what they ask for and what they cost.
//!
//! Running the callee is the [`engine`](crate::engine)'s matter.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};

use super::{Context, Stop, address, state};
use crate::{
    Journal, State, delegation,
    gas::{CALL_STIPEND, CALL_VALUE, COLD_ACCOUNT, COLD_ACCOUNT_ACCESS, NEW_ACCOUNT, WARM_ACCESS},
    journal::AccountId,
    memory::Range,
    trace::FrameKind,
    word,
};

/// Which of the four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallKind {
    Call,
    CallCode,
    DelegateCall,
    StaticCall,
}

impl CallKind {
    fn has_value(self) -> bool {
        matches!(self, Self::Call | Self::CallCode)
    }

    fn frame_kind(self) -> FrameKind {
        match self {
            Self::Call => FrameKind::Call,
            Self::CallCode => FrameKind::CallCode,
            Self::DelegateCall => FrameKind::DelegateCall,
            Self::StaticCall => FrameKind::StaticCall,
        }
    }
}

/// A call whose price was paid.
#[derive(Debug)]
pub(crate) struct Call {
    pub kind: FrameKind,
    pub gas: u64,
    /// Whose code is called, for precompiles and tracers.
    pub code_address: Address,
    pub code_hash: B256,
    pub code: Bytes,
    /// What the callee works on.
    pub contract: AccountId,
    pub address: Address,
    /// CALLER for the callee.
    pub caller: Address,
    /// Who makes the call and pays the value.
    pub payer: AccountId,
    pub payer_address: Address,
    /// CALLVALUE for the callee.
    pub value: U256,
    pub is_static: bool,
    /// Where in the caller's memory the calldata lies.
    pub input: Range,
    /// Where in the caller's memory the output goes.
    pub output: Range,
}

/// What the operands say.
struct Operands {
    gas: U256,
    target: U256,
    value: U256,
    input: Range,
    output: Range,
}

/// Pays for a call and takes its operands off the stack, where a zero takes their place: the result of a call that fails.
pub(crate) fn prepare<S>(
    context: &mut Context<'_, '_, S>,
    kind: CallKind,
) -> Result<Call, Stop<S::Error>>
where
    S: State + ?Sized,
{
    let operands = operands(context, kind)?;
    let Operands { value, target, .. } = operands;
    let moves_value = !word::is_zero(value);
    if kind == CallKind::Call && moves_value {
        context.changes_state()?;
    }
    let id = state::access(context, target, COLD_ACCOUNT)?;
    if moves_value {
        context.charge(CALL_VALUE)?;
        // EIP-161: "when CALL would result in an account being created".
        if kind == CallKind::Call && context.world.journal.account(id).is_empty() {
            context.charge(NEW_ACCOUNT)?;
        }
    }
    let (code_hash, code) = called_code(context, id)?;
    let mut gas = callee_gas(context, operands.gas)?;
    if moves_value {
        gas += CALL_STIPEND;
    }
    let frame = &mut *context.frame;
    frame.replace(if kind.has_value() { 7 } else { 6 }, U256::ZERO);
    let target = address(target);
    let own = matches!(kind, CallKind::CallCode | CallKind::DelegateCall);
    let (contract, of) = if own {
        (frame.contract, frame.address)
    } else {
        (id, target)
    };
    let is_delegate = kind == CallKind::DelegateCall;
    Ok(Call {
        kind: kind.frame_kind(),
        gas,
        code_address: target,
        code_hash,
        code,
        contract,
        address: of,
        caller: if is_delegate {
            frame.caller
        } else {
            frame.address
        },
        payer: frame.contract,
        payer_address: frame.address,
        value: if is_delegate { frame.value } else { value },
        is_static: frame.is_static || kind == CallKind::StaticCall,
        input: operands.input,
        output: operands.output,
    })
}

fn operands<S>(context: &mut Context<'_, '_, S>, kind: CallKind) -> Result<Operands, Stop<S::Error>>
where
    S: State + ?Sized,
{
    let frame = &context.frame;
    let ranges = if kind.has_value() { 3 } else { 2 };
    let [input, input_len, output, output_len] =
        std::array::from_fn(|index| frame.peek(ranges + index));
    let (gas, target) = (frame.peek(0), frame.peek(1));
    let value = if kind.has_value() {
        frame.peek(2)
    } else {
        U256::ZERO
    };
    let input = context.expand(input, input_len)?;
    let output = context.expand(output, output_len)?;
    Ok(Operands {
        gas,
        target,
        value,
        input,
        output,
    })
}

/// EIP-150: "all but one 64th" of the gas at the most.
fn callee_gas<S: ?Sized, E>(
    context: &mut Context<'_, '_, S>,
    wanted: U256,
) -> Result<u64, Stop<E>> {
    let most = context.gas - context.gas / 64;
    let gas = word::saturated(wanted).min(most);
    context.charge(gas)?;
    Ok(gas)
}

/// The code that a call runs, and the price of a delegation (EIP-7702): "if the target is warm, 100 gas, else 2,600".
fn called_code<S>(
    context: &mut Context<'_, '_, S>,
    id: AccountId,
) -> Result<(B256, Bytes), Stop<S::Error>>
where
    S: State + ?Sized,
{
    let world = &mut *context.world;
    let (hash, code) = code_of(world.journal, world.state, id).map_err(Stop::State)?;
    let Some(delegate) = delegation::delegate(&code) else {
        return Ok((hash, code));
    };
    let access = world
        .journal
        .access(world.state, delegate)
        .map_err(Stop::State)?;
    context.charge(if access.cold {
        COLD_ACCOUNT_ACCESS
    } else {
        WARM_ACCESS
    })?;
    let world = &mut *context.world;
    code_of(world.journal, world.state, access.id).map_err(Stop::State)
}

/// An account's code and its hash.
pub(crate) fn code_of<S>(
    journal: &mut Journal,
    state: &S,
    id: AccountId,
) -> Result<(B256, Bytes), S::Error>
where
    S: State + ?Sized,
{
    let hash = journal.account(id).code_hash();
    if hash == KECCAK256_EMPTY {
        return Ok((hash, Bytes::new()));
    }
    Ok((hash, journal.code(state, id)?))
}
