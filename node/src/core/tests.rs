//! The core on the in-memory double of the store: the pool follows the chain.

use std::slice::from_ref;
use std::sync::Arc;

use alloy_primitives::B256;
use cairn_genesis::{
    AsertParameters, ChainSpec, Difficulty, NativeTransaction, VerifiedBlock, VerifiedTransaction,
};

use super::returned::{self, Room};
use super::{Action, Answer, Core, Event};
use crate::chain::tests::follower::check_store;
use crate::chain::tests::forge::{Forge, answer, at};
use crate::chain::tests::people::{
    self, NOBODY, PEOPLE, authorization, delegating, delegation, ethereum, pay, person,
};
use crate::chain::{Accepted, TemplateRequest};
use crate::mempool::{DropReason, Gone, Refusal};
use crate::store::{Column, Memory, Reader, StoreError};

/// A core and its store.
struct Bench {
    core: Core,
    store: Arc<Memory>,
}

/// What the actions of one event say.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    added: Vec<B256>,
    removed: Vec<(B256, Gone)>,
    tips: Vec<B256>,
}

impl Bench {
    fn new(forge: &Forge) -> Self {
        Self::on(Memory::default(), forge)
    }

    fn on(store: Memory, forge: &Forge) -> Self {
        let store = Arc::new(store);
        let (core, _) = Core::open(store.clone(), forge.spec.clone(), at(0)).unwrap();
        Self { core, store }
    }

    fn try_handle(&mut self, event: Event) -> Result<Vec<Action>, StoreError> {
        self.core.handle(at(u64::from(u32::MAX)), event)
    }

    fn send(&mut self, transaction: &VerifiedTransaction) -> Result<(), Refusal> {
        let event = Event::Transaction(transaction.clone());
        match answer(self.try_handle(event).unwrap()) {
            Answer::Transaction(result) => result,
            other => panic!("no answer to a transaction: {other:?}"),
        }
    }

    fn give(&mut self, block: &VerifiedBlock) -> (Accepted, Told) {
        let mut told = Told::default();
        let mut accepted = None;
        for action in self
            .try_handle(Event::Block(Box::new(block.clone())))
            .unwrap()
        {
            match action {
                Action::Pool { added, removed } => {
                    told.added
                        .extend(added.iter().map(|transaction| transaction.hash()));
                    told.removed.extend(removed);
                }
                Action::Moved(moved) => told.tips.push(moved.to.hash),
                Action::Answer(Answer::Block(result)) => accepted = Some(result.unwrap()),
                Action::Answer(other) => panic!("no answer to a block: {other:?}"),
            }
        }
        (accepted.unwrap(), told)
    }

    fn give_all(&mut self, blocks: &[VerifiedBlock], expected: Accepted) {
        for block in blocks {
            assert_eq!(
                self.give(block).0,
                expected,
                "block {}",
                block.header().number
            );
        }
    }

    fn journal(&self) -> Vec<B256> {
        let entries = crate::chain::tests::follower::column(&*self.store, Column::Pool);
        entries
            .into_keys()
            .map(|key| B256::from_slice(&key))
            .collect()
    }

    /// The pool is what the journal keeps for the next process.
    fn check(&self, forge: &Forge) {
        let mut pooled: Vec<_> = self.core.pool().iter().map(|tx| tx.hash()).collect();
        pooled.sort_unstable();
        assert_eq!(self.journal(), pooled);
        check_store(&self.store, forge);
        let next = Self::on(self.store.copy(), forge);
        let mut reloaded: Vec<_> = next.core.pool().iter().map(|tx| tx.hash()).collect();
        reloaded.sort_unstable();
        assert_eq!(reloaded, pooled);
    }
}

