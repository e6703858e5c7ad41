//! What a liar answers. It runs the real node, and beside it makes up what its lie needs.

use alloy_primitives::B256;
use cairn_genesis::{Header, Seal};
use cairn_node::network::limits::MAX_HEADERS;
use cairn_node::network::{Request, Response};
use rand::Rng;

use super::forged::Forgery;
use super::lies::Lie;
use super::world::World;

/// Headers in an answer with few of them, and once a run has seen enough.
const FEW: usize = 40;
const FEWEST: u64 = 4;

/// Seconds from genesis to the first made-up block, and from one to the next: never less than the
/// chain's spacing, so that they are as easy as blocks can be, or become so.
const FIRST_PAUSE_S: std::ops::RangeInclusive<u64> = 60..=180;
const PAUSE_S: std::ops::RangeInclusive<u64> = 4..=8;

impl World {
    /// What a node answers.
    pub(super) fn answer(&mut self, node: usize, request: &Request) -> Option<Response> {
        match (self.nodes[node].lie, request) {
            (Some(Lie::FloodsHeaders), Request::Headers { locator }) => {
                self.flood(node, locator).map(Response::Headers)
            }
            (Some(Lie::Drags), Request::Headers { .. }) => {
                let locator = Vec::new();
                self.nodes[node].answer(&Request::Headers { locator })
            }
            _ => self.nodes[node].answer(request),
        }
    }

    /// Headers of a long chain that costs little: those that follow the asker's latest, if it is
    /// one of them, or else from the first on. As the chain takes as long as the true one, of
    /// very many headers most are of the future, and are shown only now and then.
    fn flood(&mut self, node: usize, locator: &[B256]) -> Option<Vec<(Header, Seal)>> {
        let left = self.scenario.flood.saturating_sub(self.summary.headers);
        let left = usize::try_from(left.max(FEWEST)).expect("not that many");
        let forged = &self.nodes[node].forged;
        let latest = locator.first().and_then(|hash| forged.position(*hash));
        let from = latest.map_or(0, |position| position + 1);
        let count = match from > 0 || self.rng.random_bool(0.5) {
            true => MAX_HEADERS,
            false => self.rng.random_range(1..FEW),
        };
        let count = count.min(left);
        let latest_s = match self.rng.random_bool(0.3) {
            true => u64::MAX,
            false => self.now(node).s(),
        };
        self.lengthen(node, from + count, latest_s)?;
        let blocks = self.nodes[node].forged.blocks.iter().skip(from).take(count);
        let headers: Vec<_> = blocks
            .take_while(|block| block.header.timestamp <= latest_s)
            .map(Forgery::pair)
            .collect();
        self.summary.headers += headers.len() as u64;
        self.summary.longest = self.summary.longest.max(from + headers.len());
        Some(headers)
    }

    /// Makes the chain of a flood so long, but none of its blocks later than that. It stays lighter
    /// than the true one, as the liar has no hash power to speak of.
    fn lengthen(&mut self, node: usize, length: usize, latest_s: u64) -> Option<()> {
        let liar = &mut self.nodes[node];
        let tip_work = liar.running.as_ref()?.core.tip().work;
        if liar.forged.base.is_none() {
            liar.forged.base = liar.record(0).as_ref().map(Forgery::base);
        }
        while liar.forged.blocks.len() < length {
            let tip = liar.forged.tip()?;
            let pause_s = match liar.forged.blocks.is_empty() {
                true => self.rng.random_range(FIRST_PAUSE_S),
                false => self.rng.random_range(PAUSE_S),
            };
            let block = tip.child(&self.spec, tip.header.timestamp + pause_s, &[]);
            if block.work >= tip_work || block.header.timestamp > latest_s {
                break;
            }
            liar.forged.blocks.push(block);
        }
        Some(())
    }
}
