//! The double of the database, for simulations and tests: same contract, no
//! disk, and it can be told to fail at a chosen write.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use parking_lot::RwLock;

use super::{Batch, Column, Cursor, Durability, Reader, Store, StoreError};

type Map = BTreeMap<(Column, Vec<u8>), Vec<u8>>;

/// An in-memory [`Store`].
#[derive(Debug, Default)]
pub struct Memory {
    map: RwLock<Arc<Map>>,
    writes_left: RwLock<Option<u64>>,
}

impl Memory {
    /// Lets `writes` more batches succeed; every later one fails as a whole.
    pub fn fail_after(&self, writes: u64) {
        *self.writes_left.write() = Some(writes);
    }

    /// Writes succeed again.
    pub fn recover(&self) {
        *self.writes_left.write() = None;
    }

    /// What a disk holds after a crash: a copy of all that was written.
    pub fn copy(&self) -> Self {
        Self {
            map: RwLock::new(Arc::clone(&self.map.read())),
            writes_left: RwLock::new(None),
        }
    }

    fn count_write(&self) -> Result<(), StoreError> {
        match &mut *self.writes_left.write() {
            Some(0) => Err(StoreError::Io("a write failed, as the test asked".into())),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Reader for Memory {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.map.read().get(&(column, key.to_vec())).cloned())
    }

    fn cursor<'a>(&'a self, column: Column) -> Box<dyn Cursor + 'a> {
        Box::new(MemoryCursor::new(Arc::clone(&self.map.read()), column))
    }
}

impl Store for Memory {
    fn write(&self, batch: Batch, _: Durability) -> Result<(), StoreError> {
        self.count_write()?;
        let mut guard = self.map.write();
        let map = Arc::make_mut(&mut guard);
        for operation in batch.into_operations() {
            let key = (operation.column, operation.key);
            match operation.value {
                Some(value) => map.insert(key, value),
                None => map.remove(&key),
            };
        }
        Ok(())
    }

    fn snapshot(&self) -> Box<dyn Reader + '_> {
        Box::new(Snapshot(Arc::clone(&self.map.read())))
    }
}

struct Snapshot(Arc<Map>);

impl Reader for Snapshot {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(&(column, key.to_vec())).cloned())
    }

    fn cursor<'a>(&'a self, column: Column) -> Box<dyn Cursor + 'a> {
        Box::new(MemoryCursor::new(Arc::clone(&self.0), column))
    }
}

struct MemoryCursor {
    map: Arc<Map>,
    column: Column,
    at: Option<(Vec<u8>, Vec<u8>)>,
}

impl MemoryCursor {
    fn new(map: Arc<Map>, column: Column) -> Self {
        let at = None;
        Self { map, column, at }
    }

    fn first_from(&self, from: Bound<Vec<u8>>) -> Option<(Vec<u8>, Vec<u8>)> {
        let from = from.map(|key| (self.column, key));
        let ((column, key), value) = self.map.range((from, Bound::Unbounded)).next()?;
        (*column == self.column).then(|| (key.clone(), value.clone()))
    }
}

impl Cursor for MemoryCursor {
    fn seek(&mut self, key: &[u8]) -> Result<(), StoreError> {
        self.at = self.first_from(Bound::Included(key.to_vec()));
        Ok(())
    }

    fn advance(&mut self) -> Result<(), StoreError> {
        if let Some((key, _)) = self.at.take() {
            self.at = self.first_from(Bound::Excluded(key));
        }
        Ok(())
    }

    fn entry(&self) -> Option<(&[u8], &[u8])> {
        let (key, value) = self.at.as_ref()?;
        Some((key, value))
    }
}
