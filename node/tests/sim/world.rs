//! The world: virtual time, one queue of what happens, and the nodes it happens to.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use alloy_primitives::{B256, keccak256};
use cairn_genesis::ChainSpec;
use cairn_node::core::{Event, Now};
use cairn_node::network::check::{self, Checked};
use cairn_node::network::limits::BAN_MS;
use cairn_node::network::{
    Announcement, Fault, GossipId, Identity, Input, Output, Peer, Request, Topic, Verdict,
};
use cairn_node::store::StoreError;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::node::{Done, Node};
use super::scenario::Scenario;
use super::wire::{Message, Question, Read};
use super::{checks, spec, users};

/// How often a node looks at the time.
const TICK_MS: u64 = 250;

/// How often those who should be connected try.
const DIAL_MS: u64 = 1_000;

/// After everything is mended: how long blocks are still mined, how long it is quiet then,
/// and how long the last block has to reach all.
const CALM_MS: u64 = 40_000;
const QUIET_MS: u64 = 130_000;
const LAST_MS: u64 = 40_000;

/// What happens.
#[derive(Debug)]
enum Happening {
    Join(usize),
    Tick(usize),
    Dial,
    Mine(usize),
    User,
    FailWrites(usize, u64),
    Deliver {
        link: u64,
        to: usize,
        message: Message,
    },
    Checked {
        node: usize,
        epoch: u64,
        checked: Checked,
    },
    Lost {
        node: usize,
        peer: Peer,
    },
}

/// A connection.
#[derive(Debug, Clone, Copy)]
struct Link {
    /// Who, and as whom the one knows the other.
    ends: [(usize, Peer); 2],
}

impl Link {
    /// The other end, and as whom it is known there.
    fn other(&self, node: usize) -> (usize, Peer) {
        let [a, b] = self.ends;
        if a.0 == node { (b.0, b.1) } else { (a.0, a.1) }
    }

    /// As whom `node` knows the other end.
    fn peer_at(&self, node: usize) -> Peer {
        let [a, b] = self.ends;
        if a.0 == node { a.1 } else { b.1 }
    }
}

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Height of the chain in the end, summed over runs.
    pub blocks: u64,
    /// Transactions in it.
    pub transactions: u64,
    /// Times that a node changed its branch.
    pub reorgs: u64,
    /// The deepest of these.
    pub deepest: usize,
    /// Crashes.
    pub crashes: u64,
    /// Liars that were banned.
    pub bans: u64,
    /// Messages.
    pub messages: u64,
    /// What all messages were, in order.
    pub digest: B256,
}

impl std::ops::AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.blocks += other.blocks;
        self.transactions += other.transactions;
        self.reorgs += other.reorgs;
        self.deepest = self.deepest.max(other.deepest);
        self.crashes += other.crashes;
        self.bans += other.bans;
        self.messages += other.messages;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} blocks, {} transactions, {} reorganizations (deepest {}), {} crashes, {} bans of liars, {} messages",
            self.blocks,
            self.transactions,
            self.reorgs,
            self.deepest,
            self.crashes,
            self.bans,
            self.messages
        )
    }
}

impl Summary {
    /// Fails unless all that the simulation is about has come up.
    pub fn assert_eventful(&self) {
        assert!(self.blocks > 1_000, "hardly any blocks: {self}");
        assert!(self.transactions > 1_000, "hardly any transactions: {self}");
        assert!(
            self.reorgs > 50 && self.deepest > 3,
            "hardly any reorganizations: {self}"
        );
        assert!(self.crashes > 10, "hardly any crashes: {self}");
        assert!(self.bans > 10, "hardly any bans: {self}");
    }
}

/// The world.
pub struct World {
    rng: ChaCha8Rng,
    scenario: Scenario,
    spec: Arc<ChainSpec>,
    identity: Identity,
    now_ms: u64,
    /// How long the chain has existed when the world begins.
    age_ms: u64,
    queue: BTreeMap<(u64, u64), Happening>,
    order: u64,
    nodes: Vec<Node>,
    links: BTreeMap<u64, Link>,
    /// What was asked on a link, for liars who answer by it.
    asked: BTreeMap<(u64, usize, cairn_node::network::RequestId), Request>,
    next_link: u64,
    summary: Summary,
}

