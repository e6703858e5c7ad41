//! The bytes on disk, frozen. A change here is a new `SCHEMA_VERSION`: a decision on record.
//!
//! Accounts and trie nodes are pinned beside their encoders, and so are before-images
//! (`state/changes.rs`) and the parts of keys (`store/keys.rs`).

use std::collections::BTreeMap;
use std::slice::from_ref;
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, Log, U256, hex, keccak256};
use cairn_genesis::{HISTORY_STORAGE_ADDRESS, Header, Receipt, Seal};

use super::follower::{Follower, column};
use super::forge::{Forge, at};
use super::logs;
use super::people::{NOBODY, pay, person};
use crate::chain::Accepted::{Best, Side};
use crate::chain::record::{HeaderRecord, ReceiptRecord, decode_receipts, encode_receipts};
use crate::core::{Core, Event};
use crate::store::{Column, Memory};

/// The height of block 1 in keys and values.
const ONE: [u8; 8] = hex!("0000000000000001");

fn header() -> Header {
    Header {
        parent_hash: B256::repeat_byte(0x11),
        number: 5,
        timestamp: 0x6955_b902,
        bits: 0x207f_ffff,
        beneficiary: Address::repeat_byte(0xaa),
        state_root: B256::repeat_byte(0x22),
        transactions_root: B256::repeat_byte(0x33),
        receipts_root: B256::repeat_byte(0x44),
        gas_limit: 60_000_000,
        gas_used: 21_000,
        base_fee: 7,
        extra: Bytes::from_static(&hex!("cafe")),
    }
}

#[test]
fn headers() {
    let record = HeaderRecord {
        hash: B256::repeat_byte(0x99),
        header: header(),
        seal: Seal {
            version: 0x2000_0000,
            time: 0x6955_b903,
            nonce: 9,
            extranonce: *b"twelve bytes",
        },
        work: U256::from(0x01_0203_0405_u64),
        skipped: 300,
        issued: U256::from(2_000_000_000_000_000_000_u64),
        burned: U256::from(255),
        size_bytes: 4_660,
        tx_count: 3,
    };
    let bytes = hex!(
        "f8e6b8b2f8b0a0111111111111111111111111111111111111111111111111111111111111111105846955b9"
        "0284207fffff94aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa022222222222222222222222222222222"
        "22222222222222222222222222222222a0333333333333333333333333333333333333333333333333333333"
        "3333333333a04444444444444444444444444444444444444444444444444444444444444444840393870082"
        "52080782cafe99d88420000000846955b903098c7477656c766520627974657385010203040582012c881bc1"
        "6d674ec8000081ff82123403"
    );
    assert_eq!(record.encode(), bytes);
    assert_eq!(HeaderRecord::decode(record.hash, &bytes), Ok(record));
}

#[test]
fn receipts() {
    let log = Log::new_unchecked(
        Address::repeat_byte(0xcc),
        vec![B256::repeat_byte(1)],
        hex!("c0de").into(),
    );
    let receipt = |tx_type, success, cumulative_gas_used, logs| Receipt {
        tx_type,
        success,
        cumulative_gas_used,
        logs,
    };
    let records = [
        ReceiptRecord {
            sender: Address::repeat_byte(0xaa),
            created: None,
            receipt: receipt(0x45, true, 21_000, Vec::new()),
        },
        ReceiptRecord {
            sender: Address::repeat_byte(0xbb),
            created: Some(Address::repeat_byte(0xdd)),
            receipt: receipt(2, false, 74_000, vec![log]),
        },
    ];
    let bytes = hex!(
        "f88ddc94aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa804501825208c0f86e94bbbbbbbbbbbbbbbbbbbb"
        "bbbbbbbbbbbbbbbbbbbb94dddddddddddddddddddddddddddddddddddddddd028083012110f83cf83a94cccc"
        "cccccccccccccccccccccccccccccccccccce1a0010101010101010101010101010101010101010101010101"
        "010101010101010182c0de"
    );
    assert_eq!(encode_receipts(&records), bytes);
    assert_eq!(decode_receipts(&bytes), Ok(records.to_vec()));
}

/// The value of a key, whose parts are given.
fn row(store: &Memory, of: Column, key: &[&[u8]]) -> Option<Vec<u8>> {
    column(store, of).remove(&key.concat())
}

