//! `admin_*` and the network's part of `cairn_*`: peers, bans, and why a peer does not
//! come about. What geth has is named as there; a multiaddress stands where geth has an
//! enode.
//!
//! All of it is for the operator alone: even what only reads shows addresses.

use std::fmt;
use std::sync::Arc;

use alloy_primitives::{B256, U64, U256};
use jsonrpsee::types::Params;
use serde::Serialize;
use serde_json::{Value, json};

use super::api::Api;
use super::error::RpcError;
use super::methods::Registry;
use super::params::Args;
use crate::network::service::{HandleError, NetworkHandle, PeerInfo};

pub(super) fn register(registry: &mut Registry) {
    registry.lever("admin_nodeInfo", node_info);
    registry.lever("admin_peers", peers);
    registry.lever("admin_addPeer", add_peer);
    registry.lever("admin_removePeer", remove_peer);
    registry.lever("cairn_bans", bans);
    registry.lever("cairn_unban", unban);
    registry.lever("cairn_onlyPeers", only_peers);
    registry.lever("cairn_peerWhy", peer_why);
}

impl From<HandleError> for RpcError {
    fn from(error: HandleError) -> Self {
        match error {
            HandleError::Refused(sentence) => Self::refused(sentence),
            HandleError::Stopping => Self::Stopping,
        }
    }
}

fn network(api: &Api) -> Result<&NetworkHandle, RpcError> {
    api.node.network.as_ref().ok_or_else(|| {
        RpcError::refused("this node has no network: start it without --no-p2p, or `cairn dev` with --p2p HOST:PORT")
    })
}

/// A peer, as `admin_peers` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Peer {
    /// Its peer id.
    pub id: String,
    /// Name and version of its program.
    pub name: String,
    /// Its multiaddress.
    pub enode: String,
    /// The protocols that we share.
    pub caps: Vec<String>,
    /// The connection.
    pub network: Connection,
    /// What it says of its chain, under the name of the protocol.
    pub protocols: Protocols,
}

/// The connection to a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// The other end, as `HOST:PORT`.
    pub remote_address: Option<String>,
    /// Whether it called us.
    pub inbound: bool,
    /// Seconds since 1970 from which on it stands.
    pub since: U64,
    /// Milliseconds for a ping and its answer, once known.
    pub ping_ms: Option<U64>,
    /// Penalty points; at 100 it is banned.
    pub points: U64,
}

/// The chain of a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Protocols {
    /// The only protocol.
    pub cairn: PeerChain,
}

/// Where a peer stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeerChain {
    /// Version of the protocol.
    pub version: u32,
    /// Hash of its tip.
    pub head: B256,
    /// Height of its tip.
    pub number: U64,
    /// Work of its best chain, in hashes.
    pub work: U256,
}

impl From<PeerInfo> for Peer {
    fn from(peer: PeerInfo) -> Self {
        Self {
            id: peer.id,
            name: peer.client,
            caps: vec![format!("cairn/{}", peer.protocol)],
            network: Connection {
                remote_address: Socket::of(&peer.address).map(|socket| socket.to_string()),
                inbound: peer.inbound,
                since: U64::from(peer.since_ms / 1000),
                ping_ms: peer.ping_ms.map(U64::from),
                points: U64::from(peer.points),
            },
            protocols: Protocols {
                cairn: PeerChain {
                    version: peer.protocol,
                    head: peer.head,
                    number: U64::from(peer.number),
                    work: peer.work,
                },
            },
            enode: peer.address,
        }
    }
}

/// Host and port of a multiaddress, as geth shows them.
struct Socket<'a> {
    host: &'a str,
    port: u16,
}

impl<'a> Socket<'a> {
    /// `None` for the empty text, by which a peer's address is unknown.
    fn of(address: &'a str) -> Option<Self> {
        let mut parts = address.split('/').skip(2);
        let (host, _transport, port) = (parts.next()?, parts.next()?, parts.next()?);
        let port = port.parse().ok()?;
        Some(Self { host, port })
    }
}

impl fmt::Display for Socket<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        match host.contains(':') {
            true => write!(f, "[{host}]:{port}"),
            false => write!(f, "{host}:{port}"),
        }
    }
}

