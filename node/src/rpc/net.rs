//! `net_*`: which network, and how many peers.

use alloy_primitives::U64;

use super::api::Api;
use super::error::RpcError;
use super::methods::Registry;
use super::params::Args;
use crate::network::service::NetworkHandle;

pub(super) fn register(registry: &mut Registry) {
    registry.read("net_version", 0, version);
    registry.read("net_listening", 0, listening);
    registry.read("net_peerCount", 0, peer_count);
}

/// The network id, in decimal: always the chain id.
fn version(api: &Api, _: &mut Args<'_>) -> Result<String, RpcError> {
    Ok(api.node.spec.chain_id.to_string())
}

/// Libraries ask this to learn whether the node is there at all, so it is true as long as
/// somebody answers.
fn listening(_: &Api, _: &mut Args<'_>) -> Result<bool, RpcError> {
    Ok(true)
}

/// Peers that are connected and on our chain.
fn peer_count(api: &Api, _: &mut Args<'_>) -> Result<U64, RpcError> {
    let network = api.node.network.as_ref();
    Ok(U64::from(network.map_or(0, NetworkHandle::peer_count)))
}
