//! What is kept for those who look for logs: blooms of the best chain, and the receipts of
//! blocks that left it.

use std::collections::BTreeMap;
use std::slice::from_ref;

use alloy_primitives::{Address, B256, Bloom, BloomInput, Bytes, hex};
use cairn_genesis::{ChainSpec, GenesisAccount, NativeTransaction, VerifiedTransaction};

use super::follower::{Follower, column};
use super::forge::{Forge, hashes};
use super::people::{self, NOBODY, pay, payment, person, sign};
use crate::chain::Accepted::{Best, Side};
use crate::chain::record::{decode_receipts, encode_receipts};
use crate::chain::{ChainView, verify, view};
use crate::store::{Batch, Column, Durability, Reader, Store, keys};

/// LOG1 with the first word of the calldata as its topic.
const LOGGER: Address = Address::repeat_byte(0x10);
const CODE: &[u8] = &hex!("5f35 5f 5f a1 00");

pub(super) fn spec() -> ChainSpec {
    let mut spec = people::spec();
    let logger = GenesisAccount {
        code: Bytes::from_static(CODE),
        nonce: 1,
        ..Default::default()
    };
    spec.alloc.insert(LOGGER, logger);
    spec
}

fn topic(byte: u8) -> B256 {
    B256::repeat_byte(byte)
}

/// Somebody's first transaction, which logs.
pub(super) fn log(from: u8, byte: u8) -> VerifiedTransaction {
    let body = NativeTransaction {
        gas_limit: 100_000,
        input: topic(byte).into(),
        ..payment(from, 0, LOGGER, 0)
    };
    sign(from, body)
}

fn bloom(byte: u8) -> Bloom {
    let mut bloom = Bloom::ZERO;
    bloom.accrue(BloomInput::Raw(LOGGER.as_slice()));
    bloom.accrue(BloomInput::Raw(topic(byte).as_slice()));
    bloom
}

/// Heights and blooms as a search reads them, from `first` on.
fn blooms(follower: &Follower, first: u64) -> BTreeMap<u64, Bloom> {
    let view = ChainView::open(&*follower.store).unwrap();
    view.blooms(first).unwrap().map(Result::unwrap).collect()
}

/// Topics of the logs of a block that is or was on the best chain.
fn logged(follower: &Follower, block: B256) -> Option<Vec<B256>> {
    let view = ChainView::open(&*follower.store).unwrap();
    let record = view.header(block).unwrap().unwrap();
    let receipts = view.receipts_once(&record).unwrap()?;
    let logs = receipts.iter().flat_map(|record| &record.receipt.logs);
    Some(logs.map(|log| log.topics()[0]).collect())
}

/// Blocks off the best chain whose receipts are kept.
fn kept(follower: &Follower) -> Vec<B256> {
    let entries = column(&*follower.store, Column::SideReceipts).into_keys();
    entries
        .map(|key| keys::parse_block(&key).unwrap().1)
        .collect()
}

/// ```text
///            ┌─ A1 (logs 1) ── A2           ── A3 ── A4
///  genesis ──┤
///            └─ B1           ── B2 (logs 2) ── B3 (logs 3)
/// ```
/// A is best, then B, then A again.
#[test]
fn blooms_and_receipts_go_with_their_blocks() {
    let mut forge = Forge::on(spec());
    let genesis = forge.genesis;
    let mut a = vec![forge.block(genesis, &[log(0, 1)])];
    a.extend(forge.branch(a[0].hash(), 3));
    let mut b = vec![forge.block(genesis, &[])];
    b.push(forge.block(b[0].hash(), &[log(1, 2)]));
    b.push(forge.block(b[1].hash(), &[log(2, 3)]));
    let (a_hashes, b_hashes) = (hashes(&a), hashes(&b));

    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&a[..2], Best);
    assert_eq!(blooms(&follower, 0), BTreeMap::from([(1, bloom(1))]));
    assert!(kept(&follower).is_empty());
    assert_eq!(logged(&follower, a_hashes[0]), Some(vec![topic(1)]));
    assert_eq!(logged(&follower, a_hashes[1]), Some(vec![]));

    follower.give_all(&b[..2], Side);
    assert_eq!(logged(&follower, b_hashes[1]), None, "it was not executed");
    follower.give_all(&b[2..], Best);
    let of_b = BTreeMap::from([(2, bloom(2)), (3, bloom(3))]);
    assert_eq!(blooms(&follower, 0), of_b);
    assert_eq!(blooms(&follower, 3), BTreeMap::from([(3, bloom(3))]));
    assert_eq!(kept(&follower), a_hashes[..2]);
    assert_eq!(logged(&follower, a_hashes[0]), Some(vec![topic(1)]));
    assert_eq!(logged(&follower, b_hashes[1]), Some(vec![topic(2)]));
    follower.check(&forge);

    follower.give_all(&a[2..3], Side);
    follower.give_all(&a[3..], Best);
    assert_eq!(blooms(&follower, 0), BTreeMap::from([(1, bloom(1))]));
    assert_eq!(kept(&follower), b_hashes);
    assert_eq!(logged(&follower, b_hashes[2]), Some(vec![topic(3)]));
    follower.check(&forge);
}

/// Who sent a transaction was found out when it was executed: the store says it, and no
/// signature is asked again.
#[test]
fn the_store_names_the_senders_of_what_leaves_the_chain() {
    let mut forge = Forge::new();
    let a = forge.block(forge.genesis, &[pay(0, 0, NOBODY, 1)]);
    let b = forge.branch(forge.genesis, 2);
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(from_ref(&a), Best);
    let record = forge.record(a.hash());
    assert_eq!(view::sent(&*follower.store, &record), Ok(vec![]));
    follower.give_all(&b[..1], Side);
    follower.give_all(&b[1..], Best);
    let sent = || view::sent(&*follower.store, &record).unwrap();
    let trusted = || verify::trusted(&forge.spec, sent());
    assert_eq!(trusted(), a.transactions());

    let key = keys::block(1, a.hash());
    let stored = follower.store.get(Column::SideReceipts, &key).unwrap();
    let mut receipts = decode_receipts(&stored.unwrap()).unwrap();
    receipts[0].sender = person(3);
    let mut batch = Batch::default();
    batch.put(Column::SideReceipts, key, encode_receipts(&receipts));
    follower.store.write(batch, Durability::Synced).unwrap();
    assert_eq!(trusted()[0].sender(), person(3));
}

#[test]
fn the_bloom_of_a_height_is_the_best_chains() {
    let mut forge = Forge::on(spec());
    let first = forge.block(forge.genesis, &[log(0, 1)]);
    let second = forge.block(first.hash(), &[]);
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&[first, second], Best);
    let view = ChainView::open(&*follower.store).unwrap();
    let blooms = [0, 1, 2, 3].map(|number| view.bloom(number).unwrap());
    assert_eq!(blooms, [Bloom::ZERO, bloom(1), Bloom::ZERO, Bloom::ZERO]);
    let tip = view.tip();
    assert_eq!(view.envelopes(tip.number, tip.hash), Ok(vec![]));
    let body = view::body(
        &*follower.store,
        1,
        view.canonical_hash(1).unwrap().unwrap(),
    );
    let envelopes = view.envelopes(1, view.canonical_hash(1).unwrap().unwrap());
    assert_eq!(envelopes.unwrap()[0], *body.unwrap()[0].envelope());
}
