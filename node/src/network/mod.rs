//! The network: how many nodes keep one chain.
//!
//! ```text
//!  libp2p ──Input──► Network ──Output──► libp2p        who talks to whom, in bytes
//!  (service)            │
//!                       ├─ peers   who is connected, what each claims, what it did wrong
//!                       ├─ relay   new blocks (compact) and transactions, as they come
//!                       └─ sync    heavier chains: headers first, then bodies from all peers
//!                       │
//!             Check ◄───┴───► Core                      worker pool; the core's thread
//! ```
//!
//! [`Network`] is sans I/O, as the core is: time is an argument, [`Network::handle`] takes an
//! [`Input`] and returns [`Output`]s. It reads the store, and writes nothing. `service` is
//! the only place that knows libp2p; the simulation drives the same machine over a wire of
//! its own.
//!
//! Three failures are kept apart: a peer's [`Fault`], what is not yet valid, and our own
//! [`StoreError`], which ends the node and blames nobody.
//!
//! Deliberately absent: sockets, threads, clocks, signature checks (they are [`Check`]s, run
//! by whoever has threads), and any list without a bound: all bounds are in [`limits`].

pub mod check;
mod fault;
mod io;
pub mod limits;
pub mod message;
mod peers;
mod relay;
pub mod serve;

pub mod service;
mod sync;

use std::sync::Arc;

use alloy_primitives::{B256, U256};
use cairn_genesis::{ChainSpec, VerifiedBlock, VerifiedTransaction};

pub use check::{Check, Checked};
pub use fault::{Fault, Goodbye};
pub use io::World;
pub use message::{Announcement, Identity, Mismatch, Request, Response, Status};
pub use sync::SyncStatus;

use crate::chain::{BlockError, HeaderRecord, Moved};
use crate::core::Now;
use crate::mempool::Refusal;
use crate::store::StoreError;
use io::{Io, Open, Purpose, Requests};
use limits::{ANSWER_TIMEOUT_MS, MAX_SERVING_PER_PEER, STATUS_INTERVAL_MS};
use peers::{PeerState, Peers};
use relay::{Blocks, Transactions};
use sync::Sync;

/// A connected peer: a number that the transport gives it and never gives again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer(pub u64);

/// A request of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A request of a peer, as the transport numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InboundId(pub u64);

/// A gossip message that waits for its verdict, as the transport numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GossipId(pub u64);

/// The subject of a gossip message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// [`Announcement`]s.
    Blocks,
    /// Envelopes.
    Transactions,
}

/// Whether a gossip message is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is what it should be: pass it on.
    Accept,
    /// Not passed on, and nobody is blamed.
    Ignore,
    /// Not passed on, and its sender is to blame.
    Reject,
}

/// What happens to the network.
#[derive(Debug)]
pub enum Input {
    /// A connection stands; nothing has been said.
    Connected {
        /// The other end.
        peer: Peer,
        /// Whether we dialed. Then it is on us to speak first.
        outbound: bool,
    },
    /// The last connection to a peer is gone.
    Disconnected {
        /// Who.
        peer: Peer,
    },
    /// A peer says who it is, and asks the same.
    Hello {
        /// Who.
        peer: Peer,
        /// To be answered with [`Output::Welcome`].
        id: InboundId,
        /// What it says.
        status: Status,
    },
    /// The answer to [`Output::Hello`]; `None` if there is none.
    Welcome {
        /// Who.
        peer: Peer,
        /// What it says.
        status: Option<Status>,
    },
    /// A peer asks for something.
    Request {
        /// Who.
        peer: Peer,
        /// To be answered with [`Output::Serve`] or [`Output::Refuse`].
        id: InboundId,
        /// For what.
        request: Request,
    },
    /// An answer to [`Output::Serve`] has left.
    Served {
        /// To whom.
        peer: Peer,
    },
    /// The answer to a request of ours; `None` if there will be none.
    Response {
        /// Who.
        peer: Peer,
        /// The request.
        id: RequestId,
        /// What it says.
        response: Option<Response>,
    },
    /// A gossip message.
    Gossip {
        /// Who passed it to us.
        peer: Peer,
        /// For the verdict.
        id: GossipId,
        /// Its subject.
        topic: Topic,
        /// What it says.
        bytes: Vec<u8>,
    },
    /// The transport saw a peer break the protocol.
    Fault {
        /// Who.
        peer: Peer,
        /// How.
        fault: Fault,
    },
    /// A check is done.
    Checked(Checked),
    /// The core has dealt with a transaction that it was given.
    Admitted {
        /// The token of [`Output::Admit`].
        token: AdmitToken,
        /// Its hash.
        hash: B256,
        /// What became of it.
        result: Result<(), Refusal>,
    },
    /// The core has dealt with the blocks that it was given.
    Imported {
        /// The blocks, upward.
        blocks: Vec<B256>,
        /// What became of them: how many were taken in, and why not the next.
        result: Result<(), (usize, BlockError)>,
    },
    /// The core's tip moved.
    Moved(Moved),
    /// Transactions came into the pool that were not given by [`Output::Admit`].
    Pooled(Vec<VerifiedTransaction>),
    /// Time has passed; comes several times a second.
    Tick,
}

