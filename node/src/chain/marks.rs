//! Blocks known to be invalid, so that none is executed twice.
//!
//! What execution found out may be forgotten, which costs one more execution; what the operator
//! said is kept until he takes it back.

use std::collections::{HashMap, VecDeque};

use alloy_primitives::B256;

use super::OPERATOR_REASON;
use crate::store::{Batch, Column, Durability, Store, StoreError, keys};

/// Version of the rules under which a mark was made. A mark of another version is
/// dropped at start: the block is judged again.
const RULES_VERSION: u32 = 1;

/// Marks kept beside the operator's; the oldest go first. Each costs its maker a proof of work.
const MAX_MARKS: usize = 4_096;

/// Hash → reason, in memory and in the store.
#[derive(Debug, Default)]
pub struct InvalidMarks {
    reasons: HashMap<B256, String>,
    /// Marks that may go, the next one first. After a restart their age is unknown.
    order: VecDeque<B256>,
}

impl InvalidMarks {
    /// Reads the marks of this version of the rules; the others leave the store.
    pub fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let mut marks = Self::default();
        let mut stale = Batch::default();
        let mut cursor = store.cursor(Column::Invalid);
        cursor.seek(&[])?;
        while let Some((key, value)) = cursor.entry() {
            match value.strip_prefix(&RULES_VERSION.to_be_bytes()) {
                Some(reason) => {
                    let hash = keys::parse_hash(key)?;
                    marks.set(hash, &String::from_utf8_lossy(reason));
                }
                None => stale.delete(Column::Invalid, key),
            }
            cursor.advance()?;
        }
        drop(cursor);
        if !stale.is_empty() {
            store.write(stale, Durability::Buffered)?;
        }
        Ok(marks)
    }

    /// Why the block is marked, if it is.
    pub fn reason(&self, hash: &B256) -> Option<&str> {
        self.reasons.get(hash).map(String::as_str)
    }

    /// All marked blocks.
    pub fn hashes(&self) -> impl Iterator<Item = &B256> {
        self.reasons.keys()
    }

    /// Marks blocks that are given parents first. Of too many the descendants go before what
    /// they build on, whose mark is enough to refuse its children.
    pub fn add(
        &mut self,
        store: &dyn Store,
        hashes: &[B256],
        reason: &str,
    ) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        for hash in hashes.iter().rev() {
            if self.set(*hash, reason) {
                let value = [&RULES_VERSION.to_be_bytes(), reason.as_bytes()].concat();
                batch.put(Column::Invalid, *hash, value);
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

    /// Marks a block in memory; whether it was not marked like that.
    fn set(&mut self, hash: B256, reason: &str) -> bool {
        let is_operators = reason == OPERATOR_REASON;
        match self.reason(&hash) {
            Some(known) if known == reason || known == OPERATOR_REASON => return false,
            Some(_) if is_operators => self.order.retain(|other| *other != hash),
            None if !is_operators => self.order.push_back(hash),
            _ => {}
        }
        self.reasons.insert(hash, reason.to_owned());
        true
    }

    /// Removes marks.
    pub fn remove(&mut self, store: &dyn Store, hashes: &[B256]) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        for hash in hashes {
            if self.reasons.remove(hash).is_some() {
                batch.delete(Column::Invalid, *hash);
            }
        }
        let reasons = &self.reasons;
        self.order.retain(|hash| reasons.contains_key(hash));
        store.write(batch, Durability::Buffered)
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::U256;

    use super::*;
    use crate::chain::tests::follower::marked;
    use crate::store::Memory;

    fn hash(id: usize) -> B256 {
        B256::from(U256::from(id))
    }

    fn hashes(ids: std::ops::Range<usize>) -> Vec<B256> {
        ids.map(hash).collect()
    }

    #[test]
    fn descendants_go_before_what_they_build_on() {
        let store = Memory::default();
        let mut marks = InvalidMarks::default();
        // A branch of 10, then one after the other.
        marks.add(&store, &hashes(0..10), "first").unwrap();
        for id in 10..MAX_MARKS + 9 {
            marks.add(&store, &[hash(id)], "later").unwrap();
        }
        assert_eq!(marks.reason(&hash(0)), Some("first"), "the root stays");
        assert_eq!(marks.reason(&hash(1)), None);
        assert_eq!(marked(&store).len(), MAX_MARKS);
        marks.add(&store, &[hash(99_999)], "last").unwrap();
        assert_eq!(marks.reason(&hash(0)), None, "and goes as the oldest");
    }

    #[test]
    fn the_operators_marks_stay() {
        let store = Memory::default();
        let mut marks = InvalidMarks::default();
        marks.add(&store, &hashes(0..2), "found out").unwrap();
        for id in [0, 2] {
            marks.add(&store, &[hash(id)], OPERATOR_REASON).unwrap();
        }
        marks.add(&store, &hashes(2..4), "found out").unwrap();
        let mut marks = InvalidMarks::load(&store).unwrap();
        let flood = hashes(10..MAX_MARKS + 10);
        marks.add(&store, &flood, "found out").unwrap();
        for id in [0, 2] {
            assert_eq!(marks.reason(&hash(id)), Some(OPERATOR_REASON));
        }
        assert_eq!(
            (marks.reason(&hash(1)), marks.reason(&hash(3))),
            (None, None)
        );
        assert_eq!(marked(&store).len(), MAX_MARKS + 2);
        marks.remove(&store, &hashes(0..10)).unwrap();
        assert_eq!(marked(&store).len(), MAX_MARKS);
        assert_eq!(marks.order.len(), MAX_MARKS);
    }
}
