//! The state at each height is what it was when that height was the tip.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};
use cairn_genesis::{HISTORY_STORAGE_ADDRESS, VerifiedBlock};
use cairn_vm::State;

use super::follower::Follower;
use super::forge::Forge;
use super::people::{MINER, NOBODY, PEOPLE, delegation, ethereum, everybody, pay, person};
use crate::chain::Accepted::{Best, Side};
use crate::chain::{ChainView, import};
use crate::state::{Account, StateError};
use crate::store::schema::meta;
use crate::store::{Batch, Column, Durability, Store, StoreError};

/// Heights that are looked at.
const HEIGHTS: u64 = 12;

/// Accounts and slots at one height.
type Seen = (BTreeMap<Address, Option<Account>>, Vec<U256>);

fn seen(store: &dyn Store, number: u64) -> Seen {
    let view = ChainView::open(store).unwrap();
    let state = view.state_at(number).unwrap();
    let people = everybody().chain([MINER, NOBODY, HISTORY_STORAGE_ADDRESS]);
    let accounts = people.map(|who| (who, state.account(who).unwrap()));
    let slots = (0..HEIGHTS).map(|slot| {
        let slot = U256::from(slot);
        state.slot(HISTORY_STORAGE_ADDRESS, slot).unwrap()
    });
    (accounts.collect(), slots.collect())
}

/// `length` blocks on `parent`, or on genesis; person `from` pays, and account `delegated` delegates
/// itself in the second.
fn branch(forge: &mut Forge, parent: Option<B256>, from: u8, length: u64) -> Vec<VerifiedBlock> {
    let mut parent = parent.unwrap_or(forge.genesis);
    let mut blocks = Vec::new();
    for nonce in 0..length {
        let to = person((from + 1 + u8::try_from(nonce).unwrap()) % PEOPLE);
        let mut transactions = vec![pay(from, nonce, to, 1 << nonce)];
        if nonce == 1 {
            transactions.push(delegation(from % 2, 0));
        }
        let block = forge.block(parent, &transactions);
        parent = block.hash();
        blocks.push(block);
    }
    blocks
}

/// What was seen at each tip of a branch, from genesis on.
fn recorded(forge: &Forge, blocks: &[VerifiedBlock]) -> Vec<Seen> {
    let tips = blocks.iter().map(VerifiedBlock::hash);
    let tips = [forge.genesis].into_iter().chain(tips);
    (0..)
        .zip(tips)
        .map(|(number, tip)| seen(forge.store(tip), number))
        .collect()
}

fn check(follower: &Follower, recorded: &[Seen]) {
    for (number, expected) in (0..).zip(recorded) {
        assert_eq!(&seen(&*follower.store, number), expected, "height {number}");
    }
}

/// ```text
/// genesis ── 1 ── 2 ──┬─ A3 ── … ── A6
///                     └─ B3 ── … ── B8
/// ```
#[test]
fn the_state_at_each_height_is_that_of_then() {
    let mut forge = Forge::new();
    let base = branch(&mut forge, None, 0, 2);
    let fork = base[1].hash();
    let (a, b) = (
        branch(&mut forge, Some(fork), 1, 4),
        branch(&mut forge, Some(fork), 3, 6),
    );
    let line = |end: &[VerifiedBlock]| [&base[..], end].concat();
    let (on_a, on_b) = (recorded(&forge, &line(&a)), recorded(&forge, &line(&b)));
    assert_ne!(on_a[3], on_b[3]);
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&line(&a), Best);
    check(&follower, &on_a);
    follower.give_all(&b[..4], Side);
    check(&follower, &on_a);
    follower.give_all(&b[4..], Best);
    check(&follower, &on_b);
    let moved = follower.chain.invalidate(b[0].hash()).unwrap();
    follower.follow(moved);
    check(&follower, &on_a);
    follower.check(&forge);
}

/// A long chain is taken in with many blocks in one batch, and says the same.
#[test]
fn an_imported_chain_has_the_same_history() {
    let mut forge = Forge::new();
    let blocks = branch(&mut forge, None, 0, HEIGHTS);
    let recorded = recorded(&forge, &blocks);
    for max_batch_bytes in [1, 4_000, usize::MAX] {
        let mut follower = Follower::new(&forge.spec);
        follower.chain.max_batch_bytes = max_batch_bytes;
        let encoded = blocks.iter().map(VerifiedBlock::encode).collect::<Vec<_>>();
        let mut told = Vec::new();
        let count = import::import(&mut follower.chain, follower.now_s, encoded, |height| {
            told.push(height);
        });
        assert_eq!((count.unwrap(), told), (HEIGHTS, vec![HEIGHTS]));
        let follower = follower.reopened();
        check(&follower, &recorded);
        follower.check(&forge);
    }
}