/// Names a transaction on its way through check and core: who sent it, and the gossip
/// message that waits for the outcome, if it came by gossip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdmitToken {
    /// Who sent it.
    pub peer: Peer,
    /// The gossip message.
    pub gossip: Option<GossipId>,
}

/// What the network wants done, in this order.
#[derive(Debug)]
pub enum Output {
    /// Say who we are, and ask the same.
    Hello {
        /// Whom.
        peer: Peer,
        /// What to say.
        status: Status,
    },
    /// Answer [`Input::Hello`].
    Welcome {
        /// The question.
        id: InboundId,
        /// What to say.
        status: Status,
    },
    /// Ask a peer for something.
    Request {
        /// Whom.
        peer: Peer,
        /// Comes back with the answer.
        id: RequestId,
        /// For what.
        request: Request,
    },
    /// Answer a peer by [`serve::answer`], and say [`Input::Served`] then.
    Serve {
        /// Whom.
        peer: Peer,
        /// The question.
        id: InboundId,
        /// For what it asks.
        request: Request,
    },
    /// Do not answer: it asks for too much.
    Refuse {
        /// The question.
        id: InboundId,
    },
    /// Tell everybody.
    Publish {
        /// Subject.
        topic: Topic,
        /// What to say.
        bytes: Vec<u8>,
    },
    /// The verdict over a gossip message.
    Verdict {
        /// Who passed it to us.
        peer: Peer,
        /// The message.
        id: GossipId,
        /// The verdict.
        verdict: Verdict,
    },
    /// A peer has told who it is and fits: it counts now.
    Ready {
        /// Who.
        peer: Peer,
        /// What it says.
        status: Status,
    },
    /// Close the connection; the peer may come back.
    Disconnect {
        /// Whom.
        peer: Peer,
        /// Why.
        why: Goodbye,
    },
    /// Close the connection; the peer may not come back for [`limits::BAN_MS`].
    Ban {
        /// Whom.
        peer: Peer,
        /// What it did.
        fault: Fault,
    },
    /// Run [`check::run`] on a thread that may take its time, and give what it returns as
    /// [`Input::Checked`].
    Check(Check),
    /// Give a transaction to the core.
    Admit {
        /// Comes back with the outcome.
        token: AdmitToken,
        /// The transaction.
        transaction: VerifiedTransaction,
    },
    /// Give blocks to the core, which follow each other upward.
    Import {
        /// The blocks.
        blocks: Vec<VerifiedBlock>,
        /// The work that headers of their branch have shown.
        proven_work: U256,
    },
}

/// The machine.
#[derive(Debug)]
pub struct Network {
    spec: Arc<ChainSpec>,
    identity: Identity,
    tip: Arc<HeaderRecord>,
    peers: Peers,
    requests: Requests,
    blocks: Blocks,
    transactions: Transactions,
    sync: Sync,
}

/// One peer, for people.
#[derive(Debug, Clone)]
pub struct PeerView {
    /// Which.
    pub peer: Peer,
    /// Hash of its tip, as it says.
    pub head: B256,
    /// Height of its tip, as it says.
    pub number: u64,
    /// Work of its best chain, as it says or has shown.
    pub work: U256,
    /// Penalty points.
    pub points: u32,
}

/// How much is under way; each has its bound in [`limits`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Requests of ours that are open.
    pub requests: usize,
    /// Announced blocks that are put together.
    pub building: usize,
    /// Transactions of peers that are checked or wait for the core.
    pub checking: usize,
    /// Headers that are held.
    pub headers: usize,
    /// Bytes of bodies that are held.
    pub body_bytes: usize,
}

impl Network {
    /// A network without peers, of a node that stands at `tip`.
    pub fn new(identity: Identity, spec: Arc<ChainSpec>, tip: Arc<HeaderRecord>) -> Self {
        Self {
            spec,
            identity,
            tip,
            peers: Peers::default(),
            requests: Requests::default(),
            blocks: Blocks::default(),
            transactions: Transactions::default(),
            sync: Sync::default(),
        }
    }

