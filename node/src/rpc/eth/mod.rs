//! `eth_*`: the chain, its state, transactions and fees.
//!
//! | file | methods |
//! |---|---|
//! | `node` | what the node is doing: chain id, syncing, mining, accounts |
//! | `block` | blocks, headers, counts, receipts of a block; `pending` makes the next one up |
//! | `transaction` | transactions, receipts, `eth_sendRawTransaction` |
//! | `state` | balance, nonce, code, storage at any block |
//! | `fee`, `fee_history` | what to pay |
//! | `call`, `estimate`, `access_list` | runs that change nothing; `request` reads them, `overrides` bends the world, `need` watches their gas, `deadline` their time |
//! | `logs` | logs by block, address and topic |
//! | `filters`, `subscribe` | what is new, for those who ask and those who wait; `follow` finds it out |
//! | `lookup` | from numbers, hashes and tags to blocks |
//!
//! Deliberately absent so far: proofs and simulation. Their methods answer −32601.

mod access_list;
mod block;
mod call;
mod deadline;
mod estimate;
mod fee;
mod fee_history;
mod filters;
mod follow;
mod logs;
mod lookup;
mod need;
mod node;
mod overrides;
mod pending;
mod request;
mod state;
mod subscribe;
mod transaction;

use super::methods::Registry;

pub(super) use call::{CallArgs, refused};
pub(super) use deadline::CALL_TIMEOUT;
pub(super) use estimate::estimate;
pub(super) use fee::tip as suggested_tip;
pub(super) use filters::{Filters, new_id};
pub(super) use lookup::{canonical_height, find};
pub(super) use overrides::{Overridden, apply_to_block};
pub(super) use pending::in_no_block;
pub(super) use request::{call as call_request, check_chain};
pub(super) use state::next_nonce;
pub(super) use transaction::raw_by_hash;

pub(super) fn register(registry: &mut Registry) {
    node::register(registry);
    block::register(registry);
    transaction::register(registry);
    state::register(registry);
    fee::register(registry);
    fee_history::register(registry);
    call::register(registry);
    estimate::register(registry);
    access_list::register(registry);
    logs::register(registry);
    filters::register(registry);
    subscribe::register(registry);
}
