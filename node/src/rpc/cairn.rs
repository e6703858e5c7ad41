//! `cairn_*`: what only this node can tell, and the operator's two levers.

use std::collections::HashSet;
use std::sync::Arc;

use alloy_primitives::{Address, B256, U64, U256};
use alloy_rpc_types_eth::BlockId;
use jsonrpsee::types::Params;
use serde::Serialize;

use super::api::Api;
use super::error::RpcError;
use super::methods::Registry;
use super::params::Args;
use super::{eth, why};
use crate::chain::{ChainView, HeaderRecord};
use crate::state::StateError;

pub(super) fn register(registry: &mut Registry) {
    registry.read("cairn_supply", 1, supply);
    registry.read("cairn_nodeInfo", 0, node_info);
    registry.heavy("cairn_chainTips", 0, chain_tips);
    registry.lever("cairn_invalidateBlock", invalidate_block);
    registry.lever("cairn_reconsiderBlock", reconsider_block);
    registry.task("cairn_why", why::why);
}

/// A block by height and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BlockName {
    /// Height.
    pub number: U64,
    /// Hash.
    pub hash: B256,
}

impl BlockName {
    fn of(record: &HeaderRecord) -> Self {
        Self {
            number: U64::from(record.number()),
            hash: record.hash,
        }
    }
}

/// Coins at a block, in wei.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Supply {
    /// The block.
    #[serde(flatten)]
    pub block: BlockName,
    /// Created since genesis: genesis accounts and subsidies.
    pub issued: U256,
    /// Destroyed since genesis: base fees, and balances of contracts that destroyed themselves.
    pub burned: U256,
    /// What exists: `issued − burned`, the sum of all balances.
    pub total: U256,
}

fn supply(api: &Api, args: &mut Args<'_>) -> Result<Supply, RpcError> {
    let block: Option<BlockId> = args.optional("block")?;
    let block = block.unwrap_or_default();
    let view = api.view()?;
    eth::canonical_height(&view, block)?;
    let record = eth::find(&view, block)?;
    let record =
        record.ok_or_else(|| RpcError::Internal("a canonical block has no header".into()))?;
    Ok(Supply {
        block: BlockName::of(&record),
        issued: record.issued,
        burned: record.burned,
        total: record.issued.saturating_sub(record.burned),
    })
}

/// What runs here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeInfo {
    /// Program and version.
    pub client_version: String,
    /// Name of the chain.
    pub chain: String,
    /// Chain id.
    pub chain_id: U64,
    /// Hash of the genesis block, which commits to all rules.
    pub genesis_hash: B256,
    /// The tip.
    pub tip: BlockName,
    /// Timestamp of the tip, seconds since 1970.
    pub tip_timestamp: U64,
    /// Work of the best chain, in hashes.
    pub total_work: U256,
    /// The oldest block whose state can be read.
    pub history_floor: U64,
    /// Transactions in the pool.
    pub pool_size: U64,
    /// The node's clock, seconds since 1970.
    pub time: U64,
    /// What the miner does.
    pub mining: MiningInfo,
}

/// The miner's part of [`NodeInfo`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MiningInfo {
    /// Whether it looks for a block now.
    pub active: bool,
    /// Seconds until it may, if the tip is dated too far ahead of the clock.
    pub wait_seconds: Option<U64>,
    /// `continuous`, `on-transaction`, `interval` or `off`.
    pub mode: &'static str,
    /// Threads.
    pub threads: U64,
    /// Measured speed.
    pub hashes_per_second: U64,
    /// Who gets the reward.
    pub beneficiary: Option<Address>,
}

fn node_info(api: &Api, _: &mut Args<'_>) -> Result<NodeInfo, RpcError> {
    let node = &api.node;
    let view = api.view()?;
    let tip = view.tip_record();
    let mining = node.mining.get();
    Ok(NodeInfo {
        client_version: node.client_version.clone(),
        chain: node.spec.name.clone(),
        chain_id: U64::from(node.spec.chain_id),
        genesis_hash: node.genesis_hash,
        tip: BlockName::of(tip),
        tip_timestamp: U64::from(tip.header.timestamp),
        total_work: tip.work,
        history_floor: U64::from(history_floor(&view)?),
        pool_size: U64::from(node.pool.len()),
        time: U64::from((node.now_s)()),
        mining: MiningInfo {
            active: mining.active,
            wait_seconds: mining.wait_s.map(U64::from),
            mode: mining.mode,
            threads: U64::from(mining.threads),
            hashes_per_second: U64::from(mining.hashes_per_second),
            beneficiary: mining.beneficiary,
        },
    })
}

