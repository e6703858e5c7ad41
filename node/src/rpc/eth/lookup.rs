//! From what a request calls a block to the block itself.

use alloy_primitives::B256;
use alloy_rpc_types_eth::{BlockId, BlockNumberOrTag};

use crate::chain::{ChainView, HeaderRecord};
use crate::rpc::error::RpcError;
use crate::state::StateAt;

/// How deep `safe` lies below the tip. Proof of work knows no finality, only depth; these
/// are the distances of Ethereum's two checkpoints (one epoch and two), which tools made
/// for it expect.
pub const SAFE_DEPTH: u64 = 32;
/// How deep `finalized` lies below the tip.
pub const FINALIZED_DEPTH: u64 = 64;

/// The height that `number` stands for when the tip is at `tip`. `pending` is the tip: what
/// is pending has not changed any state.
pub fn height(number: BlockNumberOrTag, tip: u64) -> u64 {
    match number {
        BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => tip,
        BlockNumberOrTag::Safe => tip.saturating_sub(SAFE_DEPTH),
        BlockNumberOrTag::Finalized => tip.saturating_sub(FINALIZED_DEPTH),
        BlockNumberOrTag::Earliest => 0,
        BlockNumberOrTag::Number(number) => number,
    }
}

/// The block that `id` names, if it is here.
pub fn find(view: &ChainView<'_>, id: BlockId) -> Result<Option<HeaderRecord>, RpcError> {
    match id {
        BlockId::Hash(id) => Ok(view.header(id.block_hash)?),
        BlockId::Number(number) => by_number(view, height(number, view.tip().number)),
    }
}

/// The block of the best chain at this height.
pub fn by_number(view: &ChainView<'_>, number: u64) -> Result<Option<HeaderRecord>, RpcError> {
    match view.canonical_hash(number)? {
        Some(hash) => Ok(view.header(hash)?),
        None => Ok(None),
    }
}

/// The height of the block that `id` names, which must be on the best chain: state is
/// kept for that one only.
pub fn canonical_height(view: &ChainView<'_>, id: BlockId) -> Result<u64, RpcError> {
    let tip = view.tip().number;
    match id {
        BlockId::Number(number) => {
            let number = height(number, tip);
            match number <= tip {
                true => Ok(number),
                false => Err(beyond_tip(number, tip)),
            }
        }
        BlockId::Hash(id) => canonical_height_of(view, id.block_hash),
    }
}

fn canonical_height_of(view: &ChainView<'_>, hash: B256) -> Result<u64, RpcError> {
    let record = view.header(hash)?;
    let record = record.ok_or_else(|| not_found(BlockId::from(hash)))?;
    let number = record.number();
    match view.is_canonical(number, hash)? {
        true => Ok(number),
        false => Err(RpcError::refused(format!(
            "hash is not currently canonical: block {hash} at height {number} is off the best chain, and state is kept for that one only"
        ))),
    }
}

/// The state after the block that `id` names.
pub fn state<'v>(view: &'v ChainView<'_>, id: BlockId) -> Result<StateAt<'v>, RpcError> {
    Ok(view.state_at(canonical_height(view, id)?)?)
}

/// The error for a height without a block below the tip.
pub fn gap(number: u64) -> RpcError {
    RpcError::Internal(format!("block {number} is missing below the tip"))
}

/// The error for a block that must be there and is not.
pub fn not_found(id: BlockId) -> RpcError {
    RpcError::BlockNotFound(match id {
        BlockId::Hash(id) => format!("no block has the hash {}", id.block_hash),
        BlockId::Number(number) => format!("there is no block {number}"),
    })
}

fn beyond_tip(number: u64, tip: u64) -> RpcError {
    RpcError::BlockNotFound(format!(
        "block {number} does not exist yet, the tip is block {tip}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_depths_below_the_tip() {
        assert_eq!(height(BlockNumberOrTag::Latest, 100), 100);
        assert_eq!(height(BlockNumberOrTag::Pending, 100), 100);
        assert_eq!(height(BlockNumberOrTag::Safe, 100), 68);
        assert_eq!(height(BlockNumberOrTag::Finalized, 100), 36);
        assert_eq!(height(BlockNumberOrTag::Earliest, 100), 0);
        assert_eq!(height(BlockNumberOrTag::Number(7), 100), 7);
    }

    #[test]
    fn a_short_chain_is_final_at_genesis_only() {
        assert_eq!(height(BlockNumberOrTag::Safe, 31), 0);
        assert_eq!(height(BlockNumberOrTag::Finalized, 0), 0);
    }
}
