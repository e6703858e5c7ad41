//! Transactions of peers, and what waits in their pools.

use std::collections::VecDeque;

use alloy_primitives::TxKind;
use cairn_genesis::{NativeTransaction, Transaction, VerifiedTransaction};
use ed25519_dalek::{Signer, SigningKey};

use super::*;
use crate::mempool::{Gone, Refusal};
use crate::network::limits::MAX_CHECKING_PER_PEER;

/// A node that has met a peer, and its question about the peer's pool.
fn met() -> (Bench, RequestId) {
    let mut bench = Bench::new();
    let mut outputs = bench.greet(PEER, &Bench::new());
    let (id, _) = asked(&mut outputs).unwrap();
    (bench, id)
}

impl Bench {
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
    let (mut bench, id) = met();
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
    let (mut bench, id) = met();
    let hashes = [1, 2].map(B256::repeat_byte).to_vec();
    let (id, _) = asked(&mut bench.answer(id, Response::Pool(hashes))).unwrap();
    let mut outputs = bench.answer(id, Response::Transactions(Vec::new()));
    assert_eq!(asked(&mut outputs), None);
    assert_eq!(bench.network.load().requests, 0);
}

/// It is welcome again when the pool has let it go.
#[test]
fn what_left_the_pool_may_come_back() {
    let (mut bench, _) = met();
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
