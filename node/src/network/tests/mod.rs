//! Decisions of the machine that the simulation would only show by delays.

mod bodies;
mod claims;
mod news;
mod transactions;

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_genesis::{Block, ChainSpec, SEAL_VERSION, Seal, VerifiedBlock};

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
    pool: PoolMirror,
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
            pool: PoolMirror::default(),
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
        let world = World {
            store: &*self.store,
            pool: &self.pool,
        };
        self.network.handle(self.now, input, &world).unwrap()
    }

    /// The peer's answer to a question.
    fn answer(&mut self, id: RequestId, response: Response) -> Vec<Output> {
        self.say(Input::Response {
            peer: PEER,
            id,
            response: Some(response),
        })
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
        self.take(sealed(&self.spec, &template.unwrap()))
    }

    fn mine_many(&mut self, count: usize) -> Vec<Moved> {
        (0..count).map(|_| self.mine(2)).collect()
    }

    /// Gives a block on the best chain to the core.
    fn take(&mut self, block: VerifiedBlock) -> Moved {
        self.give(block).unwrap()
    }

    /// Gives a block to the core; `None` where it stays beside the best chain.
    fn give(&mut self, block: VerifiedBlock) -> Option<Moved> {
        let event = Event::Block(Box::new(block));
        let actions = self.core.handle(self.now, event).unwrap();
        let mut moves = actions.into_iter().filter_map(|action| match action {
            Action::Moved(moved) => Some(moved),
            _ => None,
        });
        moves.next()
    }

    /// Does what the machine wants of the core, and tells it.
    fn import(&mut self, blocks: Vec<VerifiedBlock>) -> Vec<Output> {
        let hashes = blocks.iter().map(VerifiedBlock::hash).collect();
        let mut outputs = Vec::new();
        for block in blocks {
            let moved = self.give(block);
            outputs.extend(
                moved
                    .into_iter()
                    .flat_map(|moved| self.say(Input::Moved(moved))),
            );
        }
        outputs.extend(self.say(Input::Imported {
            blocks: hashes,
            result: Ok(()),
        }));
        outputs
    }

    /// A peer connects that claims the chain of `other`.
    fn greet(&mut self, peer: Peer, other: &Self) -> Vec<Output> {
        self.say(Input::Connected { peer });
        let status = Some(other.identity.status(&other.tip()));
        self.say(Input::Welcome { peer, status })
    }

    /// The same, of a chain that is heavier than ours.
    fn meet(&mut self, other: &Self) -> RequestId {
        let outputs = self.greet(PEER, other);
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

    /// It sends the headers of these blocks.
    fn hear_headers(&mut self, id: RequestId, moves: &[Moved]) -> Vec<Output> {
        let pair = |moved: &Moved| (moved.to.header.clone(), moved.to.seal);
        self.answer(id, Response::Headers(moves.iter().map(pair).collect()))
    }

    /// The announcement of an empty block, from the peer.
    fn hear_of(&mut self, moved: &Moved) -> Vec<Output> {
        let header = moved.to.header.clone();
        let news = Announcement::new(header, moved.to.seal, [].into_iter());
        self.say(Input::Gossip {
            peer: PEER,
            id: GossipId(moved.to.number()),
            topic: Topic::Blocks,
            bytes: news.encode(),
        })
    }

    /// Makes the checks that are wanted, and says what came of them.
    fn check(&mut self, outputs: Vec<Output>) -> Vec<Output> {
        let mut after = Vec::new();
        for output in outputs {
            match output {
                Output::Check(check) => {
                    let checked = check::run(&self.spec, check);
                    after.extend(self.say(Input::Checked(checked)));
                }
                output => after.push(output),
            }
        }
        after
    }
}

/// An empty block.
fn empty(spec: &ChainSpec, moved: &Moved) -> VerifiedBlock {
    let block = Block {
        header: moved.to.header.clone(),
        seal: moved.to.seal,
        transactions: Vec::new(),
    };
    crate::chain::verify::block(spec, block).unwrap()
}

/// The requests for bodies among what the machine wants.
fn asked_bodies(outputs: &[Output]) -> Vec<(Peer, RequestId, Vec<B256>)> {
    let asked = outputs.iter().filter_map(|output| match output {
        Output::Request {
            peer,
            id,
            request: Request::Bodies { blocks },
        } => Some((*peer, *id, blocks.clone())),
        _ => None,
    });
    asked.collect()
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
