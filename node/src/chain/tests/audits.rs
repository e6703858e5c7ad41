//! The audit finds whatever is not as the rules make it: R-FORK-1, R-REW-3, R-REW-4.

use alloy_primitives::{B256, U256};
use cairn_genesis::VerifiedBlock;

use super::follower::column;
use super::forge::Forge;
use super::people::{NOBODY, pay};
use crate::chain::{HeaderRecord, audit, view};
use crate::state::{Account, account_key};
use crate::store::{Batch, Column, Durability, Memory, Reader, Store, keys};

/// Three blocks, a payment in each.
fn chain() -> (Forge, Vec<VerifiedBlock>) {
    let mut forge = Forge::new();
    let mut blocks: Vec<VerifiedBlock> = Vec::new();
    for nonce in 0..3 {
        let parent = blocks.last().map_or(forge.genesis, VerifiedBlock::hash);
        blocks.push(forge.block(parent, &[pay(0, nonce, NOBODY, 1_000)]));
    }
    (forge, blocks)
}

/// What the audit says of the store after `change`.
fn finding(forge: &Forge, tip: B256, change: impl FnOnce(&Memory, &mut Batch)) -> String {
    let store = forge.store(tip).copy();
    let mut batch = Batch::default();
    change(&store, &mut batch);
    store.write(batch, Durability::Synced).unwrap();
    let error = audit::audit(&store, &forge.spec, |_| ()).unwrap_err();
    error.to_string()
}

fn put_record(store: &Memory, batch: &mut Batch, hash: B256, change: fn(&mut HeaderRecord)) {
    let mut record = view::header(store, hash).unwrap();
    change(&mut record);
    batch.put(Column::Headers, hash, record.encode());
}

#[test]
fn a_sound_chain_is_counted() {
    let (forge, blocks) = chain();
    let store = forge.store(blocks[2].hash());
    let audit = audit::audit(store, &forge.spec, |_| ()).unwrap();
    let accounts = column(store, Column::Accounts).len() as u64;
    let expected = audit::Audit {
        height: 3,
        blocks: 4,
        transactions: 3,
        accounts,
        slots: 3,
    };
    assert_eq!(audit, expected);
    assert!(accounts > forge.spec.alloc.len() as u64);
}

#[test]
fn sums_that_a_record_keeps_are_checked() {
    let (forge, blocks) = chain();
    let tip = blocks[2].hash();
    let of = |block: usize, change: fn(&mut HeaderRecord)| {
        let hash = blocks[block].hash();
        finding(&forge, tip, |store, batch| {
            put_record(store, batch, hash, change)
        })
    };
    // R-FORK-1: "that of a chain is the sum, genesis included."
    assert!(of(1, |record| record.work += U256::ONE).contains("work or skipped time"));
    assert!(of(2, |record| record.skipped = 1).contains("work or skipped time"));
    // R-REW-3: "issued(block) = issued(parent) + subsidy(number)."
    assert!(of(2, |record| record.issued += U256::ONE).contains("issued less burned"));
    assert!(of(1, |record| record.issued += U256::ONE).contains("issued is"));
    // R-REW-4: "the sum of all balances is issued − burned."
    assert!(of(2, |record| record.burned += U256::ONE).contains("issued less burned"));
    // R-SEAL-6: "hash ≤ target(bits)", and the hash is the key.
    assert!(of(1, |record| record.seal.extranonce[0] ^= 1).starts_with("block 2: "));
    assert!(of(1, |record| record.header.gas_limit += 1).starts_with("block 2: "));
}

#[test]
fn bodies_receipts_and_indexes_are_checked() {
    let (forge, blocks) = chain();
    let tip = blocks[2].hash();
    let of = |change: &dyn Fn(&mut Batch)| finding(&forge, tip, |_, batch| change(batch));
    let key = keys::block(2, blocks[1].hash());
    let payment = blocks[1].transactions()[0].hash();
    let empty = of(&|batch| batch.put(Column::Bodies, key, [0xc0]));
    assert!(empty.contains("the transactions do not match"), "{empty}");
    let empty = of(&|batch| batch.put(Column::Receipts, key, [0xc0]));
    assert!(empty.contains("the receipts do not match"), "{empty}");
    let stray = of(&|batch| batch.put(Column::Blooms, keys::height(2), [1; 256]));
    assert!(
        stray.contains("the bloom is not that of the logs"),
        "{stray}"
    );
    assert!(of(&|batch| batch.delete(Column::Bodies, key)).contains("is missing"));
    assert!(of(&|batch| batch.delete(Column::TxIndex, payment)).contains("is not indexed"));
    let elsewhere = of(&|batch| batch.put(Column::TxIndex, payment, keys::location(2, 1)));
    assert!(elsewhere.contains("is not indexed"), "{elsewhere}");
    let gone = of(&|batch| batch.delete(Column::Canonical, keys::height(2)));
    assert!(gone.contains("is not in the canonical index"), "{gone}");
    let gone = of(&|batch| batch.delete(Column::Headers, blocks[0].hash()));
    assert!(gone.contains("is missing"), "{gone}");
}

#[test]
fn the_state_is_checked() {
    let (forge, blocks) = chain();
    let tip = blocks[2].hash();
    let who = account_key(NOBODY);
    let richer = finding(&forge, tip, |store, batch| {
        let bytes = store
            .get(Column::Accounts, who.as_slice())
            .unwrap()
            .unwrap();
        let mut account = Account::decode(&bytes).unwrap();
        account.balance += U256::ONE;
        batch.put(Column::Accounts, who, account.encode());
    });
    assert!(richer.contains("the accounts have root"), "{richer}");
    let of_first = |column_of: Column, change: fn(&mut Vec<u8>)| {
        finding(&forge, tip, |store, batch| {
            let (key, mut value) = column(store, column_of).pop_first().unwrap();
            change(&mut value);
            batch.put(column_of, key, value);
        })
    };
    let word = of_first(Column::Storage, |word| *word.last_mut().unwrap() ^= 1);
    assert!(word.contains("the storage of account"), "{word}");
    let node = of_first(Column::Trie, |node| *node.last_mut().unwrap() ^= 1);
    assert!(node.contains("the stored trie has root"), "{node}");
}

#[test]
fn another_chain_is_not_taken_for_this_one() {
    let (forge, blocks) = chain();
    let mut other = (*forge.spec).clone();
    other.alloc.pop_first();
    let error = audit::audit(forge.store(blocks[2].hash()), &other, |_| ()).unwrap_err();
    assert!(error.to_string().contains("the spec says"), "{error}");
    let empty = audit::audit(&Memory::default(), &forge.spec, |_| ()).unwrap_err();
    assert!(empty.to_string().contains("no tip"), "{empty}");
}
