//! A store that fails at every possible write: the failure is ours, nothing is held
//! against a block, and the next process goes on from the old tip or the new one.

use std::sync::Arc;

use alloy_primitives::B256;
use cairn_genesis::VerifiedBlock;

use super::follower::{Follower, check_store, marked};
use super::forge::{Forge, hashes};
use super::people::{NOBODY, delegation, pay};
use crate::chain::{BlockError, Chain, Moved, view};
use crate::store::schema::meta;
use crate::store::{Column, Memory, Reader, StoreError};

const NOW_S: u64 = u32::MAX as u64;

/// Runs `event` on copies of `start`, of which the first fails at its first write, the
/// second at its second, until no write fails. `check` gets what each left behind.
/// Returns the number of writes.
pub(super) fn at_each_write(
    start: &Memory,
    event: impl Fn(&Arc<Memory>) -> Result<(), StoreError>,
    check: impl Fn(Memory),
) -> u64 {
    for writes in 0.. {
        let store = Arc::new(start.copy());
        store.fail_after(writes);
        let result = event(&store);
        check(store.copy());
        match result {
            Ok(()) => return writes,
            Err(StoreError::Io(reason)) => assert!(reason.contains("as the test asked")),
            Err(other) => panic!("the store failed otherwise than it was told: {other}"),
        }
    }
    unreachable!("every event ends after some writes")
}

/// Our own failure; others are the block's business.
pub(super) fn ours<T>(result: Result<T, BlockError>) -> Result<(), StoreError> {
    match result {
        Err(BlockError::Ours(error)) => Err(error),
        _ => Ok(()),
    }
}

/// Gives blocks to a chain.
pub(super) fn give(chain: &mut Chain, blocks: &[VerifiedBlock]) -> Result<(), StoreError> {
    for block in blocks {
        ours(chain.accept(NOW_S, block.clone(), &mut Vec::<Moved>::new()))?;
    }
    Ok(())
}

/// What is to happen to blocks that are given while the store fails.
struct Scenario<'a> {
    forge: &'a Forge,
    /// What is in the store before.
    before: &'a [VerifiedBlock],
    /// What is given.
    given: &'a [VerifiedBlock],
    /// The only blocks that may be marked.
    invalid: &'a [B256],
    /// Where the tip may be after the crash.
    tips: &'a [B256],
    /// Where it is once everything was given again.
    end: B256,
}

impl Scenario<'_> {
    fn run(&self) -> u64 {
        let mut start = Follower::new(&self.forge.spec);
        give(&mut start.chain, self.before).unwrap();
        let event = |store: &Arc<Memory>| {
            let mut chain = Chain::open(store.clone(), self.forge.spec.clone())?;
            give(&mut chain, self.given)
        };
        at_each_write(&start.store, event, |crashed| self.check(crashed))
    }

    fn check(&self, crashed: Memory) {
        check_store(&crashed, self.forge);
        assert!(
            self.tips
                .contains(&view::tip(&crashed).unwrap().unwrap().hash)
        );
        assert!(
            marked(&crashed)
                .iter()
                .all(|hash| self.invalid.contains(hash))
        );
        let mut next = Follower::on(crashed, &self.forge.spec).unwrap();
        next.check(self.forge);
        assert!(self.tips.contains(&next.tip()));
        give(&mut next.chain, self.given).unwrap();
        assert_eq!(next.tip(), self.end);
        check_store(&next.store, self.forge);
        assert!(next.marked().iter().all(|hash| self.invalid.contains(hash)));
    }
}

#[test]
fn a_failing_first_write_leaves_an_empty_store() {
    let forge = Forge::new();
    let open = |store: &Arc<Memory>| Chain::open(store.clone(), forge.spec.clone()).map(drop);
    let writes = at_each_write(&Memory::default(), open, |crashed| {
        Follower::on(crashed, &forge.spec).unwrap().check(&forge);
    });
    assert_eq!(writes, 1);
}

#[test]
fn r_inv_4_an_extension_is_all_or_nothing() {
    let mut forge = Forge::new();
    let first = forge.block(forge.genesis, &[pay(0, 0, NOBODY, 1), delegation(0, 0)]);
    let second = forge.block(first.hash(), &[pay(0, 1, NOBODY, 2)]);
    let tips = [forge.genesis, first.hash(), second.hash()];
    let scenario = Scenario {
        forge: &forge,
        before: &[],
        given: &[first, second],
        invalid: &[],
        tips: &tips,
        end: tips[2],
    };
    assert_eq!(scenario.run(), 2, "one batch for each block");
}

