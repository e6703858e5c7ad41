//! When to mine, and the work for the in-process miner.
//!
//! ```text
//! new head, pool changes, time ─► Driver ─ template from the core ─► Work ─► miner threads
//! block ◄── sealed template ◄──── Driver ◄───────────────── nonce ◄─────────────┘
//! ```
//!
//! Deliberately absent: hashing (crate `cairn_miner`) and any rule of the ledger.

mod driver;
mod mode;
mod pause;

pub use driver::{Driver, Wanted};
pub use mode::{Mode, ParseModeError};
