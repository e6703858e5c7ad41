//! What is remembered against a block, and what is not: R-INV-1, R-INV-2, R-INV-4.

use alloy_primitives::B256;
use cairn_genesis::{BlockFault, VerifiedBlock};

use super::follower::{Follower, column};
use super::forge::{Forge, hashes};
use super::people::{NOBODY, pay};
use crate::chain::Accepted::{Best, Side};
use crate::chain::{BlockError, ChainView, ExecutionFault, verify};
use crate::store::{Batch, Column, Durability, Reader, Store, StoreError, keys};

fn put(follower: &Follower, column: Column, key: &[u8], value: Option<&[u8]>) {
    let mut batch = Batch::default();
    match value {
        Some(value) => batch.put(column, key, value),
        None => batch.delete(column, key),
    }
    follower.store.write(batch, Durability::Synced).unwrap();
}

/// A2, and B1 to B4 of which the third lies about the state.
///
/// ```text
/// genesis ──┬─ A1 ── A2
///           └─ B1 ── B2 ── B3 (invalid) ── B4
/// ```
struct Liar {
    forge: Forge,
    a: Vec<VerifiedBlock>,
    b: Vec<VerifiedBlock>,
}

impl Liar {
    fn new() -> Self {
        let mut forge = Forge::new();
        let first = forge.block(forge.genesis, &[pay(0, 0, NOBODY, 5)]);
        let second = forge.block(first.hash(), &[pay(1, 0, NOBODY, 6)]);
        let mut b = forge.branch(forge.genesis, 2);
        let payments = [pay(0, 0, NOBODY, 7)];
        b.push(forge.liar(b[1].hash(), &payments, |header| {
            header.state_root = B256::ZERO
        }));
        b.push(forge.blind_child(&b[2]));
        Self {
            forge,
            a: vec![first, second],
            b,
        }
    }
}

#[test]
fn r_inv_1_an_invalid_block_on_the_tip_is_remembered() {
    let Liar { mut forge, b, .. } = Liar::new();
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&b[..2], Best);
    let before = follower.store.copy();
    let error = follower.give(&b[2]).unwrap_err();
    assert!(
        matches!(error, BlockError::Execution(ExecutionFault::Result(_))),
        "{error}"
    );
    assert_eq!(follower.marked(), [b[2].hash()]);
    assert!(!follower.knows(&b[2]));
    for of_block in Column::ALL
        .into_iter()
        .filter(|column| *column != Column::Invalid)
    {
        assert_eq!(
            column(&*follower.store, of_block),
            column(&before, of_block)
        );
    }
    let mut reopened = follower.reopened();
    for chain in [&mut follower, &mut reopened] {
        for block in [&b[2], &b[3]] {
            let error = chain.give(block).unwrap_err();
            assert!(
                matches!(error, BlockError::MarkedInvalid { invalid, .. } if invalid == b[2].hash())
            );
        }
        assert_eq!(chain.tip(), b[1].hash());
    }
    let honest = forge.block(b[1].hash(), &[]);
    follower.give_all(&[honest], Best);
    follower.check(&forge);
}

/// B becomes heavier with its third block, which proves invalid.
#[test]
fn r_fork_2_a_branch_found_invalid_midway_leaves_the_tip() {
    let Liar { forge, a, b } = Liar::new();
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&a, Best);
    follower.give_all(&b[..2], Side);
    let error = follower.give(&b[2]).unwrap_err();
    assert!(matches!(error, BlockError::MarkedInvalid { invalid, .. } if invalid == b[2].hash()));
    assert_eq!(follower.tip(), a[1].hash());
    assert_eq!(
        follower.side(),
        hashes(&b[..2]),
        "what comes before it may still win"
    );
    follower.check(&forge);
    follower.reopened().check(&forge);
}

/// A has three blocks, and B4 is known before B3 can be judged: both are marked.
#[test]
fn r_inv_1_descendants_of_an_invalid_block_are_invalid_too() {
    let Liar { mut forge, a, b } = Liar::new();
    let a3 = forge.block(a[1].hash(), &[]);
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&a, Best);
    follower.give_all(&[a3], Best);
    follower.give_all(&b[..3], Side);
    assert!(follower.marked().is_empty());
    let error = follower.give(&b[3]).unwrap_err();
    assert!(matches!(error, BlockError::MarkedInvalid { invalid, .. } if invalid == b[3].hash()));
    let mut both = hashes(&b[2..]);
    both.sort_unstable();
    assert_eq!(follower.marked(), both);
    assert!(!follower.knows(&b[2]) && !follower.knows(&b[3]));
    let b5 = forge.blind_child(&b[3]);
    for chain in [&mut follower.reopened(), &mut follower] {
        let error = chain.give(&b5).unwrap_err();
        assert!(
            matches!(error, BlockError::MarkedInvalid { invalid, .. } if invalid == b[3].hash())
        );
    }
    let b3 = forge.block(b[1].hash(), &[]);
    let b4 = forge.block(b3.hash(), &[]);
    follower.give_all(&[b3], Side);
    follower.give_all(&[b4], Best);
    follower.check(&forge);
}

