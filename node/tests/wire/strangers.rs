//! The network machine and what strangers say, in any order: it neither panics nor grows.

use std::sync::Arc;

use alloy_primitives::{B256, U256};
use cairn_genesis::ChainSpec;
use cairn_node::core::{Core, Now};
use cairn_node::network::{
    GossipId, Identity, InboundId, Input, Network, Output, Peer, Request, RequestId, Response,
    Topic, World, check, limits,
};
use cairn_node::rpc::PoolMirror;
use cairn_node::store::{Memory, Store};
use rand::Rng;

use super::messages::{damage, sample_transaction, samples};

/// The machine and its peers, with the choices of `R`.
pub struct Strangers<R> {
    rng: R,
    samples: Vec<Vec<u8>>,
    network: Network,
    store: Arc<Memory>,
    pool: PoolMirror,
    spec: Arc<ChainSpec>,
    identity: Identity,
    core: Core,
    now: Now,
    next: u64,
    peers: Vec<Peer>,
    asked: Vec<(Peer, RequestId, Request)>,
    pub bans: u64,
}

impl<R: Rng> Strangers<R> {
    pub fn new(rng: R) -> Self {
        let spec = Arc::new(ChainSpec::builtin("devnet").expect("built in").clone());
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
            samples: samples(),
            network,
            store,
            pool: PoolMirror::default(),
            spec,
            identity,
            core,
            now,
            next: 0,
            peers: Vec::new(),
            asked: Vec::new(),
            bans: 0,
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
        let index = self.rng.random_range(0..self.samples.len());
        let mut bytes = self.samples[index].clone();
        if self.rng.random_bool(0.7) {
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
                let mut status = self.identity.status(self.core.tip());
                status.work += U256::from(self.rng.random_range(0..1u64 << 50));
                status.number += self.rng.random_range(0..1000);
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
                    true => sample_transaction(),
                    false => self.bytes(),
                },
            },
            7 => Input::Gossip {
                peer,
                id: GossipId(self.number()),
                topic: Topic::Blocks,
                bytes: self.bytes(),
            },
            _ => Input::Tick,
        }
    }

    /// An answer to what was asked, or to nothing.
    fn answer(&mut self) -> Input {
        let bytes = self.bytes();
        let response = Response::decode(&bytes).ok();
        if self.asked.is_empty() || self.rng.random_bool(0.2) {
            let peer = self.peer();
            let id = RequestId(self.rng.random_range(0..1000));
            return Input::Response { peer, id, response };
        }
        let index = self.rng.random_range(0..self.asked.len());
        let (peer, id, request) = self.asked.swap_remove(index);
        let response = match (self.rng.random_range(0..3), request) {
            (0, _) => response,
            (1, _) => None,
            (_, Request::Headers { .. }) => Some(Response::Headers(Vec::new())),
            (_, Request::Bodies { .. }) => Some(Response::Bodies(Vec::new())),
            (_, Request::Pool) => Some(Response::Pool(vec![
                B256::from(
                    self.rng.random::<[u8; 32]>()
                );
                9
            ])),
            (_, _) => response,
        };
        Input::Response { peer, id, response }
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
                    _ => {}
                }
            }
        }
        self.asked.truncate(1_000);
        self.check();
    }

    fn check(&self) {
        let load = self.network.load();
        assert!(load.requests <= 16 * 8 + limits::MAX_BUILDING, "{load:?}");
        assert!(load.building <= limits::MAX_BUILDING, "{load:?}");
        assert!(load.checking <= limits::MAX_CHECKING, "{load:?}");
        assert!(load.headers <= 2 * limits::HEADER_WINDOW, "{load:?}");
    }
}
