//! Whole nodes with real sockets, all on loopback.
//!
//! - [`nodes`]: nodes in this process;
//! - [`stranger`]: somebody who speaks libp2p, and not as Cairn does.

mod bans;
mod connect;
mod disk;
mod mismatch;
mod nodes;
#[path = "../support/raw.rs"]
mod raw;
mod start;
mod stranger;
mod why;
