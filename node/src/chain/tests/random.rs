//! Trees of blocks of any shape, in any order: the tip and its state are those of the
//! heaviest valid branch, executed from genesis.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::B256;
use cairn_genesis::{VerifiedBlock, VerifiedTransaction};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::follower::Follower;
use super::forge::Forge;
use super::people::{PEOPLE, pay, person};
use crate::chain::{BlockError, Chain, ChainView};
use crate::core::{Answer, Core, Event};
use crate::store::Memory;

/// How to make one block.
#[derive(Debug, Clone)]
struct Plan {
    /// Its parent, counted back from the block made last.
    back: usize,
    /// Who pays whom how much.
    payments: Vec<(u8, u8, u64)>,
    /// Whether it lies about the state.
    lies: bool,
}

fn plan() -> impl Strategy<Value = Plan> {
    let payment = (0..PEOPLE, 0..PEOPLE, 0..1_000_000u64);
    let lies = prop::bool::weighted(0.12);
    (0..4usize, vec(payment, 0..4), lies).prop_map(|(back, payments, lies)| Plan {
        back,
        payments,
        lies,
    })
}

/// A block of the tree, and whether it and its ancestors are valid.
struct Planted {
    block: VerifiedBlock,
    valid: bool,
}

struct Tree {
    forge: Forge,
    blocks: Vec<Planted>,
}

impl Tree {
    fn grow(plans: &[Plan]) -> Self {
        let mut tree = Self {
            forge: Forge::new(),
            blocks: Vec::new(),
        };
        for plan in plans {
            let planted = tree.plant(plan);
            tree.blocks.push(planted);
        }
        tree
    }

    fn plant(&mut self, plan: &Plan) -> Planted {
        let parent = self.blocks.iter().nth_back(plan.back);
        let hash = parent.map_or(self.forge.genesis, |parent| parent.block.hash());
        if let Some(parent) = parent.filter(|parent| !parent.valid) {
            return Planted {
                block: self.forge.blind_child(&parent.block),
                valid: false,
            };
        }
        let payments = self.payments(hash, plan);
        let block = match plan.lies {
            true => self
                .forge
                .liar(hash, &payments, |header| header.gas_used += 1),
            false => self.forge.block(hash, &payments),
        };
        Planted {
            block,
            valid: !plan.lies,
        }
    }

    fn payments(&self, parent: B256, plan: &Plan) -> Vec<VerifiedTransaction> {
        let store = self.forge.store(parent);
        let view = ChainView::open(store).unwrap();
        let state = view.state_at(view.tip().number).unwrap();
        let nonce = |from| state.account(person(from)).unwrap().unwrap().nonce;
        let mut nonces: BTreeMap<u8, u64> = (0..PEOPLE).map(|from| (from, nonce(from))).collect();
        let sign = |(from, to, wei): &(u8, u8, u64)| {
            let nonce = nonces.get_mut(from).unwrap();
            *nonce += 1;
            pay(*from, *nonce - 1, person(*to), *wei)
        };
        plan.payments.iter().map(sign).collect()
    }

    /// The most blocks that a valid branch has.
    fn height(&self) -> u64 {
        let valid = self.blocks.iter().filter(|planted| planted.valid);
        let heights = valid.map(|planted| planted.block.header().number);
        heights.max().unwrap_or_default()
    }

    fn invalid(&self) -> Vec<B256> {
        let invalid = self.blocks.iter().filter(|planted| !planted.valid);
        invalid.map(|planted| planted.block.hash()).collect()
    }

    /// Its blocks in the order that `picks` makes.
    fn shuffled(&self, picks: &[Index]) -> Vec<VerifiedBlock> {
        let mut left: Vec<_> = self
            .blocks
            .iter()
            .map(|planted| planted.block.clone())
            .collect();
        let take = |pick: &Index| left.remove(pick.index(left.len()));
        picks[..self.blocks.len()].iter().map(take).collect()
    }

