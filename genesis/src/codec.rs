//! Strict RLP: one value has exactly one encoding, and a decoder says which field is wrong.
//!
//! `alloy-rlp` already refuses integers with leading zeros and headers in a longer form than
//! needed. What is added here: the items of a list are counted (none missing, none extra) and
//! nothing may follow the value. Vectors grow while their items are read, so memory is bounded by
//! the length of the input, which the caller has capped.

use alloy_rlp::{Decodable, Header};

use crate::transaction::TransactionError;

/// Why bytes are not the encoding of a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The input is longer than the caller allows; nothing was read.
    #[error("{got} bytes, but at most {limit} are allowed")]
    TooLong {
        /// Length of the input, in bytes.
        got: usize,
        /// Longest input allowed, in bytes.
        limit: usize,
    },
    /// A field is missing, or is not the canonical RLP of its type.
    #[error("field `{field}`: {source}")]
    Field {
        /// Name of the field in `docs/protocol.md`.
        field: &'static str,
        /// What RLP has to say.
        source: alloy_rlp::Error,
    },
    /// A list has more items than its type.
    #[error("`{list}` has more items than it should ({bytes} bytes too many)")]
    ExtraItems {
        /// Name of the list.
        list: &'static str,
        /// Length of the superfluous items, in bytes.
        bytes: usize,
    },
    /// Bytes follow the value.
    #[error("{bytes} bytes follow the value")]
    TrailingBytes {
        /// How many.
        bytes: usize,
    },
    /// The header's `extra` is longer than it may be.
    #[error("`extra` has {got} bytes, but at most {limit} are allowed")]
    ExtraTooLong {
        /// Its length, in bytes.
        got: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A receipt's bloom is not the bloom of its logs.
    #[error("the receipt's bloom is not that of its logs")]
    BloomMismatch,
    /// A transaction of the block cannot be decoded.
    #[error("transaction {index}: {source}")]
    Transaction {
        /// Its position in the block, from 0.
        index: usize,
        /// What is wrong with it.
        source: TransactionError,
    },
}

/// Reads one field of a list; `name` is for the error.
pub(crate) fn field<T: Decodable>(
    payload: &mut &[u8],
    name: &'static str,
) -> Result<T, DecodeError> {
    T::decode(payload).map_err(|source| DecodeError::Field {
        field: name,
        source,
    })
}

/// Takes the payload of a list off the front of `bytes`.
pub(crate) fn list<'a>(bytes: &mut &'a [u8], name: &'static str) -> Result<&'a [u8], DecodeError> {
    Header::decode_bytes(bytes, true).map_err(|source| DecodeError::Field {
        field: name,
        source,
    })
}

/// Fails unless every item of the list has been read (R-ENC-2: "A list has exactly the items of its
/// type; nothing follows the value").
pub(crate) fn end_of_list(payload: &[u8], name: &'static str) -> Result<(), DecodeError> {
    match payload.len() {
        0 => Ok(()),
        bytes => Err(DecodeError::ExtraItems { list: name, bytes }),
    }
}

/// Fails unless the whole input has been read (R-ENC-2).
pub(crate) fn end_of_input(bytes: &[u8]) -> Result<(), DecodeError> {
    match bytes.len() {
        0 => Ok(()),
        bytes => Err(DecodeError::TrailingBytes { bytes }),
    }
}
