//! Which branch is best: R-FORK.

use std::collections::{BTreeSet, HashSet};
use std::slice::from_ref;

use alloy_primitives::B256;
use cairn_genesis::{HISTORY_STORAGE_ADDRESS, VerifiedBlock};

use super::follower::{Follower, column};
use super::forge::{Forge, hashes};
use super::people::{delegation, pay, person};
use crate::chain::Accepted::{Best, Known, Orphan, Side};
use crate::chain::{BlockError, ChainView, TemplateRequest};
use crate::mempool::{Limits, Mempool, Tip as PoolTip};
use crate::state::account_key;
use crate::store::Column;

/// `length` blocks on `parent`, each with a payment of `from` and, of two, the first
/// with a delegation.
fn busy_branch(
    forge: &mut Forge,
    parent: &VerifiedBlock,
    from: u8,
    length: usize,
) -> Vec<VerifiedBlock> {
    let mut blocks = vec![parent.clone()];
    for nonce in 0..length as u64 {
        let mut transactions = vec![pay(from, nonce, person(from + 1), 1_000 + nonce)];
        if nonce == 1 {
            transactions.push(delegation(0, 0));
        }
        let parent = blocks.last().unwrap().hash();
        blocks.push(forge.block(parent, &transactions));
    }
    blocks.split_off(1)
}

/// `genesis ── 1 ── … ── 5`
#[test]
fn blocks_extend_the_tip() {
    let mut forge = Forge::new();
    let first = forge.block(forge.genesis, &[]);
    let rest = busy_branch(&mut forge, &first, 0, 4);
    let mut follower = Follower::new(&forge.spec);
    follower.check(&forge);
    follower.give_all(from_ref(&first), Best);
    for block in &rest {
        follower.give_all(from_ref(block), Best);
        follower.check(&forge);
    }
    assert_eq!(follower.give(&first), Ok(Known));
    assert_eq!(follower.chain.tip().number(), 5);
    follower.reopened().check(&forge);
}

/// ```text
/// genesis ──┬─ A1 ── A2 ── A3
///           └─ B1 ── B2
/// ```
#[test]
fn a_weaker_branch_is_kept_aside() {
    let mut forge = Forge::new();
    let (a, b) = (
        forge.branch(forge.genesis, 3),
        forge.branch(forge.genesis, 2),
    );
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&a, Best);
    follower.give_all(&b, Side);
    assert_eq!(follower.give(&b[1]), Ok(Known));
    assert_eq!(follower.side(), hashes(&b));
    follower.check(&forge);
    let view = ChainView::open(&*follower.store).unwrap();
    let aside: Vec<_> = view.side_blocks().unwrap();
    let aside: Vec<_> = aside.iter().map(|record| record.hash).collect();
    assert_eq!(aside, hashes(&b));
    assert!(view.body(b[0].hash()).unwrap().is_some());
    assert_eq!(view.receipts(b[0].hash()).unwrap(), None, "never executed");
}

/// ```text
///                ┌─ A2 ── A3 ── A4
/// genesis ── 1 ──┤
///                └─ B2 ── B3 ── B4 ── B5
/// ```
/// and then A5 and A6: forth and back, each time to the same state.
#[test]
fn r_fork_2_the_tip_moves_to_the_heavier_branch_and_back() {
    let mut forge = Forge::new();
    let base = forge.block(forge.genesis, &[]);
    let a = busy_branch(&mut forge, &base, 0, 5);
    let b = busy_branch(&mut forge, &base, 2, 4);
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&[base], Best);
    follower.give_all(&a[..3], Best);
    follower.give_all(&b[..3], Side);
    follower.check(&forge);
    follower.give_all(&b[3..], Best);
    assert_eq!(follower.tip(), b[3].hash());
    assert_eq!(follower.side(), hashes(&a[..3]));
    follower.check(&forge);
    follower.give_all(&a[3..4], Side);
    follower.give_all(&a[4..], Best);
    assert_eq!(follower.tip(), a[4].hash());
    assert_eq!(follower.side(), hashes(&b));
    follower.check(&forge);
    follower.reopened().check(&forge);
}

