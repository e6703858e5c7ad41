//! Answers to peers, from one snapshot of the store and the mirror of the pool.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use cairn_genesis::VerifiedBlock;

use super::limits::{BODIES_BYTES, FRAME_OVERHEAD_BYTES, MAX_HEADERS, MAX_POOL_HASHES};
use super::message::{Request, Response, SealedPair};
use crate::chain::ChainView;
use crate::rpc::PoolMirror;
use crate::store::{Store, StoreError};

/// The longest answer, on a chain whose blocks have at most so many bytes: one block, or as many
/// small ones and transactions as an answer takes in.
pub fn max_answer_bytes(max_block_bytes: usize) -> usize {
    max_block_bytes.max(BODIES_BYTES) + FRAME_OVERHEAD_BYTES
}

/// The body of a block that was passed on and is being executed: its envelopes in order. Who hears
/// of the block asks at once for what it lacks.
#[derive(Debug, Clone)]
pub struct AtHand(Arc<[Bytes]>);

impl AtHand {
    /// Of this block.
    pub fn new(block: &VerifiedBlock) -> Self {
        let transactions = block.transactions().iter();
        Self(transactions.map(|one| one.envelope().clone()).collect())
    }
}

/// What we say to `request`.
///
/// # Errors
/// Our own failure, or that the chain is being reorganized at this moment.
pub fn answer(
    store: &dyn Store,
    pool: &PoolMirror,
    request: &Request,
    at_hand: Option<&AtHand>,
) -> Result<Response, StoreError> {
    match (request, at_hand) {
        (Request::BlockTransactions { indexes, .. }, Some(AtHand(body))) => {
            return Ok(Response::BlockTransactions(picked(indexes, |index| {
                body.get(index).cloned()
            })));
        }
        (Request::Bodies { .. }, Some(AtHand(body))) => {
            let body = alloy_rlp::encode(body.to_vec());
            return Ok(Response::Bodies(vec![body.into()]));
        }
        _ => {}
    }
    match request {
        Request::Headers { locator } => headers(&ChainView::open(store)?, locator),
        Request::Bodies { blocks } => bodies(&ChainView::open(store)?, blocks),
        Request::BlockTransactions { block, indexes } => {
            block_transactions(&ChainView::open(store)?, *block, indexes)
        }
        Request::Pool => Ok(pooled(&ChainView::open(store)?, pool)),
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
    let body = view.body(block)?.unwrap_or_default();
    Ok(Response::BlockTransactions(picked(indexes, |index| {
        let transaction = body.get(index)?;
        Some(transaction.envelope().clone())
    })))
}

/// The envelopes at these places: all of them or none. Whoever asks for one twice could be answered
/// with more than the block has.
fn picked(indexes: &[u32], at: impl Fn(usize) -> Option<Bytes>) -> Vec<Bytes> {
    if !indexes.is_sorted_by(|one, next| one < next) {
        return Vec::new();
    }
    let places = indexes.iter().map(|index| usize::try_from(*index).ok());
    let envelopes: Option<Vec<Bytes>> = places.map(|place| at(place?)).collect();
    envelopes.unwrap_or_default()
}

fn pooled(view: &ChainView<'_>, pool: &PoolMirror) -> Response {
    let base_fee = view.tip_record().header.base_fee;
    Response::Pool(pool.best(base_fee, MAX_POOL_HASHES))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use alloy_primitives::{Address, TxKind, U256};
    use cairn_genesis::{ChainSpec, NativeTransaction, Seal, Transaction, VerifiedTransaction};

    use super::*;
    use crate::chain::HeaderRecord;
    use crate::core::{Core, Now};
    use crate::network::limits::{MAX_BODIES, MAX_TRANSACTIONS};
    use crate::store::{Batch, Column, Durability, Memory, keys};

    /// R-SPEC-9: no chain has smaller blocks.
    const SMALLEST_BLOCK: usize = 256 << 10;

    /// A transaction that takes so many bytes and a little more. Nobody has signed it.
    fn long(nonce: u64, bytes: usize) -> Transaction {
        let body = NativeTransaction {
            chain_id: 31_337,
            nonce,
            max_priority_fee: 1,
            max_fee: 1,
            gas_limit: 1,
            to: TxKind::Call(Address::ZERO),
            value: U256::ZERO,
            input: vec![7; bytes].into(),
            access_list: Default::default(),
            public_key: [0; 32],
        };
        Transaction::native(body, [0; 64])
    }

    /// A chain, and beside its genesis many blocks with one such transaction each.
    fn chain_of(envelope: &[u8], count: usize) -> (Memory, Vec<B256>) {
        let spec = Arc::new(ChainSpec::builtin("dev").unwrap().clone());
        let store = Arc::new(Memory::default());
        let dynamic: Arc<dyn Store> = store.clone();
        let now = Now {
            ms: spec.genesis_time * 1000,
        };
        let (core, _) = Core::open(dynamic, spec, now).unwrap();
        let body = alloy_rlp::encode(vec![Bytes::copy_from_slice(envelope)]);
        let mut batch = Batch::default();
        let hashes: Vec<_> = (1..=count as u64)
            .map(|number| B256::from(U256::from(number)))
            .collect();
        for hash in &hashes {
            let record = HeaderRecord {
                hash: *hash,
                ..(**core.tip()).clone()
            };
            let key = keys::block(record.number(), *hash);
            batch.put(Column::Headers, hash, record.encode());
            batch.put(Column::Bodies, key, body.clone());
        }
        store.write(batch, Durability::Synced).unwrap();
        (store.copy(), hashes)
    }

    /// Honest nodes must not ban each other for what one of them says and the other cannot read.
    #[test]
    fn the_longest_answers_fit_a_frame() {
        let max_bytes = max_answer_bytes(SMALLEST_BLOCK);
        let envelope = long(0, SMALLEST_BLOCK - 1_000);
        let (store, blocks) = chain_of(envelope.envelope(), MAX_BODIES);
        let verified = |nonce| {
            let transaction = long(nonce, 100 << 10);
            VerifiedTransaction::trusted(transaction, Address::ZERO, 1)
        };
        let transactions: Vec<_> = (0..64).map(verified).collect();
        let hashes = transactions.iter().map(|transaction| transaction.hash());
        let hashes: Vec<_> = hashes.take(MAX_TRANSACTIONS).collect();
        let pool = PoolMirror::default();
        pool.apply(transactions, []);
        for request in [Request::Bodies { blocks }, Request::Transactions { hashes }] {
            let answer = answer(&store, &pool, &request, None).unwrap();
            let bytes = answer.encode().len();
            assert!(bytes > BODIES_BYTES / 2 && bytes <= max_bytes, "{bytes}");
        }
    }

    #[test]
    fn a_transaction_is_told_once() {
        let envelope = long(0, 100).envelope().clone();
        let (store, blocks) = chain_of(&envelope, 1);
        let told = |indexes: &[u32]| {
            let request = Request::BlockTransactions {
                block: blocks[0],
                indexes: indexes.to_vec(),
            };
            answer(&store, &PoolMirror::default(), &request, None).unwrap()
        };
        let once = Response::BlockTransactions(vec![envelope.clone()]);
        assert_eq!(told(&[0]), once);
        for wrong in [&[0, 0][..], &[0, 1], &[1]] {
            assert_eq!(told(wrong), Response::BlockTransactions(Vec::new()));
        }
    }

    /// What is at hand of a block is the block's, as the store would give it.
    #[test]
    fn a_block_at_hand_is_answered_from() {
        let spec = ChainSpec::builtin("dev").unwrap();
        let transactions: Vec<_> = (0..2)
            .map(|nonce| VerifiedTransaction::trusted(long(nonce, 100), Address::ZERO, 1))
            .collect();
        let genesis = spec.genesis_block();
        let header = cairn_genesis::Header {
            transactions_root: cairn_genesis::transactions_root(&transactions),
            number: 1,
            ..genesis.header
        };
        let (version, time) = (genesis.seal.version, genesis.seal.time);
        let seals = (0..).map(|nonce| Seal {
            version,
            time,
            nonce,
            extranonce: [0; 12],
        });
        let block = seals
            .map(|seal| VerifiedBlock::seal(spec, header.clone(), seal, transactions.clone()))
            .find_map(Result::ok)
            .unwrap();
        let at_hand = AtHand::new(&block);
        let (nothing, pool) = (Memory::default(), PoolMirror::default());
        let said = |request| answer(&nothing, &pool, &request, Some(&at_hand)).unwrap();
        let envelopes: Vec<_> = transactions
            .iter()
            .map(|one| one.envelope().clone())
            .collect();
        let some = |indexes: &[u32]| {
            said(Request::BlockTransactions {
                block: block.hash(),
                indexes: indexes.to_vec(),
            })
        };
        let told = |envelopes: &[Bytes]| Response::BlockTransactions(envelopes.to_vec());
        assert_eq!(some(&[1]), told(&envelopes[1..]));
        assert_eq!(some(&[0, 1]), told(&envelopes));
        assert_eq!(some(&[2]), told(&[]));
        let whole = said(Request::Bodies {
            blocks: vec![block.hash()],
        });
        let stored = crate::chain::encode_body(&block);
        assert_eq!(whole, Response::Bodies(vec![stored.into()]));
    }
}
