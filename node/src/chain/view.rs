//! The chain as of one snapshot of the store: what RPC reads.

mod logs;

use alloy_primitives::{Address, B256, Bytes};
use alloy_rlp::Decodable;
use cairn_genesis::Transaction;

pub use logs::Blooms;
pub(super) use logs::parse_bloom;

use super::record::{HeaderRecord, ReceiptRecord, decode_receipts};
use crate::state::{StateAt, StateError};
use crate::store::schema::meta;
use crate::store::{Column, Reader, Store, StoreError, keys};

/// Height and hash of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Tip {
    /// Height.
    pub number: u64,
    /// Hash.
    pub hash: B256,
}

/// A consistent view: all answers belong to the same tip, whatever the core
/// commits meanwhile. Cheap to open; meant to live for one request.
pub struct ChainView<'a> {
    reader: Box<dyn Reader + 'a>,
    tip: HeaderRecord,
    floor: u64,
}

impl<'a> ChainView<'a> {
    /// The chain at this moment.
    pub fn open(store: &'a dyn Store) -> Result<Self, StoreError> {
        let reader = store.snapshot();
        if reader.get(Column::Meta, meta::INTENT)?.is_some() {
            return Err(StoreError::Reorganizing);
        }
        let tip = tip(&*reader)?.ok_or_else(|| StoreError::corrupt("the database has no tip"))?;
        let floor = reader.get(Column::Meta, meta::HISTORY_FLOOR)?;
        let floor = floor.map_or(Ok(0), |bytes| keys::parse_height(&bytes))?;
        Ok(Self { reader, tip, floor })
    }

    /// The tip.
    pub fn tip(&self) -> Tip {
        Tip {
            number: self.tip.number(),
            hash: self.tip.hash,
        }
    }

    /// The record of the tip.
    pub fn tip_record(&self) -> &HeaderRecord {
        &self.tip
    }

    /// A header, on the best chain or off it.
    pub fn header(&self, hash: B256) -> Result<Option<HeaderRecord>, StoreError> {
        find_header(&*self.reader, hash)
    }

    /// The hash of the block at `number` on the best chain.
    pub fn canonical_hash(&self, number: u64) -> Result<Option<B256>, StoreError> {
        canonical_hash(&*self.reader, number)
    }

    /// Whether the block is on the best chain.
    pub fn is_canonical(&self, number: u64, hash: B256) -> Result<bool, StoreError> {
        Ok(self.canonical_hash(number)? == Some(hash))
    }

    /// The transactions of a block, on the best chain or off it.
    pub fn body(&self, hash: B256) -> Result<Option<Vec<Transaction>>, StoreError> {
        let Some(record) = self.header(hash)? else {
            return Ok(None);
        };
        body(&*self.reader, record.number(), hash).map(Some)
    }

    /// The same as it is stored: the RLP list of the envelopes.
    pub fn raw_body(&self, hash: B256) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(record) = self.header(hash)? else {
            return Ok(None);
        };
        self.reader
            .get(Column::Bodies, &keys::block(record.number(), hash))
    }

    /// The receipts of a block of the best chain, with senders.
    pub fn receipts(&self, hash: B256) -> Result<Option<Vec<ReceiptRecord>>, StoreError> {
        let Some(record) = self.header(hash)? else {
            return Ok(None);
        };
        if !self.is_canonical(record.number(), hash)? {
            return Ok(None);
        }
        receipts(&*self.reader, record.number(), hash).map(Some)
    }

    /// Height and index of a transaction on the best chain.
    pub fn transaction_location(&self, hash: B256) -> Result<Option<(u64, u32)>, StoreError> {
        let location = self.reader.get(Column::TxIndex, hash.as_slice())?;
        location
            .map(|bytes| keys::parse_location(&bytes))
            .transpose()
    }

    /// Blocks off the best chain that are kept.
    pub fn side_blocks(&self) -> Result<Vec<HeaderRecord>, StoreError> {
        let mut records = Vec::new();
        let mut cursor = self.reader.cursor(Column::Side);
        cursor.seek(&[])?;
        while let Some((key, _)) = cursor.entry() {
            let (_, hash) = keys::parse_block(key)?;
            records.push(header(&*self.reader, hash)?);
            cursor.advance()?;
        }
        Ok(records)
    }

    /// Whether the block is marked invalid, and why.
    pub fn invalid_reason(&self, hash: B256) -> Result<Option<String>, StoreError> {
        let mark = self.reader.get(Column::Invalid, hash.as_slice())?;
        Ok(mark.map(|bytes| String::from_utf8_lossy(bytes.get(4..).unwrap_or_default()).into()))
    }

    /// The state after block `number`, which is at most the tip's.
    pub fn state_at(&self, number: u64) -> Result<StateAt<'_>, StateError> {
        StateAt::new(&*self.reader, number, self.tip.number(), self.floor)
    }
}