/// ```text
/// genesis ──┬─ A1 (payments 0 and 1)
///           └─ B1 (payment 0, another payment 1) ── B2
/// ```
#[test]
fn transactions_of_a_lost_branch_come_back_unless_they_are_mined() {
    let mut forge = Forge::new();
    let shared = pay(0, 0, NOBODY, 1);
    let (on_a, on_b) = (pay(0, 1, NOBODY, 2), pay(0, 1, NOBODY, 3));
    let back = pay(1, 0, NOBODY, 4);
    let a1 = forge.block(forge.genesis, &[shared.clone(), on_a.clone(), back.clone()]);
    let b1 = forge.block(forge.genesis, &[shared.clone(), on_b]);
    let b2 = forge.block(b1.hash(), &[]);
    let waits = pay(2, 0, NOBODY, 5);
    let mut bench = Bench::new(&forge);
    for transaction in [&shared, &on_a, &back, &waits] {
        bench.send(transaction).unwrap();
    }
    bench.check(&forge);
    let (_, told) = bench.give(&a1);
    let mut mined: Vec<_> = told.removed.iter().map(|(hash, _)| *hash).collect();
    mined.sort_unstable();
    let mut expected = [&shared, &on_a, &back].map(|tx| tx.hash());
    expected.sort_unstable();
    assert_eq!((told.tips, mined), (vec![a1.hash()], expected.to_vec()));
    assert!(
        told.removed
            .iter()
            .all(|(_, gone)| *gone == Gone::Dropped(DropReason::Mined))
    );
    assert_eq!(bench.journal(), [waits.hash()]);
    assert_eq!(bench.give(&b1), (Accepted::Side, Told::default()));
    let (accepted, told) = bench.give(&b2);
    assert_eq!((accepted, told.tips), (Accepted::Best, vec![b2.hash()]));
    assert_eq!(told.added, [back.hash()]);
    let lost: Vec<_> = told.removed.iter().map(|(hash, _)| *hash).collect();
    assert_eq!(lost, [on_a.hash()], "its nonce is used");
    bench.check(&forge);
}

/// ```text
/// genesis ──┬─ A1 (payments 0, 1) ── A2 (2, 3)
///           └─ B1 (payment 0)     ── B2 ── B3
/// ```
/// There is room for less than all: the nonces from the fork on come back.
#[test]
fn no_more_comes_back_than_there_is_room_for() {
    let mut forge = Forge::new();
    let payments: Vec<_> = (0..4).map(|nonce| pay(0, nonce, NOBODY, 1)).collect();
    let a1 = forge.block(forge.genesis, &payments[..2]);
    let a2 = forge.block(a1.hash(), &payments[2..]);
    let b1 = forge.block(forge.genesis, &payments[..1]);
    let b = forge.branch(b1.hash(), 2);
    let mut bench = Bench::new(&forge);
    bench.give_all(&[a1.clone(), a2.clone()], Accepted::Best);
    bench.give_all(&[b1, b[0].clone()], Accepted::Side);
    bench.give_all(&b[1..], Accepted::Best);
    let left: Vec<_> = [&a2, &a1]
        .map(|block| Arc::new(forge.record(block.hash())))
        .into();
    let mined = [payments[0].hash()];
    let nonces = |count, bytes| {
        let room = Room { count, bytes };
        let returned = returned::transactions(&*bench.store, &left, &mined, room).unwrap();
        returned
            .iter()
            .map(|(tx, _)| tx.nonce())
            .collect::<Vec<_>>()
    };
    assert_eq!(nonces(9, usize::MAX), [1, 2, 3], "0 is mined again");
    assert_eq!(nonces(2, usize::MAX), [1, 2]);
    let bytes = payments[1].envelope().len();
    assert_eq!(nonces(9, bytes), [1]);
    assert_eq!(nonces(9, bytes - 1), [0; 0]);
}

/// One orphan after the other: the tip moves thrice, and the pool sees the last.
#[test]
fn the_pool_follows_all_moves_of_one_event_at_once() {
    let mut forge = Forge::new();
    let payments: Vec<_> = (0..3).map(|nonce| pay(0, nonce, NOBODY, 1)).collect();
    let mut blocks: Vec<VerifiedBlock> = Vec::new();
    for payment in &payments {
        let parent = blocks.last().map_or(forge.genesis, VerifiedBlock::hash);
        blocks.push(forge.block(parent, from_ref(payment)));
    }
    let mut bench = Bench::new(&forge);
    for payment in &payments {
        bench.send(payment).unwrap();
    }
    bench.give_all(&blocks[1..], Accepted::Orphan);
    assert_eq!(bench.core.waiting(), (2, 0));
    let (accepted, told) = bench.give(&blocks[0]);
    assert_eq!(
        (accepted, told.tips),
        (Accepted::Best, vec![blocks[2].hash()])
    );
    let mined = |payment: &VerifiedTransaction| (payment.hash(), Gone::Dropped(DropReason::Mined));
    assert_eq!(told.removed, payments.iter().map(mined).collect::<Vec<_>>());
    assert!(bench.core.pool().is_empty());
    bench.check(&forge);
}

