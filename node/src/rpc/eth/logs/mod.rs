//! Logs: `eth_getLogs`, and what filters and subscriptions share with it.
//!
//! ```text
//! parameter ── query ──► LogFilter ─────────────► matches a log?
//!                            │ mask                    ▲
//!                            ▼                         │ receipts
//!             blooms of the range ── may match? ──► search ──► logs, and up to which block
//! ```
//!
//! - [`query`] reads what is asked for;
//! - [`mask`] says from a bloom that a block has no such log;
//! - [`search`] goes through a range, a block, or a block that has left the chain, within limits.
//!
//! Deliberately absent: an index by address or topic, and logs of pending blocks.

mod mask;
mod query;
mod search;

use alloy_primitives::B256;
use alloy_rpc_types_eth::Log;

use super::lookup;
use crate::chain::ChainView;
use crate::rpc::api::Api;
use crate::rpc::error::RpcError;
use crate::rpc::methods::Registry;
use crate::rpc::params::Args;

pub use query::{LogFilter, LogQuery, Span};
pub use search::{Taken, removed, search};

pub(super) fn register(registry: &mut Registry) {
    registry.heavy("eth_getLogs", 1, get_logs);
}

fn get_logs(api: &Api, args: &mut Args<'_>) -> Result<Vec<Log>, RpcError> {
    let query: LogQuery = args.required("filter")?;
    all(&api.view()?, &query)
}

/// Every log that `query` asks for.
///
/// # Errors
/// If the query contradicts itself, names what is not there, or asks for more than one
/// request gets.
pub fn all(view: &ChainView<'_>, query: &LogQuery) -> Result<Vec<Log>, RpcError> {
    let span = query.span()?;
    let (first, last) = match span {
        Span::Block(hash) => return of_block(view, hash, &query.filter()?),
        Span::Range { from, to } => {
            let tip = view.tip().number;
            let (first, last) = (lookup::height(from, tip), lookup::height(to, tip));
            if first > last {
                return Err(RpcError::params("invalid block range params"));
            }
            (first, last.min(tip))
        }
    };
    let found = search(view, &query.filter()?, first, last, &mut Taken::default())?;
    match found.stopped {
        None => Ok(found.logs),
        Some(why) => Err(RpcError::TooMuch {
            why,
            from: first,
            to: found.searched_to,
        }),
    }
}

fn of_block(view: &ChainView<'_>, hash: B256, filter: &LogFilter) -> Result<Vec<Log>, RpcError> {
    let Some(block) = view.header(hash)? else {
        return Err(RpcError::refused(format!(
            "unknown block: no block has the hash {hash}"
        )));
    };
    lookup::canonical_height(view, hash.into())?;
    search::of_block(view, &block, filter)
}