    fn feed(&self, follower: &mut Follower, blocks: &[VerifiedBlock]) {
        let invalid = self.invalid();
        for block in blocks {
            match follower.give(block) {
                Ok(_) => {}
                Err(error) => {
                    assert!(!matches!(error, BlockError::Ours(_)), "{error}");
                    assert!(invalid.contains(&block.hash()), "{error}");
                }
            }
            assert!(follower.marked().iter().all(|hash| invalid.contains(hash)));
        }
        assert_eq!(follower.chain.tip().number(), self.height());
        follower.check(&self.forge);
    }
}

/// What an event gave, as text, without the parts that are sets.
fn told(core: &mut Core, block: &VerifiedBlock) -> String {
    let now = super::forge::at(block.header().timestamp);
    let actions = core
        .handle(now, Event::Block(Box::new(block.clone())))
        .unwrap();
    match super::forge::answer(actions) {
        Answer::Block(result) => format!("{result:?}, tip {}", core.tip().hash),
        other => panic!("{other:?}"),
    }
}

impl Tree {
    /// Takes in blocks while the store fails now and then, after so many writes, and the
    /// next process goes on.
    fn feed_with_crashes(&self, blocks: &[VerifiedBlock], crashes: &[u64]) -> Follower {
        let open = |store: Memory| {
            let store = Arc::new(store);
            let tiny = 0;
            let chain = Chain::open_with(store.clone(), self.forge.spec.clone(), tiny).unwrap();
            Follower::with(chain, store)
        };
        let mut follower = open(Memory::default());
        let mut crashes = crashes.iter();
        for block in blocks {
            let Some(writes) = crashes.next() else { break };
            follower.store.fail_after(*writes);
            let result = follower.give(block);
            follower.store.recover();
            if matches!(result, Err(BlockError::Ours(_))) {
                follower = open(follower.store.copy());
                follower.check(&self.forge);
            }
        }
        follower
    }
}

const BLOCKS: usize = 14;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_tree_in_any_order_gives_the_heaviest_valid_branch(
        plans in vec(plan(), 1..BLOCKS),
        first in vec(any::<Index>(), BLOCKS),
        second in vec(any::<Index>(), BLOCKS),
    ) {
        let tree = Tree::grow(&plans);
        let (first, second) = (tree.shuffled(&first), tree.shuffled(&second));
        let mut follower = Follower::new(&tree.forge.spec);
        tree.feed(&mut follower, &first);
        // Whoever comes later and with another order changes nothing.
        let tip = follower.tip();
        tree.feed(&mut follower, &second);
        prop_assert_eq!(follower.tip(), tip);
        let mut reopened = follower.reopened();
        tree.feed(&mut reopened, &second);
        prop_assert_eq!(reopened.tip(), tip);
        let mut other = Follower::new(&tree.forge.spec);
        tree.feed(&mut other, &second);
    }

    /// Whatever was lost in crashes: once everything was given again, parents first, the tip
    /// is at the heaviest valid branch, and no valid block is marked.
    #[test]
    fn any_tree_survives_any_crashes(
        plans in vec(plan(), 1..BLOCKS),
        order in vec(any::<Index>(), BLOCKS),
        crashes in vec(0..8u64, BLOCKS),
    ) {
        let tree = Tree::grow(&plans);
        let mut follower = tree.feed_with_crashes(&tree.shuffled(&order), &crashes);
        let again: Vec<_> = tree.blocks.iter().map(|planted| planted.block.clone()).collect();
        tree.feed(&mut follower, &again);
    }

    /// The core draws no random numbers: the same events give the same answers.
    #[test]
    fn the_same_blocks_in_the_same_order_give_the_same_answers(
        plans in vec(plan(), 1..BLOCKS),
        order in vec(any::<Index>(), BLOCKS),
    ) {
        let tree = Tree::grow(&plans);
        let run = || {
            let store = Arc::new(Memory::default());
            let spec = tree.forge.spec.clone();
            let (mut core, _) = Core::open(store, spec, super::forge::at(0)).unwrap();
            let blocks = tree.shuffled(&order);
            blocks.iter().map(|block| told(&mut core, block)).collect::<Vec<_>>()
        };
        prop_assert_eq!(run(), run());
    }
}
