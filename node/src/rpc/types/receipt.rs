//! Receipts in JSON.

use alloy_primitives::{Bloom, U64};
use alloy_rpc_types_eth::{Log, TransactionReceipt};
use cairn_genesis::{Transaction, logs_bloom};
use serde::Serialize;

use super::transaction::address_called;
use crate::chain::{HeaderRecord, ReceiptRecord};

/// A receipt: alloy's frame around a body whose type may be `0x45`.
pub type RpcReceipt = TransactionReceipt<ReceiptBody>;

/// What the chain commits to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptBody {
    /// Type of the transaction.
    #[serde(rename = "type")]
    pub tx_type: U64,
    /// 1 if it took effect, else 0.
    pub status: U64,
    /// Gas of the block up to and including this transaction.
    pub cumulative_gas_used: U64,
    /// What contracts logged.
    pub logs: Vec<Log>,
    /// Bloom filter of the logs.
    pub logs_bloom: Bloom,
}

/// What the receipts before one in its block add up to.
#[derive(Default)]
struct Before {
    index: u64,
    gas_used: u64,
    logs: u64,
}

/// The receipts of a whole block, in order. `transactions` and `receipts` are the block's own,
/// one receipt for each transaction.
pub fn receipts(
    block: &HeaderRecord,
    transactions: &[Transaction],
    receipts: Vec<ReceiptRecord>,
) -> Vec<RpcReceipt> {
    let mut before = Before::default();
    let pairs = transactions.iter().zip(receipts);
    pairs
        .map(|(transaction, record)| {
            let (gas, logs) = (
                record.receipt.cumulative_gas_used,
                count(record.receipt.logs.len()),
            );
            let receipt = receipt(block, transaction, record, &before);
            before.index = before.index.saturating_add(1);
            before.gas_used = gas;
            before.logs = before.logs.saturating_add(logs);
            receipt
        })
        .collect()
}

fn receipt(
    block: &HeaderRecord,
    transaction: &Transaction,
    record: ReceiptRecord,
    before: &Before,
) -> RpcReceipt {
    let inner = record.receipt;
    let gas_used = inner.cumulative_gas_used.saturating_sub(before.gas_used);
    RpcReceipt {
        transaction_hash: transaction.hash(),
        transaction_index: Some(before.index),
        block_hash: Some(block.hash),
        block_number: Some(block.number()),
        gas_used,
        effective_gas_price: transaction.effective_gas_price(block.header.base_fee),
        blob_gas_used: None,
        blob_gas_price: None,
        from: record.sender,
        to: address_called(transaction.to()),
        contract_address: record.created,
        inner: ReceiptBody {
            tx_type: U64::from(inner.tx_type),
            status: U64::from(u8::from(inner.success)),
            cumulative_gas_used: U64::from(inner.cumulative_gas_used),
            logs_bloom: logs_bloom(&inner.logs),
            logs: logs(block, transaction, inner.logs, before),
        },
    }
}

fn logs(
    block: &HeaderRecord,
    transaction: &Transaction,
    logs: Vec<alloy_primitives::Log>,
    before: &Before,
) -> Vec<Log> {
    let indexes = before.logs..;
    let numbered = logs.into_iter().zip(indexes);
    numbered
        .map(|(inner, index)| Log {
            inner,
            block_hash: Some(block.hash),
            block_number: Some(block.number()),
            block_timestamp: Some(block.header.timestamp),
            transaction_hash: Some(transaction.hash()),
            transaction_index: Some(before.index),
            log_index: Some(index),
            removed: false,
        })
        .collect()
}

/// A length as a count; no block has 2^64 logs.
fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