/// ```text
/// genesis ──┬─ A1 ── A2
///           └─ B1 ── B2 ── B3
/// ```
#[test]
fn r_inv_4_a_reorganization_is_all_or_nothing() {
    let mut forge = Forge::new();
    let a1 = forge.block(forge.genesis, &[pay(0, 0, NOBODY, 1), delegation(0, 0)]);
    let a2 = forge.block(a1.hash(), &[pay(0, 1, NOBODY, 2)]);
    let b1 = forge.block(forge.genesis, &[pay(0, 0, NOBODY, 3)]);
    let b2 = forge.block(b1.hash(), &[pay(1, 0, NOBODY, 4), delegation(1, 0)]);
    let b3 = forge.block(b2.hash(), &[pay(0, 1, NOBODY, 2)]);
    let tips = [a2.hash(), b3.hash()];
    let given = [b1, b2, b3];
    let scenario = Scenario {
        forge: &forge,
        before: &[a1.clone(), a2.clone()],
        given: &given,
        invalid: &[],
        tips: &tips,
        end: tips[1],
    };
    assert_eq!(scenario.run(), 4, "three side blocks, and one batch");
    let scenario = Scenario {
        before: &given,
        given: &[a1, a2],
        tips: &[tips[1]],
        end: tips[1],
        ..scenario
    };
    assert_eq!(scenario.run(), 2, "the way back lacks the work");
}

/// The heavier branch is invalid at its end, or in the middle.
#[test]
fn r_inv_4_a_crash_while_an_invalid_branch_is_judged_condemns_no_other_block() {
    let mut forge = Forge::new();
    let a = forge.branch(forge.genesis, 2);
    let mut b = forge.branch(forge.genesis, 2);
    b.push(forge.liar(b[1].hash(), &[], |header| header.state_root = B256::ZERO));
    b.push(forge.blind_child(&b[2]));
    let a3 = forge.block(a[1].hash(), &[]);
    let (tips, invalid) = ([a[1].hash(), a3.hash()], hashes(&b[2..]));
    let scenario = Scenario {
        forge: &forge,
        before: &a,
        given: &b,
        invalid: &invalid,
        tips: &tips[..1],
        end: tips[0],
    };
    assert_eq!(
        scenario.run(),
        5,
        "three side blocks, the mark, the removal"
    );
    let scenario = Scenario {
        before: &[&a[..], &[a3]].concat(),
        tips: &tips[1..],
        end: tips[1],
        ..scenario
    };
    assert_eq!(
        scenario.run(),
        6,
        "four side blocks, the marks, the removal"
    );
}

/// Nine siblings: one is dropped in the batch that brings the ninth.
#[test]
fn r_inv_4_side_blocks_come_and_go_in_one_batch() {
    let mut forge = Forge::new();
    let a = forge.branch(forge.genesis, 2);
    let genesis = forge.genesis;
    let siblings: Vec<_> = (0..9).map(|_| forge.block(genesis, &[])).collect();
    let scenario = Scenario {
        forge: &forge,
        before: &a,
        given: &siblings,
        invalid: &[],
        tips: &[a[1].hash()],
        end: a[1].hash(),
    };
    assert_eq!(scenario.run(), 9);
}

/// The operator's word counts once it is on disk, and is then carried out, by the next
/// process if need be.
#[test]
fn the_operators_word_is_carried_out_by_the_next_process() {
    let mut forge = Forge::new();
    let (a, b) = (
        forge.branch(forge.genesis, 3),
        forge.branch(forge.genesis, 2),
    );
    let mut start = Follower::new(&forge.spec);
    give(&mut start.chain, &a).unwrap();
    give(&mut start.chain, &b).unwrap();
    let mut start = start.reopened();
    let spec = &forge.spec;
    let (a3, b2) = (a[2].hash(), b[1].hash());
    let bad = a[0].hash();
    let invalidate = |store: &Arc<Memory>| {
        let mut chain = Chain::open(store.clone(), spec.clone())?;
        ours(chain.invalidate(bad))
    };
    let carried_out = |crashed: Memory, when_marked: B256, otherwise: B256| {
        let is_marked = marked(&crashed).contains(&bad);
        let next = Follower::on(crashed, spec).unwrap();
        assert_eq!(next.tip(), if is_marked { when_marked } else { otherwise });
        next.check(&forge);
    };
    let writes = at_each_write(&start.store, invalidate, |crashed| {
        carried_out(crashed, b2, a3);
    });
    assert_eq!(writes, 3, "the mark, down to genesis, up to B2");
    let moved = start.chain.invalidate(bad).unwrap();
    start.follow(moved);
    let reconsider = |store: &Arc<Memory>| {
        let mut chain = Chain::open(store.clone(), spec.clone())?;
        ours(chain.reconsider(bad))
    };
    let writes = at_each_write(&start.store, reconsider, |crashed| {
        carried_out(crashed, b2, a3);
    });
    assert_eq!(writes, 2, "the mark, and one batch");
}

/// What a torn write would leave is found when the chain is opened.
#[test]
fn a_tip_that_contradicts_the_indexes_is_refused() {
    let mut forge = Forge::new();
    let [block] = forge.branch(forge.genesis, 1).try_into().unwrap();
    let whole = forge.store(block.hash());
    for torn in [
        Column::Canonical,
        Column::Bodies,
        Column::Receipts,
        Column::Headers,
    ] {
        let store = Arc::new(whole.copy());
        let mut batch = crate::store::Batch::default();
        for key in super::follower::column(&*store, torn).into_keys() {
            batch.delete(torn, key);
        }
        crate::store::Store::write(&*store, batch, crate::store::Durability::Synced).unwrap();
        let error = Chain::open(store, forge.spec.clone())
            .map(drop)
            .unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    }
    assert_eq!(whole.get(Column::Meta, meta::INTENT), Ok(None));
}
