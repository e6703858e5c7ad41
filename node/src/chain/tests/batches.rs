//! A change of the tip that is too large for one batch: an intent record, and a
//! crash between any two of its batches.

use std::slice::from_ref;
use std::sync::Arc;

use alloy_primitives::B256;
use cairn_genesis::VerifiedBlock;

use super::crashes::{at_each_write, give, ours};
use super::follower::{Follower, marked};
use super::forge::{Forge, hashes};
use super::people::{NOBODY, delegation, pay};
use crate::chain::{Chain, ChainView, audit, view};
use crate::store::schema::meta;
use crate::store::{Column, Memory, Reader, StoreError};

/// Every step, down or up, is a batch of its own.
const TINY_BYTES: usize = 0;

/// ```text
///                ┌─ A2 ── A3 ── A4
/// genesis ── 1 ──┤
///                └─ B2 ── B3 ── B4 (── B5)
/// ```
struct Fork {
    forge: Forge,
    base: VerifiedBlock,
    a: Vec<VerifiedBlock>,
    b: Vec<VerifiedBlock>,
}

impl Fork {
    fn new() -> Self {
        let mut forge = Forge::new();
        let base = forge.block(forge.genesis, &[]);
        let branch = |forge: &mut Forge, from: u8| {
            let mut blocks = vec![base.clone()];
            for nonce in 0..3 {
                let mut transactions = vec![pay(from, nonce, NOBODY, 1 + nonce)];
                if nonce == 0 {
                    transactions.push(delegation(from, 0));
                }
                let parent = blocks.last().unwrap().hash();
                blocks.push(forge.block(parent, &transactions));
            }
            blocks.split_off(1)
        };
        let (a, b) = (branch(&mut forge, 0), branch(&mut forge, 1));
        Self { forge, base, a, b }
    }

    /// The store with A as the best chain, and B4 aside.
    fn start(&self) -> Follower {
        let mut start = Follower::new(&self.forge.spec);
        give(&mut start.chain, from_ref(&self.base)).unwrap();
        give(&mut start.chain, &self.a).unwrap();
        give(&mut start.chain, &self.b).unwrap();
        start.reopened()
    }

    fn open(&self, store: &Arc<Memory>) -> Result<Chain, StoreError> {
        Chain::open_with(store.clone(), self.forge.spec.clone(), TINY_BYTES)
    }

    /// Opens what a crash left, crashing again after each write, until it is done.
    fn recover(&self, crashed: Memory) -> Follower {
        check_between(&crashed, &self.forge);
        let mut store = Arc::new(crashed);
        loop {
            store.fail_after(1);
            match self.open(&store) {
                Ok(chain) => {
                    store.recover();
                    return Follower::with(chain, store);
                }
                Err(error) => assert!(matches!(error, StoreError::Io(_)), "{error}"),
            }
            check_between(&store, &self.forge);
            store = Arc::new(store.copy());
        }
    }
}

/// Between two batches the store is whole, but shown to nobody.
fn check_between(store: &Memory, forge: &Forge) {
    audit::audit(store, &forge.spec, |_| ()).unwrap();
    let is_between = store.get(Column::Meta, meta::INTENT).unwrap().is_some();
    match ChainView::open(store).map(|view| view.tip()) {
        Ok(_) => assert!(!is_between),
        Err(error) => assert_eq!((error, is_between), (StoreError::Reorganizing, true)),
    }
}

#[test]
fn a_large_reorganization_resumes_wherever_it_was_cut_off() {
    let mut fork = Fork::new();
    let b5 = fork.forge.block(fork.b[2].hash(), &[]);
    let (old, new) = (fork.a[2].hash(), b5.hash());
    let start = fork.start();
    let event = |store: &Arc<Memory>| give(&mut fork.open(store)?, from_ref(&b5));
    let writes = at_each_write(&start.store, event, |crashed| {
        let is_known = view::find_header(&crashed, new).unwrap().is_some();
        let next = fork.recover(crashed);
        assert_eq!(next.tip(), if is_known { new } else { old });
        assert!(next.marked().is_empty());
        next.check(&fork.forge);
        next.reopened().check(&fork.forge);
    });
    assert_eq!(writes, 1 + 3 + 4 + 1, "aside, down, up, done");
    let whole = |store: &Arc<Memory>| {
        let mut chain = Chain::open(store.clone(), fork.forge.spec.clone())?;
        give(&mut chain, from_ref(&b5))
    };
    let writes = at_each_write(&start.store, whole, |_| ());
    assert_eq!(writes, 1 + 1, "what fits is one batch");
}