/// A block that delegated somebody is undone: his nonce is what it was, for the pool too.
#[test]
fn an_authority_is_looked_at_again_when_its_delegation_is_undone() {
    let mut forge = Forge::new();
    let of_another = delegating(0, 0, vec![authorization(1, 0)]);
    let a1 = forge.block(forge.genesis, &[of_another]);
    let b = forge.branch(forge.genesis, 2);
    let mut bench = Bench::new(&forge);
    bench.give_all(&[a1], Accepted::Best);
    bench.send(&delegation(1, 1)).unwrap();
    let next_nonce = |bench: &Bench| bench.core.pool().next_nonce(ethereum(1));
    assert_eq!(next_nonce(&bench), Some(2));
    bench.give_all(&b[..1], Accepted::Side);
    bench.give_all(&b[1..], Accepted::Best);
    assert_eq!(next_nonce(&bench), Some(0), "the delegation was undone");
    check_store(&bench.store, &forge);
}

/// A chain whose difficulty is trivial and not constant: a block long after its parent is
/// easier.
fn with_relief() -> ChainSpec {
    let mut spec = people::spec();
    spec.max_future_drift = Some(15);
    spec.difficulty = Difficulty::Asert(AsertParameters {
        anchor_bits: 0x200f_ffff,
        pow_limit: 0x207f_ffff,
        half_life: 3_600,
        stall_relief: 120,
        gap_cap: Some(240),
    });
    spec
}

/// ```text
///           ┌─ A1 ── A2 ── A3 ── A4            late, and hence with little work
/// genesis ──┤
///           └─ B1 ── B2 ── B3 ─┬─ B4
///                              ├─ C4           nine blocks at the height of A4
///                              └─ …
/// ```
/// B1 brings all of B and C with it, and C drives A4 out of the side blocks before the
/// pool has seen that it was disconnected.
#[test]
fn a_block_may_be_dropped_as_soon_as_it_is_disconnected() {
    let mut forge = Forge::on(with_relief());
    let mut a: Vec<VerifiedBlock> = Vec::new();
    for nonce in 0..4 {
        let parent = a.last().map_or(forge.genesis, VerifiedBlock::hash);
        let mut request = forge.request(parent);
        request.now_s += 600;
        a.push(forge.block_for(parent, &[pay(0, nonce, NOBODY, 1)], request));
    }
    let b = forge.branch(forge.genesis, 3);
    let c: Vec<_> = (0..9).map(|_| forge.block(b[2].hash(), &[])).collect();
    let work = |block: &VerifiedBlock| forge.record(block.hash()).work;
    assert!(work(&a[3]) < work(&b[0]), "B1 alone is heavier than A");
    let mut bench = Bench::new(&forge);
    bench.give_all(&a, Accepted::Best);
    bench.give_all(&b[1..], Accepted::Orphan);
    bench.give_all(&c, Accepted::Orphan);
    let (accepted, told) = bench.give(&b[0]);
    assert_eq!(accepted, Accepted::Best);
    assert_eq!(told.tips, [c[0].hash()]);
    let key = crate::store::keys::block(4, a[3].hash());
    assert_eq!(
        bench.store.get(Column::Bodies, &key),
        Ok(None),
        "A4 was dropped"
    );
    let paid_in = |block: &VerifiedBlock| block.transactions()[0].hash();
    let back: Vec<_> = a[..3].iter().map(paid_in).collect();
    assert_eq!(told.added, back);
    bench.check(&forge);
}

/// Which of two orphans of one parent is executed first is decided by their arrival.
#[test]
fn orphans_are_taken_in_in_the_order_of_their_arrival() {
    let mut forge = Forge::new();
    let [parent] = forge.branch(forge.genesis, 1).try_into().unwrap();
    let children: Vec<_> = (0..8).map(|_| forge.block(parent.hash(), &[])).collect();
    for first in 0..children.len() {
        let mut children = children.clone();
        children.rotate_left(first);
        let mut bench = Bench::new(&forge);
        bench.give_all(&children, Accepted::Orphan);
        let (_, told) = bench.give(&parent);
        assert_eq!(told.tips, [children[0].hash()]);
    }
}

