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

    /// Tells the others of transactions of our own users.
    pub fn pooled(&mut self, io: &mut Io<'_>, transactions: &[VerifiedTransaction]) {
        for transaction in transactions {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use alloy_primitives::{Address, TxKind, U256};
    use cairn_genesis::{ChainSpec, NativeTransaction, Transaction};
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;
    use crate::core::{Core, Now};
    use crate::mempool::Gone;
    use crate::network::check;
    use crate::network::{Identity, Input, Network, RequestId, World};
    use crate::rpc::PoolMirror;
    use crate::store::{Memory, Store};

    const PEER: Peer = Peer(1);

    /// A node that has met a peer.
    struct Bench {
        spec: Arc<ChainSpec>,
        store: Arc<Memory>,
        pool: PoolMirror,
        network: Network,
        now: Now,
    }

    impl Bench {
        /// The node, and its question about the peer's pool.
        fn new() -> (Self, RequestId) {
            let spec = Arc::new(ChainSpec::builtin("dev").unwrap().clone());
            let now = Now {
                ms: spec.genesis_time * 1000,
            };
            let store = Arc::new(Memory::default());
            let dynamic: Arc<dyn Store> = store.clone();
            let (core, _) = Core::open(dynamic, Arc::clone(&spec), now).unwrap();
            let identity = Identity::new(&spec, spec.genesis_hash(), "test");
            let tip = Arc::clone(core.tip());
            let status = Some(identity.status(&tip));
            let mut bench = Self {
                network: Network::new(identity, Arc::clone(&spec), tip),
                spec,
                store,
                pool: PoolMirror::default(),
                now,
            };
            bench.say(Input::Connected { peer: PEER });
            let mut outputs = bench.say(Input::Welcome { peer: PEER, status });
            let (id, _) = asked(&mut outputs).unwrap();
            (bench, id)
        }

        fn say(&mut self, input: Input) -> Vec<Output> {
            let world = World {
                store: &*self.store,
                pool: &self.pool,
            };
            self.network.handle(self.now, input, &world).unwrap()
        }

        fn answer(&mut self, id: RequestId, response: Response) -> Vec<Output> {
            self.say(Input::Response {
                peer: PEER,
                id,
                response: Some(response),
            })
        }

        /// Makes one of the checks that are wanted, and has the pool take the transaction or
        /// not.
        fn admit(&mut self, output: Output, taken: bool) -> Vec<Output> {
            let Output::Check(wanted) = output else {
                panic!("no check: {output:?}");
            };
            let checked = check::run(&self.spec, wanted);
            let mut outputs = self.say(Input::Checked(checked));
            let Some(Output::Admit { token, transaction }) = outputs.pop() else {
                panic!("a good transaction is not handed on");
            };
            let hash = transaction.hash();
            if taken {
                self.pool.apply([transaction], []);
            }
            let refused = Err(Refusal::AlreadyKnown { hash });
            let result = if taken { Ok(()) } else { refused };
            self.say(Input::Admitted {
                token,
                hash,
                result,
            })
        }
    }

    fn payment(nonce: u64) -> VerifiedTransaction {
        let chain_id = ChainSpec::builtin("dev").unwrap().chain_id;
        let key = SigningKey::from_bytes(&[7; 32]);
        let body = NativeTransaction {
            chain_id,
            nonce,
            max_priority_fee: 1,
            max_fee: 1,
            gas_limit: 21_000,
            to: TxKind::Call(Address::ZERO),
            value: U256::ZERO,
            input: Bytes::new(),
            access_list: Default::default(),
            public_key: key.verifying_key().to_bytes(),
        };
        let signature = key.sign(body.signing_hash().as_slice()).to_bytes();
        VerifiedTransaction::new(Transaction::native(body, signature), chain_id).unwrap()
    }

    /// Takes out what is asked of the peer.
    fn asked(outputs: &mut Vec<Output>) -> Option<(RequestId, Request)> {
        let is_request = |output: &mut Output| matches!(output, Output::Request { .. });
        match outputs.extract_if(.., is_request).next()? {
            Output::Request { id, request, .. } => Some((id, request)),
            _ => None,
        }
    }

    fn gossip(id: u64, transaction: &VerifiedTransaction) -> Input {
        Input::Gossip {
            peer: PEER,
            id: GossipId(id),
            topic: Topic::Transactions,
            bytes: transaction.envelope().to_vec(),
        }
    }

    fn is_check(output: &Output) -> bool {
        matches!(output, Output::Check(_))
    }

    /// While the core is busy, answers that are cut short, and the peer's gossip takes the room:
    /// all that waits in its pool comes in the end.
    #[test]
    fn the_whole_of_a_pool_is_taken_over() {
        let (mut bench, id) = Bench::new();
        let transactions: Vec<_> = (0..1_000).map(payment).collect();
        let theirs = PoolMirror::default();
        theirs.apply(transactions.clone(), []);
        let hashes = theirs.best(1, usize::MAX);
        let mut works = VecDeque::from(bench.answer(id, Response::Pool(hashes)));
        works.extend(bench.say(gossip(1, &payment(5_000))));
        // What is asked comes at once; the checks, one by one, take longer than anything else.
        loop {
            let mut outputs = Vec::from(std::mem::take(&mut works));
            let question = asked(&mut outputs);
            assert_eq!(asked(&mut outputs), None, "one question at a time");
            works = outputs.into();
            assert!(bench.network.load().checking <= MAX_CHECKING_PER_PEER);
            if let Some((id, Request::Transactions { hashes })) = question {
                let found = hashes.iter().filter_map(|hash| theirs.get(*hash)).take(100);
                let envelopes = found.map(|transaction| transaction.envelope().clone());
                let response = Response::Transactions(envelopes.collect());
                works.extend(bench.answer(id, response));
            } else if let Some(work) = works.pop_front() {
                if is_check(&work) {
                    works.extend(bench.admit(work, true));
                }
            } else {
                break;
            }
        }
        for transaction in transactions {
            assert!(bench.pool.contains(transaction.hash()));
        }
    }

    #[test]
    fn a_peer_without_what_it_tells_of_is_asked_once() {
        let (mut bench, id) = Bench::new();
        let hashes = [1, 2].map(B256::repeat_byte).to_vec();
        let (id, _) = asked(&mut bench.answer(id, Response::Pool(hashes))).unwrap();
        let mut outputs = bench.answer(id, Response::Transactions(Vec::new()));
        assert_eq!(asked(&mut outputs), None);
        assert_eq!(bench.network.load().requests, 0);
    }

    /// It is welcome again when the pool has let it go.
    #[test]
    fn what_left_the_pool_may_come_back() {
        let (mut bench, _) = Bench::new();
        let transaction = payment(0);
        for (id, taken) in [(1, false), (2, true), (3, true)] {
            let mut outputs = bench.say(gossip(id, &transaction));
            assert!(outputs.iter().any(is_check), "{id}");
            assert!(
                !bench
                    .say(gossip(10 + id, &transaction))
                    .iter()
                    .any(is_check)
            );
            bench.admit(outputs.remove(0), taken);
            if taken {
                let known = bench.say(gossip(20 + id, &transaction));
                assert!(!known.iter().any(is_check));
            }
            bench.pool.apply([], [(transaction.hash(), Gone::Evicted)]);
        }
    }
}
