//! SLOAD and SSTORE: EIP-2200 with EIP-2929's and EIP-3529's numbers.

use alloy_primitives::U256;

use super::{Context, Stop};
use crate::{
    Halt, State,
    gas::{
        COLD_SLOAD, COLD_SSTORE, SSTORE_CLEARS, SSTORE_RESET, SSTORE_SET, SSTORE_STIPEND,
        WARM_ACCESS,
    },
    journal::SlotAccess,
    word,
};

/// SLOAD.
#[inline(never)]
pub(crate) fn load<S>(context: &mut Context<'_, '_, S>, slot: U256) -> Result<U256, Stop<S::Error>>
where
    S: State + ?Sized,
{
    let world = &mut *context.world;
    let access = world
        .journal
        .access_slot(world.state, context.frame.contract, slot);
    let access = access.map_err(Stop::State)?;
    if access.cold {
        context.charge(COLD_SLOAD)?;
    }
    Ok(access.current)
}

/// SSTORE. `ahead` is static gas of the block that the instruction has not to pay for yet.
#[inline(never)]
pub(crate) fn store<S>(
    context: &mut Context<'_, '_, S>,
    slot: U256,
    value: U256,
    ahead: u64,
) -> Result<(), Stop<S::Error>>
where
    S: State + ?Sized,
{
    context.changes_state()?;
    // EIP-2200: "If gasleft is less than or equal to gas stipend, fail the current call frame with 'out of gas'".
    if context.gas + ahead <= SSTORE_STIPEND {
        return Err(Stop::Halt(Halt::OutOfGas));
    }
    let contract = context.frame.contract;
    let world = &mut *context.world;
    let access = world.journal.access_slot(world.state, contract, slot);
    let access = access.map_err(Stop::State)?;
    context.charge(price(&access, value))?;
    let journal = &mut *context.world.journal;
    let earned = refund(&access, value);
    if earned != 0 {
        journal.add_refund(earned);
    }
    journal.set_slot(contract, slot, value);
    Ok(())
}

/// What the write costs.
pub(crate) fn price(access: &SlotAccess, value: U256) -> u64 {
    let SlotAccess {
        original,
        current,
        cold,
    } = *access;
    let cold = if cold { COLD_SSTORE } else { 0 };
    let write = if word::eq(current, value) || !word::eq(current, original) {
        WARM_ACCESS
    } else if word::is_zero(original) {
        SSTORE_SET
    } else {
        SSTORE_RESET
    };
    cold + write
}

/// What the write adds to the refund counter.
pub(crate) fn refund(access: &SlotAccess, value: U256) -> i64 {
    let SlotAccess {
        original, current, ..
    } = *access;
    if word::eq(current, value) {
        return 0;
    }
    let mut refund = 0;
    if !word::is_zero(original) {
        if word::is_zero(current) {
            refund -= SSTORE_CLEARS;
        }
        if word::is_zero(value) {
            refund += SSTORE_CLEARS;
        }
    }
    if word::eq(original, value) && !word::eq(original, current) {
        let write = if word::is_zero(original) {
            SSTORE_SET
        } else {
            SSTORE_RESET
        };
        refund += (write - WARM_ACCESS) as i64;
    }
    refund
}
