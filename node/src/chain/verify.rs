//! The stateless checks of a block, with its signatures spread over the worker
//! pool: they cost more than everything else together.

use cairn_genesis::check::alone;
use cairn_genesis::{
    Block, BlockFault, ChainSpec, InvalidBlock, Transaction, VerifiedBlock, VerifiedTransaction,
};
use rayon::prelude::*;

/// Every check that needs the block alone.
pub fn block(spec: &ChainSpec, block: Block) -> Result<VerifiedBlock, BlockFault> {
    alone::block_with(spec, block, |transactions| signatures(spec, transactions))
}

/// The signatures of a block's transactions.
pub fn signatures(
    spec: &ChainSpec,
    transactions: Vec<Transaction>,
) -> Result<Vec<VerifiedTransaction>, InvalidBlock> {
    transactions
        .into_par_iter()
        .enumerate()
        .map(|(index, transaction)| {
            VerifiedTransaction::new(transaction, spec.chain_id)
                .map_err(|source| InvalidBlock::Transaction { index, source })
        })
        .collect()
}

/// Signatures of transactions that left the best chain; all were valid once.
pub fn transactions(spec: &ChainSpec, transactions: Vec<Transaction>) -> Vec<VerifiedTransaction> {
    transactions
        .into_par_iter()
        .filter_map(|transaction| VerifiedTransaction::new(transaction, spec.chain_id).ok())
        .collect()
}