/// Its transaction would wait for a base fee that the chain cannot have.
#[test]
fn a_max_fee_below_the_floor_of_the_chain_is_refused() {
    const FLOOR: u64 = 1_000;
    let mut spec = people::spec();
    (spec.base_fee_floor, spec.base_fee_start) = (FLOOR, FLOOR);
    let mut bench = Bench::new(&Forge::on(spec));
    let offering = |max_fee| {
        let payment = people::payment(0, 0, NOBODY, 1);
        let fees = NativeTransaction {
            max_fee,
            max_priority_fee: 0,
            ..payment
        };
        people::sign(0, fees)
    };
    let (got, expected) = (u128::from(FLOOR) - 1, FLOOR);
    let refusal = Refusal::Underpriced { got, expected };
    assert_eq!(bench.send(&offering(got)), Err(refusal));
    assert_eq!(bench.send(&offering(u128::from(FLOOR))), Ok(()));
}

#[test]
fn a_refused_transaction_changes_nothing() {
    let forge = Forge::new();
    let mut bench = Bench::new(&forge);
    let (of_the_poor, far_ahead) = (pay(PEOPLE, 0, NOBODY, 1), pay(0, 1_000, NOBODY, 1));
    for transaction in [of_the_poor, far_ahead] {
        bench.send(&transaction).unwrap_err();
        assert_eq!((bench.core.pool().len(), bench.journal()), (0, vec![]));
    }
    bench.check(&forge);
}

/// The template takes what pays, in the order of nonces, and the block made of it is
/// taken by everybody.
#[test]
fn a_template_of_the_pool_becomes_a_block() {
    let mut forge = Forge::new();
    let mut bench = Bench::new(&forge);
    let payments: Vec<_> = (0..3)
        .flat_map(|nonce| (0..3).map(move |from| (from, nonce)))
        .collect();
    for (from, nonce) in payments {
        bench.send(&pay(from, nonce, person(5), 1)).unwrap();
    }
    let request = TemplateRequest {
        extra: Default::default(),
        ..forge.request(forge.genesis)
    };
    let event = Event::Template(request);
    let template = match answer(bench.try_handle(event).unwrap()) {
        Answer::Template(template) => template.unwrap(),
        other => panic!("no template: {other:?}"),
    };
    assert_eq!(template.transactions.len(), 9);
    assert_eq!(bench.core.pool().len(), 9, "they stay until they are mined");
    let block = forge.seal(template.header.clone(), template.transactions.clone());
    let (accepted, told) = bench.give(&block);
    assert_eq!((accepted, told.removed.len()), (Accepted::Best, 9));
    assert!(bench.core.pool().is_empty());
}

#[test]
fn r_inv_4_a_store_that_fails_stops_the_core() {
    let mut forge = Forge::new();
    let (a, b) = (
        forge.branch(forge.genesis, 1),
        forge.branch(forge.genesis, 2),
    );
    let mut bench = Bench::new(&forge);
    bench.give_all(&a, Accepted::Best);
    bench.give_all(&b[..1], Accepted::Side);
    let start = bench.store.copy();
    let events: [&dyn Fn() -> Event; 3] = [
        &|| Event::Transaction(pay(0, 0, NOBODY, 1)),
        &|| Event::Block(Box::new(b[1].clone())),
        &|| Event::Invalidate(a[0].hash()),
    ];
    for event in events {
        let mut writes = 0;
        loop {
            let mut bench = Bench::on(start.copy(), &forge);
            bench.store.fail_after(writes);
            match bench.try_handle(event()) {
                Ok(_) => break,
                Err(error) => assert!(matches!(error, StoreError::Io(_)), "{error}"),
            }
            let next = Bench::on(bench.store.copy(), &forge);
            next.check(&forge);
            writes += 1;
        }
        assert!(writes > 0);
    }
}

#[test]
fn what_the_operator_asks_is_answered() {
    let mut forge = Forge::new();
    let payment = pay(0, 0, NOBODY, 1);
    let block = forge.block(forge.genesis, from_ref(&payment));
    let mut bench = Bench::new(&forge);
    bench.give_all(from_ref(&block), Accepted::Best);
    let mut ask = |event| match answer(bench.try_handle(event).unwrap()) {
        Answer::Operator(result) => result.is_ok(),
        other => panic!("no answer to the operator: {other:?}"),
    };
    assert!(ask(Event::Invalidate(block.hash())));
    assert!(ask(Event::Reconsider(block.hash())));
    assert!(!ask(Event::Invalidate(forge.genesis)));
    assert!(!ask(Event::Reconsider(B256::ZERO)));
    assert_eq!(bench.core.tip().hash, block.hash());
    assert!(bench.core.pool().is_empty(), "it is mined again");
    bench.check(&forge);
}
