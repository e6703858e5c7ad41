//! Blocks that cannot be judged yet: R-HDR-7, R-INV-3.

use std::slice::from_ref;

use alloy_primitives::{Bytes, TxKind};
use cairn_genesis::{ChainSpec, VerifiedBlock, VerifiedTransaction};

use super::follower::Follower;
use super::forge::{Forge, hashes};
use super::people::{self, NOBODY, payment, sign};
use crate::chain::Accepted::{Best, Future, Known, Orphan, Side};
use crate::chain::{BlockError, TemplateRequest};
use crate::mempool::{Limits, Mempool, Tip as PoolTip};

/// Seconds that a block may be ahead.
const DRIFT_S: u64 = 15;

fn with_drift() -> ChainSpec {
    ChainSpec {
        max_future_drift: Some(DRIFT_S),
        ..people::spec()
    }
}

#[test]
fn orphans_are_taken_in_when_their_ancestor_comes() {
    let mut forge = Forge::new();
    let blocks = forge.branch(forge.genesis, 5);
    let mut follower = Follower::new(&forge.spec);
    for block in blocks[1..].iter().rev() {
        follower.give_all(from_ref(block), Orphan);
    }
    assert_eq!(follower.give(&blocks[4]), Ok(Orphan), "told once more");
    assert_eq!(follower.chain.waiting(), (4, 0));
    follower.give_all(&blocks[..1], Best);
    assert_eq!(follower.chain.waiting(), (0, 0));
    assert_eq!(follower.tip(), blocks[4].hash());
    follower.check(&forge);
}

/// Of 300 orphans the 256 that came last are kept.
#[test]
fn orphans_are_bounded_in_number() {
    let mut forge = Forge::new();
    let blocks = forge.branch(forge.genesis, 301);
    let mut follower = Follower::new(&forge.spec);
    for block in blocks[1..].iter().rev() {
        follower.give_all(from_ref(block), Orphan);
    }
    assert_eq!(follower.chain.waiting(), (256, 0));
    follower.give_all(&blocks[..1], Best);
    assert_eq!(follower.chain.tip().number(), 257);
    assert_eq!(follower.chain.waiting(), (0, 0));
    follower.check(&forge);
}

/// What makes a block nearly 8 MiB long.
fn large() -> Vec<VerifiedTransaction> {
    let large = |nonce| {
        let mut body = payment(0, nonce, NOBODY, 1);
        body.input = Bytes::from(vec![0; 1_600_000]);
        body.gas_limit = 1 << 24;
        body.to = TxKind::Call(NOBODY);
        sign(0, body)
    };
    (0..5).map(large).collect()
}

/// Eight blocks of nearly 8 MiB fit into 64 MiB; a ninth drives out the first.
#[test]
fn orphans_are_bounded_in_bytes() {
    let mut forge = Forge::new();
    let large = large();
    let first = forge.block(forge.genesis, &[]);
    let orphan = |forge: &mut Forge| {
        let header = forge.blind_child(&first).header().clone();
        forge.seal(header, large.clone())
    };
    let orphans: Vec<_> = (0..9).map(|_| orphan(&mut forge)).collect();
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&orphans[..8], Orphan);
    assert_eq!(follower.chain.waiting(), (8, 0));
    follower.give_all(&orphans[8..], Orphan);
    assert_eq!(follower.chain.waiting(), (8, 0));
}

#[test]
fn r_inv_3_a_future_block_is_held_and_tried_again() {
    let mut forge = Forge::on(with_drift());
    let blocks = forge.branch(forge.genesis, 2);
    let timestamp = blocks[0].header().timestamp;
    let mut follower = Follower::new(&forge.spec);
    follower.now_s = timestamp - DRIFT_S - 1;
    follower.give_all(&blocks[..1], Future);
    follower.give_all(&blocks[1..], Orphan);
    assert_eq!(follower.chain.waiting(), (1, 1));
    follower.tick(timestamp - DRIFT_S - 1);
    assert_eq!(follower.chain.waiting(), (1, 1), "its time has not come");
    follower.tick(timestamp - DRIFT_S);
    assert_eq!(follower.tip(), blocks[0].hash());
    assert_eq!(
        follower.chain.waiting(),
        (0, 1),
        "the orphan is ahead of its time as well"
    );
    follower.tick(timestamp - DRIFT_S + 2);
    assert_eq!(follower.tip(), blocks[1].hash());
    assert!(follower.marked().is_empty());
    follower.check(&forge);
}

