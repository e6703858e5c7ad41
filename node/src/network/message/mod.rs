//! What peers say to each other, and its bytes.
//!
//! | message | travels as | answered by |
//! |---|---|---|
//! | [`Status`] | request, and its answer | the other's [`Status`] |
//! | [`Request`] | request | [`Response`] of the same kind |
//! | [`Announcement`] | gossip on the topic of blocks | – |
//! | a transaction's envelope | gossip on the topic of transactions | – |
//!
//! All is canonical RLP behind one byte for the kind. A list is over at the first item more
//! than the protocol allows: short items take many times their bytes in memory, and a frame
//! has room for millions. Only a status, whose frame is small, is read before it is counted.
//! `docs/network.md` has the formats; tests pin them.

mod announcement;
mod request;
mod response;
mod status;
#[cfg(test)]
mod tests;

pub use announcement::{Announcement, SHORT_ID_BYTES, ShortId, ShortIds};
pub use request::Request;
pub use response::{Response, SealedPair};
pub use status::{ForkId, Identity, Mismatch, Rule, Status};

use alloy_rlp::{Decodable, Header};
use cairn_genesis::DecodeError;

/// Why a message of a peer cannot be read: the peer is broken or hostile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// No kind of message begins so.
    #[error("a message of the unknown kind {got:#04x}")]
    Kind {
        /// Its first byte.
        got: u8,
    },
    /// There is no first byte.
    #[error("an empty message")]
    Empty,
    /// It is not canonical RLP of its kind.
    #[error("a message that does not decode: {0}")]
    Rlp(alloy_rlp::Error),
    /// Something follows the message.
    #[error("a message with {bytes} bytes too many")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// A header or seal in it does not decode.
    #[error("a message with a damaged header: {0}")]
    Header(#[from] DecodeError),
    /// More items than the protocol allows.
    #[error("a message with more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many it may have; nobody counts further.
        limit: usize,
    },
    /// Short ids come in bytes that are no multiple of their length.
    #[error(
        "a message with {bytes} bytes of short ids, which is not a multiple of {SHORT_ID_BYTES}"
    )]
    ShortIds {
        /// How many bytes.
        bytes: usize,
    },
}

/// Reads a value that fills `bytes` to the end.
fn decode_all<T: Decodable>(mut bytes: &[u8]) -> Result<T, MessageError> {
    let value = value(&mut bytes)?;
    end(bytes)?;
    Ok(value)
}

/// Reads a value, and goes on behind it.
fn value<T: Decodable>(bytes: &mut &[u8]) -> Result<T, MessageError> {
    T::decode(bytes).map_err(MessageError::Rlp)
}

/// Reads a list that fills `bytes` to the end, item by item: the first that is too many or
/// no good is the last that is looked at.
fn list<T>(
    mut bytes: &[u8],
    what: &'static str,
    limit: usize,
    mut item: impl FnMut(&mut &[u8]) -> Result<T, MessageError>,
) -> Result<Vec<T>, MessageError> {
    let mut rest = Header::decode_bytes(&mut bytes, true).map_err(MessageError::Rlp)?;
    end(bytes)?;
    let mut items = Vec::new();
    while !rest.is_empty() {
        at_most(what, items.len() + 1, limit)?;
        items.push(item(&mut rest)?);
    }
    Ok(items)
}

/// Nothing may follow.
fn end(rest: &[u8]) -> Result<(), MessageError> {
    match rest.len() {
        0 => Ok(()),
        bytes => Err(MessageError::Trailing { bytes }),
    }
}

/// Splits the kind off a message.
fn kind(bytes: &[u8]) -> Result<(u8, &[u8]), MessageError> {
    let (kind, rest) = bytes.split_first().ok_or(MessageError::Empty)?;
    Ok((*kind, rest))
}

fn at_most(what: &'static str, got: usize, limit: usize) -> Result<(), MessageError> {
    if got > limit {
        return Err(MessageError::TooMany { what, limit });
    }
    Ok(())
}

fn with_kind(kind: u8, value: &impl alloy_rlp::Encodable) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + value.length());
    bytes.push(kind);
    value.encode(&mut bytes);
    bytes
}
