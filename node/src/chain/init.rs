//! The first blocks of a database: genesis in an empty one, checks in any other.

use std::sync::Arc;

use alloy_primitives::{Bytes, U256, keccak256};
use cairn_genesis::{Block, ChainSpec};

use super::record::{HeaderRecord, encode_receipts};
use super::view;
use crate::state::{Account, Changes, Pending};
use crate::store::schema::meta;
use crate::store::{Batch, Column, Durability, Store, StoreError, keys};

/// The tip of `store`, which gets its genesis block if it is empty.
pub fn tip(store: &dyn Store, spec: &ChainSpec) -> Result<Arc<HeaderRecord>, StoreError> {
    match view::tip(store)? {
        Some(tip) => check(store, &tip)?,
        None => write_genesis(store, spec)?,
    }
    let tip = view::tip(store)?;
    tip.map(Arc::new)
        .ok_or_else(|| StoreError::corrupt("the database has no tip"))
}

/// The tip's own records agree with each other: what a torn write would break.
fn check(store: &dyn Store, tip: &HeaderRecord) -> Result<(), StoreError> {
    let (number, hash) = (tip.number(), tip.hash);
    if view::canonical_hash(store, number)? != Some(hash) {
        return Err(StoreError::corrupt(format!(
            "the tip {hash} is not the canonical block at its height {number}"
        )));
    }
    let transactions = view::body(store, number, hash)?.len();
    let receipts = view::receipts(store, number, hash)?.len();
    if transactions != receipts {
        return Err(StoreError::corrupt(format!(
            "block {number} has {transactions} transactions and {receipts} receipts"
        )));
    }
    Ok(())
}

fn write_genesis(store: &dyn Store, spec: &ChainSpec) -> Result<(), StoreError> {
    let block = spec.genesis_block();
    let (pending, issued) = genesis_state(store, spec, &block)?;
    let mut batch = Batch::default();
    pending.write_to(&mut batch);
    let record = genesis_record(&block, issued);
    let key = keys::block(0, record.hash);
    batch.put(Column::Headers, record.hash, record.encode());
    batch.put(Column::Bodies, key, alloy_rlp::encode(Vec::<Bytes>::new()));
    batch.put(Column::Receipts, key, encode_receipts(&[]));
    batch.put(Column::Changes, key, Changes::default().encode());
    batch.put(Column::Canonical, keys::height(0), record.hash.to_vec());
    batch.put(Column::Meta, meta::TIP, record.hash.to_vec());
    store.write(batch, Durability::Synced)
}

fn genesis_state(
    store: &dyn Store,
    spec: &ChainSpec,
    block: &Block,
) -> Result<(Pending, U256), StoreError> {
    let mut pending = Pending::default();
    let mut accounts = Vec::new();
    let mut slots = Vec::new();
    let mut issued = U256::ZERO;
    for (address, genesis) in &spec.alloc {
        let account = Account {
            nonce: genesis.nonce,
            balance: genesis.balance,
            code_hash: keccak256(&genesis.code),
            ..Account::default()
        };
        issued = issued.saturating_add(genesis.balance);
        let key = pending.insert_account(*address, account, genesis.code.clone());
        accounts.push(key);
        for (slot, value) in &genesis.storage {
            let value = U256::from_be_bytes(value.0);
            slots.push(pending.insert_slot(key, *slot, value));
        }
    }
    accounts.sort_unstable();
    slots.sort_unstable();
    let root = pending.update_root(store, &accounts, &slots)?;
    assert_eq!(
        root, block.header.state_root,
        "the state root of the genesis accounts is the one in the genesis header"
    );
    Ok((pending, issued))
}

fn genesis_record(block: &Block, issued: U256) -> HeaderRecord {
    let target = cairn_genesis::Target::from_bits(block.header.bits)
        .expect("a chain spec loads only with valid bits");
    HeaderRecord {
        hash: block.hash(),
        header: block.header.clone(),
        seal: block.seal,
        work: target.work(),
        skipped: 0,
        issued,
        burned: U256::ZERO,
        size_bytes: u32::try_from(block.size_bytes()).expect("a genesis block has no body"),
        tx_count: 0,
    }
}