/// Beyond twice the drift a block is not even held, and yet not held against it.
#[test]
fn r_inv_3_a_block_of_the_far_future_is_refused_and_forgotten() {
    let mut forge = Forge::on(with_drift());
    let [block] = forge.branch(forge.genesis, 1).try_into().unwrap();
    let timestamp = block.header().timestamp;
    let mut follower = Follower::new(&forge.spec);
    follower.now_s = timestamp - 2 * DRIFT_S - 1;
    let error = follower.give(&block).unwrap_err();
    assert!(matches!(error, BlockError::NotYet(_)), "{error}");
    assert_eq!(
        (follower.chain.waiting(), follower.marked()),
        ((0, 0), vec![])
    );
    follower.now_s += 1;
    follower.give_all(from_ref(&block), Future);
    follower.now_s = timestamp;
    follower.give_all(&[block], Best);
}

/// Of 70 siblings, one for each second, the 64 soonest are held.
#[test]
fn r_inv_3_at_most_64_future_blocks_are_held() {
    let mut spec = with_drift();
    spec.max_future_drift = Some(100);
    let mut forge = Forge::on(spec);
    let start_s = forge.spec.genesis_time;
    let sibling = |forge: &mut Forge, later_s| {
        let request = TemplateRequest {
            now_s: start_s + 101 + later_s,
            ..forge.request(forge.genesis)
        };
        forge.block_for(forge.genesis, &[], request)
    };
    let siblings: Vec<VerifiedBlock> = (0..70).map(|later| sibling(&mut forge, later)).collect();
    let mut follower = Follower::new(&forge.spec);
    follower.now_s = start_s;
    for block in siblings.iter().rev() {
        follower.give_all(from_ref(block), Future);
    }
    assert_eq!(follower.chain.waiting(), (0, 64));
    follower.tick(start_s + 1);
    assert_eq!(follower.tip(), siblings[0].hash(), "the soonest first");
    assert_eq!(follower.chain.waiting(), (0, 63));
    follower.tick(start_s + 100);
    assert_eq!(follower.chain.waiting(), (0, 0));
    assert_eq!(follower.tip(), siblings[0].hash());
    let dropped = siblings.iter().map(|block| follower.give(block));
    let dropped: Vec<_> = dropped.collect();
    assert_eq!(dropped[0], Ok(Known));
    assert_eq!(
        dropped[64..],
        [const { Ok(Side) }; 6],
        "not known, and not refused"
    );
}

/// Eight of nearly 8 MiB fit into 64 MiB; of nine the soonest are held.
#[test]
fn r_inv_3_future_blocks_are_bounded_in_bytes() {
    let mut spec = with_drift();
    spec.max_future_drift = Some(100);
    let mut forge = Forge::on(spec);
    let large = large();
    let start_s = forge.spec.genesis_time;
    let first = forge.block(forge.genesis, &[]);
    let mut future = |later_s| {
        let mut header = forge.blind_child(&first).header().clone();
        header.timestamp = start_s + 101 + later_s;
        forge.seal(header, large.clone())
    };
    let blocks: Vec<_> = (0..9).map(&mut future).collect();
    let mut follower = Follower::new(&forge.spec);
    follower.now_s = start_s;
    follower.give_all(&[first], Best);
    for (held, block) in (1..).zip(&blocks[1..]) {
        follower.give_all(from_ref(block), Future);
        follower.give_all(from_ref(block), Future);
        assert_eq!(follower.chain.waiting(), (0, held));
    }
    follower.give_all(&blocks[..1], Future);
    assert_eq!(follower.chain.waiting(), (0, 8));
    follower.tick(start_s + 1 + 7);
    assert_eq!(follower.chain.waiting(), (0, 0), "the latest made room");
}

/// `dev` has no bound: its clock is the developer's.
#[test]
fn r_hdr_7_without_a_drift_there_is_no_future() {
    let mut forge = Forge::new();
    let blocks = forge.branch(forge.genesis, 2);
    let mut follower = Follower::new(&forge.spec);
    follower.now_s = 0;
    follower.give_all(&blocks, Best);
    assert_eq!(follower.tip(), hashes(&blocks)[1]);
}

#[test]
fn r_inv_3_a_template_is_dated_now_and_not_handed_out_too_early() {
    let forge = Forge::on(with_drift());
    let mut follower = Follower::new(&forge.spec);
    let above_s = forge.spec.genesis_time;
    let tip = PoolTip {
        number: 0,
        base_fee: 0,
        gas_limit: 0,
    };
    let pool = Mempool::new(Limits::default(), tip);
    let mut dated = |now_s| {
        let request = TemplateRequest {
            now_s,
            beneficiary: NOBODY,
            extra: Bytes::new(),
        };
        let template = follower.chain.template(&request, pool.best(0));
        template.map(|template| template.header.timestamp)
    };
    assert_eq!(dated(above_s + 7), Ok(above_s + 7));
    assert_eq!(dated(above_s), Ok(above_s + 1));
    assert_eq!(dated(above_s + 1 - DRIFT_S), Ok(above_s + 1));
    let early = dated(above_s - DRIFT_S).unwrap_err();
    assert!(matches!(early, BlockError::NotYet(_)), "{early}");
}