/// B5 makes B heavier and is invalid. B4 has as much work as A4, which was first.
#[test]
fn a_large_reorganization_to_an_invalid_branch_rolls_back() {
    let mut fork = Fork::new();
    let b4 = fork.b[2].hash();
    let b5 = fork.forge.liar(b4, &[], |header| header.gas_used = 1);
    let old = fork.a[2].hash();
    let start = fork.start();
    let event = |store: &Arc<Memory>| give(&mut fork.open(store)?, from_ref(&b5));
    at_each_write(&start.store, event, |crashed| {
        let is_known = view::find_header(&crashed, b5.hash()).unwrap().is_some();
        let was_marked = marked(&crashed) == [b5.hash()];
        let next = fork.recover(crashed);
        assert_eq!(next.tip(), old);
        assert_eq!(next.marked().is_empty(), !is_known && !was_marked);
        assert!(next.side().starts_with(&hashes(&fork.b)));
        next.check(&fork.forge);
    });
}

/// The same with B3 invalid: the way back begins in the middle.
#[test]
fn a_large_reorganization_rolls_back_from_the_middle() {
    let mut fork = Fork::new();
    let start = {
        let b3 = fork
            .forge
            .liar(fork.b[0].hash(), &[], |header| header.gas_used = 1);
        let b4 = fork.forge.blind_child(&b3);
        fork.b.splice(1.., [b3, b4]);
        fork.start()
    };
    let b5 = fork.forge.blind_child(&fork.b[2]);
    let (old, invalid) = (
        fork.a[2].hash(),
        [&hashes(&fork.b[1..])[..], &[b5.hash()]].concat(),
    );
    let event = |store: &Arc<Memory>| give(&mut fork.open(store)?, from_ref(&b5));
    at_each_write(&start.store, event, |crashed| {
        let next = fork.recover(crashed);
        assert_eq!(next.tip(), old);
        assert!(next.marked().iter().all(|hash| invalid.contains(hash)));
        next.check(&fork.forge);
    });
}

/// A long chain that is taken in stands at one of its blocks after a crash.
#[test]
fn a_long_extension_stands_at_one_of_its_blocks() {
    let fork = Fork::new();
    let blocks = [from_ref(&fork.base), &fork.a].concat();
    let now_s = u64::from(u32::MAX);
    let event =
        |store: &Arc<Memory>| ours(fork.open(store)?.extend(now_s, &blocks, &mut Vec::new()));
    let start = Follower::new(&fork.forge.spec);
    let writes = at_each_write(&start.store, event, |crashed| {
        let mut next = fork.recover(crashed);
        next.check(&fork.forge);
        let rest = usize::try_from(next.chain.tip().number()).unwrap();
        let mut moves = Vec::new();
        next.chain
            .extend(now_s, &blocks[rest..], &mut moves)
            .unwrap();
        next.follow(moves);
        assert_eq!(next.tip(), fork.a[2].hash());
        next.check(&fork.forge);
    });
    assert_eq!(writes, 4);
}

/// The operator takes A away: down to block 1, and up B.
#[test]
fn the_operators_word_is_carried_out_in_several_batches() {
    let fork = Fork::new();
    let start = fork.start();
    let (bad, old, new): (B256, _, _) = (fork.a[0].hash(), fork.a[2].hash(), fork.b[2].hash());
    let event = |store: &Arc<Memory>| ours(fork.open(store)?.invalidate(bad));
    at_each_write(&start.store, event, |crashed| {
        let is_marked = marked(&crashed) == [bad];
        let next = fork.recover(crashed);
        assert_eq!(next.tip(), if is_marked { new } else { old });
        next.check(&fork.forge);
    });
}
