//! Decisions of the machine that the simulation would only show by delays.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_genesis::{ChainSpec, SEAL_VERSION, Seal, VerifiedBlock};

use super::*;
use crate::chain::{HeaderRecord, Moved, TemplateRequest};
use crate::core::{Action, Answer, Core, Event, Now};
use crate::rpc::PoolMirror;
use crate::store::{Memory, Store};

const PEER: Peer = Peer(1);

/// A node's core and network machine.
struct Bench {
    spec: Arc<ChainSpec>,
    store: Arc<Memory>,
    core: Core,
    network: Network,
    identity: Identity,
    now: Now,
}

impl Bench {
    fn new() -> Self {
        let spec = Arc::new(ChainSpec::builtin("dev").unwrap().clone());
        let now = Now {
            ms: spec.genesis_time * 1000,
        };
        let store = Arc::new(Memory::default());
        let dynamic: Arc<dyn Store> = store.clone();
        let (core, _) = Core::open(dynamic, Arc::clone(&spec), now).unwrap();
        let identity = Identity::new(&spec, spec.genesis_hash(), "test");
        let network = Network::new(identity.clone(), Arc::clone(&spec), Arc::clone(core.tip()));
        Self {
            spec,
            store,
            core,
            network,
            identity,
            now,
        }
    }

    fn tip(&self) -> Arc<HeaderRecord> {
        Arc::clone(self.core.tip())
    }

    fn say(&mut self, input: Input) -> Vec<Output> {
        let pool = PoolMirror::default();
        let world = World {
            store: &*self.store,
            pool: &pool,
        };
        self.network.handle(self.now, input, &world).unwrap()
    }

    /// Mines a block that pays `to`, a second later.
    fn mine(&mut self, to: u8) -> Moved {
        self.now.ms += 1_000;
        let request = TemplateRequest {
            now_s: self.now.s(),
            beneficiary: Address::repeat_byte(to),
            extra: Bytes::new(),
        };
        let actions = self
            .core
            .handle(self.now, Event::Template(request))
            .unwrap();
        let template = actions.into_iter().find_map(|action| match action {
            Action::Answer(Answer::Template(template)) => Some(template.unwrap()),
            _ => None,
        });
        let block = sealed(&self.spec, &template.unwrap());
        let event = Event::Block(Box::new(block));
        let actions = self.core.handle(self.now, event).unwrap();
        let mut moves = actions.into_iter().filter_map(|action| match action {
            Action::Moved(moved) => Some(moved),
            _ => None,
        });
        moves.next().unwrap()
    }

    /// A peer connects that claims the chain of `other`.
    fn meet(&mut self, other: &Self) -> RequestId {
        self.say(Input::Connected { peer: PEER });
        let status = other.identity.status(&other.tip());
        let status = Some(status);
        let outputs = self.say(Input::Welcome { peer: PEER, status });
        let asked = outputs.iter().find_map(|output| match output {
            Output::Request {
                id,
                request: Request::Headers { .. },
                ..
            } => Some(*id),
            _ => None,
        });
        asked.expect("headers are asked for")
    }
}

fn sealed(spec: &ChainSpec, template: &crate::chain::Template) -> VerifiedBlock {
    let seal = |nonce| Seal {
        version: SEAL_VERSION,
        time: u32::try_from(template.header.timestamp).unwrap(),
        nonce,
        extranonce: [0; 12],
    };
    (0..)
        .find_map(|nonce| template.seal(spec, seal(nonce)).ok())
        .unwrap()
}

fn announced(outputs: &[Output]) -> Option<B256> {
    outputs.iter().find_map(|output| match output {
        Output::Publish {
            topic: Topic::Blocks,
            bytes,
        } => {
            let news = Announcement::decode(bytes).unwrap();
            Some(cairn_genesis::block_hash(&news.header, &news.seal))
        }
        _ => None,
    })
}

/// Somebody shows headers with more work than ours and keeps their bodies: our own blocks are
/// news all the same.
#[test]
fn who_withholds_bodies_does_not_silence_the_node() {
    let mut other = Bench::new();
    let moves: Vec<_> = (0..30).map(|_| other.mine(2)).collect();
    let mut bench = Bench::new();
    let id = bench.meet(&other);
    let headers = moves
        .iter()
        .map(|moved| (moved.to.header.clone(), moved.to.seal));
    let response = Some(Response::Headers(headers.collect()));
    let outputs = bench.say(Input::Response {
        peer: PEER,
        id,
        response,
    });
    let asks_bodies = |output: &Output| {
        matches!(
            output,
            Output::Request {
                request: Request::Bodies { .. },
                ..
            }
        )
    };
    assert!(outputs.iter().any(asks_bodies));
    assert!(bench.network.sync_status().active);
    let moved = bench.mine(1);
    let hash = moved.to.hash;
    assert_eq!(announced(&bench.say(Input::Moved(moved))), Some(hash));
}

/// A tip of long ago comes of catching up.
#[test]
fn old_blocks_are_no_news() {
    let mut bench = Bench::new();
    let moved = bench.mine(1);
    bench.now.ms += (limits::NEWS_S + 2) * 1000;
    assert_eq!(announced(&bench.say(Input::Moved(moved))), None);
}

/// Of two who claim more than we have, the one that has let us wait comes last, whatever
/// it claims.
#[test]
fn who_lets_us_wait_is_asked_last() {
    let mut other = Bench::new();
    for _ in 0..3 {
        other.mine(2);
    }
    let mut bench = Bench::new();
    bench.meet(&other);
    let mut braggart = bench.identity.status(&other.tip());
    braggart.work = U256::MAX;
    let status = Some(braggart);
    bench.say(Input::Welcome { peer: PEER, status });
    bench.now.ms += limits::ANSWER_TIMEOUT_MS + 1;
    bench.say(Input::Tick);
    let honest = Peer(2);
    bench.say(Input::Connected { peer: honest });
    let status = Some(bench.identity.status(&bench.tip()));
    bench.say(Input::Welcome {
        peer: honest,
        status,
    });
    // Both may be asked again when the honest one has something to show.
    bench.now.ms += limits::ANSWER_TIMEOUT_MS;
    let (id, status) = (InboundId(1), other.identity.status(&other.tip()));
    let outputs = bench.say(Input::Hello {
        peer: honest,
        id,
        status,
    });
    let asked = outputs.iter().find_map(|output| match output {
        Output::Request {
            peer,
            request: Request::Headers { .. },
            ..
        } => Some(*peer),
        _ => None,
    });
    assert_eq!(asked, Some(honest));
}
