//! The Merkle-Patricia trie over the flat state.
//!
//! A trie of a million accounts has a million leaves, and they are all in the
//! flat state already, in the trie's own order. So only the *inner nodes* at the
//! top are stored, by path, each with the references of its 16 children; a
//! subtree of at most [`BUCKET_MAX`] leaves, a *bucket*, is folded again from the
//! flat state whenever one of its leaves changes.
//!
//! ```text
//! path ""        inner ── 16 references ──┐
//! path "7"       inner ── 16 references   │  column Trie
//! path "7a"      inner ── 16 references ──┘
//! path "7a3"     bucket: leaves 7a3… of column Accounts, folded when needed
//! ```
//!
//! The shape of the storage is ours alone; the root is Ethereum's to the bit.
//! [`update`] is a function of the state before and after: given the keys that
//! changed and the leaves as they are now, it yields the new root and the inner
//! nodes to write.
//!
//! Deliberately absent: node caches (inner nodes are few: about 4,400 for a
//! million accounts), reference counts, and old versions of nodes.

mod fold;
mod inner;
mod update;

use alloy_primitives::B256;
use alloy_trie::Nibbles;

use crate::store::StoreError;

pub use update::{TrieUpdate, update};

/// Leaves up to which a subtree is folded from the flat state rather than stored.
/// Trades reads (a change reads its whole bucket) against writes (a smaller bucket
/// makes more inner nodes, 500 bytes each).
pub const BUCKET_MAX: usize = 16;

/// One leaf: hashed key and the value that the trie commits to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// `keccak256` of address or slot.
    pub key: B256,
    /// RLP of the account or word.
    pub value: Vec<u8>,
}

/// What a trie is made from: one implementation for accounts, one for the
/// storage of an account.
pub trait TrieSource: Sync {
    /// The inner node at `path` before the change, as it was written.
    fn inner(&self, path: &Nibbles) -> Result<Option<Vec<u8>>, StoreError>;

    /// A reader of the leaves as they are after the change.
    fn leaves(&self) -> Box<dyn LeafReader + '_>;
}

/// Reads runs of leaves; cheapest when asked in ascending order.
pub trait LeafReader {
    /// All leaves whose key begins with `prefix`, in ascending order.
    fn below(&mut self, prefix: &Nibbles) -> Result<Vec<Leaf>, StoreError>;
}