/// ```text
///           ┌─ A1 ── A2 ── A3 ── A4
/// genesis ──┤            ┌─ B3 (invalid) ── B4
///           └─ B1 ── B2 ─┴─ C3
/// ```
/// The operator takes A away.
#[test]
fn when_the_heaviest_branch_is_invalid_the_next_one_wins() {
    let Liar {
        mut forge,
        mut a,
        b,
    } = Liar::new();
    a.extend(forge.branch(a[1].hash(), 2));
    let c = forge.branch(b[1].hash(), 1);
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&a, Best);
    follower.give_all(&b, Side);
    follower.give_all(&c, Side);
    let moved = follower.chain.invalidate(a[0].hash()).unwrap();
    follower.follow(moved);
    assert_eq!(follower.tip(), c[0].hash());
    let mut marked = vec![a[0].hash(), b[2].hash(), b[3].hash()];
    marked.sort_unstable();
    assert_eq!(follower.marked(), marked);
    follower.check(&forge);
    follower.reopened().check(&forge);
}

/// The right hash with another body: nothing is said about the block.
#[test]
fn r_inv_2_a_mutated_body_is_not_remembered() {
    let mut forge = Forge::new();
    let block = forge.block(forge.genesis, &[pay(0, 0, NOBODY, 5), pay(1, 0, NOBODY, 6)]);
    let mut mutated = block.to_block();
    mutated.transactions.swap(0, 1);
    assert_eq!(mutated.hash(), block.hash());
    let fault = verify::block(&forge.spec, mutated).unwrap_err();
    assert!(matches!(fault, BlockFault::Mutated { .. }), "{fault}");
    let mut follower = Follower::new(&forge.spec);
    let verified = verify::block(&forge.spec, block.to_block()).unwrap();
    follower.give_all(&[verified], Best);
    assert!(follower.marked().is_empty());
    follower.check(&forge);
}

/// A record that is gone or damaged says nothing about a block.
#[test]
fn r_inv_4_a_damaged_store_is_our_failure() {
    let Liar { mut forge, a, b } = Liar::new();
    let b3 = forge.block(b[1].hash(), &[]);
    let b1 = keys::block(1, b[0].hash());
    let a2 = keys::block(2, a[1].hash());
    let records = [
        (Column::Bodies, b1),
        (Column::Bodies, a2),
        (Column::Changes, a2),
    ];
    for (of_block, key) in records {
        for damage in [None, Some(&[0xc1, 0x80][..])] {
            let mut follower = Follower::new(&forge.spec);
            follower.give_all(&a, Best);
            follower.give_all(&b[..2], Side);
            let kept = follower.store.get(of_block, &key).unwrap();
            put(&follower, of_block, &key, damage);
            let error = follower.give(&b3).unwrap_err();
            assert!(
                matches!(error, BlockError::Ours(StoreError::Corrupt(_))),
                "{error}"
            );
            assert!(follower.marked().is_empty());
            put(&follower, of_block, &key, kept.as_deref());
            let mut repaired = follower.reopened();
            drop(repaired.give(&b3));
            assert_eq!(repaired.tip(), b3.hash());
            repaired.check(&forge);
        }
    }
}

/// A mark that another version of the rules made is not believed.
#[test]
fn r_inv_1_marks_carry_the_version_of_the_rules() {
    let mut forge = Forge::new();
    let block = forge.block(forge.genesis, &[]);
    let follower = Follower::new(&forge.spec);
    let mark = |version: u32| [&version.to_be_bytes()[..], b"because"].concat();
    for (version, accepted) in [(1, false), (2, true), (0, true)] {
        put(
            &follower,
            Column::Invalid,
            block.hash().as_slice(),
            Some(&mark(version)),
        );
        let mut reopened = follower.reopened();
        assert_eq!(reopened.marked().is_empty(), accepted, "it left the store");
        assert_eq!(reopened.give(&block).is_ok(), accepted);
    }
    put(
        &follower,
        Column::Invalid,
        block.hash().as_slice(),
        Some(&mark(1)),
    );
    let view = ChainView::open(&*follower.store).unwrap();
    let reason = view.invalid_reason(block.hash()).unwrap();
    assert_eq!(reason.as_deref(), Some("because"));
}

#[test]
fn a_block_that_breaks_a_rule_with_its_parent_changes_nothing() {
    let mut forge = Forge::new();
    let mut follower = Follower::new(&forge.spec);
    let early = forge.spec.genesis_time;
    let bad = forge.liar(forge.genesis, &[], |header| header.timestamp = early);
    let before = follower.store.copy();
    let error = follower.give(&bad).unwrap_err();
    assert!(matches!(error, BlockError::Fault(_)), "{error}");
    for of_block in Column::ALL {
        assert_eq!(
            column(&*follower.store, of_block),
            column(&before, of_block)
        );
    }
}
