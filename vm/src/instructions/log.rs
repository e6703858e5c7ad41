//! LOG0 to LOG4.

use alloy_primitives::{Bytes, Log, LogData, U256};

use super::{Context, Stop};
use crate::{gas::LOG_BYTE, word};

/// Writes a log. What topics cost is in the table.
#[inline(never)]
pub(crate) fn log<S: ?Sized, E>(
    context: &mut Context<'_, '_, S>,
    offset: U256,
    len: U256,
    topics: &[U256],
) -> Result<(), Stop<E>> {
    context.changes_state()?;
    context.charge(word::saturated(len).saturating_mul(LOG_BYTE))?;
    let range = context.expand(offset, len)?;
    let data = Bytes::copy_from_slice(context.frame.memory.get(range));
    let topics = topics.iter().map(|topic| (*topic).into()).collect();
    let address = context.frame.address;
    context.world.journal.log(Log {
        address,
        data: LogData::new_unchecked(topics, data),
    });
    Ok(())
}
