//! Blocks, headers, counts of transactions, receipts of a block.

use alloy_primitives::{Address, B256, Bloom, U64};
use alloy_rpc_types_eth::{BlockId, BlockNumberOrTag, BlockTransactions};
use cairn_genesis::{Transaction, VerifiedTransaction};

use super::{lookup, pending};
use crate::chain::{ChainView, HeaderRecord, ReceiptRecord};
use crate::rpc::api::Api;
use crate::rpc::error::RpcError;
use crate::rpc::methods::Registry;
use crate::rpc::params::Args;
use crate::rpc::types::{self, Place, RpcBlock, RpcHeader, RpcReceipt, RpcTransaction};

pub(super) fn register(registry: &mut Registry) {
    registry.read("eth_blockNumber", 0, block_number);
    registry.heavy("eth_getBlockByHash", 2, block_by_hash);
    registry.heavy("eth_getBlockByNumber", 2, block_by_number);
    registry.heavy("eth_getHeaderByHash", 1, header_by_hash);
    registry.heavy("eth_getHeaderByNumber", 1, header_by_number);
    registry.heavy("eth_getBlockReceipts", 1, block_receipts);
    registry.read("eth_getBlockTransactionCountByHash", 1, count_by_hash);
    registry.heavy("eth_getBlockTransactionCountByNumber", 1, count_by_number);
    registry.read("eth_getUncleCountByBlockHash", 1, uncles_by_hash);
    registry.read("eth_getUncleCountByBlockNumber", 1, uncles_by_number);
    registry.read("eth_getUncleByBlockHashAndIndex", 2, no_uncle);
    registry.read("eth_getUncleByBlockNumberAndIndex", 2, no_uncle);
}

fn block_number(api: &Api, _: &mut Args<'_>) -> Result<U64, RpcError> {
    Ok(U64::from(api.view()?.tip().number))
}

fn block_by_hash(api: &Api, args: &mut Args<'_>) -> Result<Option<RpcBlock>, RpcError> {
    let hash: B256 = args.required("block hash")?;
    let whole = args.optional("full transactions")?.unwrap_or(false);
    let view = api.view()?;
    block(api, &view, view.header(hash)?, whole)
}

fn block_by_number(api: &Api, args: &mut Args<'_>) -> Result<Option<RpcBlock>, RpcError> {
    let number: BlockNumberOrTag = args.required("block")?;
    let whole = args.optional("full transactions")?.unwrap_or(false);
    let view = api.view()?;
    if number.is_pending() {
        return pending::block(api, &view, whole).map(Some);
    }
    block(api, &view, lookup::find(&view, number.into())?, whole)
}

/// The JSON of a block whose body is here; `None` otherwise.
fn block(
    api: &Api,
    view: &ChainView<'_>,
    record: Option<HeaderRecord>,
    whole: bool,
) -> Result<Option<RpcBlock>, RpcError> {
    let Some(record) = record else {
        return Ok(None);
    };
    let Some(body) = view.body(record.hash)? else {
        return Ok(None);
    };
    let transactions = match whole {
        true => BlockTransactions::Full(whole_transactions(api, view, &record, &body)?),
        false => BlockTransactions::Hashes(body.iter().map(Transaction::hash).collect()),
    };
    Ok(Some(RpcBlock::new(
        types::header(&record, bloom(view, &record)?),
        transactions,
    )))
}

/// The bloom of a block, or `None` off the best chain.
pub fn bloom(view: &ChainView<'_>, block: &HeaderRecord) -> Result<Option<Bloom>, RpcError> {
    let number = block.number();
    match view.is_canonical(number, block.hash)? {
        true => Ok(Some(view.bloom(number)?)),
        false => Ok(None),
    }
}

fn whole_transactions(
    api: &Api,
    view: &ChainView<'_>,
    block: &HeaderRecord,
    body: &[Transaction],
) -> Result<Vec<RpcTransaction>, RpcError> {
    let receipts = view.receipts(block.hash)?;
    let mut whole = Vec::with_capacity(body.len());
    for (index, transaction) in (0..).zip(body) {
        let from = sender(
            api,
            transaction,
            receipts
                .as_ref()
                .and_then(|receipts| receipts.get(whole.len())),
        )?;
        whole.push(RpcTransaction::new(
            transaction,
            from,
            Some(place(block, index)),
        ));
    }
    Ok(whole)
}

