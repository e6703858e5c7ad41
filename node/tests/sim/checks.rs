//! What must hold: bounds at every step, agreement at the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::{Address, U256};
use cairn_genesis::{Block, ChainSpec, VerifiedBlock};
use cairn_node::chain::{Chain, ChainView, MAX_FUTURE, MAX_ORPHANS, audit, verify};
use cairn_node::network::limits::{HELLO_BURST, HELLOS_PER_S};
use cairn_node::network::{Goodbye, limits};
use cairn_node::state::Account;
use cairn_node::store::{Column, Memory, Reader, Store};

use super::node::Node;

/// How often each node has said hello to each other.
#[derive(Debug, Default)]
pub struct Hellos(BTreeMap<(usize, usize), Budget>);

/// What is left of it, in thousandths of a hello, and when that was.
#[derive(Debug)]
struct Budget {
    left_milli: u64,
    last_ms: u64,
}

impl Hellos {
    /// Counts one; fails if it is one too many.
    pub fn count(&mut self, now_ms: u64, from: usize, to: usize) {
        const MOST_MILLI: u64 = HELLO_BURST * 1000;
        let budget = self.0.entry((from, to)).or_insert(Budget {
            left_milli: MOST_MILLI,
            last_ms: now_ms,
        });
        let gained_milli = (now_ms - budget.last_ms) * HELLOS_PER_S;
        let left_milli = (budget.left_milli + gained_milli).min(MOST_MILLI);
        assert!(
            left_milli >= 1000,
            "node {from} says hello to node {to} too often, at {now_ms} ms"
        );
        *budget = Budget {
            left_milli: left_milli - 1000,
            last_ms: now_ms,
        };
    }
}

/// Fails if an honest node has no reason to leave another for this. What was lost before `heal_ms`
/// may still count some time later.
pub fn leaving(now_ms: u64, heal_ms: u64, why: &Goodbye) {
    const LATE_MS: u64 = limits::MAX_BODIES_TIMEOUT_MS + 1_000;
    let is_excused = match why {
        Goodbye::Mismatch(_) | Goodbye::InvalidChain(_) => false,
        Goodbye::Stalled | Goodbye::Silent => now_ms < heal_ms + LATE_MS,
    };
    assert!(
        is_excused,
        "an honest node leaves another at {now_ms} ms: {why}"
    );
}

/// Fails if a node holds more than it may.
pub fn bounds(node: &Node) {
    let Some(running) = &node.running else { return };
    let load = running.network.load();
    let peers = node.links.len().max(1);
    assert!(
        load.requests <= 8 * peers + limits::MAX_BUILDING,
        "too many requests: {load:?}"
    );
    assert!(
        load.building <= limits::MAX_BUILDING,
        "too many blocks: {load:?}"
    );
    assert!(
        load.checking <= limits::MAX_CHECKING,
        "too many checks: {load:?}"
    );
    assert!(
        load.headers <= 2 * limits::HEADER_WINDOW + limits::MAX_HEADERS,
        "too many headers: {load:?}"
    );
    assert!(
        load.body_bytes <= 2 * limits::BODY_WINDOW_BYTES,
        "too many bodies: {load:?}"
    );
    let (orphans, future) = running.core.waiting();
    assert!(
        orphans <= MAX_ORPHANS && future <= MAX_FUTURE,
        "{orphans} orphans, {future} future blocks"
    );
}

/// The nonce that a wallet would take at this node.
pub fn next_nonce(node: &Node, address: Address) -> u64 {
    if node.running.is_none() {
        return 0;
    }
    let view = ChainView::open(&*node.store).expect("a view");
    let state = view.state_at(view.tip().number).expect("the tip's state");
    let account = state.account(address).expect("readable");
    let mined = account.map_or(0, |account| account.nonce);
    let pending = node.pool.of(address);
    (mined..)
        .find(|nonce| !pending.contains_key(nonce))
        .unwrap_or(mined)
}

/// Fails unless all nodes have one head, whose state follows from genesis, and exactly the
/// coins that it should have. Returns its height and its transactions.
pub fn one_chain(spec: &Arc<ChainSpec>, nodes: &[&Node]) -> (u64, u64) {
    let tips: Vec<_> = nodes.iter().map(|node| tip(node)).collect();
    let first = tips[0];
    assert!(
        tips.iter().all(|tip| *tip == first),
        "no agreement in the end: {tips:#?}"
    );
    for node in nodes {
        let audited = audit::audit(&*node.store, spec, |_| {}).expect("a sound database");
        assert_eq!(audited.height, first.0);
        assert_supply(node);
    }
    (first.0, replay(spec, nodes[0]))
}

fn tip(node: &Node) -> (u64, alloy_primitives::B256, U256) {
    let view = ChainView::open(&*node.store).expect("a view");
    let record = view.tip_record();
    (record.number(), record.hash, record.work)
}

/// All balances together are what came into being less what was burned.
fn assert_supply(node: &Node) {
    let view = ChainView::open(&*node.store).expect("a view");
    let record = view.tip_record();
    let mut cursor = node.store.cursor(Column::Accounts);
    cursor.seek(&[]).expect("readable");
    let mut sum = U256::ZERO;
    while let Some((_, value)) = cursor.entry() {
        sum += Account::decode(value).expect("an account").balance;
        cursor.advance().expect("readable");
    }
    assert_eq!(
        sum,
        record.issued - record.burned,
        "supply of node {}",
        node.index
    );
}

/// Executes the whole chain again from genesis.
fn replay(spec: &Arc<ChainSpec>, node: &Node) -> u64 {
    let view = ChainView::open(&*node.store).expect("a view");
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let mut again = Chain::open(store, Arc::clone(spec)).expect("genesis");
    let mut transactions = 0;
    let blocks: Vec<VerifiedBlock> = (1..=view.tip().number)
        .map(|number| {
            let hash = view
                .canonical_hash(number)
                .expect("readable")
                .expect("canonical");
            let record = view.header(hash).expect("readable").expect("a header");
            let block = Block {
                header: record.header,
                seal: record.seal,
                transactions: view.body(hash).expect("readable").expect("a body"),
            };
            transactions += block.transactions.len() as u64;
            verify::block(spec, block).expect("valid alone")
        })
        .collect();
    again
        .extend(u64::from(u32::MAX), &blocks, &mut Vec::new())
        .expect("valid from genesis on");
    assert_eq!(again.tip().hash, view.tip().hash);
    transactions
}