/// The tip of the store; `None` in an empty one.
pub(super) fn tip(reader: &dyn Reader) -> Result<Option<HeaderRecord>, StoreError> {
    let Some(hash) = reader.get(Column::Meta, meta::TIP)? else {
        return Ok(None);
    };
    header(reader, keys::parse_hash(&hash)?).map(Some)
}

/// A header that must be there.
pub(super) fn header(reader: &dyn Reader, hash: B256) -> Result<HeaderRecord, StoreError> {
    find_header(reader, hash)?
        .ok_or_else(|| StoreError::corrupt(format!("the header of block {hash} is missing")))
}

/// A header that may be there.
pub(crate) fn find_header(
    reader: &dyn Reader,
    hash: B256,
) -> Result<Option<HeaderRecord>, StoreError> {
    let bytes = reader.get(Column::Headers, hash.as_slice())?;
    bytes
        .map(|bytes| HeaderRecord::decode(hash, &bytes))
        .transpose()
}

/// The hash of the canonical block at `number`.
pub(super) fn canonical_hash(reader: &dyn Reader, number: u64) -> Result<Option<B256>, StoreError> {
    let hash = reader.get(Column::Canonical, &keys::height(number))?;
    hash.map(|hash| keys::parse_hash(&hash)).transpose()
}

/// The transactions of a block that must be there.
pub(crate) fn body(
    reader: &dyn Reader,
    number: u64,
    hash: B256,
) -> Result<Vec<Transaction>, StoreError> {
    find_body(reader, number, hash)?
        .ok_or_else(|| StoreError::corrupt(format!("the body of block {number} is missing")))
}

/// The transactions of a block that may have been let go of.
pub(crate) fn find_body(
    reader: &dyn Reader,
    number: u64,
    hash: B256,
) -> Result<Option<Vec<Transaction>>, StoreError> {
    let Some(bytes) = reader.get(Column::Bodies, &keys::block(number, hash))? else {
        return Ok(None);
    };
    let damaged =
        |error: &dyn std::fmt::Display| StoreError::corrupt(format!("block {number}: {error}"));
    let envelopes = Vec::<Bytes>::decode(&mut bytes.as_slice()).map_err(|error| damaged(&error))?;
    let transactions = envelopes
        .iter()
        .map(|envelope| Transaction::decode(envelope).map_err(|error| damaged(&error)));
    transactions.collect::<Result<_, _>>().map(Some)
}

/// The receipts of a block that left the best chain, if it is still kept.
fn side_receipts(
    reader: &dyn Reader,
    number: u64,
    hash: B256,
) -> Result<Option<Vec<ReceiptRecord>>, StoreError> {
    let bytes = reader.get(Column::SideReceipts, &keys::block(number, hash))?;
    bytes.map(|bytes| decode_receipts(&bytes)).transpose()
}

/// The transactions of a block that left the best chain, with their senders; none if the
/// limits on side blocks have dropped it since.
pub(crate) fn sent(
    reader: &dyn Reader,
    block: &HeaderRecord,
) -> Result<Vec<(Transaction, Address)>, StoreError> {
    let (number, hash) = (block.number(), block.hash);
    let Some(receipts) = side_receipts(reader, number, hash)? else {
        return Ok(Vec::new());
    };
    let transactions = body(reader, number, hash)?;
    let senders = receipts.into_iter().map(|record| record.sender);
    Ok(transactions.into_iter().zip(senders).collect())
}

/// The receipts of a canonical block.
pub(super) fn receipts(
    reader: &dyn Reader,
    number: u64,
    hash: B256,
) -> Result<Vec<ReceiptRecord>, StoreError> {
    let bytes = reader
        .get(Column::Receipts, &keys::block(number, hash))?
        .ok_or_else(|| {
            StoreError::corrupt(format!("the receipts of block {number} are missing"))
        })?;
    decode_receipts(&bytes)
}
