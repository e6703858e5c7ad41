//! The database: columns of ordered keys, one atomic batch per change of the tip.
//!
//! ```text
//! core ──Batch──► Store::write ──► RocksDB (or the in-memory double)
//! RPC  ◄─Reader── Store::snapshot
//! ```
//!
//! [`schema`] names every column and says what its keys and values are; [`keys`]
//! builds the keys. [`Rocks`] is the database on disk; [`Memory`] is the double
//! that simulations and tests use, and that can be told to fail at any write.
//!
//! Deliberately absent: any knowledge of blocks or accounts, any cache of its
//! own (RocksDB's block cache is the only one), and writes outside a [`Batch`].

mod batch;
mod error;
pub mod keys;
mod memory;
mod rocks;
pub mod schema;

pub use batch::{Batch, Durability, Operation};
pub use error::StoreError;
pub use memory::Memory;
pub use rocks::{ColumnSize, Rocks};
pub use schema::Column;

/// Reads of one consistent state of the database.
pub trait Reader: Send + Sync {
    /// The value of `key`, if there is one.
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// A cursor over the keys of `column` in ascending order; it stands nowhere
    /// until [`Cursor::seek`].
    fn cursor<'a>(&'a self, column: Column) -> Box<dyn Cursor + 'a>;
}

/// A position among the ordered keys of a column.
pub trait Cursor {
    /// Moves to the first key that is `≥ key`.
    fn seek(&mut self, key: &[u8]) -> Result<(), StoreError>;

    /// Moves to the following key.
    fn advance(&mut self) -> Result<(), StoreError>;

    /// Key and value at the position; `None` beyond the last key.
    fn entry(&self) -> Option<(&[u8], &[u8])>;
}

/// A database: reads of the present state, snapshots and atomic writes.
///
/// There is one writer, the node's core; readers never wait for it.
pub trait Store: Reader {
    /// Applies all operations of `batch` or none.
    fn write(&self, batch: Batch, durability: Durability) -> Result<(), StoreError>;

    /// The state of this moment, unaffected by later writes.
    fn snapshot(&self) -> Box<dyn Reader + '_>;
}