    /// How sync stands.
    pub fn sync_status(&self) -> SyncStatus {
        let number = self.tip.number();
        let heavier = self
            .peers
            .ready()
            .filter(|(_, state)| state.claim.work > self.tip.work);
        let claimed = heavier.map(|(_, state)| state.claim.number).max();
        self.sync.status(
            number,
            claimed.unwrap_or(number),
            self.peers.ready().count(),
        )
    }

    /// How much is under way.
    pub fn load(&self) -> Load {
        let (headers, body_bytes) = self.sync.held();
        Load {
            requests: self.requests.len(),
            building: self.blocks.building(),
            checking: self.transactions.checking(),
            headers,
            body_bytes,
        }
    }

    /// The peers that have told who they are.
    pub fn peers(&self, now: Now) -> Vec<PeerView> {
        let view = |(peer, state): (Peer, &PeerState)| PeerView {
            peer,
            head: state.claim.head,
            number: state.claim.number,
            work: state.claim.work,
            points: state.points(now.ms),
        };
        self.peers.ready().map(view).collect()
    }

    /// Takes in one input.
    ///
    /// # Errors
    /// Our own failure; the node has to stop.
    pub fn handle(
        &mut self,
        now: Now,
        input: Input,
        world: &World<'_>,
    ) -> Result<Vec<Output>, StoreError> {
        let mut out = Vec::new();
        if let Input::Moved(moved) = &input {
            self.tip = Arc::clone(&moved.to);
        }
        let mut io = Io {
            now,
            world: *world,
            spec: &self.spec,
            identity: &self.identity,
            tip: &self.tip,
            peers: &mut self.peers,
            requests: &mut self.requests,
            out: &mut out,
        };
        let parts = &mut Parts {
            blocks: &mut self.blocks,
            transactions: &mut self.transactions,
            sync: &mut self.sync,
        };
        parts.input(&mut io, input)?;
        parts.forget_closed(&mut io)?;
        parts.sync.advance(&mut io)?;
        Ok(out)
    }
}

/// The parts that inputs go to.
struct Parts<'a> {
    blocks: &'a mut Blocks,
    transactions: &'a mut Transactions,
    sync: &'a mut Sync,
}

