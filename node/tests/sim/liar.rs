//! What a liar makes up beside the real node that it runs: cheap headers, blocks that prove invalid
//! only when they are executed, and what it claims and answers of them.

use alloy_primitives::{B256, Bytes};
use cairn_genesis::{Header, Seal, VerifiedTransaction};
use cairn_node::chain::ChainView;
use cairn_node::network::limits::MAX_HEADERS;
use cairn_node::network::serve::AtHand;
use cairn_node::network::{Request, Response, Status, Topic};
use rand::Rng;

use super::forged::Forgery;
use super::lies::Lie;
use super::node::Node;
use super::users;
use super::wire::Message;
use super::world::World;

/// Headers in an answer with few of them, and once a run has seen enough.
const FEW: usize = 40;
const FEWEST: u64 = 4;

/// Seconds from genesis to the first made-up block, and from one to the next: never less than the
/// chain's spacing, so that they are as easy as blocks can be, or become so.
const FIRST_PAUSE_S: std::ops::RangeInclusive<u64> = 60..=180;
const PAUSE_S: std::ops::RangeInclusive<u64> = 4..=8;

/// How often a liar that mines invalid blocks leaves those that it has for its tip, of 1.
const START_OVER: f64 = 0.3;

impl World {
    /// What a node answers.
    pub(super) fn answer(
        &mut self,
        node: usize,
        request: &Request,
        at_hand: Option<&AtHand>,
    ) -> Option<Response> {
        match (self.nodes[node].lie, request) {
            (Some(Lie::FloodsHeaders), Request::Headers { locator }) => {
                self.flood(node, locator).map(Response::Headers)
            }
            (Some(Lie::InvalidBlocks), request) => self.nodes[node].forged_answer(request),
            (Some(Lie::Drags), Request::Headers { .. }) => {
                let locator = Vec::new();
                self.nodes[node].answer(&Request::Headers { locator }, None)
            }
            _ => self.nodes[node].answer(request, at_hand),
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
        let tip_work = liar.tip()?.work;
        if liar.forged.base.is_none() {
            liar.forged.base = liar.record(0).as_ref().map(Forgery::base);
        }
        while liar.forged.blocks.len() < length {
            let tip = liar.forged.tip()?;
            let pause_s = match liar.forged.blocks.is_empty() {
                true => self.rng.random_range(FIRST_PAUSE_S),
                false => self.rng.random_range(PAUSE_S),
            };
            let block = tip.child(&self.spec, tip.header.timestamp + pause_s, Vec::new());
            if block.work >= tip_work || block.header.timestamp > latest_s {
                break;
            }
            liar.forged.blocks.push(block);
        }
        Some(())
    }

    /// Mines some blocks, on those that it has forged before as long as they are heavier than its
    /// tip, or on that. Of half of them nobody hears but by its status.
    pub(super) fn forge(&mut self, node: usize) {
        let goes_on = self.nodes[node].fork().is_some() && !self.rng.random_bool(START_OVER);
        if !goes_on && !self.begin_fork(node) {
            return;
        }
        let new_from = match goes_on {
            true => self.nodes[node].forged.blocks.len(),
            false => 0,
        };
        for _ in 0..self.rng.random_range(1..=2) {
            self.extend_fork(node);
        }
        if self.rng.random_bool(0.5) {
            let new = self.nodes[node].forged.blocks.iter().skip(new_from);
            let news: Vec<_> = new.map(|block| block.announcement().encode()).collect();
            for bytes in news {
                self.spread(node, Topic::Blocks, bytes, None);
            }
        }
    }

    /// Leaves its fork for one on its tip; whether there is a first block.
    fn begin_fork(&mut self, node: usize) -> bool {
        let now = self.now(node);
        match self.nodes[node].mine(now, &self.spec) {
            Err(error) => self.failed(node, &error),
            Ok(None) => {}
            Ok(Some(block)) => {
                let base = self.nodes[node].tip().map(Forgery::base);
                let base = base.expect("it has just mined on it");
                let first = base.mined(&self.spec, &block);
                let forged = &mut self.nodes[node].forged;
                forged.begin(base);
                forged.blocks.push(first);
                return true;
            }
        }
        false
    }

    /// Adds a block to the fork.
    fn extend_fork(&mut self, node: usize) {
        let now_s = self.now(node).s();
        let transactions = match self.rng.random_bool(0.5) {
            true => vec![self.transfer()],
            false => Vec::new(),
        };
        let forged = &mut self.nodes[node].forged;
        let Some(tip) = forged.tip() else { return };
        let timestamp = now_s.max(tip.header.timestamp + 1);
        let block = tip.child(&self.spec, timestamp, transactions);
        forged.blocks.push(block);
    }

    /// A transfer that is valid alone.
    fn transfer(&mut self) -> VerifiedTransaction {
        let (index, _) = users::account(&mut self.rng);
        let nonce = self.rng.random_range(0..4);
        users::transfer(&mut self.rng, self.spec.chain_id, index, nonce)
    }
}

impl Node {
    /// The end of its fork, while that is heavier than its tip and begins on its chain.
    fn fork(&self) -> Option<&Forgery> {
        let (base, end) = (self.forged.base.as_ref()?, self.forged.blocks.last()?);
        let is_heavier = end.work > self.tip()?.work;
        let begins_here = self.record(base.header.number)?.hash == base.hash;
        (is_heavier && begins_here).then_some(end)
    }

