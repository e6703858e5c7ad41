//! The stateless checks of a block, with its signatures spread over the worker
//! pool: they cost more than everything else together.

use alloy_primitives::Address;
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

/// Signatures of stored transactions that were valid once; those that are so no longer are left
/// out.
pub fn transactions(spec: &ChainSpec, transactions: Vec<Transaction>) -> Vec<VerifiedTransaction> {
    transactions
        .into_par_iter()
        .filter_map(|transaction| VerifiedTransaction::new(transaction, spec.chain_id).ok())
        .collect()
}

/// Transactions that were executed once, with the senders that the store names.
pub fn trusted(spec: &ChainSpec, sent: Vec<(Transaction, Address)>) -> Vec<VerifiedTransaction> {
    let trusted =
        |(transaction, sender)| VerifiedTransaction::trusted(transaction, sender, spec.chain_id);
    sent.into_par_iter().map(trusted).collect()
}
