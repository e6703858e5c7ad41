//! The world: virtual time, one queue of what happens, and the nodes it happens to.

use std::collections::BTreeMap;
use std::sync::Arc;

use cairn_genesis::ChainSpec;
use cairn_node::core::{Event, Now};
use cairn_node::network::serve::AtHand;
use cairn_node::network::{Checked, Identity, InboundId, Input, Peer, Request};
use cairn_node::store::StoreError;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::checks::Hellos;
use super::lies::Lie;
use super::node::Node;
use super::progress::News;
use super::scenario::Scenario;
use super::summary::Summary;
use super::traffic::Link;
use super::wire::Message;
use super::work::Job;
use super::{checks, spec, users};

/// How often a node looks at the time.
const TICK_MS: u64 = 250;

/// How often those who should be connected try.
const DIAL_MS: u64 = 1_000;

/// After everything is mended: how long blocks are still mined, how long it is quiet then,
/// and how long the last block has to reach all.
pub const CALM_MS: u64 = 40_000;
const QUIET_MS: u64 = 130_000;
const LAST_MS: u64 = 40_000;

/// What happens.
#[derive(Debug)]
pub enum Happening {
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
    Serve {
        node: usize,
        epoch: u64,
        peer: Peer,
        id: InboundId,
        request: Request,
        at_hand: Option<AtHand>,
    },
    /// The core handles its next job.
    Work {
        node: usize,
        epoch: u64,
        rest_ms: u64,
    },
    /// The network hears of what the core has done.
    Told {
        node: usize,
        epoch: u64,
        inputs: Vec<Input>,
    },
    Lost {
        node: usize,
        peer: Peer,
    },
}

/// The world.
pub struct World {
    pub(super) rng: ChaCha8Rng,
    pub(super) scenario: Scenario,
    pub(super) spec: Arc<ChainSpec>,
    identity: Identity,
    pub(super) now_ms: u64,
    /// How long the chain has existed when the world begins.
    age_ms: u64,
    queue: BTreeMap<(u64, u64), Happening>,
    order: u64,
    pub(super) nodes: Vec<Node>,
    pub(super) links: BTreeMap<u64, Link>,
    pub(super) next_link: u64,
    /// Blocks that not all have yet.
    pub(super) news: Vec<News>,
    pub(super) hellos: Hellos,
    pub(super) summary: Summary,
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
            world.grow(node, length, 0, spec::SPACING_S);
        }
        world
    }

    /// Two nodes that do not mine, and a liar that floods them with headers, on a chain of this
    /// age. Its blocks came late and fast, so that they are few and have more work than the many
    /// easy ones that the liar has had the time for.
    pub fn flooded(age_s: u64) -> Self {
        const LENGTH: u64 = 180;
        let scenario = Scenario {
            nodes: 2,
            liars: vec![Lie::FloodsHeaders],
            links: vec![(1, 0), (2, 0), (2, 1)],
            ..Scenario::quiet(3)
        };
        let mut world = Self::of(ChaCha8Rng::seed_from_u64(0), scenario);
        world.age_ms = age_s * 1000;
        world.grow(0, LENGTH, age_s - LENGTH, 1);
        for node in 1..world.nodes.len() {
            let store = world.nodes[0].store.copy();
            world.nodes[node].store = Arc::new(store);
        }
        world
    }

    /// Mines a chain without anybody noticing: so many blocks, each `pause_s` after the one
    /// before, the first of them `pause_s` after `begin_s`, which is counted from genesis.
    fn grow(&mut self, node: usize, length: u64, begin_s: u64, pause_s: u64) {
        let mut now = Now {
            ms: (self.spec.genesis_time + begin_s) * 1000,
        };
        self.nodes[node].start(&self.spec, &self.identity, now);
        for _ in 0..length {
            now.ms += pause_s * 1000;
            let mined = self.nodes[node].mine(now, &self.spec);
            let block = mined.expect("a store").expect("a template");
            let event = Event::Block(Box::new(block));
            let done = self.nodes[node].core(now, event, false);
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
            next_link: 0,
            news: Vec::new(),
            hellos: Hellos::default(),
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
        assert!(self.news.is_empty(), "lost: {:?}", self.news);
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

    pub(super) fn after(&mut self, delay_ms: u64, happening: Happening) {
        self.at(self.now_ms + delay_ms, happening);
    }

    pub(super) fn now(&self, node: usize) -> Now {
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
                    self.tick(node);
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
            Happening::Serve {
                node,
                epoch,
                peer,
                id,
                request,
                at_hand,
            } => {
                if self.nodes[node].epoch == epoch {
                    self.serve(node, peer, id, &request, at_hand.as_ref());
                }
            }
            Happening::Checked {
                node,
                epoch,
                checked,
            } => {
                if self.nodes[node].epoch == epoch {
                    self.input(node, Input::Checked(checked));
                }
            }
            Happening::Work {
                node,
                epoch,
                rest_ms,
            } => {
                if self.nodes[node].epoch == epoch {
                    self.handle_job(node, rest_ms);
                }
            }
            Happening::Told {
                node,
                epoch,
                inputs,
            } => {
                if self.nodes[node].epoch == epoch {
                    self.told(node, inputs);
                }
            }
            Happening::Lost { node, peer } => self.input(node, Input::Disconnected { peer }),
        }
    }

    /// Core and network look at the time.
    fn tick(&mut self, node: usize) {
        let is_tick = |job: &Job| matches!(job.event, Event::Tick);
        if !self.nodes[node].jobs.iter().any(is_tick) {
            self.give(node, Job::tick());
        }
        self.input(node, Input::Tick);
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
        if self.nodes[node].lie == Some(Lie::InvalidBlocks) {
            return self.forge(node);
        }
        // Work on the old tip ends with the block that was found.
        let is_mined = |job: &Job| matches!(job.event, Event::Block(_));
        if self.nodes[node].jobs.iter().any(is_mined) {
            return;
        }
        let now = self.now(node);
        match self.nodes[node].mine(now, &self.spec) {
            Err(error) => self.failed(node, &error),
            Ok(None) => {}
            Ok(Some(block)) => {
                self.found(node, &block);
                self.give(node, Job::mined(block));
            }
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
            self.give(node, Job::user(transaction));
        }
    }

    pub(super) fn failed(&mut self, node: usize, error: &StoreError) {
        assert!(
            error.to_string().contains("as the test asked"),
            "node {node} failed by itself: {error}"
        );
        self.crash(node);
    }

    pub(super) fn input(&mut self, node: usize, input: Input) {
        let _span = tracing::debug_span!("node", node, now_ms = self.now_ms).entered();
        let now = self.now(node);
        match self.nodes[node].handle(now, input) {
            Err(error) => self.failed(node, &error),
            Ok(outputs) => {
                for output in outputs {
                    self.output(node, output);
                }
                checks::bounds(&self.nodes[node]);
            }
        }
    }
}
