//! The network machine and what strangers say, in any order: it neither panics nor grows.

use std::sync::Arc;

use alloy_primitives::U256;
use cairn_genesis::ChainSpec;
use cairn_node::core::{Core, Now};
use cairn_node::mempool::Refusal;
use cairn_node::network::{
    GossipId, Identity, InboundId, Input, Load, Network, Output, Peer, Request, RequestId,
    Response, Topic, World, check, limits, serve,
};
use cairn_node::rpc::PoolMirror;
use cairn_node::store::{Memory, Store};
use rand::Rng;

use super::chain::{self, Chain};
use super::messages::{damage, payment, samples};

/// What is the same in every run.
pub struct Given {
    spec: Arc<ChainSpec>,
    samples: Vec<Vec<u8>>,
    theirs: Chain,
}

impl Given {
    pub fn new() -> Self {
        let spec = Arc::new(chain::spec());
        Self {
            samples: samples(),
            theirs: Chain::mine(&spec),
            spec,
        }
    }
}

/// The machine and its peers, with the choices of `R`.
pub struct Strangers<R> {
    rng: R,
    network: Network,
    store: Arc<Memory>,
    pool: PoolMirror,
    spec: Arc<ChainSpec>,
    identity: Identity,
    /// What the strangers have.
    given: Arc<Given>,
    now: Now,
    next: u64,
    peers: Vec<Peer>,
    asked: Vec<(Peer, RequestId, Request)>,
    pub bans: u64,
    /// The most of each that was ever under way.
    pub most: Load,
}