async fn node_info(api: Arc<Api>, params: Params<'static>) -> Result<Value, RpcError> {
    Args::parse(&params, 0)?;
    let info = network(&api)?.info().await?;
    let view = api.view()?;
    let tip = view.tip_record();
    let enode = info.addresses.first();
    let socket = enode.and_then(|address| Socket::of(address));
    Ok(json!({
        "id": info.id,
        "name": info.client,
        "enode": enode,
        "ip": socket.as_ref().map(|socket| socket.host),
        "ports": { "listener": socket.as_ref().map(|socket| socket.port) },
        "listenAddr": socket.as_ref().map(Socket::to_string),
        "addresses": info.addresses,
        "maxPeers": info.max_peers,
        "onlyPeers": info.only_peers,
        "protocols": {
            "cairn": {
                "network": api.node.spec.chain_id,
                "genesis": api.node.genesis_hash,
                "head": tip.hash,
                "number": U64::from(tip.number()),
                "work": tip.work,
                "names": info.protocols,
            }
        },
    }))
}

async fn peers(api: Arc<Api>, params: Params<'static>) -> Result<Vec<Peer>, RpcError> {
    Args::parse(&params, 0)?;
    let peers = network(&api)?.peers().await?;
    Ok(peers.into_iter().map(Peer::from).collect())
}

/// `true`: the node dials it from now on. That it cannot be reached is no error here:
/// `cairn_peerWhy` tells.
async fn add_peer(api: Arc<Api>, params: Params<'static>) -> Result<bool, RpcError> {
    let address: String = Args::parse(&params, 1)?.required("multiaddress")?;
    network(&api)?.add_peer(address).await?;
    Ok(true)
}

/// Whether it was known.
async fn remove_peer(api: Arc<Api>, params: Params<'static>) -> Result<bool, RpcError> {
    let peer: String = Args::parse(&params, 1)?.required("peer id")?;
    Ok(network(&api)?.remove_peer(peer).await?)
}

/// Somebody who may not connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ban {
    /// Peer id or IP address.
    pub subject: String,
    /// What it did.
    pub reason: String,
    /// Seconds since 1970 until which it lasts.
    pub until: U64,
}

async fn bans(api: Arc<Api>, params: Params<'static>) -> Result<Vec<Ban>, RpcError> {
    Args::parse(&params, 0)?;
    let bans = network(&api)?.bans().await?.into_iter();
    let ban = |ban: crate::network::service::BanInfo| Ban {
        subject: ban.subject,
        reason: ban.reason,
        until: U64::from(ban.until_ms / 1000),
    };
    Ok(bans.map(ban).collect())
}

/// Whether there was such a ban.
async fn unban(api: Arc<Api>, params: Params<'static>) -> Result<bool, RpcError> {
    let subject: String = Args::parse(&params, 1)?.required("peer id or IP address")?;
    Ok(network(&api)?.unban(subject).await?)
}

/// Talks to these peers only; `null` lifts that.
async fn only_peers(api: Arc<Api>, params: Params<'static>) -> Result<bool, RpcError> {
    let peers: Option<Vec<String>> = Args::parse(&params, 1)?.optional("peer ids")?;
    network(&api)?.only_peers(peers).await?;
    Ok(true)
}

/// One sentence on why there is no connection to a multiaddress, or that there is one.
async fn peer_why(api: Arc<Api>, params: Params<'static>) -> Result<String, RpcError> {
    let address: String = Args::parse(&params, 1)?.required("multiaddress")?;
    Ok(network(&api)?.why(address).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_shown_as_geth_does() {
        for (address, shown) in [
            (
                "/ip4/192.168.1.7/tcp/30303/p2p/12D3",
                Some("192.168.1.7:30303"),
            ),
            ("/ip6/::1/udp/1/quic-v1/p2p/12D3", Some("[::1]:1")),
            ("/dns4/seed.example/tcp/1/p2p/12D3", Some("seed.example:1")),
            ("", None),
        ] {
            let socket = Socket::of(address).map(|socket| socket.to_string());
            assert_eq!(socket.as_deref(), shown);
        }
    }
}