#[test]
fn an_import_ends_at_the_first_block_that_is_wrong() {
    let mut forge = Forge::new();
    let blocks = branch(&mut forge, None, 0, 3);
    let mut mutated = blocks[1].to_block();
    mutated.transactions.clear();
    let liar = forge.liar(blocks[0].hash(), &[], |header| header.gas_used = 1);
    let first = blocks[0].encode();
    for bad in [
        mutated.encode(),
        liar.encode(),
        blocks[2].encode(),
        vec![0xc0],
    ] {
        let mut follower = Follower::new(&forge.spec);
        let run = [first.clone(), bad];
        let result = import::import(&mut follower.chain, follower.now_s, run, |_| ());
        result.unwrap_err();
        assert_eq!(
            follower.tip(),
            forge.genesis,
            "a chunk is taken in as a whole"
        );
        assert!(follower.marked().is_empty());
        follower.check(&forge);
        follower.give_all(&blocks, Best);
    }
}

/// Code and block hashes at a height: none of the blocks above it.
#[test]
fn the_machine_reads_the_state_at_a_height() {
    let mut forge = Forge::new();
    let blocks = branch(&mut forge, None, 0, 4);
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&blocks, Best);
    let view = ChainView::open(&*follower.store).unwrap();
    let state = |number| view.state_at(number).unwrap();
    let info = |number| {
        State::account(&state(number), ethereum(0))
            .unwrap()
            .unwrap()
    };
    assert!(!info(1).has_code() && info(2).has_code() && info(4).has_code());
    let code = state(2).code(info(2).code_hash).unwrap();
    assert_eq!(code[..3], [0xef, 0x01, 0x00]);
    let slot = |number| {
        state(number)
            .storage(HISTORY_STORAGE_ADDRESS, U256::from(1))
            .unwrap()
    };
    assert_eq!(slot(1), U256::ZERO);
    assert_eq!(slot(2), U256::from_be_bytes(blocks[0].hash().0));
    let hash = |at, number| state(at).block_hash(number).unwrap();
    assert_eq!(hash(2, 2), blocks[1].hash());
    assert_eq!(hash(2, 0), forge.genesis);
    assert!(hash(2, 3).is_zero() && hash(4, 5).is_zero());
}

#[test]
fn below_the_floor_the_answer_is_pruned() {
    let mut forge = Forge::new();
    let blocks = branch(&mut forge, None, 0, 4);
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&blocks, Best);
    let mut batch = Batch::default();
    batch.put(Column::Meta, meta::HISTORY_FLOOR, 3u64.to_be_bytes());
    follower.store.write(batch, Durability::Synced).unwrap();
    let view = ChainView::open(&*follower.store).unwrap();
    let (number, floor) = (2, 3);
    let pruned = StateError::Pruned { number, floor };
    assert_eq!(view.state_at(2).err(), Some(pruned));
    assert!(view.state_at(3).is_ok());
}

/// A view is of one moment, whatever is committed meanwhile.
#[test]
fn a_view_does_not_change() {
    let mut forge = Forge::new();
    let a = branch(&mut forge, None, 0, 2);
    let b = branch(&mut forge, None, 1, 3);
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&a, Best);
    let store = follower.store.clone();
    let view = ChainView::open(&*store).unwrap();
    follower.give_all(&b[..2], Side);
    follower.give_all(&b[2..], Best);
    assert_eq!(view.tip().hash, a[1].hash());
    assert_eq!(view.canonical_hash(1), Ok(Some(a[0].hash())));
    assert_eq!(view.receipts(a[1].hash()).unwrap().unwrap().len(), 2);
    let payment = b[0].transactions()[0].hash();
    assert_eq!(
        view.transaction_location(payment),
        Ok::<_, StoreError>(None)
    );
    let view = ChainView::open(&*store).unwrap();
    assert_eq!(view.tip().hash, b[2].hash());
    assert_eq!(
        view.receipts(a[1].hash()),
        Ok(None),
        "no longer on the best chain"
    );
    assert_eq!(view.transaction_location(payment), Ok(Some((1, 0))));
}