/// ```text
/// genesis ─┬─ A1    a payment
///          └─ B1    off the best chain, and invalidated
/// ```
#[test]
fn rows_of_blocks() {
    let mut forge = Forge::new();
    let payment = pay(0, 0, NOBODY, 1);
    let a1 = forge.block(forge.genesis, from_ref(&payment));
    let b1 = forge.block(forge.genesis, &[]);
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(from_ref(&a1), Best);
    follower.give_all(from_ref(&b1), Side);
    follower.chain.invalidate(b1.hash()).unwrap();
    let row = |of, key: &[&[u8]]| row(&follower.store, of, key).map(hex::encode);
    let (a1, b1) = (a1.hash(), forge.record(b1.hash()));

    assert_eq!(row(Column::Canonical, &[&ONE]), Some(hex::encode(a1)));
    let location = row(Column::TxIndex, &[payment.hash().as_slice()]);
    assert_eq!(location.as_deref(), Some("000000000000000100000000"));
    let body = row(Column::Bodies, &[&ONE, a1.as_slice()]);
    let envelopes = alloy_rlp::encode(vec![payment.envelope().clone()]);
    assert_eq!(body, Some(hex::encode(envelopes)));
    let size = format!("{:08x}", b1.size_bytes);
    assert_eq!(row(Column::Side, &[&ONE, b1.hash.as_slice()]), Some(size));
    let mark = row(Column::Invalid, &[b1.hash.as_slice()]);
    let reason = hex::encode("invalidated by the operator");
    assert_eq!(mark, Some(format!("00000001{reason}")));

    let (rich, poor) = (keccak256(person(0)), keccak256(NOBODY));
    let before = row(Column::AccountHistory, &[rich.as_slice(), &ONE]);
    assert_eq!(before.as_deref(), Some("cb8089056bc75e2d63100000"));
    let before = row(Column::AccountHistory, &[poor.as_slice(), &ONE]);
    assert_eq!(before.as_deref(), Some(""), "there was no account");
    let (contract, slot) = (keccak256(HISTORY_STORAGE_ADDRESS), keccak256(B256::ZERO));
    let slot = [contract.as_slice(), slot.as_slice()];
    let before = row(Column::StorageHistory, &[slot[0], slot[1], &ONE]);
    assert_eq!(before.as_deref(), Some(""), "there was no word");
    let word = U256::from_be_bytes(forge.genesis.0).to_be_bytes_trimmed_vec();
    assert_eq!(row(Column::Storage, &slot), Some(hex::encode(word)));
    assert_eq!(row(Column::Meta, &[b"tip"]), Some(hex::encode(a1)));
}

/// ```text
/// genesis ─┬─ A1 (logs)
///          └─ B1 ── B2
/// ```
#[test]
fn rows_of_logs() {
    let mut forge = Forge::on(logs::spec());
    let a1 = forge.block(forge.genesis, &[logs::log(0, 7)]);
    let b = forge.branch(forge.genesis, 2);
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(from_ref(&a1), Best);
    let bloom = row(&follower.store, Column::Blooms, &[&ONE]).unwrap();
    let of_log = hex!(
        "0000000000000000000000000000000000000000000000000000004000000000000000000000000000000000"
        "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000001000000000000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000000000000000000000000000004000000000000000000000000000000000"
        "0000000000000000000000000000000000000000000000000000000000000000000000000400000002000000"
        "000000000000000000000000000000000000000000000010000000000000000000000000"
    );
    assert_eq!(bloom, of_log);

    let hash = a1.hash();
    let key: [&[u8]; 2] = [&ONE, hash.as_slice()];
    assert_eq!(row(&follower.store, Column::SideReceipts, &key), None);
    follower.give_all(&b[..1], Side);
    follower.give_all(&b[1..], Best);
    assert_eq!(row(&follower.store, Column::Blooms, &[&ONE]), None);
    let receipts = row(&follower.store, Column::SideReceipts, &key).unwrap();
    let sender = hex::encode(person(0));
    let (logger, topic) = ("10".repeat(20), "07".repeat(32));
    let expected = format!("f859f85794{sender}804501825708f83af83894{logger}e1a0{topic}80");
    assert_eq!(hex::encode(receipts), expected);
}

#[test]
fn rows_of_the_pool() {
    let forge = Forge::new();
    let store = Arc::new(Memory::default());
    let (mut core, _) = Core::open(store.clone(), Arc::clone(&forge.spec), at(0)).unwrap();
    let payment = pay(0, 0, NOBODY, 1);
    let event = Event::Transaction(payment.clone());
    core.handle(at(0), event).unwrap();
    let journal = BTreeMap::from([(payment.hash().to_vec(), payment.envelope().to_vec())]);
    assert_eq!(column(&*store, Column::Pool), journal);
}

/// Renamed, a column would seem empty.
#[test]
fn names_of_columns() {
    let names = Column::ALL.map(Column::name);
    let expected = "headers bodies receipts side_receipts blooms canonical side tx_index accounts storage code trie \
                    changes account_history storage_history invalid pool meta";
    assert_eq!(names.join(" "), expected);
}
