//! Why a block is refused.

use alloy_primitives::{B256, U256};

use crate::{pow::BitsError, transaction::TransactionError};

/// The block breaks a rule, for everybody and forever: its hash may be remembered as invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBlock {
    /// R-HDR-2.
    #[error("the block's number is {got}, but it lies between 1 and {max}")]
    NumberRange {
        /// The number.
        got: u64,
        /// The highest number.
        max: u64,
    },
    /// R-HDR-4.
    #[error("the timestamp is {got}, but at most {max} can be sealed")]
    TimestampRange {
        /// The timestamp, in seconds since 1970.
        got: u64,
        /// The latest timestamp.
        max: u64,
    },
    /// R-HDR-5.
    #[error("the gas limit is {got}, but this chain's is {expected}")]
    GasLimit {
        /// The chain's.
        expected: u64,
        /// The block's.
        got: u64,
    },
    /// R-HDR-6.
    #[error("the block used {got} gas, but its limit is {limit}")]
    GasUsedAboveLimit {
        /// The limit.
        limit: u64,
        /// Gas used.
        got: u64,
    },
    /// R-HDR-8.
    #[error("`extra` has {got} bytes, but at most {limit} are allowed")]
    ExtraTooLong {
        /// The limit, in bytes.
        limit: usize,
        /// Its length, in bytes.
        got: usize,
    },
    /// R-SEAL-3.
    #[error("the seal's version is {got:#010x}, but its fixed bits must be {expected:#010x}")]
    SealVersion {
        /// The fixed bits.
        expected: u32,
        /// The version.
        got: u32,
    },
    /// R-SEAL-4.
    #[error("the seal's time is {got}, but it lies between {earliest} and {latest}")]
    SealTime {
        /// The header's timestamp.
        earliest: u64,
        /// The latest time of a seal.
        latest: u64,
        /// The seal's time.
        got: u64,
    },
    /// R-DIF-1.
    #[error(transparent)]
    Bits(#[from] BitsError),
    /// R-DIF-2.
    #[error("bits {got:#010x} are easier than this chain's limit {limit:#010x}")]
    BitsAboveLimit {
        /// The easiest bits of the chain.
        limit: u32,
        /// The block's.
        got: u32,
    },
    /// R-SEAL-6.
    #[error("the hash {hash} is above the target {target:#066x}: no proof of work")]
    ProofOfWork {
        /// Hash of the block.
        hash: B256,
        /// What it must not exceed.
        target: U256,
    },
    /// R-BLK-2.
    #[error("the block has {got} bytes, but this chain allows {limit}")]
    TooLarge {
        /// The chain's limit, in bytes.
        limit: usize,
        /// Size of the block, in bytes.
        got: usize,
    },
    /// R-BLK-3, R-TX-*.
    #[error("transaction {index}: {source}")]
    Transaction {
        /// Its position in the block, from 0.
        index: usize,
        /// What is wrong with it.
        source: TransactionError,
    },
    /// The transactions of a block of our own making are not those that its header commits to. (In
    /// a block of somebody else's this is [`BlockFault::Mutated`].) Not to be remembered.
    #[error("the transactions' root is {got}, but the header says {expected}")]
    TransactionsRoot {
        /// The header's.
        expected: B256,
        /// That of the transactions.
        got: B256,
    },
    /// R-HDR-1.
    #[error("the parent is {got}, not {expected}")]
    ParentHash {
        /// Hash of the block that was taken for the parent.
        expected: B256,
        /// What the header says.
        got: B256,
    },
    /// R-HDR-2.
    #[error("the number is {got}, but the parent's makes it {expected}")]
    Number {
        /// The parent's plus 1.
        expected: u64,
        /// The block's.
        got: u64,
    },
    /// R-HDR-3.
    #[error("the timestamp is {got}, but the parent's makes it at least {earliest}")]
    TimestampTooEarly {
        /// The parent's plus 1, in seconds since 1970.
        earliest: u64,
        /// The block's.
        got: u64,
    },
    /// R-DIF-3.
    #[error("bits are {got:#010x}, but at this time they must be {expected:#010x}")]
    Difficulty {
        /// What parent and timestamp make them.
        expected: u32,
        /// The block's.
        got: u32,
    },
    /// R-FEE-1.
    #[error("the base fee is {got}, but the parent makes it {expected}")]
    BaseFee {
        /// What the parent makes it, in wei per gas.
        expected: u64,
        /// The block's.
        got: u64,
    },
    /// R-EXE-7.
    #[error("execution used {got} gas, but the header says {expected}")]
    GasUsed {
        /// The header's.
        expected: u64,
        /// What execution used.
        got: u64,
    },
    /// R-EXE-8.
    #[error("the receipts' root is {got}, but the header says {expected}")]
    ReceiptsRoot {
        /// The header's.
        expected: B256,
        /// That of the receipts.
        got: B256,
    },
    /// R-EXE-9.
    #[error("the state root is {got}, but the header says {expected}")]
    StateRoot {
        /// The header's.
        expected: B256,
        /// That of the state after execution.
        got: B256,
    },
}

/// Why a block with its body is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockFault {
    /// The block is invalid for everybody.
    #[error(transparent)]
    Invalid(#[from] InvalidBlock),
    /// The body is not the one that the header commits to (R-BLK-1, R-INV-2). The hash may well be that of a
    /// valid block: ask another peer, remember nothing.
    #[error(
        "the transactions' root is {got}, but the header says {expected}: not this block's body"
    )]
    Mutated {
        /// The header's.
        expected: B256,
        /// That of the transactions.
        got: B256,
    },
}

/// The block lies in the future (R-HDR-7): hold it and try again, and blame nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the timestamp is {timestamp}, later than {latest}, the latest for now")]
pub struct NotYet {
    /// The block's timestamp, in seconds since 1970.
    pub timestamp: u64,
    /// Our time plus the chain's `max_future_drift`.
    pub latest: u64,
}

impl NotYet {
    /// How long to wait, in seconds.
    pub fn wait_s(&self) -> u64 {
        self.timestamp.saturating_sub(self.latest)
    }
}
