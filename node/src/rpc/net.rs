//! `net_*`: which network, and how many peers.

use alloy_primitives::U64;

use super::api::Api;
use super::error::RpcError;
use super::methods::Registry;
use super::params::Args;

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

/// A node has no peers: nothing in this version connects to any.
fn peer_count(_: &Api, _: &mut Args<'_>) -> Result<U64, RpcError> {
    Ok(U64::ZERO)
}
