//! What a peer may be asked for.

use alloy_primitives::B256;

use super::{MessageError, end, kind, list, value, with_kind};
use crate::network::limits::{MAX_BODIES, MAX_LOCATOR, MAX_POSITIONS, MAX_TRANSACTIONS};

/// A question to a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// The headers on your best chain that follow the first of these blocks that is on it.
    Headers {
        /// Block hashes from the asker's best chain, newest first.
        locator: Vec<B256>,
    },
    /// The bodies of these blocks, in this order; the answer may end early.
    Bodies {
        /// Block hashes.
        blocks: Vec<B256>,
    },
    /// Transactions of one block by their position.
    BlockTransactions {
        /// Hash of the block.
        block: B256,
        /// Positions, ascending.
        indexes: Vec<u32>,
    },
    /// The hashes of transactions that wait in your pool.
    Pool,
    /// Transactions that wait in your pool; those that do not are left out.
    Transactions {
        /// Transaction hashes.
        hashes: Vec<B256>,
    },
}

const HEADERS: u8 = 0x01;
const BODIES: u8 = 0x02;
const BLOCK_TRANSACTIONS: u8 = 0x03;
const POOL: u8 = 0x04;
const TRANSACTIONS: u8 = 0x05;

impl Request {
    /// The bytes on the wire.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Headers { locator } => with_kind(HEADERS, locator),
            Self::Bodies { blocks } => with_kind(BODIES, blocks),
            Self::BlockTransactions { block, indexes } => {
                let mut bytes = with_kind(BLOCK_TRANSACTIONS, block);
                alloy_rlp::Encodable::encode(indexes, &mut bytes);
                bytes
            }
            Self::Pool => vec![POOL],
            Self::Transactions { hashes } => with_kind(TRANSACTIONS, hashes),
        }
    }

    /// Reads what [`Request::encode`] wrote.
    ///
    /// # Errors
    /// If it is anything else, or asks for more than the protocol allows.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let (kind, mut rest) = kind(bytes)?;
        match kind {
            HEADERS => {
                let locator = list(rest, "locator hashes", MAX_LOCATOR, value)?;
                Ok(Self::Headers { locator })
            }
            BODIES => {
                let blocks = list(rest, "blocks", MAX_BODIES, value)?;
                Ok(Self::Bodies { blocks })
            }
            BLOCK_TRANSACTIONS => {
                let block = value(&mut rest)?;
                let indexes = list(rest, "positions", MAX_POSITIONS, value)?;
                Ok(Self::BlockTransactions { block, indexes })
            }
            POOL => end(rest).map(|()| Self::Pool),
            TRANSACTIONS => {
                let hashes = list(rest, "transactions", MAX_TRANSACTIONS, value)?;
                Ok(Self::Transactions { hashes })
            }
            got => Err(MessageError::Kind { got }),
        }
    }

    /// What it asks for, for people.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Headers { .. } => "headers",
            Self::Bodies { .. } => "bodies",
            Self::BlockTransactions { .. } => "transactions of a block",
            Self::Pool => "hashes of the pool",
            Self::Transactions { .. } => "transactions",
        }
    }
}
