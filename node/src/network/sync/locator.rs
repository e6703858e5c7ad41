//! Where we stand, in few hashes: what a peer finds the fork point by.

use alloy_primitives::B256;

use crate::chain::ChainView;
use crate::network::limits::MAX_LOCATOR;
use crate::store::StoreError;

/// Hashes that are listed one by one before the steps grow.
const DENSE: usize = 10;

/// Our best chain: the latest blocks, then ever larger steps, then genesis.
pub fn locator(view: &ChainView<'_>) -> Result<Vec<B256>, StoreError> {
    let mut hashes = Vec::new();
    let mut number = view.tip().number;
    let mut step = 1;
    while hashes.len() < MAX_LOCATOR - 1 {
        hashes.extend(view.canonical_hash(number)?);
        if number == 0 {
            return Ok(hashes);
        }
        if hashes.len() >= DENSE {
            step *= 2;
        }
        number = number.saturating_sub(step);
    }
    hashes.extend(view.canonical_hash(0)?);
    Ok(hashes)
}