    /// What it says in place of `message`: that its fork is its chain.
    pub fn claim(&self, message: Message) -> Message {
        let Some(end) = self.fork() else {
            return message;
        };
        let claim = |bytes: Vec<u8>| {
            let mut status = Status::decode(&bytes).expect("our own");
            status.head = end.hash;
            status.number = end.header.number;
            status.work = end.work;
            status.encode()
        };
        match message {
            Message::Hello(bytes) => Message::Hello(claim(bytes)),
            Message::Welcome(bytes) => Message::Welcome(bytes.map(claim)),
            message => message,
        }
    }

    /// Answers as if its fork were its chain.
    fn forged_answer(&self, request: &Request) -> Option<Response> {
        match request {
            Request::Headers { locator } if self.fork().is_some() => {
                self.forged_headers(locator).map(Response::Headers)
            }
            Request::Bodies { blocks } => {
                let bodies = blocks.iter().map_while(|hash| self.body(*hash));
                Some(Response::Bodies(bodies.collect()))
            }
            Request::BlockTransactions { block, indexes } => match self.forged.find(*block) {
                Some(block) => Some(Response::BlockTransactions(block.envelopes(indexes))),
                None => self.answer(request, None),
            },
            request => self.answer(request, None),
        }
    }

    /// Headers that follow the first of these hashes that is on its fork: true ones up to where it
    /// begins, then its own.
    fn forged_headers(&self, locator: &[B256]) -> Option<Vec<(Header, Seal)>> {
        let own = self.forged.blocks.iter().map(Forgery::pair);
        let known = locator.iter().find_map(|hash| self.forged.position(*hash));
        if let Some(position) = known {
            return Some(own.skip(position + 1).take(MAX_HEADERS).collect());
        }
        let base = self.forged.base.as_ref()?.header.number;
        let view = ChainView::open(&*self.store).ok()?;
        // Of the chain above the fork it does not want to know.
        let is_below = |hash: &&B256| {
            let record = view.header(**hash).ok().flatten();
            record.is_some_and(|record| record.number() <= base)
        };
        let locator = locator.iter().filter(is_below).copied().collect();
        let Response::Headers(mut headers) = self.answer(&Request::Headers { locator }, None)?
        else {
            return None;
        };
        if headers.len() < MAX_HEADERS {
            headers.retain(|(header, _)| header.number <= base);
            headers.extend(own);
            headers.truncate(MAX_HEADERS);
        }
        Some(headers)
    }

    /// The body of a block, true or its own.
    fn body(&self, hash: B256) -> Option<Bytes> {
        if let Some(block) = self.forged.find(hash) {
            return Some(block.body());
        }
        let blocks = vec![hash];
        match self.answer(&Request::Bodies { blocks }, None)? {
            Response::Bodies(mut bodies) => bodies.pop(),
            _ => None,
        }
    }
}
