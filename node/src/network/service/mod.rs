//! The network on real wires: libp2p on one side, the machine on the other.
//!
//! ```text
//!   TCP, QUIC ── transport ── gate ─┬─ hello      who are you, on which chain
//!                                   ├─ exchange   requests and answers
//!                                   ├─ gossip     blocks and transactions
//!                                   ├─ identify, ping
//!                                   └─ kademlia (public chains), mdns (private ones)
//!                                        │ events
//!   handle ──Command──►  task ◄──────────┘
//!   core   ──Input────►   │   owns the swarm and the machine (`Network`)
//!   workers ─Checked──►   │
//!                         └──► core (`ToCore`), workers, disk, log
//! ```
//!
//! | file | is |
//! |---|---|
//! | `task`, `events`, `outputs`, `commands` | the one task: its loop, what comes from libp2p, what the machine wants, what the operator wants |
//! | [`handle`] | what the rest of the node may ask |
//! | `start`, `key`, `file` | what can fail before that, the node's key, the files beside the database |
//! | `transport`, `closing`, `behaviour`, `codec`, `gossip` | libp2p, put together |
//! | `heard`, `useless` | gossip that waits for its verdict or is offered to others, and who tells too much |
//! | `gate`, `bans` | who may connect |
//! | `dial`, `book`, `address` | whom to connect with, and how addresses are written |
//! | `sessions`, `last_words`, `why` | who is connected, why others are not |
//! | `checks`, `serving`, `underway` | work for other threads, and what leaves to peers |
//! | `progress` | a line while the node catches up |
//! | `link`, `random` | a bad line on purpose, and chance for it and for dialing |
//!
//! libp2p is imported here and nowhere else.
//!
//! Deliberately absent: any rule of the protocol. They are in the machine, which the
//! simulation runs without this.

mod address;
mod bans;
mod behaviour;
mod book;
mod checks;
mod closing;
mod codec;
mod commands;
mod dial;
mod events;
mod file;
mod gate;
mod gossip;
pub mod handle;
mod heard;
mod key;
mod last_words;
mod link;
mod outputs;
mod progress;
mod random;
mod serving;
mod sessions;
mod start;
mod task;
mod transport;
mod underway;
mod useless;
mod why;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use cairn_genesis::{ChainSpec, VerifiedBlock, VerifiedTransaction};

pub use address::{check_address, check_ban, check_peer};
pub use handle::{BanInfo, HandleError, NetworkHandle, NodeInfo, PeerInfo};
pub use key::KeyError;
pub use link::Link;
pub use start::{Service, reserve, start};
pub use transport::Reserved;

use super::{AdmitToken, Input};
use crate::chain::HeaderRecord;
use crate::rpc::PoolMirror;
use crate::store::Store;

/// Most peers at once, unless the operator says otherwise.
pub const DEFAULT_MAX_PEERS: usize = 64;

/// Where a node listens, unless the operator says otherwise.
pub const DEFAULT_PORT: u16 = 30303;

/// How a node takes part in the network.
#[derive(Debug, Clone)]
pub struct NetworkConfig {
    /// Where it listens, for TCP and for QUIC.
    pub listen: SocketAddr,
    /// Whether another port will do if this one is taken.
    pub any_port: bool,
    /// Multiaddresses of peers to be connected with.
    pub peers: Vec<String>,
    /// Whether it talks to nobody else.
    pub only_peers: bool,
    /// Most peers at once.
    pub max_peers: usize,
    /// Whether it finds nodes on the local network by itself, where the chain is private.
    pub mdns: bool,
    /// How bad the line is made.
    pub link: Link,
}

impl NetworkConfig {
    /// Listens here, with all else as it is unless the operator says otherwise.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            any_port: false,
            peers: Vec::new(),
            only_peers: false,
            max_peers: DEFAULT_MAX_PEERS,
            mdns: true,
            link: Link::default(),
        }
    }
}

/// What the network has of the node.
pub struct Parts {
    /// The rules of the chain.
    pub spec: Arc<ChainSpec>,
    /// The database, for reading.
    pub store: Arc<dyn Store>,
    /// The transactions that wait.
    pub pool: Arc<PoolMirror>,
    /// Where the chain stands.
    pub tip: Arc<HeaderRecord>,
    /// Where key, address book and bans lie.
    pub datadir: PathBuf,
    /// Name and version of the program.
    pub client: String,
    /// The way to the core.
    pub core: CoreSender,
}

/// Hands something to the core; `false` if the core has ended.
pub type CoreSender = Box<dyn Fn(ToCore) -> bool + Send>;

/// What the network gives to the core. The answers are [`Input::Admitted`] and
/// [`Input::Imported`].
#[derive(Debug)]
pub enum ToCore {
    /// A transaction.
    Admit {
        /// Comes back with the answer.
        token: AdmitToken,
        /// The transaction.
        transaction: VerifiedTransaction,
    },
    /// Blocks that follow each other upward.
    Import {
        /// The blocks.
        blocks: Vec<VerifiedBlock>,
        /// The work that headers of their branch have shown.
        proven_work: alloy_primitives::U256,
    },
}

/// The way from the core to the network. What is on it is bounded by what the machine has
/// given to the core, and by what the core itself does.
pub type ToNetwork = tokio::sync::mpsc::UnboundedSender<Input>;

/// Why the network does not start.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// Nobody can listen there.
    #[error(
        "cannot listen for peers at {address}: {reason}; choose another address with --p2p HOST:PORT"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The node has no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A file beside the database.
    #[error("cannot use {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// A peer that the operator named.
    #[error("{0}")]
    Peer(String),
    /// libp2p does not take what it is given.
    #[error("the network cannot be set up: {0}")]
    Setup(String),
}
