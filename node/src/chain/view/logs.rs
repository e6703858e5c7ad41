//! What a search for logs reads.
//!
//! A header of ours has no bloom (the receipts root commits to those of the receipts). The
//! bloom of each block that has logs lies in a column of its own, in the order of heights:
//! a search passes over a hundred thousand blocks by reading one after the other what few
//! of them have, 264 bytes each, and opens the receipts of those alone that may match.
//! Derived from the receipts each time it would cost a thousand times as much.
//!
//! Receipts of a block that leaves the best chain move to a column of their own and stay
//! as long as its body does: whoever was told of its logs can be told that they are gone.

use alloy_primitives::{B256, Bloom, Bytes};
use alloy_rlp::Decodable;

use super::{ChainView, receipts, side_receipts};
use crate::chain::record::{HeaderRecord, ReceiptRecord};
use crate::store::{Column, Cursor, StoreError, keys};

impl ChainView<'_> {
    /// The bloom of the block at `number` of the best chain.
    pub fn bloom(&self, number: u64) -> Result<Bloom, StoreError> {
        let bytes = self.reader.get(Column::Blooms, &keys::height(number))?;
        bytes.map_or(Ok(Bloom::ZERO), |bytes| parse_bloom(&bytes))
    }

    /// Blocks of the best chain that have logs, from `first` upward.
    pub fn blooms(&self, first: u64) -> Result<Blooms<'_>, StoreError> {
        let mut cursor = self.reader.cursor(Column::Blooms);
        cursor.seek(&keys::height(first))?;
        Ok(Blooms { cursor })
    }

    /// The receipts of a block that is on the best chain, or was on it and is still kept.
    pub fn receipts_once(
        &self,
        block: &HeaderRecord,
    ) -> Result<Option<Vec<ReceiptRecord>>, StoreError> {
        let (number, hash) = (block.number(), block.hash);
        if self.is_canonical(number, hash)? {
            return receipts(&*self.reader, number, hash).map(Some);
        }
        side_receipts(&*self.reader, number, hash)
    }

    /// The envelopes of a block's transactions: all that their hashes take.
    pub fn envelopes(&self, number: u64, hash: B256) -> Result<Vec<Bytes>, StoreError> {
        let damaged =
            |what: &str| StoreError::corrupt(format!("the body of block {number} {what}"));
        let bytes = self
            .reader
            .get(Column::Bodies, &keys::block(number, hash))?
            .ok_or_else(|| damaged("is missing"))?;
        Vec::decode(&mut bytes.as_slice()).map_err(|error| damaged(&error.to_string()))
    }
}

/// Heights and blooms of blocks with logs, upward.
pub struct Blooms<'a> {
    cursor: Box<dyn Cursor + 'a>,
}

impl Iterator for Blooms<'_> {
    type Item = Result<(u64, Bloom), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = self.cursor.entry()?;
        let entry = keys::parse_height(key)
            .and_then(|number| parse_bloom(value).map(|bloom| (number, bloom)));
        Some(self.cursor.advance().and(entry))
    }
}

/// Reads what [`Column::Blooms`] holds.
pub(in crate::chain) fn parse_bloom(bytes: &[u8]) -> Result<Bloom, StoreError> {
    Bloom::try_from(bytes).map_err(|_| StoreError::corrupt("a bloom is not 256 bytes long"))
}
