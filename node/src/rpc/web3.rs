//! `web3_*`: what this program is, and a hash.

use alloy_primitives::{B256, Bytes, keccak256};

use super::api::Api;
use super::error::RpcError;
use super::methods::Registry;
use super::params::Args;

pub(super) fn register(registry: &mut Registry) {
    registry.read("web3_clientVersion", 0, client_version);
    registry.read("web3_sha3", 1, sha3);
}

fn client_version(api: &Api, _: &mut Args<'_>) -> Result<String, RpcError> {
    Ok(api.node.client_version.clone())
}

/// The name is history: the hash is Keccak-256, not the SHA3-256 of FIPS 202.
fn sha3(_: &Api, args: &mut Args<'_>) -> Result<B256, RpcError> {
    let data: Bytes = args.required("data")?;
    Ok(keccak256(data))
}
