//! The machine: inputs to its parts, and what it tells of itself.

use std::sync::Arc;

use alloy_primitives::{B256, U256};
use cairn_genesis::ChainSpec;

use super::check::Origin;
use super::io::{Io, Open, Purpose, Requests, Time};
use super::limits::{ANSWER_TIMEOUT_MS, MAX_SERVING_PER_PEER, NEWS_S, STATUS_INTERVAL_MS};
use super::peers::{PeerState, Peers};
use super::relay::{Blocks, Transactions};
use super::serve::AtHand;
use super::sync::Sync;
use super::{
    Checked, Fault, Goodbye, GossipId, Identity, InboundId, Input, Output, Peer, Request,
    RequestId, Response, Status, SyncStatus, Topic, Verdict, World,
};
use crate::chain::HeaderRecord;
use crate::store::StoreError;

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

/// How much is under way; each has its bound in [`limits`](super::limits).
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
    pub fn peers(&self, now: impl Into<Time>) -> Vec<PeerView> {
        let now = now.into();
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
        now: impl Into<Time>,
        input: Input,
        world: &World<'_>,
    ) -> Result<Vec<Output>, StoreError> {
        let mut out = Vec::new();
        if let Input::Moved(moved) = &input {
            self.tip = Arc::clone(&moved.to);
        }
        let mut io = Io {
            now: now.into(),
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
            // Both sides speak: of two that call each other at the same moment, either may
            // take the other's call for the first.
            Input::Connected { peer } => {
                io.peers.insert(io.now.ms, peer);
                io.hello(peer);
            }
            Input::Disconnected { peer } => drop(io.peers.remove(peer)),
            Input::Hello { peer, id, status } => {
                let now_ms = io.now.ms;
                let state = io.peers.get_mut(peer);
                if !state.is_some_and(|state| state.may_greet(now_ms)) {
                    io.out.push(Output::Refuse { id });
                    io.punish(peer, Fault::Flood);
                    return Ok(());
                }
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
            Input::Request { peer, id, request } => {
                let at_hand = self.blocks.at_hand(&request);
                serve(io, peer, id, request, at_hand);
            }
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
            Input::Imported { blocks, result } => {
                self.blocks.imported(&blocks);
                self.sync.imported(io, &blocks, &result);
            }
            Input::Moved(moved) => {
                // Blocks of long ago are no news: the node is catching up. What headers promise
                // does not count, or whoever withholds the bodies could silence the node.
                let age_s = io.now.s().saturating_sub(moved.to.header.timestamp);
                if age_s <= NEWS_S {
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
        if let Some(drift_s) = io.spec.max_future_drift {
            // Each block takes a second at least (R-HDR-3, R-HDR-7).
            let age_s = io.now.s().saturating_sub(io.spec.genesis_time);
            state.claim.number = state.claim.number.min(age_s.saturating_add(drift_s));
        }
        if !state.ready {
            state.ready = true;
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
            // From those who may say it too it will not be heard again.
            if topic == Topic::Blocks {
                io.hello_all(Some(peer));
            }
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
                origin,
                result,
            } => match origin {
                Origin::Sync => self.sync.checked(io, peer, block, result),
                Origin::Parts | Origin::Whole => {
                    self.blocks.checked(io, peer, block, origin, result);
                }
            },
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
                // Also of one that has not answered the last time.
                state.hello_open = false;
                io.hello(peer);
            } else if state.ready && state.hello_wanted {
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
fn serve(io: &mut Io<'_>, peer: Peer, id: InboundId, request: Request, at_hand: Option<AtHand>) {
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
    io.out.push(Output::Serve {
        peer,
        id,
        request,
        at_hand,
    });
}
