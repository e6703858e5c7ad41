//! Transactions by hash or place, their receipts, and the way in for new ones.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{B256, Bytes, U64};
use alloy_rpc_types_eth::{BlockId, BlockNumberOrTag};
use cairn_genesis::{Transaction, VerifiedTransaction};
use jsonrpsee::types::Params;

use super::{block, lookup, pending};
use crate::chain::{ChainView, HeaderRecord};
use crate::rpc::api::Api;
use crate::rpc::error::RpcError;
use crate::rpc::methods::Registry;
use crate::rpc::params::Args;
use crate::rpc::types::{RpcReceipt, RpcTransaction};

/// How long `eth_sendRawTransactionSync` waits when it is not told.
const DEFAULT_WAIT_MS: u64 = 10_000;
/// The longest it waits: each waiting request holds a connection.
const LONGEST_WAIT_MS: u64 = 120_000;

pub(super) fn register(registry: &mut Registry) {
    registry.heavy("eth_getTransactionByHash", 1, by_hash);
    registry.heavy("eth_getTransactionByBlockHashAndIndex", 2, by_block_hash);
    registry.heavy(
        "eth_getTransactionByBlockNumberAndIndex",
        2,
        by_block_number,
    );
    registry.heavy("eth_getRawTransactionByHash", 1, raw_by_hash);
    registry.heavy("eth_getTransactionReceipt", 1, receipt);
    registry.task("eth_sendRawTransaction", send_raw);
    registry.task("eth_sendRawTransactionSync", send_raw_sync);
}

/// A transaction of the best chain, and where it stands.
struct Mined {
    block: HeaderRecord,
    index: usize,
    transaction: Transaction,
}

fn mined(view: &ChainView<'_>, hash: B256) -> Result<Option<Mined>, RpcError> {
    let Some((number, index)) = view.transaction_location(hash)? else {
        return Ok(None);
    };
    let block = lookup::by_number(view, number)?;
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    block.map_or(Ok(None), |block| at(view, block, index))
}

fn at(view: &ChainView<'_>, block: HeaderRecord, index: usize) -> Result<Option<Mined>, RpcError> {
    let body = view.body(block.hash)?.unwrap_or_default();
    let transaction = body.into_iter().nth(index);
    Ok(transaction.map(|transaction| Mined {
        block,
        index,
        transaction,
    }))
}

fn to_json(api: &Api, view: &ChainView<'_>, mined: Mined) -> Result<RpcTransaction, RpcError> {
    let Mined {
        block,
        index,
        transaction,
    } = mined;
    let receipts = view.receipts(block.hash)?;
    let receipt = receipts.as_deref().and_then(|receipts| receipts.get(index));
    let from = block::sender(api, &transaction, receipt)?;
    let index = u64::try_from(index).unwrap_or(u64::MAX);
    let place = block::place(&block, index);
    Ok(RpcTransaction::new(&transaction, from, Some(place)))
}

/// The pool is asked first and the snapshot taken after: a transaction leaves the pool only
/// after the commit of its block, so it is in one of the two at any moment.
fn by_hash(api: &Api, args: &mut Args<'_>) -> Result<Option<RpcTransaction>, RpcError> {
    let hash: B256 = args.required("transaction hash")?;
    let pooled = api.node.pool.get(hash);
    let view = api.view()?;
    match mined(&view, hash)? {
        Some(mined) => to_json(api, &view, mined).map(Some),
        None => Ok(pooled.as_ref().map(pending::in_no_block)),
    }
}

/// The envelope of a transaction, mined or in the pool.
pub fn raw_by_hash(api: &Api, args: &mut Args<'_>) -> Result<Option<Bytes>, RpcError> {
    let hash: B256 = args.required("transaction hash")?;
    let pooled = api.node.pool.get(hash);
    let mined = mined(&api.view()?, hash)?;
    let mined = mined.map(|mined| mined.transaction.envelope().clone());
    Ok(mined.or_else(|| pooled.map(|pooled| pooled.envelope().clone())))
}

fn by_block_hash(api: &Api, args: &mut Args<'_>) -> Result<Option<RpcTransaction>, RpcError> {
    let hash: B256 = args.required("block hash")?;
    by_index(api, hash.into(), args)
}

fn by_block_number(api: &Api, args: &mut Args<'_>) -> Result<Option<RpcTransaction>, RpcError> {
    let number: BlockNumberOrTag = args.required("block")?;
    by_index(api, number.into(), args)
}

fn by_index(
    api: &Api,
    block: BlockId,
    args: &mut Args<'_>,
) -> Result<Option<RpcTransaction>, RpcError> {
    let index: U64 = args.required("index")?;
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    let view = api.view()?;
    let Some(block) = lookup::find(&view, block)? else {
        return Ok(None);
    };
    let mined = at(&view, block, index)?;
    mined.map(|mined| to_json(api, &view, mined)).transpose()
}

fn receipt(api: &Api, args: &mut Args<'_>) -> Result<Option<RpcReceipt>, RpcError> {
    receipt_of(api, args.required("transaction hash")?)
}

fn receipt_of(api: &Api, hash: B256) -> Result<Option<RpcReceipt>, RpcError> {
    let view = api.view()?;
    let Some((number, index)) = view.transaction_location(hash)? else {
        return Ok(None);
    };
    let Some(block) = lookup::by_number(&view, number)? else {
        return Ok(None);
    };
    let receipts = block::receipts(&view, &block)?.unwrap_or_default();
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    Ok(receipts.into_iter().nth(index))
}

async fn send_raw(api: Arc<Api>, params: Params<'static>) -> Result<B256, RpcError> {
    let envelope: Bytes = Args::parse(&params, 1)?.required("signed transaction")?;
    submit(&api, &envelope).await
}

/// EIP-7966: answers with the receipt, or with an error when none came in time.
async fn send_raw_sync(api: Arc<Api>, params: Params<'static>) -> Result<RpcReceipt, RpcError> {
    let mut args = Args::parse(&params, 2)?;
    let envelope: Bytes = args.required("signed transaction")?;
    let wait_ms = args
        .optional("timeout in milliseconds")?
        .unwrap_or(DEFAULT_WAIT_MS);
    let waited_ms = wait_ms.min(LONGEST_WAIT_MS);
    let mut head = api.node.head.clone();
    let hash = submit(&api, &envelope).await?;
    let mined = async {
        loop {
            head.mark_unchanged();
            let receipt = api.compute(move |api| receipt_of(api, hash));
            if let Some(receipt) = receipt.await? {
                return Ok(receipt);
            }
            let next = head.changed().await;
            next.map_err(|_| RpcError::NotMinedBeforeTheEnd { hash })?;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_millis(waited_ms), mined).await;
    in_time.unwrap_or(Err(RpcError::NotMinedInTime { hash, waited_ms }))
}

/// Decodes and verifies a signed transaction and hands it to the pool. The signature is
/// checked here (50 to 70 µs, less than a hop to another thread is worth), not by the core.
async fn submit(api: &Api, envelope: &[u8]) -> Result<B256, RpcError> {
    let transaction = Transaction::decode(envelope)?;
    let verified = VerifiedTransaction::new(transaction, api.node.spec.chain_id)?;
    api.node.core.submit_transaction(verified).await
}
