//! Functional tests: the real `cairn` and `cairn-wallet`, started as a user starts them, stopped
//! and killed as the world does it, and asked over JSON-RPC.
//!
//! ```text
//! test ──start, signal──► cairn ◄──JSON-RPC── test
//!   └────────start──────► cairn-wallet ──JSON-RPC──► cairn
//! ```
//!
//! | module | shows |
//! |---|---|
//! | `mining` | each mining mode; what a block in JSON says is what its hash commits to |
//! | `transactions`, `refused` | every type of transaction, to the wei; every refusal |
//! | `crash` | kill -9 under load loses nothing that anybody was told |
//! | `forks` | the most work decides, forth and back |
//! | `restart` | pool and history outlive the process; signals |
//! | `start`, `disk` | what a node refuses to start with, or to go on with |
//! | `defects` | how a node ends, and what it says of a slow clock |
//! | `tools` | `cairn db`, `cairn spec`, wrong usage |
//! | `peers` | `cairn peer` |
//! | `contracts` | contracts: deploying, calling, logs, reverts, predeploys, precompiles |
//! | `traces` | `debug_*`: every tracer, and raw bytes |
//! | `rpc` | the server and the methods that no other scenario needs |
//! | `wallet` | the wallet against a node |
//! | `wallet_contract` | contracts by the wallet: created, asked, used |
//! | `devnet` | the scripts of `genesis/devnet`: many nodes, partitions, a double spend |
//!
//! Every test has directories and ports of its own; all sockets are on loopback, or in network
//! namespaces that `devnet` makes. Nothing here measures time: deadlines are far off and only end what
//! hangs.
//!
//! Deliberately absent: anything that can be shown without a process (see the unit tests).
//!
//! The modules are marked as tests so that clippy lets their helpers unwrap.

#[cfg(test)]
mod contracts;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod defects;
#[cfg(test)]
mod devnet;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod forks;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod mining;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod rpc;
#[cfg(test)]
mod start;
#[cfg(test)]
mod tools;
#[cfg(test)]
mod traces;
#[cfg(test)]
mod transactions;
#[cfg(test)]
mod wallet;
#[cfg(test)]
mod wallet_contract;
