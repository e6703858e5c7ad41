//! The three failures of a block, never mixed: invalid, not yet, our own.

use alloy_primitives::B256;
use cairn_genesis::{BlockFault, InvalidBlock, NotYet};
use cairn_vm::InvalidTransaction;

use crate::store::StoreError;

/// Why a block was not taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// The block, or its body, breaks a rule that needs no execution.
    #[error(transparent)]
    Fault(#[from] BlockFault),
    /// The block breaks a rule that only its execution shows.
    #[error(transparent)]
    Execution(#[from] ExecutionFault),
    /// The block is marked invalid, or builds on one that is.
    #[error("block {invalid} is marked invalid: {reason}")]
    MarkedInvalid {
        /// The marked block: this one or an ancestor.
        invalid: B256,
        /// Why it is marked.
        reason: String,
    },
    /// Too far in the future to be held.
    #[error(transparent)]
    NotYet(#[from] NotYet),
    /// Its branch is too weak to be worth keeping; says nothing about validity.
    #[error("the branch of block {hash} has too little work to be kept")]
    TooLittleWork {
        /// The block.
        hash: B256,
    },
    /// No such block, or one that cannot be judged.
    #[error("no block {hash} is known that could be (in)validated")]
    Unknown {
        /// The block.
        hash: B256,
    },
    /// Our own failure. The node stops.
    #[error(transparent)]
    Ours(#[from] StoreError),
}

impl From<InvalidBlock> for BlockError {
    fn from(invalid: InvalidBlock) -> Self {
        Self::Fault(BlockFault::Invalid(invalid))
    }
}

/// A rule broken in the execution of a block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecutionFault {
    /// A transaction may not stand where it stands.
    #[error("transaction {index}: {reason}")]
    Transaction {
        /// Position in the block.
        index: usize,
        /// What is wrong with it.
        reason: InvalidTransaction,
    },
    /// The transactions may use more gas than the block has.
    #[error("transaction {index} may use {got} gas, the block has {left} left")]
    BlockGas {
        /// Position in the block.
        index: usize,
        /// Gas limit of the transaction.
        got: u64,
        /// Gas that is left for it.
        left: u64,
    },
    /// What the header claims is not what came out.
    #[error(transparent)]
    Result(#[from] InvalidBlock),
}

/// How the execution of a block ends early.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The block is invalid for everybody.
    #[error(transparent)]
    Invalid(#[from] ExecutionFault),
    /// The store failed.
    #[error(transparent)]
    Ours(#[from] StoreError),
}

impl From<ConnectError> for BlockError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Invalid(fault) => Self::Execution(fault),
            ConnectError::Ours(error) => Self::Ours(error),
        }
    }
}
