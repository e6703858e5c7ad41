//! Transactions on their way through the network: checked, offered to the pool, passed on
//! when it takes them. And what waits in the pools of two nodes that meet.

use std::collections::VecDeque;

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

/// Transactions of our own that are told at once; more come only after a large
/// reorganization, and then the others have them too.
const MAX_PUBLISHED: usize = 256;

/// Hashes of transactions that were looked at lately, so that none is checked twice.
const MAX_SEEN: usize = 8_192;

/// The machine for transactions.
#[derive(Debug, Default)]
pub struct Transactions {
    checking: usize,
    seen: VecDeque<B256>,
    seen_set: std::collections::BTreeSet<B256>,
    /// Hashes in the pools of peers that we have yet to ask for.
    wanted: Vec<(Peer, Vec<B256>)>,
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
            let got = envelope.len();
            let limit = MAX_TRANSACTION_BYTES;
            let what = "bytes of a transaction";
            return io.punish(peer, MessageError::TooMany { what, got, limit }.into());
        }
        let token = AdmitToken {
            peer,
            gossip: Some(id),
        };
        if !self.check(io, token, envelope.into()) {
            io.verdict(peer, id, Verdict::Ignore);
        }
    }

    /// Has a transaction checked, if it is new and there is room.
    fn check(&mut self, io: &mut Io<'_>, token: AdmitToken, envelope: Bytes) -> bool {
        let hash = keccak256(&envelope);
        if self.seen_set.contains(&hash) || io.world.pool.get(hash).is_some() {
            return false;
        }
        let Some(state) = io.peers.get_mut(token.peer) else {
            return false;
        };
        if self.checking >= MAX_CHECKING || state.checking >= MAX_CHECKING_PER_PEER {
            return false;
        }
        self.checking += 1;
        state.checking += 1;
        self.see(hash);
        io.out
            .push(Output::Check(Check::Transaction { token, envelope }));
        true
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
        self.done(io, token);
        if result.is_err() {
            self.forget(hash);
        }
        match (token.gossip, result.is_ok()) {
            (Some(id), true) => io.verdict(token.peer, id, Verdict::Accept),
            (Some(id), false) => io.verdict(token.peer, id, Verdict::Ignore),
            (None, true) => publish(io, hash),
            (None, false) => {}
        }
    }

    /// What the pool refused now may be welcome later.
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
    }

    /// Tells the others of transactions of our own users.
    pub fn pooled(&mut self, io: &mut Io<'_>, transactions: &[VerifiedTransaction]) {
        for transaction in transactions.iter().take(MAX_PUBLISHED) {
            publish(io, transaction.hash());
        }
    }

    /// A peer is there: what waits in its pool?
    pub fn met(&self, io: &mut Io<'_>, peer: Peer) {
        io.ask(peer, Purpose::Pool, Request::Pool, ANSWER_TIMEOUT_MS);
    }

    /// A peer is gone.
    pub fn lost(&mut self, peer: Peer) {
        self.wanted.retain(|(other, _)| *other != peer);
    }

    /// What a peer says of its pool: first the hashes, then the transactions.
    pub fn answer(&mut self, io: &mut Io<'_>, open: &Open, response: Option<Response>) {
        let peer = open.peer;
        match response {
            Some(Response::Pool(hashes)) => {
                let news = hashes
                    .into_iter()
                    .filter(|hash| io.world.pool.get(*hash).is_none());
                let news: Vec<_> = news.collect();
                self.wanted.push((peer, news));
            }
            Some(Response::Transactions(envelopes)) => {
                for envelope in envelopes {
                    let token = AdmitToken { peer, gossip: None };
                    if envelope.len() <= MAX_TRANSACTION_BYTES {
                        self.check(io, token, envelope);
                    }
                }
            }
            _ => self.lost(peer),
        }
        self.ask_wanted(io, peer);
    }

    /// Asks for the next transactions of a peer's pool.
    fn ask_wanted(&mut self, io: &mut Io<'_>, peer: Peer) {
        let Some((_, hashes)) = self.wanted.iter_mut().find(|(other, _)| *other == peer) else {
            return;
        };
        let batch: Vec<_> = hashes.drain(..hashes.len().min(MAX_TRANSACTIONS)).collect();
        if batch.is_empty() {
            return self.lost(peer);
        }
        let request = Request::Transactions { hashes: batch };
        io.ask(peer, Purpose::Pool, request, ANSWER_TIMEOUT_MS);
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