impl<R: Rng> Strangers<R> {
    pub fn new(rng: R, given: Arc<Given>) -> Self {
        let spec = Arc::clone(&given.spec);
        let store = Arc::new(Memory::default());
        let now = Now {
            ms: spec.genesis_time * 1000 + 1_000,
        };
        let dynamic: Arc<dyn Store> = store.clone();
        let (core, _) = Core::open(dynamic, Arc::clone(&spec), now).expect("genesis");
        let identity = Identity::new(&spec, spec.genesis_hash(), "fuzz");
        let network = Network::new(identity.clone(), Arc::clone(&spec), Arc::clone(core.tip()));
        Self {
            rng,
            network,
            store,
            pool: PoolMirror::default(),
            given,
            spec,
            identity,
            now,
            next: 0,
            peers: Vec::new(),
            asked: Vec::new(),
            bans: 0,
            most: Load::default(),
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn peer(&mut self) -> Peer {
        match self.peers.is_empty() {
            true => Peer(0),
            false => self.peers[self.rng.random_range(0..self.peers.len())],
        }
    }

    /// Bytes that are a message, or once were.
    fn bytes(&mut self) -> Vec<u8> {
        let index = self.rng.random_range(0..self.given.samples.len());
        let bytes = self.given.samples[index].clone();
        self.damaged(0.7, bytes)
    }

    /// One of the blocks, as it is announced.
    fn news(&mut self) -> Vec<u8> {
        let index = self.rng.random_range(0..self.given.theirs.news.len());
        let bytes = self.given.theirs.news[index].clone();
        self.damaged(0.3, bytes)
    }

    fn damaged(&mut self, share: f64, mut bytes: Vec<u8>) -> Vec<u8> {
        if self.rng.random_bool(share) {
            damage(&mut self.rng, &mut bytes);
        }
        bytes
    }

    fn input(&mut self) -> Input {
        let peer = self.peer();
        match self.rng.random_range(0..9) {
            0 if self.peers.len() < 16 => {
                let peer = Peer(self.number());
                self.peers.push(peer);
                Input::Connected { peer }
            }
            1 if self.rng.random_bool(0.1) => {
                self.peers.retain(|other| *other != peer);
                Input::Disconnected { peer }
            }
            2 => {
                let mut status = self.identity.status(&self.given.theirs.tip);
                if self.rng.random_bool(0.3) {
                    status.work += U256::from(self.rng.random_range(0..1u64 << 50));
                    status.number += self.rng.random_range(0..1000);
                }
                let id = InboundId(self.number());
                Input::Hello { peer, id, status }
            }
            3 => {
                let bytes = self.bytes();
                match Request::decode(&bytes) {
                    Ok(request) => Input::Request {
                        peer,
                        id: InboundId(self.number()),
                        request,
                    },
                    Err(_) => Input::Tick,
                }
            }
            4 | 5 => self.answer(),
            6 => Input::Gossip {
                peer,
                id: GossipId(self.number()),
                topic: Topic::Transactions,
                bytes: match self.rng.random() {
                    true => payment(self.rng.random_range(0..100)),
                    false => self.bytes(),
                },
            },
            7 => Input::Gossip {
                peer,
                id: GossipId(self.number()),
                topic: Topic::Blocks,
                bytes: match self.rng.random_bool(0.8) {
                    true => self.news(),
                    false => self.bytes(),
                },
            },
            _ => Input::Tick,
        }
    }

    /// An answer to what was asked, or to nothing.
    fn answer(&mut self) -> Input {
        if self.asked.is_empty() || self.rng.random_bool(0.2) {
            let (peer, bytes) = (self.peer(), self.bytes());
            let id = RequestId(self.rng.random_range(0..1000));
            let response = Response::decode(&bytes).ok();
            return Input::Response { peer, id, response };
        }
        let index = self.rng.random_range(0..self.asked.len());
        let (peer, id, request) = self.asked.swap_remove(index);
        let bytes = match self.rng.random_range(0..8) {
            0 => None,
            1 => Some(self.bytes()),
            _ => Some(self.honest(&request)),
        };
        let bytes = bytes.map(|bytes| self.damaged(0.1, bytes));
        let response = bytes.and_then(|bytes| Response::decode(&bytes).ok());
        Input::Response { peer, id, response }
    }

    /// What somebody would answer who has the chain.
    fn honest(&self, request: &Request) -> Vec<u8> {
        let answer = serve::answer(&*self.given.theirs.store, &self.pool, request, None);
        answer.expect("the store works").encode()
    }

    /// One thing happens, and the limits hold.
    pub fn step(&mut self) {
        self.now.ms += self.rng.random_range(0..400);
        let input = self.input();
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let world = World {
                store: &*self.store,
                pool: &self.pool,
            };
            let outputs = self.network.handle(self.now, input, &world);
            self.check();
            for output in outputs.expect("the store works") {
                match output {
                    Output::Request { peer, id, request } => self.asked.push((peer, id, request)),
                    Output::Disconnect { peer, .. } => self.peers.retain(|other| *other != peer),
                    Output::Ban { peer, .. } => {
                        self.bans += 1;
                        self.peers.retain(|other| *other != peer);
                    }
                    Output::Check(check) => {
                        inputs.push(Input::Checked(check::run(&self.spec, check)));
                    }
                    Output::Serve { peer, .. } if self.rng.random_bool(0.8) => {
                        inputs.push(Input::Served { peer });
                    }
                    // The core has other things to do, and its tip stays where it is.
                    Output::Admit { token, transaction } => {
                        let hash = transaction.hash();
                        let result = Err(Refusal::AlreadyKnown { hash });
                        inputs.push(Input::Admitted {
                            token,
                            hash,
                            result,
                        });
                    }
                    Output::Import { blocks, .. } => {
                        let blocks = blocks.iter().map(|block| block.hash()).collect();
                        let result = Ok(());
                        inputs.push(Input::Imported { blocks, result });
                    }
                    _ => {}
                }
            }
        }
        self.asked.truncate(1_000);
    }

    fn check(&mut self) {
        let load = self.network.load();
        assert!(load.requests <= 16 * 8 + limits::MAX_BUILDING, "{load:?}");
        assert!(load.building <= limits::MAX_BUILDING, "{load:?}");
        assert!(load.checking <= limits::MAX_CHECKING, "{load:?}");
        assert!(load.headers <= 2 * limits::HEADER_WINDOW, "{load:?}");
        self.most = Load {
            requests: self.most.requests.max(load.requests),
            building: self.most.building.max(load.building),
            checking: self.most.checking.max(load.checking),
            headers: self.most.headers.max(load.headers),
            body_bytes: self.most.body_bytes.max(load.body_bytes),
        };
    }
}
