//! JSON-RPC: what every Ethereum tool can ask of this node, over HTTP and WebSocket on one
//! port.
//!
//! ```text
//! connection ─ guard (Host, Origin) ─ CORS ─ jsonrpsee (limits, batches)
//!                                                │
//!                        methods: read │ heavy (blocking pool) │ task (waits)
//!                                                │
//!      Args ─► one ChainView ─► the answer's type         core ◄─ submit, invalidate, why
//!              (a snapshot)     (JSON by serde)
//! ```
//!
//! - [`server`] listens; [`guard`] keeps rebound web pages out, `push` subscriptions over HTTP.
//! - [`context`] is all that this module knows of the node; [`pool_mirror`] is its copy of the
//!   mempool. No read waits for the core.
//! - `machines` lends what runs code.
//! - `methods` is the table of methods and decides on which thread each runs; `params` takes
//!   parameters apart; [`error`] is every way to fail, with its code.
//! - `eth`, `net`, `web3`, `txpool`, `debug`, `cairn`, `why` and `dev` hold the methods by name; [`types`]
//!   is what answers look like.
//!
//! `docs/rpc.md` describes every method. jsonrpsee is imported here and nowhere else.
//!
//! Deliberately absent: keys (but for the well-known ones of development chains). A method that
//! does not exist answers −32601.

pub mod accounts;
mod admin;
mod api;
mod cairn;
pub mod context;
mod debug;
mod dev;
pub mod error;
mod eth;
pub mod guard;
mod machines;
mod methods;
mod net;
mod params;
pub mod pool_mirror;
mod push;
mod revert;
pub mod server;
#[cfg(test)]
mod tests;
mod txpool;
pub mod types;
mod web3;
mod why;

pub use accounts::DevAccounts;
pub use context::{CoreHandle, CoreRequest, Mining, MiningStatus, RpcContext, SubmitError};
pub use error::RpcError;
pub use pool_mirror::PoolMirror;
pub use server::{RpcConfig, RpcListener, RpcServer, ServeError};
