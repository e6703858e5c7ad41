//! `cairn_why`: why a transaction is not mined yet. The question that users of private
//! chains ask most, answered in one sentence that says what to do.

use std::sync::Arc;

use alloy_primitives::{B256, U64};
use jsonrpsee::types::Params;
use serde::Serialize;

use super::api::Api;
use super::context::Mining;
use super::error::RpcError;
use super::params::Args;
use crate::mempool::Gone;
use crate::mempool::{DropReason, Status, Waiting};

/// Where a transaction stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Why {
    /// The transaction.
    pub hash: B256,
    /// `mined`, `ready`, `waiting`, `gone` or `unknown`.
    pub status: &'static str,
    /// A stable word for programs.
    pub reason: &'static str,
    /// A sentence for people.
    pub explanation: String,
    /// The block that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_number: Option<U64>,
}

/// Asks the pool first and the chain after, so that a transaction that is mined meanwhile is not
/// missed by both.
pub(super) async fn why(api: Arc<Api>, params: Params<'static>) -> Result<Why, RpcError> {
    let hash: B256 = Args::parse(&params, 1)?.required("transaction hash")?;
    let pooled = api.node.core.why(hash).await?;
    let (number, tip) = {
        let view = api.view()?;
        (
            view.transaction_location(hash)?.map(|(number, _)| number),
            view.tip().number,
        )
    };
    let verdict = match (number, pooled) {
        (Some(number), _) => mined(number, tip),
        (None, Some(status)) => in_pool(&status, &api.node.mining.get()),
        (None, None) => api.node.pool.gone(hash).as_ref().map_or_else(unknown, gone),
    };
    let (status, reason, explanation) = verdict;
    Ok(Why {
        hash,
        status,
        reason,
        explanation,
        block_number: number.map(U64::from),
    })
}

/// Status, reason, explanation.
type Verdict = (&'static str, &'static str, String);

fn mined(number: u64, tip: u64) -> Verdict {
    let above = tip.saturating_sub(number);
    (
        "mined",
        "mined",
        format!("it is in block {number}, with {above} blocks on top of it"),
    )
}

fn in_pool(status: &Status, mining: &Mining) -> Verdict {
    let waiting = match status {
        Status::Ready { .. } => return ready(status, mining),
        Status::Waiting(waiting) => waiting,
    };
    let reason = match waiting {
        Waiting::NonceGap { .. } => "nonce_gap",
        Waiting::BaseFee { .. } => "max_fee_below_base_fee",
        Waiting::Funds { .. } => "insufficient_funds",
        Waiting::Delegated { .. } => "delegated_sender",
    };
    ("waiting", reason, waiting.to_string())
}

/// Nothing is wrong with it: then the question is whether anybody mines.
fn ready(status: &Status, mining: &Mining) -> Verdict {
    if let Some(seconds) = mining.wait_s {
        let explanation = format!(
            "{status}; but mining waits {seconds} s, as the tip is dated too far ahead of this machine's clock"
        );
        return ("ready", "clock", explanation);
    }
    if mining.active || mining.mode != "off" {
        return ("ready", "next_block", status.to_string());
    }
    let explanation = format!("{status}; but this node does not mine: start it with --mine");
    ("ready", "nobody_mines", explanation)
}

fn gone(gone: &Gone) -> Verdict {
    let (reason, explanation) = match gone {
        Gone::Replaced { by } => (
            "replaced",
            format!("transaction {by} of the same sender took its nonce and pays more"),
        ),
        Gone::Evicted => (
            "pool_full",
            "the pool was full and it paid the least; send it again with a higher fee".to_owned(),
        ),
        Gone::Dropped(reason) => (drop_word(reason), reason.to_string()),
    };
    ("gone", reason, explanation)
}

fn drop_word(reason: &DropReason) -> &'static str {
    match reason {
        DropReason::Mined => "mined",
        DropReason::NonceUsed { .. } => "nonce_used",
        DropReason::Replaced { .. } => "replaced",
        DropReason::PoolFull { .. } => "pool_full",
        DropReason::Expired { .. } => "expired",
        DropReason::Refused(refusal) => refusal.kind(),
    }
}

fn unknown() -> Verdict {
    let explanation =
        "this node has never seen it, or has forgotten it: send it again, and look at the answer";
    ("unknown", "unknown", explanation.to_owned())
}
