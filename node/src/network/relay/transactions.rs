//! Transactions on their way through the network: checked, offered to the pool, passed on
//! when it takes them. And what waits in the pools of two nodes that meet.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use alloy_primitives::{B256, Bytes, keccak256};
use cairn_genesis::{TransactionError, VerifiedTransaction};

use crate::mempool::{MAX_TRANSACTION_BYTES, Refusal};
use crate::network::check::Check;
use crate::network::fault::Fault;
use crate::network::io::{Io, Open, Purpose};
use crate::network::limits::{
    ANSWER_TIMEOUT_MS, MAX_CHECKING, MAX_CHECKING_PER_PEER, MAX_TRANSACTIONS,
};
use crate::network::message::{MessageError, Request, Response};
use crate::network::{AdmitToken, GossipId, Output, Peer, Topic, Verdict};

/// Hashes of transactions that are being checked or were found invalid, so that none is checked
/// twice.
const MAX_SEEN: usize = 8_192;

/// Transactions that are told at once, as many as may wait to be sent to one peer. After a long
/// reorganization there may be more; whoever meets us asks for those.
const MAX_TOLD: usize = 1_024;

/// Transactions of a peer's pool that are asked for at once: half of what may be checked of it,
/// so that one half is on its way while the other is checked.
const BATCH: usize = MAX_CHECKING_PER_PEER / 2;
const _: () = assert!(BATCH <= MAX_TRANSACTIONS);

/// The machine for transactions.
#[derive(Debug, Default)]
pub struct Transactions {
    checking: usize,
    seen: VecDeque<B256>,
    seen_set: BTreeSet<B256>,
    wanted: BTreeMap<Peer, Wanted>,
}

/// What waits in a peer's pool and not in ours.
#[derive(Debug)]
struct Wanted {
    /// What has not been asked for, or did not come.
    hashes: VecDeque<B256>,
    /// Whether some of it is being asked for.
    asked: bool,
}

impl Transactions {
    /// How many are in the works.
    pub fn checking(&self) -> usize {
        self.checking
    }

    /// A transaction that came by gossip.
    pub fn gossip(&mut self, io: &mut Io<'_>, peer: Peer, id: GossipId, envelope: Vec<u8>) {
        if envelope.len() > MAX_TRANSACTION_BYTES {
            io.verdict(peer, id, Verdict::Reject);
            let limit = MAX_TRANSACTION_BYTES;
            let what = "bytes of a transaction";
            return io.punish(peer, MessageError::TooMany { what, limit }.into());
        }
        let token = AdmitToken {
            peer,
            gossip: Some(id),
        };
        let hash = keccak256(&envelope);
        if !self.check(io, token, hash, envelope.into()) {
            io.verdict(peer, id, Verdict::Ignore);
        }
    }

    /// Has a transaction checked, if it is new and there is room.
    fn check(&mut self, io: &mut Io<'_>, token: AdmitToken, hash: B256, envelope: Bytes) -> bool {
        if self.is_known(io, hash) || self.room(io, token.peer) == 0 {
            return false;
        }
        let Some(state) = io.peers.get_mut(token.peer) else {
            return false;
        };
        self.checking += 1;
        state.checking += 1;
        self.see(hash);
        io.out
            .push(Output::Check(Check::Transaction { token, envelope }));
        true
    }

    fn is_known(&self, io: &Io<'_>, hash: B256) -> bool {
        self.seen_set.contains(&hash) || io.world.pool.contains(hash)
    }

    /// How many more of a peer's transactions can be checked now.
    fn room(&self, io: &Io<'_>, peer: Peer) -> usize {
        let of_peer = io.peers.get(peer).map_or(0, |state| {
            MAX_CHECKING_PER_PEER.saturating_sub(state.checking)
        });
        of_peer.min(MAX_CHECKING.saturating_sub(self.checking))
    }

    fn see(&mut self, hash: B256) {
        if self.seen_set.insert(hash) {
            self.seen.push_back(hash);
        }
        if self.seen.len() > MAX_SEEN
            && let Some(oldest) = self.seen.pop_front()
        {
            self.seen_set.remove(&oldest);
        }
    }

    /// The check is done: on to the pool.
    pub fn checked(
        &mut self,
        io: &mut Io<'_>,
        token: AdmitToken,
        result: Result<VerifiedTransaction, TransactionError>,
    ) {
        match result {
            Ok(transaction) => io.out.push(Output::Admit { token, transaction }),
            Err(error) => {
                self.done(io, token);
                if let Some(id) = token.gossip {
                    io.verdict(token.peer, id, Verdict::Reject);
                }
                io.punish(token.peer, Fault::Transaction(error));
            }
        }
    }