fn history_floor(view: &ChainView<'_>) -> Result<u64, RpcError> {
    match view.state_at(0) {
        Ok(_) => Ok(0),
        Err(StateError::Pruned { floor, .. }) => Ok(floor),
        Err(error) => Err(error.into()),
    }
}

/// The end of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainTip {
    /// The block at the end.
    #[serde(flatten)]
    pub block: BlockName,
    /// Work of the branch from genesis on, in hashes.
    pub work: U256,
    /// Blocks since it left the best chain; 0 for the active tip.
    pub branch_length: U64,
    /// As in Bitcoin's `getchaintips`: `active`; `valid-fork`, executed once; `valid-headers`,
    /// complete but never executed; `invalid`.
    pub status: &'static str,
    /// Why it is invalid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The active tip first, then the others, most work first.
fn chain_tips(api: &Api, _: &mut Args<'_>) -> Result<Vec<ChainTip>, RpcError> {
    let view = api.view()?;
    let side = view.side_blocks()?;
    let parents: HashSet<B256> = side
        .iter()
        .map(|record| record.header.parent_hash)
        .collect();
    let ends = side.iter().filter(|record| !parents.contains(&record.hash));
    let mut tips = ends
        .map(|end| side_tip(&view, end))
        .collect::<Result<Vec<_>, _>>()?;
    tips.sort_by_key(|tip| std::cmp::Reverse(tip.work));
    tips.insert(0, active_tip(view.tip_record()));
    Ok(tips)
}

fn active_tip(record: &HeaderRecord) -> ChainTip {
    ChainTip {
        block: BlockName::of(record),
        work: record.work,
        branch_length: U64::ZERO,
        status: "active",
        reason: None,
    }
}

fn side_tip(view: &ChainView<'_>, end: &HeaderRecord) -> Result<ChainTip, RpcError> {
    let (branch_length, reason) = branch(view, end)?;
    // What was issued is known of executed blocks only, and genesis issues something or nothing is
    // ever issued: then "never executed" is all that can be said.
    let executed = !end.issued.is_zero();
    let status = match (&reason, executed) {
        (Some(_), _) => "invalid",
        (None, true) => "valid-fork",
        (None, false) => "valid-headers",
    };
    Ok(ChainTip {
        block: BlockName::of(end),
        work: end.work,
        branch_length: U64::from(branch_length),
        status,
        reason,
    })
}

/// Length of the branch that ends in `end`, and the first reason against it on the way down.
fn branch(view: &ChainView<'_>, end: &HeaderRecord) -> Result<(u64, Option<String>), RpcError> {
    let mut length: u64 = 0;
    let mut reason = None;
    let mut block = Some(end.clone());
    while let Some(record) = block {
        if view.is_canonical(record.number(), record.hash)? {
            break;
        }
        length = length.saturating_add(1);
        if reason.is_none() {
            reason = view.invalid_reason(record.hash)?;
        }
        block = view.header(record.header.parent_hash)?;
    }
    Ok((length, reason))
}

/// Answers with the tip after it.
async fn invalidate_block(api: Arc<Api>, params: Params<'static>) -> Result<BlockName, RpcError> {
    let hash: B256 = Args::parse(&params, 1)?.required("block hash")?;
    api.node.core.invalidate_block(hash).await?;
    Ok(BlockName::of(api.view()?.tip_record()))
}

/// Answers with the tip after it.
async fn reconsider_block(api: Arc<Api>, params: Params<'static>) -> Result<BlockName, RpcError> {
    let hash: B256 = Args::parse(&params, 1)?.required("block hash")?;
    api.node.core.reconsider_block(hash).await?;
    Ok(BlockName::of(api.view()?.tip_record()))
}
