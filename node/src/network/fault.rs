//! What a peer can do wrong, and what it costs it.
//!
//! Only what a relayer must have checked is a fault (`docs/protocol.md`, R-INV; decision 0021): encoding,
//! proof of work, the rules between header and parent, the body's root and the short ids. That a block
//! proves invalid in execution costs its relayers nothing.

use cairn_genesis::{InvalidBlock, TransactionError};

use super::limits::BAN_POINTS;
use super::message::{MessageError, Mismatch};

/// A breach of the protocol by a peer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Bytes that are no message.
    #[error("it sent {0}")]
    Message(#[from] MessageError),
    /// A frame or stream that the transport could not make sense of, or an oversized one.
    #[error("it sent a frame that is no message of the protocol: {0}")]
    Frame(String),
    /// A header that breaks a rule.
    #[error("it sent an invalid header: {0}")]
    Header(InvalidBlock),
    /// Headers that do not follow each other, or do not follow what was asked about.
    #[error("it sent headers that do not belong together")]
    Headers,
    /// An announcement whose short ids are not those of the block.
    #[error("it announced a block with other transactions than it has")]
    Announcement,
    /// A block whose body is not the header's.
    #[error("it sent a block whose body is not the one that the header commits to")]
    Body,
    /// A transaction that can be valid on no chain of this id.
    #[error("it sent an invalid transaction: {0}")]
    Transaction(TransactionError),
    /// An answer of another kind than was asked for, or more than was asked for.
    #[error("it answered something that was not asked")]
    Answer,
    /// It claimed more work than its headers showed.
    #[error("it claims a chain with more work than its headers show")]
    Claim,
    /// Gossip by which it would fill our memory.
    #[error("it tells more than is of any use")]
    Noise,
    /// More requests or questions where we stand than it may make, or more announcements of no use.
    #[error("it asks or tells more often than it may")]
    Flood,
}

/// Why a connection is closed that is not a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Goodbye {
    /// It is on another chain.
    #[error("it is not on our chain: {0}")]
    Mismatch(#[from] Mismatch),
    /// It did not say who it is in time.
    #[error("it did not complete the handshake in time")]
    Silent,
    /// Its answers stay away.
    #[error("it does not answer in time")]
    Stalled,
    /// Its chain builds on a block that is marked invalid here.
    #[error("its chain contains a block that is invalid: {0}")]
    InvalidChain(String),
}

impl Fault {
    /// Points that it costs; at [`BAN_POINTS`] a peer is banned.
    pub fn points(&self) -> u32 {
        match self {
            Self::Message(_)
            | Self::Frame(_)
            | Self::Header(_)
            | Self::Announcement
            | Self::Body
            | Self::Transaction(_)
            | Self::Noise => BAN_POINTS,
            Self::Answer => BAN_POINTS / 2,
            // Our own view of the fork point may have changed meanwhile.
            Self::Headers => BAN_POINTS / 5,
            // An operator's say can take work from an honest node; a claim may be stale.
            Self::Claim | Self::Flood => BAN_POINTS / 10,
        }
    }
}
