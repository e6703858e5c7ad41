//! Who is connected, what each peer claims, and what it has done wrong.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256};

use super::Peer;
use super::bucket::Bucket;
use super::fault::Fault;
use super::limits::{
    BAN_POINTS, HELLO_BURST, HELLOS_PER_S, POINT_FORGIVEN_MS, REQUEST_BURST, REQUESTS_PER_S,
    USELESS_BURST, USELESS_PER_S,
};
use super::message::Status;

/// Bytes per second that a peer is thought to give before it has been measured.
const FIRST_SPEED: u64 = 1 << 20;

/// Requests that we make to one peer in a second: a little less than it answers, since its
/// clock and what is on the way may differ.
const ASKS_PER_S: u64 = REQUESTS_PER_S * 4 / 5;

/// How long it is thought to take before that was measured.
const FIRST_ROUND_TRIP_MS: u64 = 500;

/// Where a peer says it stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Claim {
    /// Its tip.
    pub head: B256,
    /// Height of its tip.
    pub number: u64,
    /// Work of its best chain.
    pub work: U256,
}

/// One connected peer.
#[derive(Debug)]
pub struct PeerState {
    /// When the connection came to stand.
    pub since_ms: u64,
    /// Whether it has told who it is, and fits.
    pub ready: bool,
    /// What it says of its chain; lowered to what it has shown when that was less.
    pub claim: Claim,
    /// When it was last asked where it stands.
    pub hello_ms: Option<u64>,
    /// Whether the answer to that is still out.
    pub hello_open: bool,
    /// Whether it is to be asked once more, as soon as that may be.
    pub hello_wanted: bool,
    /// How long it takes to answer, in milliseconds: measured by that.
    pub round_trip_ms: u64,
    /// Answers to it that have not left yet.
    pub serving: usize,
    /// Transactions from it that are in the works.
    pub checking: usize,
    /// Bytes per second that it has answered requests with.
    pub speed: u64,
    /// Requests for bodies that it has not answered yet.
    pub bodies_open: usize,
    /// How long it took for its last headers, in milliseconds.
    pub headers_ms: u64,
    /// When it was last chosen to be asked for headers.
    pub headers_asked_ms: u64,
    /// Requests in a row for headers or bodies that it did not answer in time.
    pub stalls: u32,
    /// Until when it is not asked for headers.
    pub no_headers_until_ms: u64,
    /// Until when it is not asked for bodies.
    pub no_bodies_until_ms: u64,
    /// How often it did not show what it claimed, showed something else or a chain that could not be
    /// had, or read for too long while others waited. Kept as long as it is connected: who does that
    /// is asked after all others.
    pub unmet: u32,
    points: u32,
    points_ms: u64,
    asks: Bucket,
    is_asked: Bucket,
    useless: Bucket,
    hellos: Bucket,
}

impl PeerState {
    fn new(now_ms: u64) -> Self {
        Self {
            since_ms: now_ms,
            ready: false,
            claim: Claim::default(),
            hello_ms: None,
            hello_open: false,
            hello_wanted: false,
            round_trip_ms: FIRST_ROUND_TRIP_MS,
            serving: 0,
            checking: 0,
            speed: FIRST_SPEED,
            bodies_open: 0,
            headers_ms: 0,
            headers_asked_ms: 0,
            stalls: 0,
            no_headers_until_ms: 0,
            no_bodies_until_ms: 0,
            unmet: 0,
            points: 0,
            points_ms: now_ms,
            asks: Bucket::new(now_ms, REQUEST_BURST, REQUESTS_PER_S),
            is_asked: Bucket::new(now_ms, REQUEST_BURST, ASKS_PER_S),
            useless: Bucket::new(now_ms, USELESS_BURST, USELESS_PER_S),
            hellos: Bucket::new(now_ms, HELLO_BURST, HELLOS_PER_S),
        }
    }

    /// Takes over what it says of itself.
    pub fn learn(&mut self, status: &Status) {
        self.claim = Claim {
            head: status.head,
            number: status.number,
            work: status.work,
        };
    }

    /// It has answered where it stands.
    pub fn welcomed(&mut self, now_ms: u64) {
        if std::mem::take(&mut self.hello_open)
            && let Some(asked_ms) = self.hello_ms
        {
            self.round_trip_ms = now_ms.saturating_sub(asked_ms);
        }
    }

