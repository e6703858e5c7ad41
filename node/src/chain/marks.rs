//! Blocks known to be invalid, so that none is executed twice.

use std::collections::{HashMap, VecDeque};

use alloy_primitives::B256;

use crate::store::{Batch, Column, Durability, Store, StoreError, keys};

/// Version of the rules under which a mark was made. A mark of another version is
/// dropped at start: the block is judged again.
const RULES_VERSION: u32 = 1;

/// Marks kept; the oldest go first. Each costs its maker a proof of work.
const MAX_MARKS: usize = 4_096;

/// Hash → reason, in memory and in the store.
#[derive(Debug, Default)]
pub struct InvalidMarks {
    reasons: HashMap<B256, String>,
    order: VecDeque<B256>,
}

impl InvalidMarks {
    /// Reads the marks of this version of the rules.
    pub fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let mut marks = Self::default();
        let mut cursor = store.cursor(Column::Invalid);
        cursor.seek(&[])?;
        while let Some((key, value)) = cursor.entry() {
            if let Some(reason) = value.strip_prefix(&RULES_VERSION.to_be_bytes()) {
                let hash = keys::parse_hash(key)?;
                let reason = String::from_utf8_lossy(reason).into_owned();
                marks.reasons.insert(hash, reason);
                marks.order.push_back(hash);
            }
            cursor.advance()?;
        }
        Ok(marks)
    }

    /// Why the block is marked, if it is.
    pub fn reason(&self, hash: &B256) -> Option<&str> {
        self.reasons.get(hash).map(String::as_str)
    }

    /// All marked blocks, oldest mark first.
    pub fn hashes(&self) -> impl Iterator<Item = &B256> {
        self.order.iter()
    }

    /// Marks blocks.
    pub fn add(
        &mut self,
        store: &dyn Store,
        hashes: &[B256],
        reason: &str,
    ) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        for hash in hashes {
            let value = [&RULES_VERSION.to_be_bytes(), reason.as_bytes()].concat();
            batch.put(Column::Invalid, *hash, value);
            if self.reasons.insert(*hash, reason.to_owned()).is_none() {
                self.order.push_back(*hash);
            }
        }
        while self.order.len() > MAX_MARKS {
            if let Some(oldest) = self.order.pop_front() {
                self.reasons.remove(&oldest);
                batch.delete(Column::Invalid, oldest);
            }
        }
        store.write(batch, Durability::Buffered)
    }

    /// Removes marks.
    pub fn remove(&mut self, store: &dyn Store, hashes: &[B256]) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        for hash in hashes {
            if self.reasons.remove(hash).is_some() {
                self.order.retain(|other| other != hash);
                batch.delete(Column::Invalid, *hash);
            }
        }
        store.write(batch, Durability::Buffered)
    }
}
