//! What can be checked of a block once its transactions have run.

use alloy_primitives::B256;

use super::error::InvalidBlock;
use crate::{header::Header, receipt::Receipt, roots::receipts_root};

/// Compares what the header claims with what execution gave.
///
/// # Errors
/// If a claim is wrong.
pub fn block(
    header: &Header,
    gas_used: u64,
    receipts: &[Receipt],
    state_root: B256,
) -> Result<(), InvalidBlock> {
    // R-EXE-7: "gas_used is the sum over the transactions."
    if gas_used != header.gas_used {
        return Err(InvalidBlock::GasUsed {
            expected: header.gas_used,
            got: gas_used,
        });
    }
    // R-EXE-8: "receipts_root is the root of the trie of the receipts."
    let receipts_root = receipts_root(receipts);
    if receipts_root != header.receipts_root {
        return Err(InvalidBlock::ReceiptsRoot {
            expected: header.receipts_root,
            got: receipts_root,
        });
    }
    // R-EXE-9: "state_root is the root of the state after the block."
    if state_root != header.state_root {
        return Err(InvalidBlock::StateRoot {
            expected: header.state_root,
            got: state_root,
        });
    }
    Ok(())
}
