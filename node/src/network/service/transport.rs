//! The way bytes travel: TCP (with Noise and Yamux) and QUIC, on one port number.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use libp2p::core::Transport;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{PeerId, dns, noise, quic, tcp, yamux};

use super::closing::Closing;

/// How long a connection may take to come about, with all handshakes.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Streams of one connection at the same time. Each may hold 256 KiB that nobody has read yet; more
/// only where we read as fast as it comes: Yamux lets its window grow then, and libp2p does not
/// let us forbid it.
const MAX_STREAMS: usize = 64;

/// The same in QUIC, where all streams of a connection share this many bytes.
const QUIC_WINDOW_BYTES: u32 = 8 << 20;

/// Tries to find a number that is free for TCP and for UDP, where any number will do.
const TRIES: usize = 64;

/// What carries a swarm: connections whose other end is known, and their streams.
pub(super) type Swarming = Boxed<(PeerId, StreamMuxerBox)>;

/// TCP, QUIC, and names in place of numbers.
pub(super) fn build(key: &Keypair) -> io::Result<Swarming> {
    let mut multiplexer = yamux::Config::default();
    multiplexer.set_max_num_streams(MAX_STREAMS);
    let tcp = tcp::tokio::Transport::new(tcp::Config::new().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(key).map_err(io::Error::other)?)
        .multiplex(multiplexer)
        .timeout(HANDSHAKE)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(Closing::new(muxer))));
    let quic = quic::tokio::Transport::new(quic_config(key))
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let both = tcp
        .or_transport(quic)
        .map(|either, _| either.into_inner())
        .boxed();
    with_names(both)
}

fn quic_config(key: &Keypair) -> quic::Config {
    let mut config = quic::Config::new(key);
    config.handshake_timeout = HANDSHAKE;
    config.max_concurrent_stream_limit = MAX_STREAMS as u32;
    config.max_stream_data = QUIC_WINDOW_BYTES / 2;
    config.max_connection_data = QUIC_WINDOW_BYTES;
    config
}

/// A machine without a usable resolver can still dial numbers.
fn with_names(transport: Swarming) -> io::Result<Swarming> {
    if let Err(error) = dns::tokio::Transport::system(()) {
        tracing::warn!("peers can be named by their IP addresses only: {error}");
        return Ok(transport);
    }
    Ok(dns::tokio::Transport::system(transport)?.boxed())
}

/// A port that is taken from now on, for TCP and for UDP.
#[derive(Debug)]
pub struct Reserved {
    tcp: TcpListener,
    udp: UdpSocket,
    address: SocketAddr,
}

impl Reserved {
    /// Takes this address; port 0 is any that is free for both.
    pub(super) fn take(address: SocketAddr) -> io::Result<Self> {
        let mut result = Self::take_once(address);
        for _ in 1..TRIES {
            match &result {
                Err(error) if address.port() == 0 && error.kind() == io::ErrorKind::AddrInUse => {
                    result = Self::take_once(address);
                }
                _ => break,
            }
        }
        result
    }

    fn take_once(address: SocketAddr) -> io::Result<Self> {
        let tcp = TcpListener::bind(address)?;
        let address = tcp.local_addr()?;
        let udp = UdpSocket::bind(address)?;
        Ok(Self { tcp, udp, address })
    }

    /// The address.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives the port to whoever listens on it next.
    pub(super) fn release(self) -> SocketAddr {
        drop((self.tcp, self.udp));
        self.address
    }
}
