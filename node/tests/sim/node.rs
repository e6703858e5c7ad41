//! One node: the real core and the real network machine, over a store in memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes};
use cairn_genesis::{ChainSpec, Seal, VerifiedBlock};
use cairn_node::chain::{ChainView, HeaderRecord, TemplateRequest};
use cairn_node::core::{Action, Answer, Core, Event, Now};
use cairn_node::network::{
    GossipId, Identity, InboundId, Input, Network, Output, Peer, Topic, World, serve,
};
use cairn_node::rpc::PoolMirror;
use cairn_node::store::{Memory, Store, StoreError};

use super::forged::Forged;
use super::lies::{self, Lie};
use super::wire::Questions;
use super::work::Job;

/// How long gossipsub remembers what has passed.
const GOSSIP_MEMORY_MS: u64 = 30_000;

/// A node that runs.
pub struct Running {
    pub core: Core,
    pub network: Network,
}

/// A node, running or not.
pub struct Node {
    pub index: usize,
    pub lie: Option<Lie>,
    pub skew_ms: i64,
    pub store: Arc<Memory>,
    pub pool: Arc<PoolMirror>,
    pub running: Option<Running>,
    /// Counts its starts: what was under way before a crash is of no use after it.
    pub epoch: u64,
    /// What its core has to do, the first first.
    pub jobs: VecDeque<Job>,
    /// Whether the core is at one.
    pub works: bool,
    pub links: BTreeMap<Peer, u64>,
    pub questions: Questions,
    pub gossip: BTreeMap<GossipId, (Topic, Vec<u8>)>,
    /// Gossip that it has passed, and when.
    seen: BTreeMap<B256, u64>,
    /// Whom it has banned or left, and until when.
    pub banned: BTreeMap<usize, u64>,
    /// What it has made up, if it is a liar.
    pub forged: Forged,
    next: u64,
}

impl Node {
    /// A node with an empty store.
    pub fn new(index: usize, lie: Option<Lie>, skew_ms: i64) -> Self {
        Self {
            index,
            lie,
            skew_ms,
            store: Arc::new(Memory::default()),
            pool: Arc::default(),
            running: None,
            epoch: 0,
            jobs: VecDeque::new(),
            works: false,
            links: BTreeMap::new(),
            questions: Questions::new(),
            gossip: BTreeMap::new(),
            seen: BTreeMap::new(),
            banned: BTreeMap::new(),
            forged: Forged::default(),
            next: 0,
        }
    }

    /// A number that this node has not used before.
    pub fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Whether it has not seen this gossip before, as far as it remembers.
    pub fn first_sees(&mut self, now_ms: u64, gossip: B256) -> bool {
        let seen_ms = self.seen.get(&gossip);
        let is_new = seen_ms.is_none_or(|seen_ms| seen_ms + GOSSIP_MEMORY_MS <= now_ms);
        if is_new {
            self.seen.insert(gossip, now_ms);
        }
        is_new
    }

    /// Starts on what the store holds.
    pub fn start(&mut self, spec: &Arc<ChainSpec>, identity: &Identity, now: Now) {
        self.store = Arc::new(self.store.copy());
        self.pool = Arc::default();
        self.epoch += 1;
        let store: Arc<dyn Store> = self.store.clone();
        let (core, actions) = Core::open(store, Arc::clone(spec), now).expect("a sound store");
        self.apply(actions, false);
        let tip = Arc::clone(core.tip());
        let network = Network::new(identity.clone(), Arc::clone(spec), tip);
        self.running = Some(Running { core, network });
    }

    /// Stops at once; only the store stays.
    pub fn crash(&mut self) -> Vec<u64> {
        self.running = None;
        self.jobs.clear();
        self.works = false;
        self.questions.clear();
        self.gossip.clear();
        self.seen.clear();
        std::mem::take(&mut self.links).into_values().collect()
    }

    /// Gives an input to the network machine; what it wants done comes back.
    pub fn handle(&mut self, now: Now, input: Input) -> Result<Vec<Output>, StoreError> {
        let Some(running) = &mut self.running else {
            return Ok(Vec::new());
        };
        let world = World {
            store: &*self.store,
            pool: &self.pool,
        };
        running.network.handle(now, input, &world)
    }

    /// Gives an event to the core; what the network has to hear of it comes back.
    pub fn core(
        &mut self,
        now: Now,
        event: Event,
        by_user: bool,
    ) -> Result<(Option<Answer>, Vec<Input>), StoreError> {
        let Some(running) = &mut self.running else {
            return Ok((None, Vec::new()));
        };
        let actions = running.core.handle(now, event)?;
        Ok(self.apply(actions, by_user))
    }

    fn apply(&mut self, actions: Vec<Action>, by_user: bool) -> (Option<Answer>, Vec<Input>) {
        let mut inputs = Vec::new();
        let mut answer = None;
        let mut undone = false;
        for action in actions {
            match action {
                Action::Pool { added, removed } => {
                    self.pool.apply(added.clone(), removed);
                    if by_user || undone {
                        inputs.push(Input::Pooled(added));
                    }
                }
                Action::Moved(moved) => {
                    undone = !moved.disconnected.is_empty();
                    inputs.push(Input::Moved(moved));
                }
                Action::Answer(given) => answer = Some(given),
            }
        }
        (answer, inputs)
    }

    /// Answers a question from the store.
    pub fn answer(
        &self,
        request: &cairn_node::network::Request,
        at_hand: Option<&serve::AtHand>,
    ) -> Option<cairn_node::network::Response> {
        serve::answer(&*self.store, &self.pool, request, at_hand).ok()
    }

    /// Its tip, if it runs.
    pub fn tip(&self) -> Option<&HeaderRecord> {
        let running = self.running.as_ref();
        running.map(|running| &**running.core.tip())
    }

    /// The block at this height of its chain.
    pub fn record(&self, number: u64) -> Option<HeaderRecord> {
        let view = ChainView::open(&*self.store).ok()?;
        let hash = view.canonical_hash(number).ok()??;
        view.header(hash).ok()?
    }

    /// Mines a block on the tip; a liar's may be invalid.
    pub fn mine(
        &mut self,
        now: Now,
        spec: &ChainSpec,
    ) -> Result<Option<VerifiedBlock>, StoreError> {
        let request = TemplateRequest {
            now_s: now.s(),
            beneficiary: Address::repeat_byte(u8::try_from(self.index + 1).expect("few nodes")),
            extra: Bytes::new(),
        };
        let event = Event::Template(request);
        let (answer, _) = self.core(now, event, false)?;
        let Some(Answer::Template(Ok(template))) = answer else {
            return Ok(None);
        };
        let mut template = *template;
        if self.lie == Some(Lie::InvalidBlocks) {
            template.header.state_root = B256::repeat_byte(0x66);
        }
        let seal: Seal = lies::seal(&template.header);
        Ok(Some(template.seal(spec, seal).expect("sealed")))
    }

    /// Takes a number for a question that it has to answer.
    pub fn question(&mut self, question: super::wire::Question) -> InboundId {
        let id = InboundId(self.number());
        self.questions.insert(id, question);
        id
    }
}
