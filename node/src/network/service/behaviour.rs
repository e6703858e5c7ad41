//! All that is spoken over a connection.

use std::time::Duration;

use libp2p::identity::Keypair;
use libp2p::kad::store::{MemoryStore, MemoryStoreConfig};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{StreamProtocol, identify, kad, mdns, ping};

use super::codec::Codec;
use super::gate::Gate;
use super::gossip::{self, Gossip, Topics, protocol};
use crate::network::limits::{ANSWER_TIMEOUT_MS, MAX_BODIES_TIMEOUT_MS};
use crate::network::{Request, Response, Status, serve};

/// The handshake's protocol. It does not name the chain: it is there to tell that it differs.
pub(super) const HELLO: &str = "/cairn/hello/1";

/// The longest status.
const MAX_STATUS_BYTES: usize = 16 << 10;

/// The longest question: 4,096 positions in a block take half of it. A peer can begin
/// [`MAX_EXCHANGES`] of them and never come to the end.
const MAX_REQUEST_BYTES: usize = 32 << 10;

/// Questions and answers of one connection at the same time, in both directions.
const MAX_EXCHANGES: usize = 16;

/// The same of statuses.
const MAX_HELLOS: usize = 4;

/// How often a peer is asked whether it is still there, and how long it has to answer.
const PING: Duration = Duration::from_secs(10);

/// How often new peers are looked for on public chains.
const LOOK_FOR_PEERS: Duration = Duration::from_secs(120);

/// The behaviours, and `BehaviourEvent` for what they say.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    // The first: what it refuses the others never see.
    pub gate: Gate,
    pub hello: request_response::Behaviour<Codec<Status, Status>>,
    pub exchange: request_response::Behaviour<Codec<Request, Response>>,
    pub gossip: Gossip,
    pub identify: identify::Behaviour,
    pub ping: ping::Behaviour,
    pub kademlia: Toggle<kad::Behaviour<MemoryStore>>,
    pub mdns: Toggle<mdns::tokio::Behaviour>,
}

/// What the behaviours are made from.
pub(super) struct Options<'a> {
    pub key: &'a Keypair,
    pub genesis: alloy_primitives::B256,
    pub max_block_bytes: usize,
    pub client: &'a str,
    pub topics: &'a Topics,
    pub gate: Gate,
    pub kademlia: bool,
    pub mdns: bool,
}

impl Behaviour {
    pub(super) fn new(options: Options<'_>) -> Result<Self, String> {
        Ok(Self {
            gossip: gossip::behaviour(options.topics)?,
            hello: hello(),
            exchange: exchange(&options)?,
            identify: identify(&options),
            ping: ping::Behaviour::new(ping::Config::new().with_interval(PING).with_timeout(PING)),
            kademlia: kademlia(&options)?.into(),
            mdns: mdns(&options).into(),
            gate: options.gate,
        })
    }
}

fn hello() -> request_response::Behaviour<Codec<Status, Status>> {
    request_response::Behaviour::with_codec(
        Codec::new(MAX_STATUS_BYTES, MAX_STATUS_BYTES),
        [(StreamProtocol::new(HELLO), ProtocolSupport::Full)],
        request_response::Config::default()
            .with_request_timeout(Duration::from_millis(ANSWER_TIMEOUT_MS))
            .with_max_concurrent_streams(MAX_HELLOS),
    )
}

fn exchange(
    options: &Options<'_>,
) -> Result<request_response::Behaviour<Codec<Request, Response>>, String> {
    let max_answer_bytes = serve::max_answer_bytes(options.max_block_bytes);
    Ok(request_response::Behaviour::with_codec(
        Codec::new(MAX_REQUEST_BYTES, max_answer_bytes),
        [(chain_protocol(options, "exchange")?, ProtocolSupport::Full)],
        request_response::Config::default()
            .with_request_timeout(Duration::from_millis(
                MAX_BODIES_TIMEOUT_MS + ANSWER_TIMEOUT_MS,
            ))
            .with_max_concurrent_streams(MAX_EXCHANGES),
    ))
}

fn identify(options: &Options<'_>) -> identify::Behaviour {
    let config = identify::Config::new("/cairn/1".to_owned(), options.key.public())
        .with_agent_version(options.client.to_owned())
        .with_cache_size(0);
    identify::Behaviour::new(config)
}

/// For finding peers only: nothing that others want to store is kept.
fn kademlia(options: &Options<'_>) -> Result<Option<kad::Behaviour<MemoryStore>>, String> {
    if !options.kademlia {
        return Ok(None);
    }
    let own = options.key.public().to_peer_id();
    let nothing = MemoryStoreConfig {
        max_records: 0,
        max_value_bytes: 0,
        max_providers_per_key: 0,
        max_provided_keys: 0,
    };
    let mut config = kad::Config::new(chain_protocol(options, "kad")?);
    config
        .set_record_filtering(kad::StoreInserts::FilterBoth)
        .set_provider_publication_interval(None)
        .set_publication_interval(None)
        .set_replication_interval(None)
        .set_periodic_bootstrap_interval(Some(LOOK_FOR_PEERS));
    let store = MemoryStore::with_config(own, nothing);
    let mut kademlia = kad::Behaviour::with_config(own, store, config);
    kademlia.set_mode(Some(kad::Mode::Server));
    Ok(Some(kademlia))
}

/// A machine without multicast still has the peers that it is told.
fn mdns(options: &Options<'_>) -> Option<mdns::tokio::Behaviour> {
    if !options.mdns {
        return None;
    }
    let own = options.key.public().to_peer_id();
    match mdns::tokio::Behaviour::new(mdns::Config::default(), own) {
        Ok(mdns) => Some(mdns),
        Err(error) => {
            tracing::warn!("nodes on the local network cannot be found by themselves: {error}");
            None
        }
    }
}

fn chain_protocol(options: &Options<'_>, name: &str) -> Result<StreamProtocol, String> {
    StreamProtocol::try_from_owned(protocol(options.genesis, name))
        .map_err(|error| error.to_string())
}
