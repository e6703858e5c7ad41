//! `eth_*`: the chain, its state, transactions and fees.
//!
//! | file | methods |
//! |---|---|
//! | `node` | what the node is doing: chain id, syncing, mining, accounts |
//! | `block` | blocks, headers, counts, receipts of a block; `pending` makes the next one up |
//! | `transaction` | transactions, receipts, `eth_sendRawTransaction` |
//! | `state` | balance, nonce, code, storage at any block |
//! | `fee`, `fee_history` | what to pay |
//! | `call`, `estimate` | runs that change nothing; `request` reads them, `overrides` bends the world |
//! | `lookup` | from numbers, hashes and tags to blocks |
//!
//! Deliberately absent so far: logs, filters, subscriptions, proofs and traces. Their methods
//! answer −32601.

mod block;
mod call;
mod estimate;
mod fee;
mod fee_history;
mod lookup;
mod node;
mod overrides;
mod pending;
mod request;
mod state;
mod transaction;

use super::methods::Registry;

pub(super) use call::CallArgs;
pub(super) use estimate::estimate;
pub(super) use fee::tip as suggested_tip;
pub(super) use lookup::{canonical_height, find};
pub(super) use pending::in_no_block;
pub(super) use request::check_chain;
pub(super) use state::next_nonce;

pub(super) fn register(registry: &mut Registry) {
    node::register(registry);
    block::register(registry);
    transaction::register(registry);
    state::register(registry);
    fee::register(registry);
    fee_history::register(registry);
    call::register(registry);
    estimate::register(registry);
}
