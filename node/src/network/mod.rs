//! The network: how many nodes keep one chain.
//!
//! ```text
//!  libp2p ──Input──► Network ──Output──► libp2p        who talks to whom, in bytes
//!  (service)            │
//!                       ├─ peers   who is connected, what each claims, what it did wrong
//!                       ├─ relay   new blocks (compact) and transactions, as they come
//!                       └─ sync    heavier chains: headers first, then bodies from all peers
//!                       │
//!             Check ◄───┴───► Core                      worker pool; the core's thread
//! ```
//!
//! [`Network`] is sans I/O, as the core is: time is an argument, [`Network::handle`] takes an
//! [`Input`] and returns [`Output`]s. It reads the store, and writes nothing. `service` is
//! the only place that knows libp2p; the simulation drives the same machine over a wire of
//! its own.
//!
//! Three failures are kept apart: a peer's [`Fault`], what is not yet valid, and our own
//! [`StoreError`](crate::store::StoreError), which ends the node and blames nobody.
//!
//! Deliberately absent: sockets, threads, clocks, signature checks (they are [`Check`]s, run
//! by whoever has threads), and any list without a bound: it is in [`limits`], or beside what it
//! bounds.

pub mod bucket;
pub mod check;
mod fault;
mod input;
mod io;
pub mod limits;
mod machine;
pub mod message;
mod output;
mod peers;
mod relay;
pub mod serve;
pub mod service;
mod sync;
#[cfg(test)]
mod tests;

pub use check::{Check, Checked};
pub use fault::{Fault, Goodbye};
pub use input::Input;
pub use io::{Time, World};
pub use machine::{Load, Network, PeerView};
pub use message::{Announcement, Identity, Mismatch, Request, Response, Status};
pub use output::Output;
pub use sync::SyncStatus;

/// A connected peer: a number that the transport gives it and never gives again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer(pub u64);

/// A request of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A request of a peer, as the transport numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InboundId(pub u64);

/// A gossip message that waits for its verdict, as the transport numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GossipId(pub u64);

/// The subject of a gossip message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// [`Announcement`]s.
    Blocks,
    /// Envelopes.
    Transactions,
}

/// Whether a gossip message is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is what it should be: pass it on.
    Accept,
    /// Not passed on, and nobody is blamed.
    Ignore,
    /// Not passed on, and its sender is to blame.
    Reject,
}

/// Names a transaction on its way through check and core: who sent it, and the gossip
/// message that waits for the outcome, if it came by gossip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdmitToken {
    /// Who sent it.
    pub peer: Peer,
    /// The gossip message.
    pub gossip: Option<GossipId>,
}
