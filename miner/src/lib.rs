//! Proof of work: 80 bytes and a target in, a nonce out.
//!
//! A miner is a stranger to the ledger. It knows Bitcoin's header only so far that the last four bytes
//! are the nonce (little-endian), and that a header is a solution if its SHA-256d, read as a
//! little-endian number, does not exceed the target.
//!
//! ```text
//!   Work ──set_work──► Miner ── chunks of nonces ──► worker threads ──► search ──► kernels/portable
//!                        ▲                                │
//!                        └── hashes() ◄── counters ◄──────┴── Event::Found | Event::Exhausted ──► callback
//! ```
//!
//! - [`search`]: one header prepared for many nonces; [`scan`] is its shortest use.
//! - `kernels/`: how nonces are tried. One kernel today; faster ones come behind the same function.
//! - [`miner`]: the threads; they sleep while there is no work and react to new work within a chunk.
//! - [`rate`]: an estimate of hashes per second of work.
//!
//! Deliberately absent: blocks and transactions, networks, and knowledge of what made the 80 bytes.

mod kernels;

pub mod miner;
pub mod rate;
pub mod search;

pub use miner::{Event, MAX_THREADS, Miner, Options, Share, StartError, Work};
pub use rate::HashRate;
pub use search::{Search, scan};
