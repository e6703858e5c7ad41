//! What the parts of the network share while one input is handled: the time, what can be
//! read, the peers, the open requests, and where outputs go.

use std::collections::BTreeMap;
use std::sync::Arc;

use cairn_genesis::ChainSpec;

use super::limits::HELLO_SPACING_MS;
use super::message::{Identity, Request};
use super::peers::Peers;
use super::{Fault, Goodbye, GossipId, Output, Peer, RequestId, Verdict};
use crate::chain::HeaderRecord;
use crate::core::Now;
use crate::rpc::PoolMirror;
use crate::store::Store;

/// What time it is, by two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// Milliseconds by a clock that nobody sets: for whatever takes its time.
    pub ms: u64,
    /// The clock on the wall: for the rules about timestamps.
    pub wall: Now,
}

impl Time {
    /// Whole seconds since 1970.
    pub fn s(self) -> u64 {
        self.wall.s()
    }
}

/// For where there is one clock only.
impl From<Now> for Time {
    fn from(wall: Now) -> Self {
        Self { ms: wall.ms, wall }
    }
}

/// What the network may read.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The database.
    pub store: &'a dyn Store,
    /// The transactions that wait.
    pub pool: &'a PoolMirror,
}

/// What a request of ours is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Headers of a chain that may be heavier.
    Headers,
    /// Bodies of that chain.
    Bodies,
    /// What we miss of an announced block, or its whole body.
    Build(alloy_primitives::B256),
    /// What waits in a peer's pool.
    Pool,
}

/// A request that has not been answered.
#[derive(Debug)]
pub(super) struct Open {
    pub peer: Peer,
    pub purpose: Purpose,
    pub request: Request,
    pub sent_ms: u64,
    pub deadline_ms: u64,
}

/// The open requests.
#[derive(Debug, Default)]
pub(super) struct Requests {
    open: BTreeMap<RequestId, Open>,
    next: u64,
}

impl Requests {
    /// Takes out a request that is answered or given up; `None` if it was already.
    pub fn take(&mut self, peer: Peer, id: RequestId) -> Option<Open> {
        let open = self.open.get(&id)?;
        (open.peer == peer).then(|| self.open.remove(&id))?
    }

    /// Those whose time is over.
    pub fn overdue(&self, now_ms: u64) -> Vec<(RequestId, Peer)> {
        let overdue = self
            .open
            .iter()
            .filter(|(_, open)| open.deadline_ms <= now_ms);
        overdue.map(|(id, open)| (*id, open.peer)).collect()
    }

    /// Those to peers that are not among these any more.
    pub fn to_others(&self, peers: &Peers) -> Vec<(RequestId, Peer)> {
        let gone = self
            .open
            .iter()
            .filter(|(_, open)| peers.get(open.peer).is_none());
        gone.map(|(id, open)| (*id, open.peer)).collect()
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }
}

pub(super) struct Io<'a> {
    pub now: Time,
    pub world: World<'a>,
    pub spec: &'a Arc<ChainSpec>,
    pub identity: &'a Identity,
    pub tip: &'a Arc<HeaderRecord>,
    pub peers: &'a mut Peers,
    pub requests: &'a mut Requests,
    pub out: &'a mut Vec<Output>,
}

impl Io<'_> {
    /// Asks a peer for something.
    pub fn ask(
        &mut self,
        peer: Peer,
        purpose: Purpose,
        request: Request,
        timeout_ms: u64,
    ) -> RequestId {
        let id = RequestId(self.requests.next);
        self.requests.next += 1;
        let open = Open {
            peer,
            purpose,
            request: request.clone(),
            sent_ms: self.now.ms,
            deadline_ms: self.now.ms.saturating_add(timeout_ms),
        };
        self.requests.open.insert(id, open);
        if let Some(state) = self.peers.get_mut(peer) {
            state.asked(self.now.ms);
        }
        self.out.push(Output::Request { peer, id, request });
        id
    }

    /// Asks a peer where it stands. If that is being done, or was just now, it is asked once more as
    /// soon as may be.
    pub fn hello(&mut self, peer: Peer) {
        let now_ms = self.now.ms;
        let Some(state) = self.peers.get_mut(peer) else {
            return;
        };
        let since = state
            .hello_ms
            .map(|asked_ms| now_ms.saturating_sub(asked_ms));
        if state.hello_open || since.is_some_and(|since_ms| since_ms < HELLO_SPACING_MS) {
            state.hello_wanted = true;
            return;
        }
        state.hello_wanted = false;
        state.hello_open = true;
        state.hello_ms = Some(now_ms);
        let status = self.identity.status(self.tip);
        self.out.push(Output::Hello { peer, status });
    }

    /// Asks every peer where it stands, and so tells it where we do; all but one, perhaps.
    pub fn hello_all(&mut self, but: Option<Peer>) {
        let others: Vec<_> = self.peers.ready().map(|(peer, _)| peer).collect();
        for peer in others.into_iter().filter(|peer| Some(*peer) != but) {
            self.hello(peer);
        }
    }

    /// Says what becomes of a gossip message.
    pub fn verdict(&mut self, peer: Peer, id: GossipId, verdict: Verdict) {
        self.out.push(Output::Verdict { peer, id, verdict });
    }

    /// Counts a fault; at the limit the peer is banned.
    pub fn punish(&mut self, peer: Peer, fault: Fault) {
        if self.peers.get(peer).is_none() {
            return;
        }
        tracing::debug!(peer = peer.0, %fault, "a peer broke the protocol");
        if self.peers.punish(self.now.ms, peer, &fault) {
            self.peers.remove(peer);
            self.out.push(Output::Ban { peer, fault });
        }
    }

    /// Closes a connection without blame.
    pub fn disconnect(&mut self, peer: Peer, why: Goodbye) {
        if self.peers.remove(peer).is_some() {
            self.out.push(Output::Disconnect { peer, why });
        }
    }
}