    /// The pool has taken it or not; a refusal blames nobody, as pools differ.
    pub fn admitted(
        &mut self,
        io: &mut Io<'_>,
        token: AdmitToken,
        hash: B256,
        result: &Result<(), Refusal>,
    ) {
        // What the pool has it finds by itself. What it has not may be welcome later: refused now,
        // or replaced or evicted in time.
        self.forget(hash);
        self.done(io, token);
        match (token.gossip, result.is_ok()) {
            (Some(id), true) => io.verdict(token.peer, id, Verdict::Accept),
            (Some(id), false) => io.verdict(token.peer, id, Verdict::Ignore),
            (None, true) => publish(io, hash),
            (None, false) => {}
        }
    }

    fn forget(&mut self, hash: B256) {
        if self.seen_set.remove(&hash) {
            self.seen.retain(|seen| *seen != hash);
        }
    }

    fn done(&mut self, io: &mut Io<'_>, token: AdmitToken) {
        self.checking = self.checking.saturating_sub(1);
        if let Some(state) = io.peers.get_mut(token.peer) {
            state.checking = state.checking.saturating_sub(1);
        }
        for peer in self.wanted.keys().copied().collect::<Vec<_>>() {
            self.ask_wanted(io, peer);
        }
    }

    /// Tells the others of transactions of our own users, and of those that came back from blocks
    /// which left the best chain: who was on the other side of a split has never heard of them.
    pub fn pooled(&mut self, io: &mut Io<'_>, transactions: &[VerifiedTransaction]) {
        for transaction in transactions.iter().take(MAX_TOLD) {
            publish(io, transaction.hash());
        }
    }

    /// A peer is there: what waits in its pool?
    pub fn met(&self, io: &mut Io<'_>, peer: Peer) {
        io.ask(peer, Purpose::Pool, Request::Pool, ANSWER_TIMEOUT_MS);
    }

    /// What a peer says of its pool: first the hashes, then the transactions.
    pub fn answer(&mut self, io: &mut Io<'_>, open: &Open, response: Option<Response>) {
        let peer = open.peer;
        match (&open.request, response) {
            (Request::Pool, Some(Response::Pool(hashes))) => {
                let wanted = Wanted {
                    hashes: hashes.into(),
                    asked: false,
                };
                self.wanted.insert(peer, wanted);
            }
            (Request::Transactions { hashes }, Some(Response::Transactions(envelopes))) => {
                let missing = self.arrived(io, peer, hashes, envelopes);
                if let Some(wanted) = self.wanted.get_mut(&peer) {
                    wanted.asked = false;
                    wanted.hashes.extend(missing);
                }
            }
            _ => drop(self.wanted.remove(&peer)),
        }
        self.ask_wanted(io, peer);
    }

    /// Has the transactions of an answer checked. What has to be asked for once more comes back:
    /// what there is no room for, and what the answer was too short for.
    fn arrived<'a>(
        &mut self,
        io: &mut Io<'_>,
        peer: Peer,
        asked: &'a [B256],
        envelopes: Vec<Bytes>,
    ) -> &'a [B256] {
        // A peer that has nothing of it will not have it the next time.
        if envelopes.is_empty() {
            return &[];
        }
        let token = AdmitToken { peer, gossip: None };
        let mut missing = asked;
        for envelope in envelopes {
            let hash = keccak256(&envelope);
            // They come in the order asked for; the others have left its pool.
            let Some(at) = missing.iter().position(|wanted| *wanted == hash) else {
                return &[];
            };
            if self.room(io, peer) == 0 {
                return &missing[at..];
            }
            missing = &missing[at + 1..];
            if envelope.len() <= MAX_TRANSACTION_BYTES {
                self.check(io, token, hash, envelope);
            }
        }
        missing
    }

    /// Asks for the next transactions of a peer's pool, once there is room for them.
    fn ask_wanted(&mut self, io: &mut Io<'_>, peer: Peer) {
        let Some(mut wanted) = self.wanted.remove(&peer) else {
            return;
        };
        if !io.peers.is_ready(peer) {
            return;
        }
        if !wanted.asked && self.room(io, peer) >= wanted.hashes.len().min(BATCH) {
            // Some may have come otherwise meanwhile.
            let left = std::iter::from_fn(|| wanted.hashes.pop_front());
            let news = left.filter(|hash| !self.is_known(io, *hash));
            let hashes: Vec<_> = news.take(BATCH).collect();
            if hashes.is_empty() {
                return;
            }
            wanted.asked = true;
            let request = Request::Transactions { hashes };
            io.ask(peer, Purpose::Pool, request, ANSWER_TIMEOUT_MS);
        }
        self.wanted.insert(peer, wanted);
    }
}

fn publish(io: &mut Io<'_>, hash: B256) {
    if let Some(transaction) = io.world.pool.get(hash) {
        io.out.push(Output::Publish {
            topic: Topic::Transactions,
            bytes: transaction.envelope().to_vec(),
        });
    }
}
