//! `txpool_*`: what waits, split into what can be mined now and what cannot yet.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U64};
use cairn_genesis::VerifiedTransaction;
use serde::Serialize;

use super::api::Api;
use super::error::RpcError;
use super::eth;
use super::methods::Registry;
use super::params::Args;
use super::pool_mirror::{Queue, end_of_run};
use super::types::{RpcTransaction, address_called};
use crate::state::StateAt;

pub(super) fn register(registry: &mut Registry) {
    registry.heavy("txpool_status", 0, status);
    registry.heavy("txpool_content", 0, content);
    registry.heavy("txpool_contentFrom", 1, content_from);
    registry.heavy("txpool_inspect", 0, inspect);
}

/// Something for the pending and for the queued part of the pool. Pending are the
/// transactions of a sender without a gap from its account's nonce on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Parts<T> {
    /// Without a gap.
    pub pending: T,
    /// Beyond a gap.
    pub queued: T,
}

/// One part of the pool: per sender, per nonce (a decimal string in JSON).
pub type BySender<T> = BTreeMap<Address, BTreeMap<u64, T>>;

fn status(api: &Api, _: &mut Args<'_>) -> Result<Parts<U64>, RpcError> {
    let Parts { pending, queued } = pool(api, |_| ())?;
    let count = |part: BySender<()>| U64::from(part.values().map(BTreeMap::len).sum::<usize>());
    Ok(Parts {
        pending: count(pending),
        queued: count(queued),
    })
}

fn content(api: &Api, _: &mut Args<'_>) -> Result<Parts<BySender<RpcTransaction>>, RpcError> {
    pool(api, eth::in_no_block)
}

fn content_from(
    api: &Api,
    args: &mut Args<'_>,
) -> Result<Parts<BTreeMap<u64, RpcTransaction>>, RpcError> {
    let sender: Address = args.required("address")?;
    let queue = api.node.pool.of(sender);
    let view = api.view()?;
    let parts = split(&view.state_at(view.tip().number)?, sender, queue)?;
    Ok(Parts {
        pending: each(parts.pending, eth::in_no_block),
        queued: each(parts.queued, eth::in_no_block),
    })
}

fn inspect(api: &Api, _: &mut Args<'_>) -> Result<Parts<BySender<String>>, RpcError> {
    pool(api, summary)
}

/// geth's form, which tools take apart.
fn summary(transaction: &VerifiedTransaction) -> String {
    let to = address_called(transaction.to());
    let to = to.map_or_else(|| "contract creation".to_owned(), |to| to.to_string());
    let (value, gas, price) = (
        transaction.value(),
        transaction.gas_limit(),
        transaction.max_fee(),
    );
    format!("{to}: {value} wei + {gas} gas × {price} wei")
}

/// The whole pool, with `show` applied to each transaction.
fn pool<T>(
    api: &Api,
    show: impl Fn(&VerifiedTransaction) -> T,
) -> Result<Parts<BySender<T>>, RpcError> {
    let senders = api.node.pool.all();
    let view = api.view()?;
    let state = view.state_at(view.tip().number)?;
    let (mut pending, mut queued) = (BTreeMap::new(), BTreeMap::new());
    for (sender, queue) in senders {
        let parts = split(&state, sender, queue)?;
        put(&mut pending, sender, each(parts.pending, &show));
        put(&mut queued, sender, each(parts.queued, &show));
    }
    Ok(Parts { pending, queued })
}

/// A transaction whose nonce is used already is on its way out of the mirror: in neither part.
fn split(state: &StateAt<'_>, sender: Address, mut queue: Queue) -> Result<Parts<Queue>, RpcError> {
    let nonce = state.account(sender)?.unwrap_or_default().nonce;
    let queued = queue.split_off(&end_of_run(&queue, nonce));
    Ok(Parts {
        pending: queue.split_off(&nonce),
        queued,
    })
}

fn each<T>(queue: Queue, show: impl Fn(&VerifiedTransaction) -> T) -> BTreeMap<u64, T> {
    queue
        .iter()
        .map(|(nonce, transaction)| (*nonce, show(transaction)))
        .collect()
}

fn put<T>(part: &mut BySender<T>, sender: Address, transactions: BTreeMap<u64, T>) {
    if !transactions.is_empty() {
        part.insert(sender, transactions);
    }
}
