//! The two tries of a block: Merkle-Patricia, keyed by `rlp(index)` (R-ENC-7).

use std::borrow::Borrow;

use alloy_primitives::B256;
use alloy_trie::root::{ordered_trie_root_encoded, ordered_trie_root_with_encoder};

use crate::{receipt::Receipt, transaction::Transaction};

/// Root of the trie whose values are the transactions' envelopes.
pub fn transactions_root(transactions: &[impl Borrow<Transaction>]) -> B256 {
    let envelope = |transaction| Borrow::<Transaction>::borrow(transaction).envelope();
    let envelopes: Vec<&[u8]> = transactions
        .iter()
        .map(|transaction| &envelope(transaction)[..])
        .collect();
    ordered_trie_root_encoded(&envelopes)
}

/// Root of the trie whose values are the encoded receipts.
pub fn receipts_root(receipts: &[Receipt]) -> B256 {
    ordered_trie_root_with_encoder(receipts, |receipt, out| receipt.encode_to(out))
}
