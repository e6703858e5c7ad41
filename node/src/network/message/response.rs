//! What a peer answers.

use alloy_primitives::{B256, Bytes};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use cairn_genesis::{Header, Seal};

use super::{MessageError, Request, kind, list, value, with_kind};
use crate::network::limits::{
    MAX_BODIES, MAX_HEADERS, MAX_POOL_HASHES, MAX_POSITIONS, MAX_TRANSACTIONS,
};

/// A header and its seal, neither checked.
pub type SealedPair = (Header, Seal);

/// The answer to a [`Request`] of the same kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// Headers that follow each other, upward.
    Headers(Vec<SealedPair>),
    /// Bodies in the order asked for: each the RLP list of a block's envelopes. Ends at
    /// the first that is not known or does not fit.
    Bodies(Vec<Bytes>),
    /// Envelopes in the order asked for; all of them, or none if the block is not known.
    BlockTransactions(Vec<Bytes>),
    /// Hashes of transactions: those that pay most, the best first.
    Pool(Vec<B256>),
    /// Envelopes.
    Transactions(Vec<Bytes>),
}

#[derive(RlpEncodable, RlpDecodable)]
struct Pair {
    header: Bytes,
    seal: Bytes,
}

const HEADERS: u8 = 0x81;
const BODIES: u8 = 0x82;
const BLOCK_TRANSACTIONS: u8 = 0x83;
const POOL: u8 = 0x84;
const TRANSACTIONS: u8 = 0x85;

impl Response {
    /// The bytes on the wire.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Headers(headers) => {
                let pairs: Vec<_> = headers.iter().map(to_pair).collect();
                with_kind(HEADERS, &pairs)
            }
            Self::Bodies(bodies) => with_kind(BODIES, bodies),
            Self::BlockTransactions(envelopes) => with_kind(BLOCK_TRANSACTIONS, envelopes),
            Self::Pool(hashes) => with_kind(POOL, hashes),
            Self::Transactions(envelopes) => with_kind(TRANSACTIONS, envelopes),
        }
    }

    /// Reads what [`Response::encode`] wrote.
    ///
    /// # Errors
    /// If it is anything else, or holds more than the protocol allows.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let (kind, rest) = kind(bytes)?;
        match kind {
            HEADERS => {
                let headers = list(rest, "headers", MAX_HEADERS, |bytes| {
                    value(bytes).and_then(from_pair)
                })?;
                Ok(Self::Headers(headers))
            }
            BODIES => {
                let bodies = list(rest, "bodies", MAX_BODIES, value)?;
                Ok(Self::Bodies(bodies))
            }
            BLOCK_TRANSACTIONS => {
                let envelopes = list(rest, "transactions of a block", MAX_POSITIONS, value)?;
                Ok(Self::BlockTransactions(envelopes))
            }
            POOL => {
                let hashes = list(rest, "hashes", MAX_POOL_HASHES, value)?;
                Ok(Self::Pool(hashes))
            }
            TRANSACTIONS => {
                let envelopes = list(rest, "transactions", MAX_TRANSACTIONS, value)?;
                Ok(Self::Transactions(envelopes))
            }
            got => Err(MessageError::Kind { got }),
        }
    }

    /// Whether it is the kind of answer that `request` asks for, and not more of it.
    pub fn answers(&self, request: &Request) -> bool {
        match (self, request) {
            (Self::Headers(_), Request::Headers { .. }) | (Self::Pool(_), Request::Pool) => true,
            (Self::Bodies(got), Request::Bodies { blocks }) => got.len() <= blocks.len(),
            (Self::BlockTransactions(got), Request::BlockTransactions { indexes, .. }) => {
                got.is_empty() || got.len() == indexes.len()
            }
            (Self::Transactions(got), Request::Transactions { hashes }) => {
                got.len() <= hashes.len()
            }
            _ => false,
        }
    }

    /// How many bytes it carries, roughly: what a peer that does not read makes us hold.
    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Headers(headers) => headers.len() * 256,
            Self::Pool(hashes) => hashes.len() * 33,
            Self::Bodies(items) | Self::BlockTransactions(items) | Self::Transactions(items) => {
                items.iter().map(|item| item.len() + 4).sum()
            }
        }
    }
}

fn to_pair((header, seal): &SealedPair) -> Pair {
    Pair {
        header: header.encode().into(),
        seal: seal.encode().into(),
    }
}

fn from_pair(pair: Pair) -> Result<SealedPair, MessageError> {
    Ok((Header::decode(&pair.header)?, Seal::decode(&pair.seal)?))
}