impl Parts<'_> {
    fn input(&mut self, io: &mut Io<'_>, input: Input) -> Result<(), StoreError> {
        match input {
            Input::Connected { peer, outbound } => {
                io.peers.insert(io.now.ms, peer);
                if outbound {
                    io.hello(peer);
                }
            }
            Input::Disconnected { peer } => drop(io.peers.remove(peer)),
            Input::Hello { peer, id, status } => {
                let ours = io.identity.status(io.tip);
                io.out.push(Output::Welcome { id, status: ours });
                self.status(io, peer, &status);
            }
            Input::Welcome { peer, status } => {
                let now_ms = io.now.ms;
                if let Some(state) = io.peers.get_mut(peer) {
                    state.welcomed(now_ms);
                }
                if let Some(status) = status {
                    self.status(io, peer, &status);
                }
            }
            Input::Request { peer, id, request } => serve(io, peer, id, request),
            Input::Served { peer } => {
                if let Some(state) = io.peers.get_mut(peer) {
                    state.serving = state.serving.saturating_sub(1);
                }
            }
            Input::Response { peer, id, response } => self.response(io, peer, id, response)?,
            Input::Gossip {
                peer,
                id,
                topic,
                bytes,
            } => self.gossip(io, peer, id, topic, bytes)?,
            Input::Fault { peer, fault } => io.punish(peer, fault),
            Input::Checked(checked) => self.checked(io, checked),
            Input::Admitted {
                token,
                hash,
                result,
            } => self.transactions.admitted(io, token, hash, &result),
            Input::Imported { blocks, result } => self.sync.imported(io, &blocks, &result),
            Input::Moved(moved) => {
                if !self.sync.is_far_behind(io.tip.number()) {
                    self.blocks.moved(io, &moved)?;
                }
            }
            Input::Pooled(transactions) => self.transactions.pooled(io, &transactions),
            Input::Tick => self.tick(io)?,
        }
        Ok(())
    }

    /// What a peer says of itself: it fits, or it goes.
    fn status(&mut self, io: &mut Io<'_>, peer: Peer, status: &Status) {
        let Some(state) = io.peers.get_mut(peer) else {
            return;
        };
        if let Some(mismatch) = io.identity.mismatch(io.tip.number(), status) {
            return io.disconnect(peer, mismatch.into());
        }
        state.learn(status);
        if !state.ready {
            state.ready = true;
            state.hello_ms = Some(io.now.ms);
            let status = status.clone();
            io.out.push(Output::Ready { peer, status });
            self.transactions.met(io, peer);
        }
    }

    fn response(
        &mut self,
        io: &mut Io<'_>,
        peer: Peer,
        id: RequestId,
        response: Option<Response>,
    ) -> Result<(), StoreError> {
        let Some(open) = io.requests.take(peer, id) else {
            return Ok(());
        };
        let fits = |response: &Response| response.answers(&open.request);
        let answered = response.as_ref().is_none_or(fits);
        if !answered {
            io.punish(peer, Fault::Answer);
        }
        self.route(io, id, &open, response.filter(|_| answered))
    }

    /// Hands an answer, or that there is none, to whoever asked.
    fn route(
        &mut self,
        io: &mut Io<'_>,
        id: RequestId,
        open: &Open,
        response: Option<Response>,
    ) -> Result<(), StoreError> {
        match (open.purpose, response) {
            (Purpose::Headers, Some(Response::Headers(headers))) => {
                self.sync.headers(io, id, open, Some(headers))?;
            }
            (Purpose::Headers, _) => self.sync.headers(io, id, open, None)?,
            (Purpose::Bodies, Some(Response::Bodies(bodies))) => {
                self.sync.bodies(io, id, open, Some(bodies));
            }
            (Purpose::Bodies, _) => self.sync.bodies(io, id, open, None),
            (Purpose::Build(block), response) => self.blocks.answer(io, block, id, open, response),
            (Purpose::Pool, response) => self.transactions.answer(io, open, response),
        }
        Ok(())
    }

    fn gossip(
        &mut self,
        io: &mut Io<'_>,
        peer: Peer,
        id: GossipId,
        topic: Topic,
        bytes: Vec<u8>,
    ) -> Result<(), StoreError> {
        if !io.peers.is_ready(peer) {
            io.verdict(peer, id, Verdict::Ignore);
            return Ok(());
        }
        match topic {
            Topic::Blocks => self.blocks.gossip(io, peer, id, &bytes)?,
            Topic::Transactions => self.transactions.gossip(io, peer, id, bytes),
        }
        Ok(())
    }

    fn checked(&mut self, io: &mut Io<'_>, checked: Checked) {
        match checked {
            Checked::Transaction { token, result } => self.transactions.checked(io, token, result),
            Checked::Block {
                peer,
                block,
                from_parts,
                result,
            } => {
                if let Some(result) = self.blocks.checked(io, peer, block, from_parts, result) {
                    self.sync.checked(io, peer, block, result);
                }
            }
        }
    }

    fn tick(&mut self, io: &mut Io<'_>) -> Result<(), StoreError> {
        for (id, peer) in io.requests.overdue(io.now.ms) {
            if let Some(open) = io.requests.take(peer, id) {
                self.route(io, id, &open, None)?;
            }
        }
        self.blocks.tick(io);
        let now_ms = io.now.ms;
        let passed = |since_ms: u64, limit_ms| now_ms.saturating_sub(since_ms) >= limit_ms;
        let all: Vec<_> = io.peers.iter().map(|(peer, _)| peer).collect();
        for peer in all {
            let Some(state) = io.peers.get_mut(peer) else {
                continue;
            };
            if !state.ready && passed(state.since_ms, ANSWER_TIMEOUT_MS) {
                io.disconnect(peer, Goodbye::Silent);
            } else if state.ready && passed(state.hello_ms.unwrap_or(0), STATUS_INTERVAL_MS) {
                // One that leaves two of these unanswered is as good as gone.
                state.hello_open = false;
                io.hello(peer);
            }
        }
        Ok(())
    }

    /// Requests to peers that are gone will not be answered.
    fn forget_closed(&mut self, io: &mut Io<'_>) -> Result<(), StoreError> {
        for (id, peer) in io.requests.to_others(io.peers) {
            if let Some(open) = io.requests.take(peer, id) {
                self.route(io, id, &open, None)?;
            }
        }
        Ok(())
    }
}

/// Answers a peer's request, unless it asks for too much.
fn serve(io: &mut Io<'_>, peer: Peer, id: InboundId, request: Request) {
    let now_ms = io.now.ms;
    let refuse = Output::Refuse { id };
    let Some(state) = io.peers.get_mut(peer).filter(|state| state.ready) else {
        return io.out.push(refuse);
    };
    if !state.may_request(now_ms) {
        io.out.push(refuse);
        return io.punish(peer, Fault::Flood);
    }
    if state.serving >= MAX_SERVING_PER_PEER {
        return io.out.push(refuse);
    }
    state.serving += 1;
    io.out.push(Output::Serve { peer, id, request });
}
