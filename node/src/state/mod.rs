//! The state of all accounts: flat at the tip, as a trie for the root, and back
//! in time by before-images.
//!
//! ```text
//!            ┌ pending ─ changes of blocks that are not committed yet
//! VM reads ──┤
//!            └ store   ─ flat accounts and storage at the tip
//! root     ◄── trie: inner nodes stored, leaves read from the flat state
//! undo     ◄── changes: every key a block touched, with its before-image
//! archive  ◄── history: the same before-images by key, for reads at a height
//! ```
//!
//! Keys are hashed (`keccak256(address)`), so flat state and trie share one order.
//!
//! Deliberately absent: caches. RocksDB keeps hot blocks, a [`Pending`] keeps
//! what a batch of blocks changed; a third copy would have to be kept true.

mod account;
mod changes;
mod history;
mod pending;
#[cfg(test)]
mod tests;
pub mod trie;

pub use account::Account;
pub use changes::Changes;
pub use history::{StateAt, StateError};
pub use pending::{BlockChanges, Layered, Pending};

use alloy_primitives::{Address, B256, U256, keccak256};

/// The state key of an account.
pub fn account_key(address: Address) -> B256 {
    keccak256(address)
}

/// The second half of the state key of a storage slot.
pub fn slot_key(slot: U256) -> B256 {
    keccak256(slot.to_be_bytes::<32>())
}
