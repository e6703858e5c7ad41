//! Transactions that come back to the pool when their blocks leave the best chain.
//!
//! The store vouches for them: it says who sent each, so that no signature is recovered, and
//! they are as many as the pool could hold at most, however deep the reorganization was.

use std::collections::HashSet;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use cairn_genesis::Transaction;

use crate::chain::{HeaderRecord, view};
use crate::mempool::Limits;
use crate::store::{Reader, StoreError};

/// How much may come back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Transactions.
    pub(super) count: usize,
    /// Bytes of their envelopes.
    pub(super) bytes: usize,
}

impl Room {
    /// All that a pool with these limits holds.
    pub(super) fn of(limits: &Limits) -> Self {
        Self {
            count: limits.max_count,
            bytes: limits.max_bytes,
        }
    }

    /// Takes room for one transaction; whether there was any.
    fn take(&mut self, transaction: &Transaction) -> bool {
        let bytes = transaction.envelope().len();
        let fits = self.count > 0 && self.bytes >= bytes;
        if fits {
            self.count -= 1;
            self.bytes -= bytes;
        }
        fits
    }
}

/// The transactions of `disconnected` blocks (from the old tip downward) that are not among
/// the `mined` ones, with their senders.
///
/// The lowest blocks come first, and what follows a transaction without room is left out: so
/// the nonces of every sender go on from his account's without a gap. Those of the highest
/// blocks alone could not be executed before the others are sent again.
pub(super) fn transactions(
    store: &dyn Reader,
    disconnected: &[Arc<HeaderRecord>],
    mined: &[B256],
    mut room: Room,
) -> Result<Vec<(Transaction, Address)>, StoreError> {
    let mined: HashSet<&B256> = mined.iter().collect();
    let mut returned = Vec::new();
    for record in disconnected.iter().rev() {
        for (transaction, sender) in view::sent(store, record)? {
            if mined.contains(&transaction.hash()) {
                continue;
            }
            if !room.take(&transaction) {
                return Ok(returned);
            }
            returned.push((transaction, sender));
        }
    }
    Ok(returned)
}
