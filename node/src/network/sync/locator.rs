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

/// Our best chain from `from` up to below `to`, in even steps, the highest first: what tells more
/// exactly where between the two a peer leaves it.
pub fn between(view: &ChainView<'_>, from: u64, to: u64) -> Result<Vec<B256>, StoreError> {
    let step = to.saturating_sub(from).div_ceil(MAX_LOCATOR as u64).max(1);
    let steps = 0..MAX_LOCATOR as u64;
    let heights = steps.map(|index| from.saturating_add(index.saturating_mul(step)));
    let heights: Vec<_> = heights
        .take_while(|height| *height == from || *height < to)
        .collect();
    let mut hashes = Vec::new();
    for height in heights.into_iter().rev() {
        hashes.extend(view.canonical_hash(height)?);
    }
    Ok(hashes)
}
