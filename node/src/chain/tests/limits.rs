//! Bounds on what strangers can make us keep: side blocks, and their work.

use std::slice::from_ref;

use cairn_genesis::VerifiedBlock;

use super::follower::Follower;
use super::forge::{Forge, hashes};
use crate::chain::Accepted::{Best, Known, Side};
use crate::chain::{BlockError, view};
use crate::store::{Column, Reader, keys};

/// Whether nothing of the block is in the store.
fn is_forgotten(follower: &Follower, block: &VerifiedBlock) -> bool {
    let key = keys::block(block.header().number, block.hash());
    let body = follower.store.get(Column::Bodies, &key).unwrap();
    !follower.knows(block) && body.is_none() && !follower.side().contains(&block.hash())
}

#[test]
fn eight_side_blocks_are_kept_at_one_height() {
    let mut forge = Forge::new();
    let best = forge.branch(forge.genesis, 3);
    let genesis = forge.genesis;
    let siblings: Vec<_> = (0..12).map(|_| forge.block(genesis, &[])).collect();
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&best, Best);
    for (count, block) in (1usize..).zip(&siblings) {
        follower.give_all(from_ref(block), Side);
        assert_eq!(follower.side().len(), count.min(8));
        assert!(follower.knows(block), "the newcomer stays");
    }
    let gone: Vec<_> = siblings
        .iter()
        .filter(|block| !follower.knows(block))
        .collect();
    assert_eq!(gone.len(), 4);
    assert!(gone.iter().all(|block| is_forgotten(&follower, block)));
    assert_eq!(
        follower.give(gone[0]),
        Ok(Side),
        "it was not held against it"
    );
    assert_eq!(follower.reopened().side(), follower.side());
    follower.check(&forge);
}

/// Branches end where they end: what others build on is not dropped.
#[test]
fn no_branch_is_cut_in_the_middle() {
    let mut forge = Forge::new();
    let best = forge.branch(forge.genesis, 3);
    let branches: Vec<_> = (0..12).map(|_| forge.branch(forge.genesis, 2)).collect();
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&best, Best);
    for branch in &branches {
        follower.give_all(branch, Side);
        let side = follower.side();
        for hash in &side {
            let parent = view::header(&*follower.store, *hash)
                .unwrap()
                .header
                .parent_hash;
            assert!(parent == forge.genesis || side.contains(&parent));
        }
        // One more than eight at a height where all others have children.
        assert!(side.len() <= 2 * 8 + 1);
    }
    let last = branches.last().unwrap();
    let third = forge.block(last[1].hash(), &[]);
    let fourth = forge.block(third.hash(), &[]);
    follower.give_all(&[third], Side);
    follower.give_all(&[fourth], Best);
    follower.check(&forge);
}

/// 258 blocks: the work of the last 256 counts, so a branch must have more than that
/// of block 2.
#[test]
fn a_branch_needs_more_work_than_the_tip_had_256_blocks_ago() {
    let mut forge = Forge::new();
    let best = forge.branch(forge.genesis, 258);
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&best, Best);
    let fork = forge.block(forge.genesis, &[]);
    let low = forge.block(best[0].hash(), &[]);
    let high = forge.block(best[1].hash(), &[]);
    for block in [&fork, &low] {
        let hash = block.hash();
        assert_eq!(
            follower.give(block),
            Err(BlockError::TooLittleWork { hash })
        );
        assert!(is_forgotten(&follower, block));
    }
    assert!(follower.marked().is_empty());
    assert_eq!(follower.give(&high), Ok(Side));
    assert_eq!(follower.give(&high), Ok(Known));
    assert_eq!(follower.side(), hashes(&[high]));
    follower.check(&forge);
}
