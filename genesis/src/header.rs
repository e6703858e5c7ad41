//! The ledger's header: what a block claims about its parent, its state and its transactions.

use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_rlp::{Encodable, RlpEncodable};

use crate::codec::{self, DecodeError};

/// Longest `extra`, in bytes (R-HDR-8).
pub const MAX_EXTRA_BYTES: usize = 32;
/// Highest block number (R-HDR-2): the height push of the coinbase then has at most 4 bytes, which
/// is as far as mining software reads it.
pub const MAX_NUMBER: u64 = (1 << 31) - 1;
/// Latest timestamp (R-HDR-4), in seconds since 1970: the seal's time may be later by
/// [`SEAL_TIME_WINDOW_S`](crate::SEAL_TIME_WINDOW_S) and has 32 bits.
pub const MAX_TIMESTAMP: u64 = u32::MAX as u64 - crate::SEAL_TIME_WINDOW_S;

/// The header of a block. Its RLP is the list of the fields in this order (R-ENC-3).
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable)]
pub struct Header {
    /// Hash of the parent, in display order; zero for the genesis block.
    pub parent_hash: B256,
    /// Height: 0 for the genesis block.
    pub number: u64,
    /// Seconds since 1970, as contracts see them (the seal has its own time).
    pub timestamp: u64,
    /// Compact target of the proof of work.
    pub bits: u32,
    /// Who gets the subsidy and the priority fees.
    pub beneficiary: Address,
    /// Root of the state after this block.
    pub state_root: B256,
    /// Root of the trie of transaction envelopes.
    pub transactions_root: B256,
    /// Root of the trie of receipts.
    pub receipts_root: B256,
    /// Most gas that the block may use.
    pub gas_limit: u64,
    /// Gas that its transactions used.
    pub gas_used: u64,
    /// Price of gas that is burned, in wei (EIP-1559).
    pub base_fee: u64,
    /// Free bytes of the miner, at most [`MAX_EXTRA_BYTES`]; in the genesis block the digest of
    /// the chain's rules.
    pub extra: Bytes,
}

impl Header {
    /// What the coinbase commits to: `keccak256(rlp(header))` (R-SEAL-1).
    pub fn commitment(&self) -> B256 {
        keccak256(alloy_rlp::encode(self))
    }

    /// Takes a header off the front of `bytes`.
    ///
    /// # Errors
    /// If the bytes are not the canonical encoding of a header.
    pub(crate) fn decode_from(bytes: &mut &[u8]) -> Result<Self, DecodeError> {
        let payload = &mut codec::list(bytes, "header")?;
        let header = Self {
            parent_hash: codec::field(payload, "parent_hash")?,
            number: codec::field(payload, "number")?,
            timestamp: codec::field(payload, "timestamp")?,
            bits: codec::field(payload, "bits")?,
            beneficiary: codec::field(payload, "beneficiary")?,
            state_root: codec::field(payload, "state_root")?,
            transactions_root: codec::field(payload, "transactions_root")?,
            receipts_root: codec::field(payload, "receipts_root")?,
            gas_limit: codec::field(payload, "gas_limit")?,
            gas_used: codec::field(payload, "gas_used")?,
            base_fee: codec::field(payload, "base_fee")?,
            extra: decode_extra(payload)?,
        };
        codec::end_of_list(payload, "header")?;
        Ok(header)
    }

    /// Decodes a header that stands alone.
    ///
    /// # Errors
    /// If the bytes are not the canonical encoding of a header, to the last byte.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, DecodeError> {
        let header = Self::decode_from(&mut bytes)?;
        codec::end_of_input(bytes)?;
        Ok(header)
    }

    /// The canonical RLP.
    pub fn encode(&self) -> Vec<u8> {
        alloy_rlp::encode(self)
    }
}

fn decode_extra(payload: &mut &[u8]) -> Result<Bytes, DecodeError> {
    let bytes =
        alloy_rlp::Header::decode_bytes(payload, false).map_err(|source| DecodeError::Field {
            field: "extra",
            source,
        })?;
    // R-HDR-8: "extra has at most 32 bytes."
    if bytes.len() > MAX_EXTRA_BYTES {
        return Err(DecodeError::ExtraTooLong {
            got: bytes.len(),
            limit: MAX_EXTRA_BYTES,
        });
    }
    Ok(Bytes::copy_from_slice(bytes))
}

/// Length of the RLP of a header, in bytes.
pub(crate) fn encoded_length(header: &Header) -> usize {
    Encodable::length(header)
}