/// Where the transaction at `index` of `block` stands.
pub fn place(block: &HeaderRecord, index: u64) -> Place {
    Place {
        block_hash: block.hash,
        block_number: block.number(),
        block_timestamp: block.header.timestamp,
        base_fee: block.header.base_fee,
        index,
    }
}

/// Who sent a transaction of a stored block: its receipt says so. Without one (the block was
/// not executed here) the sender is recovered from the signature.
pub fn sender(
    api: &Api,
    transaction: &Transaction,
    receipt: Option<&ReceiptRecord>,
) -> Result<Address, RpcError> {
    if let Some(record) = receipt {
        return Ok(record.sender);
    }
    let verified = VerifiedTransaction::new(transaction.clone(), api.node.spec.chain_id);
    let verified = verified.map_err(|error| RpcError::Internal(error.to_string()))?;
    Ok(verified.sender())
}

fn header_by_hash(api: &Api, args: &mut Args<'_>) -> Result<Option<RpcHeader>, RpcError> {
    let hash: B256 = args.required("block hash")?;
    let view = api.view()?;
    header(&view, view.header(hash)?)
}

fn header_by_number(api: &Api, args: &mut Args<'_>) -> Result<Option<RpcHeader>, RpcError> {
    let number: BlockNumberOrTag = args.required("block")?;
    let view = api.view()?;
    if number.is_pending() {
        return Ok(Some(pending::block(api, &view, false)?.header));
    }
    header(&view, lookup::find(&view, number.into())?)
}

/// Headers are shown without their body being here.
fn header(
    view: &ChainView<'_>,
    record: Option<HeaderRecord>,
) -> Result<Option<RpcHeader>, RpcError> {
    let Some(record) = record else {
        return Ok(None);
    };
    let bloom = bloom(view, &record)?;
    Ok(Some(types::header(&record, bloom)))
}

/// The receipts of a block, or `None` where it is unknown or was not executed here.
fn block_receipts(api: &Api, args: &mut Args<'_>) -> Result<Option<Vec<RpcReceipt>>, RpcError> {
    let block: BlockId = args.required("block")?;
    let view = api.view()?;
    let Some(record) = lookup::find(&view, block)? else {
        return Ok(None);
    };
    receipts(&view, &record)
}

/// The receipts of `block`, in order.
pub fn receipts(
    view: &ChainView<'_>,
    block: &HeaderRecord,
) -> Result<Option<Vec<RpcReceipt>>, RpcError> {
    let (Some(body), Some(receipts)) = (view.body(block.hash)?, view.receipts(block.hash)?) else {
        return Ok(None);
    };
    Ok(Some(types::receipts(block, &body, receipts)))
}

fn count_by_hash(api: &Api, args: &mut Args<'_>) -> Result<Option<U64>, RpcError> {
    let hash: B256 = args.required("block hash")?;
    let record = api.view()?.header(hash)?;
    Ok(record.map(|record| U64::from(record.tx_count)))
}

fn count_by_number(api: &Api, args: &mut Args<'_>) -> Result<Option<U64>, RpcError> {
    let number: BlockNumberOrTag = args.required("block")?;
    let view = api.view()?;
    if number.is_pending() {
        let block = pending::block(api, &view, false)?;
        return Ok(Some(U64::from(block.transactions.len())));
    }
    let record = lookup::find(&view, number.into())?;
    Ok(record.map(|record| U64::from(record.tx_count)))
}

/// Zero for a block that is here: no block of ours has uncles.
fn uncles_by_hash(api: &Api, args: &mut Args<'_>) -> Result<Option<U64>, RpcError> {
    let hash: B256 = args.required("block hash")?;
    Ok(api.view()?.header(hash)?.map(|_| U64::ZERO))
}

fn uncles_by_number(api: &Api, args: &mut Args<'_>) -> Result<Option<U64>, RpcError> {
    let number: BlockNumberOrTag = args.required("block")?;
    let found = lookup::find(&api.view()?, number.into())?;
    Ok(found.map(|_| U64::ZERO))
}

fn no_uncle(_: &Api, args: &mut Args<'_>) -> Result<Option<RpcHeader>, RpcError> {
    let _: BlockId = args.required("block")?;
    let _: U64 = args.required("index")?;
    Ok(None)
}
