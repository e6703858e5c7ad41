//! Somebody who speaks libp2p, and not as Cairn does.

use futures::StreamExt;
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::dummy;
use libp2p::{Multiaddr, StreamProtocol, Swarm, SwarmBuilder, identity, noise, tcp, yamux};

use super::raw::Bytes;

/// A new identity.
pub fn key() -> identity::Keypair {
    identity::Keypair::generate_ed25519()
}

/// Calls the node at `address` as `key`, and sends it these bytes where a status belongs.
/// Ends when the connection does.
pub async fn send_as_hello(key: &identity::Keypair, address: &str, bytes: Vec<u8>) {
    let mut swarm = swarm(key, hello());
    let address: Multiaddr = address.parse().expect("an address");
    let Some(libp2p::multiaddr::Protocol::P2p(peer)) = address.iter().last() else {
        panic!("no peer id in {address}");
    };
    swarm.add_peer_address(peer, address);
    swarm.behaviour_mut().send_request(&peer, bytes);
    loop {
        use libp2p::swarm::SwarmEvent::{ConnectionClosed, OutgoingConnectionError};
        let event = swarm.select_next_some().await;
        if matches!(
            event,
            ConnectionClosed { .. } | OutgoingConnectionError { .. }
        ) {
            return;
        }
    }
}

/// Calls the node at `address` as `key`. Whether the node says who it is, as it does to everybody
/// whom it lets in.
pub async fn is_let_in(key: &identity::Keypair, address: &str) -> bool {
    let mut swarm = swarm(key, hello());
    let address: Multiaddr = address.parse().expect("an address");
    swarm.dial(address).expect("nobody else is dialed");
    loop {
        use libp2p::swarm::SwarmEvent::{Behaviour, ConnectionClosed, OutgoingConnectionError};
        match swarm.select_next_some().await {
            Behaviour(request_response::Event::Message { .. }) => return true,
            ConnectionClosed { .. } | OutgoingConnectionError { .. } => return false,
            _ => {}
        }
    }
}

fn hello() -> request_response::Behaviour<Bytes> {
    let protocol = StreamProtocol::new("/cairn/hello/1");
    request_response::Behaviour::with_codec(
        Bytes::default(),
        [(protocol, ProtocolSupport::Full)],
        request_response::Config::default(),
    )
}

/// Listens, and speaks no protocol at all; gives its address.
pub async fn mute() -> String {
    let key = key();
    let mut swarm = swarm(&key, dummy::Behaviour);
    swarm
        .listen_on("/ip4/127.0.0.1/tcp/0".parse().expect("an address"))
        .expect("a free port");
    let address = loop {
        if let libp2p::swarm::SwarmEvent::NewListenAddr { address, .. } =
            swarm.select_next_some().await
        {
            break format!("{address}/p2p/{}", key.public().to_peer_id());
        }
    };
    tokio::spawn(async move {
        loop {
            swarm.select_next_some().await;
        }
    });
    address
}

fn swarm<B: libp2p::swarm::NetworkBehaviour>(key: &identity::Keypair, behaviour: B) -> Swarm<B> {
    SwarmBuilder::with_existing_identity(key.clone())
        .with_tokio()
        .with_tcp(
            tcp::Config::default(),
            noise::Config::new,
            yamux::Config::default,
        )
        .expect("a key for Noise")
        .with_behaviour(|_| behaviour)
        .expect("made already")
        .with_swarm_config(|config| {
            config.with_idle_connection_timeout(std::time::Duration::from_secs(3_600))
        })
        .build()
}
