//! The Cairn node: chain, store, mempool, mining, network and JSON-RPC.
//!
//! ```text
//!            ┌───────────── one core thread ─────────────┐
//! RPC ──────►│ core ── chain ── state ── store (RocksDB) │──► tip, pool changes
//! miner ────►│      └─ mempool                           │──► work for the miner
//! peers ────►│                                           │──► what became of theirs
//!            └────────────────────────────────────────────┘
//! RPC ◄── snapshots of the store, a mirror of the pool: reads never wait for the core
//! ```
//!
//! | module | is |
//! |---|---|
//! | [`core`] | the deterministic machine: events in, actions out, no clock, no threads |
//! | [`chain`] | which blocks are known and best; reorganization; templates; views for readers |
//! | [`state`] | accounts: flat, trie, undo, history |
//! | [`store`] | columns, keys, atomic batches; RocksDB and its in-memory double |
//! | [`mempool`] | transactions that wait |
//! | [`mining`] | when to mine, and the in-process miner |
//! | [`network`] | peers: relay and sync, a machine without I/O, and its wires |
//! | [`rpc`] | JSON-RPC over HTTP and WebSocket |
//! | [`node`] | the composition: starts the parts and carries out the core's actions |
//! | [`cli`] | the command line |
//!
//! Deliberately absent: keys of users, and any rule of the ledger (`cairn-genesis`).

pub mod chain;
pub mod cli;
pub mod clock;
mod convert;
pub mod core;
pub mod mempool;
pub mod mining;
pub mod network;
pub mod node;
mod precompiles;
pub mod rpc;
pub mod state;
pub mod store;