    /// How long to wait for an answer of so many bytes before somebody else is asked. A peer
    /// that has let us wait gets more time, in case it is the way to it that is long.
    pub fn patience_ms(&self, bytes: u64, least_ms: u64, most_ms: u64) -> u64 {
        let transfer_ms = bytes.saturating_mul(1000) / self.speed.max(1);
        let usual_ms = self
            .round_trip_ms
            .saturating_mul(2)
            .saturating_add(transfer_ms * 4);
        usual_ms
            .saturating_add(least_ms)
            .saturating_mul(1 << self.stalls.min(4))
            .min(most_ms)
    }

    /// Counts one request of it; `false` if it has made too many.
    pub fn may_request(&mut self, now_ms: u64) -> bool {
        self.asks.take(now_ms)
    }

    /// Counts one question of it who we are; `false` if it has asked too often.
    pub fn may_greet(&mut self, now_ms: u64) -> bool {
        self.hellos.take(now_ms)
    }

    /// Counts an announcement of it that was of no use; `false` if there were too many.
    pub fn may_be_useless(&mut self, now_ms: u64) -> bool {
        self.useless.take(now_ms)
    }

    /// Whether it may be asked something more without asking too much.
    pub fn may_be_asked(&mut self, now_ms: u64) -> bool {
        self.is_asked.has_one(now_ms)
    }

    /// It is being asked something.
    pub fn asked(&mut self, now_ms: u64) {
        self.is_asked.take(now_ms);
    }

    /// Takes in how fast an answer of so many bytes came; the way to it is not the peer's speed.
    pub fn measured(&mut self, bytes: usize, elapsed_ms: u64) {
        let transfer_ms = elapsed_ms.saturating_sub(self.round_trip_ms).max(1);
        let speed = (bytes as u64).saturating_mul(1000) / transfer_ms;
        self.speed = (self.speed.saturating_mul(3).saturating_add(speed) / 4).max(1);
        self.stalls = 0;
    }

    /// Takes in that headers came.
    pub fn sent_headers(&mut self, elapsed_ms: u64) {
        self.headers_ms = elapsed_ms;
        self.stalls = 0;
    }

    /// Takes in that an answer did not come.
    pub fn stalled(&mut self) {
        self.speed = (self.speed / 2).max(1);
        self.stalls += 1;
    }

    /// Penalty points at this time.
    pub fn points(&self, now_ms: u64) -> u32 {
        let forgiven = now_ms.saturating_sub(self.points_ms) / POINT_FORGIVEN_MS;
        self.points
            .saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX))
    }

    fn add_points(&mut self, now_ms: u64, points: u32) -> bool {
        self.points = self.points(now_ms).saturating_add(points);
        self.points_ms = now_ms;
        self.points >= BAN_POINTS
    }
}

/// All connected peers, in the order in which they came.
#[derive(Debug, Default)]
pub struct Peers {
    all: BTreeMap<Peer, PeerState>,
}

impl Peers {
    /// Takes in a new one.
    pub fn insert(&mut self, now_ms: u64, peer: Peer) {
        self.all.insert(peer, PeerState::new(now_ms));
    }

    /// Forgets one; also one that is being disconnected, so that nothing it still says counts.
    pub fn remove(&mut self, peer: Peer) -> Option<PeerState> {
        self.all.remove(&peer)
    }

    /// One peer, if it is still there.
    pub fn get(&self, peer: Peer) -> Option<&PeerState> {
        self.all.get(&peer)
    }

    /// One peer, if it is still there.
    pub fn get_mut(&mut self, peer: Peer) -> Option<&mut PeerState> {
        self.all.get_mut(&peer)
    }

    /// Whether it has told who it is.
    pub fn is_ready(&self, peer: Peer) -> bool {
        self.get(peer).is_some_and(|state| state.ready)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (Peer, &PeerState)> {
        self.all.iter().map(|(peer, state)| (*peer, state))
    }

    /// Those that have told who they are.
    pub fn ready(&self) -> impl Iterator<Item = (Peer, &PeerState)> {
        self.iter().filter(|(_, state)| state.ready)
    }

    /// Counts a fault; whether the peer has to be banned for it.
    pub fn punish(&mut self, now_ms: u64, peer: Peer, fault: &Fault) -> bool {
        let points = fault.points();
        self.get_mut(peer)
            .is_some_and(|state| state.add_points(now_ms, points))
    }

    /// Lowers what a peer claims to what it has shown.
    pub fn lower_claim(&mut self, peer: Peer, shown: U256) {
        if let Some(state) = self.get_mut(peer) {
            state.claim.work = state.claim.work.min(shown);
        }
    }
}
