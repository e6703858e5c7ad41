//! What one atomic write consists of.

use super::Column;

/// One change to one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Where the key lives.
    pub column: Column,
    /// The key, as [`super::keys`] builds it.
    pub key: Vec<u8>,
    /// The new value; `None` deletes the key.
    pub value: Option<Vec<u8>>,
}

/// How long a write may take to survive what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// On disk before the call returns: survives a power cut.
    Synced,
    /// Handed to the operating system: survives the end of the process.
    Buffered,
}

/// Operations that take effect together, in order.
#[derive(Debug, Default)]
pub struct Batch {
    operations: Vec<Operation>,
    size_bytes: usize,
}

impl Batch {
    /// Sets `key` to `value`.
    pub fn put(&mut self, column: Column, key: impl AsRef<[u8]>, value: impl Into<Vec<u8>>) {
        self.push(Operation {
            column,
            key: key.as_ref().to_vec(),
            value: Some(value.into()),
        });
    }

    /// Removes `key`.
    pub fn delete(&mut self, column: Column, key: impl AsRef<[u8]>) {
        self.push(Operation {
            column,
            key: key.as_ref().to_vec(),
            value: None,
        });
    }

    /// Bytes of all keys and values.
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// Whether nothing would be written.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// The operations, in the order in which they take effect.
    pub fn into_operations(self) -> Vec<Operation> {
        self.operations
    }

    fn push(&mut self, operation: Operation) {
        self.size_bytes += operation.key.len() + operation.value.as_ref().map_or(0, Vec::len);
        self.operations.push(operation);
    }
}
