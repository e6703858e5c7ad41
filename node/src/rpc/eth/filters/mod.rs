//! Filters: what a client asks for again and again, over connections that forget it.
//!
//! A filter is a listener (see `follow`) that is kept for its client under an id, in
//! [`registry`].

mod registry;

use std::time::Instant;

use alloy_primitives::{B256, U128};
use alloy_rpc_types_eth::Log;
use serde::Serialize;

use super::follow::{Heads, Logs};
use super::logs::{self, LogQuery};
use super::pending;
use crate::chain::HeaderRecord;
use crate::rpc::api::Api;
use crate::rpc::error::RpcError;
use crate::rpc::methods::Registry;
use crate::rpc::params::Args;
use crate::rpc::types::RpcTransaction;

pub use registry::{Filters, new_id};

pub(super) fn register(registry: &mut Registry) {
    registry.heavy("eth_newFilter", 1, new_filter);
    registry.heavy("eth_newBlockFilter", 0, new_block_filter);
    registry.read("eth_newPendingTransactionFilter", 1, new_pending_filter);
    registry.heavy("eth_getFilterChanges", 1, changes);
    registry.heavy("eth_getFilterLogs", 1, all_logs);
    registry.read("eth_uninstallFilter", 1, uninstall);
}

/// What a filter is about, and what its client was told so far.
#[derive(Debug, Clone)]
pub enum Filter {
    /// New blocks.
    Blocks(Heads),
    /// Transactions that come into the pool.
    Pending {
        /// How many had come when it was asked last.
        seen: u64,
        /// Whether they are shown whole, or as hashes.
        whole: bool,
    },
    /// Logs.
    Logs {
        /// As it was asked for, for `eth_getFilterLogs`.
        query: Box<LogQuery>,
        /// The listener.
        listener: Logs,
    },
}

/// What has changed; as a list of whatever the filter is about.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Changes {
    /// Of blocks or transactions.
    Hashes(Vec<B256>),
    /// Of transactions, whole.
    Transactions(Vec<RpcTransaction>),
    /// Of logs.
    Logs(Vec<Log>),
}

fn new_filter(api: &Api, args: &mut Args<'_>) -> Result<U128, RpcError> {
    let query: LogQuery = args.optional("filter")?.unwrap_or_default();
    let listener = Logs::new(&api.view()?, &query)?;
    let query = Box::new(query);
    keep(api, Filter::Logs { query, listener })
}

fn new_block_filter(api: &Api, _: &mut Args<'_>) -> Result<U128, RpcError> {
    keep(api, Filter::Blocks(Heads::new(&api.view()?)))
}

fn new_pending_filter(api: &Api, args: &mut Args<'_>) -> Result<U128, RpcError> {
    let whole = args.optional("full transactions")?.unwrap_or(false);
    let seen = api.node.pool.arrived();
    keep(api, Filter::Pending { seen, whole })
}

fn keep(api: &Api, filter: Filter) -> Result<U128, RpcError> {
    let id = new_id();
    api.filters.insert(Instant::now(), id, filter)?;
    Ok(id)
}

fn changes(api: &Api, args: &mut Args<'_>) -> Result<Changes, RpcError> {
    let filter = api
        .filters
        .get(Instant::now(), args.required("filter id")?)?;
    filter.update(|filter| filter.changes(api))
}

impl Filter {
    /// What its client was not told so far.
    fn changes(&mut self, api: &Api) -> Result<Changes, RpcError> {
        match self {
            Filter::Blocks(heads) => {
                let news = heads.news(&api.view()?)?;
                let hash = |block: HeaderRecord| block.hash;
                Ok(Changes::Hashes(news.items.into_iter().map(hash).collect()))
            }
            Filter::Pending { seen, whole } => {
                let (hashes, arrived) = api.node.pool.newcomers(*seen);
                *seen = arrived;
                Ok(match whole {
                    true => Changes::Transactions(still_pending(api, &hashes)),
                    false => Changes::Hashes(hashes),
                })
            }
            Filter::Logs { listener, .. } => Ok(Changes::Logs(listener.news(&api.view()?)?.items)),
        }
    }
}

/// Those of the transactions that are in the pool, in JSON.
pub fn still_pending(api: &Api, hashes: &[B256]) -> Vec<RpcTransaction> {
    let pooled = hashes.iter().filter_map(|hash| api.node.pool.get(*hash));
    pooled.map(|pooled| pending::in_no_block(&pooled)).collect()
}

fn all_logs(api: &Api, args: &mut Args<'_>) -> Result<Vec<Log>, RpcError> {
    let filter = api
        .filters
        .get(Instant::now(), args.required("filter id")?)?;
    let query = match filter.get() {
        Filter::Logs { query, .. } => query,
        _ => return Err(RpcError::refused("filter not found: it is not about logs")),
    };
    logs::all(&api.view()?, &query)
}

fn uninstall(api: &Api, args: &mut Args<'_>) -> Result<bool, RpcError> {
    Ok(api.filters.remove(args.required("filter id")?))
}
