//! What the scenarios are made of.
//!
//! - [`process`]: a program that runs, and what it leaves behind;
//! - [`node`]: a running `cairn` and its RPC;
//! - [`rpc`]: questions to it;
//! - [`http`]: the same by hand, and WebSockets;
//! - [`told`]: what a node said, to be held against it later;
//! - [`accounts`]: the well-known accounts, and their signatures;
//! - [`user`]: somebody with a wallet;
//! - [`files`]: what is in a directory;
//! - [`wait`]: looking until there is something to see.

mod accounts;
mod files;
mod http;
mod node;
mod process;
mod rpc;
mod told;
mod user;
#[path = "../../support/wait.rs"]
mod wait;

pub use accounts::{Account, GWEI, Transfer, native, secp256k1};
pub use files::snapshot;
pub use http::{WebSocket, exchange, http};
pub use node::{
    Node, cairn, cairn_command, cairn_in, clean, node_command, start_and_kill, wallet_binary,
};
pub use process::{Ended, Running};
pub use rpc::{Failure, Rpc, block_at, hash, lower, number, text, wei};
pub use told::{Told, receipts_of};
pub use user::{PASSPHRASE, User, WORDS, parsed};
pub use wait::wait_for;

/// Chain id of `dev`.
pub const DEV: u64 = 31337;

/// A directory for one test, removed at its end.
pub fn home() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory can be made")
}