impl World {
    /// The world of a seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let scenario = Scenario::draw(&mut rng);
        tracing::debug!(seed, ?scenario);
        Self::of(rng, scenario)
    }

    /// Two nodes that do not mine, and meet late: each has a chain of so many blocks from
    /// genesis on.
    pub fn meeting(lengths: [u64; 2]) -> Self {
        let mut world = Self::of(ChaCha8Rng::seed_from_u64(0), Scenario::quiet(2));
        let longest = lengths.into_iter().max().unwrap_or_default();
        world.age_ms = (longest + 1) * spec::SPACING_S * 1000;
        for (node, length) in lengths.into_iter().enumerate() {
            world.grow(node, length);
        }
        world
    }

    /// Mines a chain without anybody noticing.
    fn grow(&mut self, node: usize, length: u64) {
        let mut now = Now {
            ms: self.spec.genesis_time * 1000,
        };
        self.nodes[node].start(&self.spec, &self.identity, now);
        for _ in 0..length {
            now.ms += spec::SPACING_S * 1000;
            let mined = self.nodes[node].mine(now, &self.spec);
            let block = mined.expect("a store").expect("a template");
            let event = Event::Block(Box::new(block));
            let done = self.nodes[node].core(now, event, false, &mut Done::default());
            done.expect("a store");
        }
        self.nodes[node].crash();
    }

    fn of(rng: ChaCha8Rng, scenario: Scenario) -> Self {
        let spec = Arc::new(spec::spec());
        let lies = std::iter::repeat_n(None, scenario.nodes)
            .chain(scenario.liars.iter().map(|lie| Some(*lie)));
        let nodes = lies
            .zip(&scenario.skews_ms)
            .enumerate()
            .map(|(index, (lie, skew_ms))| Node::new(index, lie, *skew_ms))
            .collect();
        let genesis = spec.genesis_hash();
        let mut world = Self {
            rng,
            identity: Identity::new(&spec, genesis, "sim"),
            spec,
            now_ms: 0,
            age_ms: 60_000,
            queue: BTreeMap::new(),
            order: 0,
            nodes,
            links: BTreeMap::new(),
            asked: BTreeMap::new(),
            next_link: 0,
            summary: Summary::default(),
            scenario,
        };
        world.plan();
        world
    }

    fn plan(&mut self) {
        for (node, at_ms) in self.scenario.joins_ms.clone().into_iter().enumerate() {
            self.at(at_ms, Happening::Join(node));
            if self.scenario.shares[node] > 0.0 {
                self.at(at_ms + 1, Happening::Mine(node));
            }
        }
        for (at_ms, node, writes) in self.scenario.crashes.clone() {
            self.at(at_ms, Happening::FailWrites(node, writes));
        }
        self.at(500, Happening::Dial);
        self.at(1_000, Happening::User);
    }

    /// Runs to the end and checks it.
    pub fn run(mut self) -> Summary {
        let heal_ms = self.scenario.heal_ms;
        self.run_until(heal_ms);
        self.mend();
        self.run_until(heal_ms + CALM_MS);
        self.scenario.shares.fill(0.0);
        self.run_until(heal_ms + CALM_MS + QUIET_MS);
        // Two branches of the same work may both stand until one grows.
        self.mine(0);
        self.run_until(heal_ms + CALM_MS + QUIET_MS + LAST_MS);
        let honest: Vec<_> = self
            .nodes
            .iter()
            .filter(|node| node.lie.is_none())
            .collect();
        let (blocks, transactions) = checks::one_chain(&self.spec, &honest);
        self.summary.blocks = blocks;
        self.summary.transactions = transactions;
        self.summary
    }

    fn run_until(&mut self, end_ms: u64) {
        while let Some(entry) = self.queue.first_entry()
            && entry.key().0 <= end_ms
        {
            let ((at_ms, _), happening) = entry.remove_entry();
            self.now_ms = at_ms;
            self.happen(happening);
        }
        self.now_ms = end_ms;
    }

    /// From here on nothing goes wrong any more, but for the liars.
    fn mend(&mut self) {
        self.scenario.partitions.clear();
        self.scenario.loss = 0.0;
        self.scenario.delay_ms = (1, 50);
        for index in 0..self.nodes.len() {
            self.nodes[index].store.recover();
        }
    }

    fn at(&mut self, at_ms: u64, happening: Happening) {
        self.order += 1;
        self.queue.insert((at_ms, self.order), happening);
    }

    fn after(&mut self, delay_ms: u64, happening: Happening) {
        self.at(self.now_ms + delay_ms, happening);
    }

    fn now(&self, node: usize) -> Now {
        let genesis_ms = self.spec.genesis_time * 1000 + self.age_ms;
        Now {
            ms: (genesis_ms + self.now_ms).saturating_add_signed(self.nodes[node].skew_ms),
        }
    }

    fn happen(&mut self, happening: Happening) {
        tracing::trace!(now_ms = self.now_ms, "{happening:?}");
        match happening {
            Happening::Join(node) => {
                let now = self.now(node);
                self.nodes[node].start(&self.spec, &self.identity, now);
                self.after(1, Happening::Tick(node));
            }
            Happening::Tick(node) => {
                if self.nodes[node].running.is_some() {
                    self.core(node, Event::Tick, false);
                    self.input(node, Input::Tick);
                    self.after(TICK_MS, Happening::Tick(node));
                }
            }
            Happening::Dial => {
                self.dial();
                self.after(DIAL_MS, Happening::Dial);
            }
            Happening::Mine(node) => {
                if self.scenario.shares[node] > 0.0 {
                    self.mine(node);
                    let wait_ms = self.time_to_block(node);
                    self.after(wait_ms, Happening::Mine(node));
                }
            }
            Happening::User => {
                if self.now_ms < self.scenario.heal_ms + CALM_MS {
                    self.user();
                    let mean = self.scenario.user_ms;
                    let wait_ms = self.rng.random_range(1..=2 * mean);
                    self.after(wait_ms, Happening::User);
                }
            }
            Happening::FailWrites(node, writes) => {
                if self.now_ms < self.scenario.heal_ms {
                    self.nodes[node].store.fail_after(writes);
                }
            }
            Happening::Deliver { link, to, message } => self.deliver(link, to, message),
            Happening::Checked {
                node,
                epoch,
                checked,
            } => {
                if self.nodes[node].epoch == epoch {
                    self.input(node, Input::Checked(checked));
                }
            }
            Happening::Lost { node, peer } => self.input(node, Input::Disconnected { peer }),
        }
    }

    /// Connects those who should be and are not, and breaks what a partition breaks.
    fn dial(&mut self) {
        for (id, link) in self.links.clone() {
            let [(a, _), (b, _)] = link.ends;
            if self.parted(a, b).is_some_and(|breaks| breaks) {
                self.close(id);
            }
        }
        for (a, b) in self.scenario.links.clone() {
            let connected = self.nodes[a]
                .links
                .values()
                .any(|id| self.links[id].other(a).0 == b);
            let up = self.nodes[a].running.is_some() && self.nodes[b].running.is_some();
            let banned = |x: usize, y: usize| {
                self.nodes[x]
                    .banned
                    .get(&y)
                    .is_some_and(|until_ms| *until_ms > self.now_ms)
            };
            if up && !connected && self.parted(a, b).is_none() && !banned(a, b) && !banned(b, a) {
                self.connect(a, b);
            }
        }
    }

    /// Whether a partition stands between two nodes, and if so whether it breaks links.
    fn parted(&self, a: usize, b: usize) -> Option<bool> {
        let now_ms = self.now_ms;
        let partitions = self.scenario.partitions.iter();
        let mut current = partitions.filter(|p| p.from_ms <= now_ms && now_ms < p.to_ms);
        current.find(|p| p.side[a] != p.side[b]).map(|p| p.breaks)
    }

    fn connect(&mut self, a: usize, b: usize) {
        self.next_link += 1;
        let id = self.next_link;
        let (peer_at_a, peer_at_b) = (Peer(self.nodes[a].number()), Peer(self.nodes[b].number()));
        let link = Link {
            ends: [(a, peer_at_a), (b, peer_at_b)],
        };
        self.links.insert(id, link);
        self.nodes[a].links.insert(peer_at_a, id);
        self.nodes[b].links.insert(peer_at_b, id);
        let connected = |peer, outbound| Input::Connected { peer, outbound };
        self.input(a, connected(peer_at_a, true));
        self.input(b, connected(peer_at_b, false));
    }

    fn close(&mut self, id: u64) {
        if let Some(link) = self.links.remove(&id) {
            for (node, peer) in link.ends {
                if self.nodes[node].links.remove(&peer).is_some() {
                    self.after(0, Happening::Lost { node, peer });
                }
            }
            self.asked.retain(|(link, _, _), _| *link != id);
        }
    }

    fn crash(&mut self, node: usize) {
        self.summary.crashes += 1;
        for id in self.nodes[node].crash() {
            self.close(id);
        }
        let wait_ms = self.rng.random_range(500..10_000);
        self.after(wait_ms, Happening::Join(node));
    }

    fn mine(&mut self, node: usize) {
        let now = self.now(node);
        match self.nodes[node].mine(now, &self.spec) {
            Err(error) => self.failed(node, &error),
            Ok(None) => {}
            Ok(Some(block)) if self.nodes[node].lie == Some(super::lies::Lie::InvalidBlocks) => {
                let bytes = Announcement::of(&block).encode();
                self.spread(node, Topic::Blocks, bytes, None);
            }
            Ok(Some(block)) => self.core(node, Event::Block(Box::new(block)), false),
        }
    }

    /// Time until this node finds the next block: without memory, by its share.
    fn time_to_block(&mut self, node: usize) -> u64 {
        let Some(running) = &self.nodes[node].running else {
            return 1_000;
        };
        let header = &running.core.tip().header;
        let target = cairn_genesis::Target::from_bits(header.bits).expect("good bits");
        let anchor = cairn_genesis::Target::from_bits(self.spec.genesis_bits()).expect("good bits");
        let easier = target.work().to::<u64>() as f64 / anchor.work().to::<u64>() as f64;
        let mean_ms = spec::SPACING_S as f64 * 1000.0 * easier / self.scenario.shares[node];
        let uniform: f64 = self.rng.random_range(f64::EPSILON..1.0);
        (-uniform.ln() * mean_ms).min(1e9) as u64 + 1
    }

    /// Somebody sends coins; some send the same coins twice at two nodes.
    fn user(&mut self) {
        let (index, address) = users::account(&mut self.rng);
        let twice = self.rng.random_bool(0.1);
        for _ in 0..=usize::from(twice) {
            let node = self.rng.random_range(0..self.scenario.nodes);
            let nonce = checks::next_nonce(&self.nodes[node], address);
            let transaction = users::transfer(&mut self.rng, self.spec.chain_id, index, nonce);
            self.core(node, Event::Transaction(transaction), true);
        }
    }

    fn failed(&mut self, node: usize, error: &StoreError) {
        assert!(
            error.to_string().contains("as the test asked"),
            "node {node} failed by itself: {error}"
        );
        self.crash(node);
    }

    fn core(&mut self, node: usize, event: Event, by_user: bool) {
        let now = self.now(node);
        let mut done = Done::default();
        match self.nodes[node].core(now, event, by_user, &mut done) {
            Err(error) => self.failed(node, &error),
            Ok((_, inputs)) => {
                self.count(&done);
                for input in inputs {
                    self.input(node, input);
                }
            }
        }
    }

    fn input(&mut self, node: usize, input: Input) {
        let _span = tracing::debug_span!("node", node, now_ms = self.now_ms).entered();
        let now = self.now(node);
        match self.nodes[node].handle(now, input) {
            Err(error) => self.failed(node, &error),
            Ok(done) => {
                self.count(&done);
                for output in done.outputs {
                    self.output(node, output);
                }
                checks::bounds(&self.nodes[node]);
            }
        }
    }

    fn count(&mut self, done: &Done) {
        self.summary.reorgs += done.reorgs.len() as u64;
        let deepest = done.reorgs.iter().copied().max().unwrap_or(0);
        self.summary.deepest = self.summary.deepest.max(deepest);
    }

    fn output(&mut self, node: usize, output: Output) {
        match output {
            Output::Hello { peer, status } => {
                self.send_to(node, peer, Message::Hello(status.encode()));
            }
            Output::Welcome { id, status } => {
                if let Some(question) = self.nodes[node].questions.remove(&id) {
                    self.send(node, question.link, Message::Welcome(status.encode()), None);
                }
            }
            Output::Request { peer, id, request } => {
                self.send_to(node, peer, Message::Request(id, request.encode()));
            }
            Output::Serve { peer, id, request } => {
                let response = self.nodes[node].answer(&request);
                let bytes = response.map(|response| response.encode());
                self.respond(node, id, bytes, Some(&request));
                self.input(node, Input::Served { peer });
            }
            Output::Refuse { id } => self.respond(node, id, None, None),
            Output::Publish { topic, bytes } => self.spread(node, topic, bytes, None),
            Output::Verdict { peer, id, verdict } => {
                let message = self.nodes[node].gossip.remove(&id);
                if let (Some((topic, bytes)), Verdict::Accept) = (message, verdict) {
                    self.spread(node, topic, bytes, Some(peer));
                }
            }
            Output::Ready { .. } => {}
            Output::Disconnect { peer, .. } => self.drop_peer(node, peer),
            Output::Ban { peer, fault } => self.ban(node, peer, &fault),
            Output::Check(check) => {
                let checked = check::run(&self.spec, check);
                let epoch = self.nodes[node].epoch;
                let wait_ms = self.rng.random_range(0..30);
                self.after(
                    wait_ms,
                    Happening::Checked {
                        node,
                        epoch,
                        checked,
                    },
                );
            }
            Output::Admit { .. } | Output::Import { .. } => unreachable!("the node's own"),
        }
    }

    fn drop_peer(&mut self, node: usize, peer: Peer) {
        if let Some(id) = self.nodes[node].links.get(&peer) {
            self.close(*id);
        }
    }

    fn ban(&mut self, node: usize, peer: Peer, fault: &Fault) {
        let Some(id) = self.nodes[node].links.get(&peer).copied() else {
            return;
        };
        let other = self.links[&id].other(node).0;
        if self.nodes[node].lie.is_none() {
            assert!(
                self.nodes[other].lie.is_some(),
                "honest node {node} bans honest node {other} at {} ms: {fault}",
                self.now_ms
            );
            self.summary.bans += 1;
        }
        self.nodes[node].banned.insert(other, self.now_ms + BAN_MS);
        self.close(id);
    }

    fn respond(
        &mut self,
        node: usize,
        id: cairn_node::network::InboundId,
        bytes: Option<Vec<u8>>,
        asked: Option<&Request>,
    ) {
        if let Some(Question {
            link,
            request: Some(request),
        }) = self.nodes[node].questions.remove(&id)
        {
            self.send(node, link, Message::Response(request, bytes), asked);
        }
    }

    /// Tells all peers but the one that it comes from, once.
    fn spread(&mut self, node: usize, topic: Topic, bytes: Vec<u8>, from: Option<Peer>) {
        self.nodes[node].seen.insert(gossip_id(topic, &bytes));
        let peers: Vec<_> = self.nodes[node].links.keys().copied().collect();
        for peer in peers.into_iter().filter(|peer| Some(*peer) != from) {
            self.send_to(node, peer, Message::Gossip(topic, bytes.clone()));
        }
    }

    fn send_to(&mut self, node: usize, peer: Peer, message: Message) {
        if let Some(link) = self.nodes[node].links.get(&peer) {
            self.send(node, *link, message, None);
        }
    }

    fn send(&mut self, node: usize, id: u64, message: Message, asked: Option<&Request>) {
        let Some(link) = self.links.get(&id).copied() else {
            return;
        };
        let message = match self.nodes[node].lie {
            Some(lie) => lie.twist(&mut self.rng, &self.spec, asked, message),
            None => Some(message),
        };
        let to = link.other(node).0;
        let lost = self.parted(node, to).is_some() || self.rng.random_bool(self.scenario.loss);
        let (Some(message), false) = (message, lost) else {
            return;
        };
        let copies = 1 + usize::from(self.rng.random_bool(self.scenario.duplication));
        for _ in 0..copies {
            let (least, most) = self.scenario.delay_ms;
            let wait_ms = self.rng.random_range(least..=most);
            let message = message.clone();
            self.after(
                wait_ms,
                Happening::Deliver {
                    link: id,
                    to,
                    message,
                },
            );
        }
    }

    fn deliver(&mut self, id: u64, to: usize, message: Message) {
        let Some(link) = self.links.get(&id).copied() else {
            return;
        };
        self.summary.messages += 1;
        let line = format!("{:?}{}{to}{message:?}", self.summary.digest, self.now_ms);
        self.summary.digest = keccak256(line);
        let peer = link.peer_at(to);
        let read = match message.read() {
            Ok(read) => read,
            Err(error) => {
                let fault = error.into();
                return self.input(to, Input::Fault { peer, fault });
            }
        };
        let input = match read {
            Read::Hello(status) => {
                let question = Question {
                    link: id,
                    request: None,
                };
                let id = self.nodes[to].question(question);
                Input::Hello { peer, id, status }
            }
            Read::Welcome(status) => Input::Welcome {
                peer,
                status: Some(status),
            },
            Read::Request(number, request) => {
                let question = Question {
                    link: id,
                    request: Some(number),
                };
                let id = self.nodes[to].question(question);
                Input::Request { peer, id, request }
            }
            Read::Response(id, response) => Input::Response { peer, id, response },
            Read::Gossip(topic, bytes) => {
                if !self.nodes[to].seen.insert(gossip_id(topic, &bytes)) {
                    return;
                }
                let id = GossipId(self.nodes[to].number());
                self.nodes[to].gossip.insert(id, (topic, bytes.clone()));
                Input::Gossip {
                    peer,
                    id,
                    topic,
                    bytes,
                }
            }
        };
        self.input(to, input);
    }
}

fn gossip_id(topic: Topic, bytes: &[u8]) -> B256 {
    let tag = match topic {
        Topic::Blocks => 0u8,
        Topic::Transactions => 1,
    };
    keccak256([&[tag], bytes].concat())
}
