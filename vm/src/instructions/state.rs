//! Other accounts: balance, code, and SELFDESTRUCT.

use alloy_primitives::U256;

use super::{Context, Stop, address};
use crate::{
    State,
    code::OpKind,
    gas::{COLD_ACCOUNT, COLD_ACCOUNT_ACCESS, COPY_WORD, NEW_ACCOUNT, words},
    journal::AccountId,
    trace::Tracer,
    word,
};

/// Loads an account and charges for it if it is cold.
pub(crate) fn access<S>(
    context: &mut Context<'_, '_, S>,
    of: U256,
    cold: u64,
) -> Result<AccountId, Stop<S::Error>>
where
    S: State + ?Sized,
{
    let world = &mut *context.world;
    let access = world
        .journal
        .access(world.state, address(of))
        .map_err(Stop::State)?;
    if access.cold {
        context.charge(cold)?;
    }
    Ok(access.id)
}

/// BALANCE, EXTCODESIZE, EXTCODEHASH.
#[inline(never)]
pub(crate) fn account<S>(
    context: &mut Context<'_, '_, S>,
    code: OpKind,
    of: U256,
) -> Result<U256, Stop<S::Error>>
where
    S: State + ?Sized,
{
    let id = access(context, of, COLD_ACCOUNT)?;
    let world = &mut *context.world;
    let account = world.journal.account(id);
    Ok(match code {
        OpKind::Balance => account.balance(),
        // EIP-1052: "In case the account does not exist or is empty 0 is pushed to the stack".
        OpKind::ExtCodeHash if account.is_empty() => U256::ZERO,
        OpKind::ExtCodeHash => account.code_hash().into(),
        _ => U256::from(
            world
                .journal
                .code(world.state, id)
                .map_err(Stop::State)?
                .len(),
        ),
    })
}

/// EXTCODECOPY: `[address, to, from, len]`.
#[inline(never)]
pub(crate) fn ext_code_copy<S>(
    context: &mut Context<'_, '_, S>,
    [of, to, from, len]: [U256; 4],
) -> Result<(), Stop<S::Error>>
where
    S: State + ?Sized,
{
    context.charge(words(word::saturated(len), COPY_WORD))?;
    let range = context.expand(to, len)?;
    let id = access(context, of, COLD_ACCOUNT)?;
    let world = &mut *context.world;
    let code = world.journal.code(world.state, id).map_err(Stop::State)?;
    context.frame.memory.copy_from(range, &code, from);
    Ok(())
}

/// SELFDESTRUCT.
#[inline(never)]
pub(crate) fn self_destruct<S, T>(
    context: &mut Context<'_, '_, S>,
    tracer: &mut T,
    heir: U256,
) -> Result<(), Stop<S::Error>>
where
    S: State + ?Sized,
    T: Tracer,
{
    context.changes_state()?;
    let id = access(context, heir, COLD_ACCOUNT_ACCESS)?;
    let contract = context.frame.contract;
    let balance = context.world.journal.account(contract).balance();
    // EIP-161: only value makes an account.
    if !balance.is_zero() && context.world.journal.account(id).is_empty() {
        context.charge(NEW_ACCOUNT)?;
    }
    tracer.self_destruct(context.frame.address, address(heir), balance);
    context
        .world
        .journal
        .self_destruct(contract, id)
        .map_err(Stop::Halt)
}