/// The touched accounts are all that differ: what the mempool has to look at again.
#[test]
fn a_move_tells_which_blocks_and_accounts_it_concerns() {
    let mut forge = Forge::new();
    let base = forge.block(forge.genesis, &[]);
    let a = busy_branch(&mut forge, &base, 0, 2);
    let b = busy_branch(&mut forge, &base, 2, 3);
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&[base], Best);
    follower.give_all(&a, Best);
    follower.give_all(&b[..2], Side);
    let mut moves = Vec::new();
    let last = b[2].clone();
    follower
        .chain
        .accept(u64::from(u32::MAX), last, &mut moves)
        .unwrap();
    let [moved] = moves.try_into().unwrap();
    let of = |records: &[std::sync::Arc<crate::chain::HeaderRecord>]| {
        records.iter().map(|record| record.hash).collect::<Vec<_>>()
    };
    let mut downward = hashes(&a);
    downward.reverse();
    assert_eq!(of(&moved.disconnected), downward);
    assert_eq!(of(&moved.connected), hashes(&b));
    let accounts = |tip: &VerifiedBlock| column(forge.store(tip.hash()), Column::Accounts);
    let (before, after) = (accounts(&a[1]), accounts(&b[2]));
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let differs = |key: &&&Vec<u8>| before.get(**key) != after.get(**key);
    let differing = keys.iter().filter(differs);
    let differing: HashSet<_> = differing.map(|key| B256::from_slice(key)).collect();
    // Nobody's transaction names this one.
    let contract = account_key(HISTORY_STORAGE_ADDRESS);
    for key in [contract, account_key(person(0)), account_key(person(3))] {
        assert!(differing.contains(&key), "{key}");
    }
    assert!(differing.is_subset(&moved.touched));
    follower.follow([moved]);
    follower.check(&forge);
}

/// Two blocks of equal work: whichever came first stays.
#[test]
fn r_fork_3_equal_work_keeps_the_first() {
    let mut forge = Forge::new();
    let (a, b) = (
        forge.branch(forge.genesis, 2),
        forge.branch(forge.genesis, 2),
    );
    for (first, second) in [(&a, &b), (&b, &a)] {
        let mut follower = Follower::new(&forge.spec);
        follower.give_all(first, Best);
        follower.give_all(second, Side);
        assert_eq!(follower.tip(), first[1].hash());
        assert_eq!(
            follower.reopened().tip(),
            first[1].hash(),
            "also by the next process"
        );
        let third = forge.block(second[1].hash(), &[]);
        follower.give_all(&[third], Best);
        follower.check(&forge);
    }
}

/// Headers tell of a heavier branch whose first body is missing.
#[test]
fn r_fork_4_mining_goes_on_at_the_executed_tip() {
    let mut forge = Forge::new();
    let (a, b) = (
        forge.branch(forge.genesis, 1),
        forge.branch(forge.genesis, 4),
    );
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&a, Best);
    follower.give_all(&b[1..], Orphan);
    let request = forge.request(a[0].hash());
    assert_eq!(parent_of_template(&mut follower, &request), a[0].hash());
    let mined = forge.block_for(a[0].hash(), &[], request.clone());
    follower.give_all(&[mined], Best);
    follower.give_all(&b[..1], Side);
    assert_eq!(follower.tip(), b[3].hash());
    assert_eq!(parent_of_template(&mut follower, &request), b[3].hash());
    follower.check(&forge);
}

fn parent_of_template(follower: &mut Follower, request: &TemplateRequest) -> B256 {
    let tip = PoolTip {
        number: 0,
        base_fee: 0,
        gas_limit: 0,
    };
    let pool = Mempool::new(Limits::default(), tip);
    let template = follower.chain.template(request, pool.best(0)).unwrap();
    template.header.parent_hash
}

/// The operator's wish: off a branch, to the best that is left, and back.
#[test]
fn the_operator_moves_the_tip() {
    let mut forge = Forge::new();
    let base = forge.block(forge.genesis, &[]);
    let a = busy_branch(&mut forge, &base, 0, 3);
    let b = busy_branch(&mut forge, &base, 2, 2);
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(from_ref(&base), Best);
    follower.give_all(&a, Best);
    follower.give_all(&b, Side);
    let moved = follower.chain.invalidate(a[1].hash()).unwrap();
    follower.follow(moved);
    assert_eq!(follower.tip(), b[1].hash(), "A2 alone has less work");
    follower.check(&forge);
    let child = forge.block(a[2].hash(), &[]);
    let refused = BlockError::MarkedInvalid {
        invalid: a[1].hash(),
        reason: "invalidated by the operator".into(),
    };
    assert_eq!(follower.give(&child), Err(refused));
    assert_eq!(follower.reopened().tip(), b[1].hash());
    let moved = follower.chain.reconsider(a[2].hash()).unwrap();
    follower.follow(moved);
    assert_eq!(follower.tip(), a[2].hash());
    assert!(follower.marked().is_empty());
    follower.give_all(&[child], Best);
    follower.check(&forge);
    for hash in [forge.genesis, B256::ZERO] {
        let unknown = BlockError::Unknown { hash };
        assert_eq!(follower.chain.invalidate(hash).unwrap_err(), unknown);
    }
}
