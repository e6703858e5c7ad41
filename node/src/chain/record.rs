//! What the database keeps of a block beside its body.

use alloy_primitives::{Address, B256, Bloom, Bytes, Log, U256};
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};
use cairn_genesis::{Header, Receipt, Seal};

use crate::store::StoreError;

/// A header with what its branch has summed up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderRecord {
    /// Block hash.
    pub hash: B256,
    /// The header.
    pub header: Header,
    /// The seal.
    pub seal: Seal,
    /// Work of the branch up to and including this block.
    pub work: U256,
    /// Seconds that the difficulty algorithm leaves out, up to this block (R-DIF-5).
    pub skipped: u64,
    /// Wei that ever came into being: genesis accounts and subsidies. Known once
    /// the block was executed, zero before.
    pub issued: U256,
    /// Wei that were destroyed: base fees and self-destructed balances. Known once
    /// the block was executed, zero before.
    pub burned: U256,
    /// Length of the encoded block.
    pub size_bytes: u32,
    /// Number of transactions.
    pub tx_count: u32,
}

#[derive(RlpEncodable, RlpDecodable)]
struct HeaderFields {
    header: Bytes,
    seal: Bytes,
    work: U256,
    skipped: u64,
    issued: U256,
    burned: U256,
    size_bytes: u32,
    tx_count: u32,
}

impl HeaderRecord {
    /// The bytes on disk; the hash is the key.
    pub fn encode(&self) -> Vec<u8> {
        alloy_rlp::encode(HeaderFields {
            header: self.header.encode().into(),
            seal: self.seal.encode().into(),
            work: self.work,
            skipped: self.skipped,
            issued: self.issued,
            burned: self.burned,
            size_bytes: self.size_bytes,
            tx_count: self.tx_count,
        })
    }

    /// Reads what [`HeaderRecord::encode`] wrote.
    pub fn decode(hash: B256, mut bytes: &[u8]) -> Result<Self, StoreError> {
        let damaged = |error: &dyn std::fmt::Display| {
            StoreError::corrupt(format!("the header of block {hash}: {error}"))
        };
        let fields = HeaderFields::decode(&mut bytes).map_err(|error| damaged(&error))?;
        Ok(Self {
            hash,
            header: Header::decode(&fields.header).map_err(|error| damaged(&error))?,
            seal: Seal::decode(&fields.seal).map_err(|error| damaged(&error))?,
            work: fields.work,
            skipped: fields.skipped,
            issued: fields.issued,
            burned: fields.burned,
            size_bytes: fields.size_bytes,
            tx_count: fields.tx_count,
        })
    }

    /// Height of the block.
    pub fn number(&self) -> u64 {
        self.header.number
    }
}

/// A receipt, with what spares a reader the recovery of the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRecord {
    /// Who sent the transaction.
    pub sender: Address,
    /// The contract that it created.
    pub created: Option<Address>,
    /// The receipt that the block commits to.
    pub receipt: Receipt,
}

#[derive(RlpEncodable, RlpDecodable)]
struct ReceiptFields {
    sender: Address,
    created: Bytes,
    tx_type: u8,
    success: bool,
    cumulative_gas_used: u64,
    logs: Vec<Log>,
}

/// The bloom of a block: addresses and topics of all its logs. Zero if it has none.
pub fn block_bloom(receipts: &[ReceiptRecord]) -> Bloom {
    let mut bloom = Bloom::ZERO;
    let logs = receipts.iter().flat_map(|record| &record.receipt.logs);
    logs.for_each(|log| bloom.accrue_log(log));
    bloom
}

/// The bytes on disk of all receipts of a block.
pub fn encode_receipts(receipts: &[ReceiptRecord]) -> Vec<u8> {
    let fields: Vec<_> = receipts
        .iter()
        .map(|record| ReceiptFields {
            sender: record.sender,
            created: record
                .created
                .map(|address| Bytes::copy_from_slice(address.as_slice()))
                .unwrap_or_default(),
            tx_type: record.receipt.tx_type,
            success: record.receipt.success,
            cumulative_gas_used: record.receipt.cumulative_gas_used,
            logs: record.receipt.logs.clone(),
        })
        .collect();
    let mut bytes = Vec::with_capacity(fields.length());
    fields.encode(&mut bytes);
    bytes
}

/// Reads what [`encode_receipts`] wrote.
pub fn decode_receipts(mut bytes: &[u8]) -> Result<Vec<ReceiptRecord>, StoreError> {
    let fields = Vec::<ReceiptFields>::decode(&mut bytes)
        .map_err(|error| StoreError::corrupt(format!("receipts: {error}")))?;
    Ok(fields
        .into_iter()
        .map(|fields| ReceiptRecord {
            sender: fields.sender,
            created: Address::try_from(fields.created.as_ref()).ok(),
            receipt: Receipt {
                tx_type: fields.tx_type,
                success: fields.success,
                cumulative_gas_used: fields.cumulative_gas_used,
                logs: fields.logs,
            },
        })
        .collect())
}
