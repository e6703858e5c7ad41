//! Setting the network up: everything that can fail with a sentence for the operator.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use futures::StreamExt;
use libp2p::identity::Keypair;
use libp2p::swarm::{self, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::behaviour::{Behaviour, BehaviourEvent, Options};
use super::dial::Dialer;
use super::file::Saver;
use super::gate::Gate;
use super::gossip::Topics;
use super::random::Random;
use super::task::{Setup, Task};
use super::transport::{self, Reserved};
use super::{NetworkConfig, NetworkError, NetworkHandle, Parts, ToNetwork, address, file, key};
use crate::network::{Identity, Network};
use crate::store::StoreError;

/// How long a peer may stay silent: for ever. Whoever is not on our chain is sent away by the
/// machine, whoever is dead by ping.
const IDLE: std::time::Duration = std::time::Duration::from_secs(u32::MAX as u64);

/// Streams of one connection whose protocol is being agreed on.
const MAX_NEGOTIATING: usize = 32;

/// A network that runs.
pub struct Service {
    /// For whoever wants to ask it something.
    pub handle: NetworkHandle,
    /// For the core.
    pub inputs: ToNetwork,
    /// An address for others, as one that starts on the same machine would use it.
    pub address: String,
    /// Ends the task when it is dropped or used.
    pub stop: oneshot::Sender<()>,
    /// Is closed when the task has ended.
    pub ended: watch::Receiver<bool>,
    /// Ends with our own failure, or because it was stopped.
    pub task: JoinHandle<Result<(), StoreError>>,
}

/// Takes the port. Costs nothing else, so it comes first.
///
/// # Errors
/// Nobody can listen there.
pub fn reserve(config: &NetworkConfig) -> Result<Reserved, NetworkError> {
    let wanted = config.listen;
    let taken = match Reserved::take(wanted) {
        Err(error) if config.any_port && error.kind() == io::ErrorKind::AddrInUse => {
            let any = SocketAddr::new(wanted.ip(), 0);
            let taken = Reserved::take(any);
            if let Ok(taken) = &taken {
                let (port, instead) = (wanted.port(), taken.address().port());
                tracing::warn!(
                    "port {port} is taken, peers are listened for on port {instead}; --p2p HOST:PORT chooses one that stays"
                );
            }
            taken
        }
        taken => taken,
    };
    taken.map_err(|reason| NetworkError::Listen {
        address: wanted,
        reason,
    })
}

/// Starts the network; it listens when this returns.
///
/// # Errors
/// What the operator has to put right.
pub async fn start(
    config: NetworkConfig,
    reserved: Reserved,
    parts: Parts,
) -> Result<Service, NetworkError> {
    let key = key::load_or_make(&parts.datadir.join("node.key"))?;
    let (book_path, bans_path) = (
        parts.datadir.join("peers.json"),
        parts.datadir.join("bans.json"),
    );
    let book = load(&book_path)?;
    let bans = load(&bans_path)?;
    let mut dialer = Dialer::new(Random::of_this_run());
    let only = name_peers(&config, &parts, &mut dialer)?;
    let genesis = parts.spec.genesis_hash();
    let topics = Topics::new(genesis);
    let is_public = is_public(&parts);
    let options = Options {
        key: &key,
        genesis,
        max_block_bytes: parts.spec.max_block_bytes,
        client: &parts.client,
        topics: &topics,
        gate: Gate::new(config.max_peers, bans, only),
        kademlia: is_public,
        mdns: config.mdns && !is_public && !config.only_peers,
    };
    let mut swarm = swarm(&key, options)?;
    let own = *swarm.local_peer_id();
    let (socket, early) = listen(&mut swarm, reserved).await?;

    let identity = Identity::new(&parts.spec, genesis, &parts.client);
    let network = Network::new(identity, parts.spec.clone(), parts.tip.clone());
    let (sync, sync_receiver) = watch::channel(network.sync_status());
    let (handle, commands) = NetworkHandle::channel(sync_receiver);
    let (inputs, received) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel();
    let task = Task::new(Setup {
        swarm,
        network,
        topics,
        dialer,
        book,
        book_saver: Saver::new(book_path),
        bans_saver: Saver::new(bans_path),
        config,
        parts,
        sync,
        is_public,
    });
    let (ending, ended) = watch::channel(false);
    let task = tokio::spawn(async move {
        // Dropped at the end, also by a panic: the receiver then wakes.
        let _ending = ending;
        task.run(early, commands, received, stopped).await
    });
    Ok(Service {
        handle,
        inputs,
        address: format!("{}/p2p/{own}", address::tcp(nearby(socket))),
        stop,
        ended,
        task,
    })
}

/// A chain that strangers share, and that is found through boot nodes.
fn is_public(parts: &Parts) -> bool {
    !(crate::node::is_development(&parts.spec) || parts.spec.boot_nodes.is_empty())
}

/// Names the boot nodes and the operator's peers to the dialer; the list of those who alone
/// may connect, if there is to be one.
fn name_peers(
    config: &NetworkConfig,
    parts: &Parts,
    dialer: &mut Dialer,
) -> Result<Option<BTreeSet<PeerId>>, NetworkError> {
    let mut only = BTreeSet::new();
    for text in &config.peers {
        let place = address::parse(text).map_err(NetworkError::Peer)?;
        if config.only_peers {
            let missing = || {
                NetworkError::Peer(format!(
                    "with --only-peers every --peer must say whom to expect: add /p2p/ and the peer id to {text}"
                ))
            };
            only.insert(place.peer.ok_or_else(missing)?);
        }
        dialer.keep(place).map_err(NetworkError::Peer)?;
    }
    if config.only_peers {
        if only.is_empty() {
            tracing::warn!("--only-peers without any --peer: this node talks to nobody");
        }
        return Ok(Some(only));
    }
    for text in &parts.spec.boot_nodes {
        match address::parse(text) {
            Ok(place) => dialer.keep(place).map_err(NetworkError::Peer)?,
            Err(error) => tracing::warn!("a boot node of the chain spec is left out: {error}"),
        }
    }
    Ok(None)
}

fn load<T: serde::de::DeserializeOwned + Default>(path: &Path) -> Result<T, NetworkError> {
    file::load(path).map_err(|reason| NetworkError::File {
        path: PathBuf::from(path),
        reason,
    })
}

fn swarm(key: &Keypair, options: Options<'_>) -> Result<Swarm<Behaviour>, NetworkError> {
    let setup = |error: io::Error| NetworkError::Setup(error.to_string());
    let transport = transport::build(key).map_err(setup)?;
    let behaviour = Behaviour::new(options).map_err(NetworkError::Setup)?;
    let config = swarm::Config::with_tokio_executor()
        .with_idle_connection_timeout(IDLE)
        .with_max_negotiating_inbound_streams(MAX_NEGOTIATING);
    let own = key.public().to_peer_id();
    Ok(Swarm::new(transport, behaviour, own, config))
}

/// Listens on both transports, and waits until they say where. What else happens in the
/// meantime comes back as well.
async fn listen(
    swarm: &mut Swarm<Behaviour>,
    reserved: Reserved,
) -> Result<(SocketAddr, Vec<SwarmEvent<BehaviourEvent>>), NetworkError> {
    let socket = reserved.release();
    let failed = |reason| NetworkError::Listen {
        address: socket,
        reason,
    };
    let mut silent = HashSet::new();
    for address in [address::tcp(socket), address::quic(socket)] {
        let listener = swarm
            .listen_on(address)
            .map_err(|error| failed(io::Error::other(error)))?;
        silent.insert(listener);
    }
    let mut early = Vec::new();
    while !silent.is_empty() {
        match swarm.select_next_some().await {
            SwarmEvent::NewListenAddr { listener_id, .. } => {
                silent.remove(&listener_id);
            }
            SwarmEvent::ListenerClosed {
                reason: Err(reason),
                ..
            } => return Err(failed(reason)),
            event => early.push(event),
        }
    }
    Ok((socket, early))
}

/// The address under which a program on the same machine finds this one.
fn nearby(socket: SocketAddr) -> SocketAddr {
    let ip = match socket.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, socket.port())
}

/// Where the node listens, as others name it.
pub(super) fn addresses(swarm: &Swarm<Behaviour>) -> Vec<String> {
    let own = *swarm.local_peer_id();
    let whole = |address: &Multiaddr| format!("{address}/p2p/{own}");
    let mut all: Vec<_> = swarm.listeners().map(whole).collect();
    // Loopback and TCP first: what scripts on this machine look for.
    all.sort_by_key(|address| {
        let is_near = address.starts_with("/ip4/127.");
        (!is_near, !address.contains("/tcp/"), address.clone())
    });
    all
}
