//! How fast news is when nothing goes wrong but for the liars: the time from a block's discovery by
//! an honest node until all honest nodes that run have it, or another chain of as much work.

use alloy_primitives::U256;
use cairn_genesis::VerifiedBlock;

use super::lies::Lie;
use super::node::Node;
use super::world::{CALM_MS, World};

/// How long before the end of the calm time all that went wrong before is cleared up: requests that
/// got no answer are given up by then, and nodes that fell are back.
const SETTLED_MS: u64 = 15_000;

/// The longest time that a block of then may take: a lost request or two, and a slow liar before
/// the next is asked.
const SLOWEST_MS: u64 = 30_000;

/// The same where a liar may have a heavier chain whose bodies it keeps to itself: they are waited
/// for 15 seconds, and more than one such chain may have its turn before.
const SLOWEST_WITHHELD_MS: u64 = 60_000;

/// A block that not all have yet.
#[derive(Debug)]
pub struct News {
    /// When it was found, in milliseconds.
    at_ms: u64,
    /// Work of its chain up to and including it.
    work: U256,
}

impl World {
    /// Takes in that a node has found a block on its tip.
    pub(super) fn found(&mut self, node: usize, block: &VerifiedBlock) {
        let heal_ms = self.scenario.heal_ms;
        let is_calm = (heal_ms..heal_ms + CALM_MS).contains(&self.now_ms);
        let finder = &self.nodes[node];
        if let Some(tip) = finder.tip()
            && finder.lie.is_none()
            && is_calm
        {
            self.news.push(News {
                at_ms: self.now_ms,
                work: tip.work + block.sealed().work(),
            });
        }
    }

    /// Takes in that a tip may have moved.
    pub(super) fn settle(&mut self) {
        let honest = self.nodes.iter().filter(|node| node.lie.is_none());
        let Some(least) = honest.filter_map(Node::tip).map(|tip| tip.work).min() else {
            return;
        };
        let (told, open): (Vec<News>, Vec<News>) = std::mem::take(&mut self.news)
            .into_iter()
            .partition(|news| news.work <= least);
        self.news = open;
        for news in told {
            self.told_to_all(&news);
        }
    }

    fn told_to_all(&mut self, news: &News) {
        let took_ms = self.now_ms - news.at_ms;
        let is_settled = news.at_ms >= self.scenario.heal_ms + CALM_MS - SETTLED_MS;
        let slowest_ms = match self.scenario.liars.contains(&Lie::Withholds) {
            true => SLOWEST_WITHHELD_MS,
            false => SLOWEST_MS,
        };
        assert!(
            !is_settled || took_ms <= slowest_ms,
            "a block that was found at {} ms has taken {took_ms} ms to all",
            news.at_ms
        );
        self.summary.spread_ms.push(took_ms);
    }
}
