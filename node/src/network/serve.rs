//! Answers to peers, from one snapshot of the store and the mirror of the pool.

use alloy_primitives::{B256, Bytes};

use super::limits::{BODIES_BYTES, MAX_HEADERS, MAX_POOL_HASHES};
use super::message::{Request, Response, SealedPair};
use crate::chain::ChainView;
use crate::rpc::PoolMirror;
use crate::store::{Store, StoreError};

/// What we say to `request`.
///
/// # Errors
/// Our own failure, or that the chain is being reorganized at this moment.
pub fn answer(
    store: &dyn Store,
    pool: &PoolMirror,
    request: &Request,
) -> Result<Response, StoreError> {
    match request {
        Request::Headers { locator } => headers(&ChainView::open(store)?, locator),
        Request::Bodies { blocks } => bodies(&ChainView::open(store)?, blocks),
        Request::BlockTransactions { block, indexes } => {
            block_transactions(&ChainView::open(store)?, *block, indexes)
        }
        Request::Pool => Ok(Response::Pool(pooled(pool))),
        Request::Transactions { hashes } => Ok(Response::Transactions(transactions(pool, hashes))),
    }
}

fn headers(view: &ChainView<'_>, locator: &[B256]) -> Result<Response, StoreError> {
    let mut start = 0;
    for hash in locator {
        if let Some(record) = view.header(*hash)?
            && view.is_canonical(record.number(), *hash)?
        {
            start = record.number();
            break;
        }
    }
    let mut headers: Vec<SealedPair> = Vec::new();
    for number in (start + 1..=view.tip().number).take(MAX_HEADERS) {
        let hash = view
            .canonical_hash(number)?
            .ok_or_else(|| StoreError::corrupt(format!("no canonical block at {number}")))?;
        let record = view
            .header(hash)?
            .ok_or_else(|| StoreError::corrupt(format!("the header of block {hash} is missing")))?;
        headers.push((record.header, record.seal));
    }
    Ok(Response::Headers(headers))
}

fn bodies(view: &ChainView<'_>, blocks: &[B256]) -> Result<Response, StoreError> {
    let mut bodies: Vec<Bytes> = Vec::new();
    let mut size_bytes = 0;
    for hash in blocks {
        let Some(body) = view.raw_body(*hash)? else {
            break;
        };
        size_bytes += body.len();
        if !bodies.is_empty() && size_bytes > BODIES_BYTES {
            break;
        }
        bodies.push(body.into());
    }
    Ok(Response::Bodies(bodies))
}

fn block_transactions(
    view: &ChainView<'_>,
    block: B256,
    indexes: &[u32],
) -> Result<Response, StoreError> {
    let Some(body) = view.body(block)? else {
        return Ok(Response::BlockTransactions(Vec::new()));
    };
    let at = |index: &u32| {
        let transaction = usize::try_from(*index)
            .ok()
            .and_then(|index| body.get(index));
        transaction.map(|transaction| transaction.envelope().clone())
    };
    // All of them or none.
    let envelopes: Option<Vec<Bytes>> = indexes.iter().map(at).collect();
    Ok(Response::BlockTransactions(envelopes.unwrap_or_default()))
}

fn pooled(pool: &PoolMirror) -> Vec<B256> {
    let queues = pool.all().into_values();
    let transactions = queues.flat_map(|queue| queue.into_values());
    transactions
        .map(|transaction| transaction.hash())
        .take(MAX_POOL_HASHES)
        .collect()
}

fn transactions(pool: &PoolMirror, hashes: &[B256]) -> Vec<Bytes> {
    let mut size_bytes = 0;
    let found = hashes.iter().filter_map(|hash| pool.get(*hash));
    let envelopes = found.map(|transaction| transaction.envelope().clone());
    envelopes
        .take_while(|envelope| {
            size_bytes += envelope.len();
            size_bytes <= BODIES_BYTES
        })
        .collect()
}
