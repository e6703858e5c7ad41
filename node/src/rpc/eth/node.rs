//! What the node is and does: chain id, syncing, mining, accounts.

use alloy_primitives::{Address, U64};
use serde::Serialize;

use crate::network::SyncStatus;
use crate::network::limits::PROTOCOL_VERSION;
use crate::network::service::NetworkHandle;
use crate::rpc::accounts::DevAccounts;
use crate::rpc::api::Api;
use crate::rpc::error::RpcError;
use crate::rpc::methods::Registry;
use crate::rpc::params::Args;

pub(super) fn register(registry: &mut Registry) {
    registry.read("eth_protocolVersion", 0, protocol_version);
    registry.read("eth_chainId", 0, chain_id);
    registry.read("eth_syncing", 0, syncing);
    registry.read("eth_accounts", 0, accounts);
    registry.read("eth_requestAccounts", 0, accounts);
    registry.read("eth_coinbase", 0, coinbase);
    registry.read("eth_mining", 0, mining);
    registry.read("eth_hashrate", 0, hashrate);
}

fn protocol_version(_: &Api, _: &mut Args<'_>) -> Result<U64, RpcError> {
    Ok(U64::from(PROTOCOL_VERSION))
}

fn chain_id(api: &Api, _: &mut Args<'_>) -> Result<U64, RpcError> {
    Ok(U64::from(api.node.spec.chain_id))
}

/// How far a node that catches up has come, or `false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Syncing {
    /// It does not catch up.
    No(bool),
    /// It does.
    #[serde(rename_all = "camelCase")]
    Yes {
        /// Height at which it began.
        starting_block: U64,
        /// Height of its tip.
        current_block: U64,
        /// Height of the best chain that it knows of.
        highest_block: U64,
    },
}

impl From<SyncStatus> for Syncing {
    fn from(status: SyncStatus) -> Self {
        match status.active {
            false => Self::No(false),
            true => Self::Yes {
                starting_block: U64::from(status.starting),
                current_block: U64::from(status.current),
                highest_block: U64::from(status.highest),
            },
        }
    }
}

fn syncing(api: &Api, _: &mut Args<'_>) -> Result<Syncing, RpcError> {
    let network = api.node.network.as_ref();
    Ok(network
        .map(NetworkHandle::sync_status)
        .unwrap_or_default()
        .into())
}

fn accounts(api: &Api, _: &mut Args<'_>) -> Result<Vec<Address>, RpcError> {
    Ok(api
        .node
        .dev
        .as_ref()
        .map(DevAccounts::addresses)
        .unwrap_or_default())
}

fn coinbase(api: &Api, _: &mut Args<'_>) -> Result<Address, RpcError> {
    api.node.mining.get().beneficiary.ok_or_else(|| {
        RpcError::refused(
            "etherbase must be explicitly specified: start the node with --mine-to ADDRESS",
        )
    })
}

fn mining(api: &Api, _: &mut Args<'_>) -> Result<bool, RpcError> {
    Ok(api.node.mining.get().active)
}

fn hashrate(api: &Api, _: &mut Args<'_>) -> Result<U64, RpcError> {
    Ok(U64::from(api.node.mining.get().hashes_per_second))
}
