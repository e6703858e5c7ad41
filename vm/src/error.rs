//! Why a transaction has no outcome: it is invalid, or the state could not be read.

use alloy_primitives::{Address, U256};

/// No outcome. The two causes must never be confused: the first condemns the transaction, the second
/// says nothing about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactError<E> {
    /// The transaction may not be part of a block here. Nothing was executed or charged.
    #[error(transparent)]
    Invalid(#[from] InvalidTransaction),
    /// The state failed to answer.
    #[error("the state could not be read: {0}")]
    State(E),
}

/// The rule that a transaction breaks, with what was found and what is required.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTransaction {
    /// The nonce was used already.
    #[error("nonce too low: the account is at {expected}, the transaction has {got}")]
    NonceTooLow {
        /// The sender's nonce.
        expected: u64,
        /// The transaction's nonce.
        got: u64,
    },
    /// Earlier transactions of the sender are missing.
    #[error("nonce too high: the account is at {expected}, the transaction has {got}")]
    NonceTooHigh {
        /// The sender's nonce.
        expected: u64,
        /// The transaction's nonce.
        got: u64,
    },
    /// EIP-2681: the nonce could not be increased any more.
    #[error("the nonce has reached its maximum, 2^64 - 1")]
    NonceMax,
    /// EIP-3607: the sender is a contract.
    #[error("sender {sender} has code that is not a delegation")]
    SenderHasCode {
        /// The sender.
        sender: Address,
    },
    /// The sender cannot pay for gas at the highest price and the value.
    #[error(
        "insufficient funds: the sender has {available} wei, gas and value may take {required}"
    )]
    InsufficientFunds {
        /// The sender's balance, wei.
        available: U256,
        /// gas limit × max fee + value, wei; 2^256 − 1 if it is more than that.
        required: U256,
    },
    /// EIP-1559: the base fee is not covered.
    #[error("max fee of {max_fee} wei per gas is below the block's base fee of {base_fee}")]
    MaxFeeBelowBaseFee {
        /// The transaction's fee cap, wei per gas.
        max_fee: u128,
        /// The block's base fee, wei per gas.
        base_fee: u64,
    },
    /// EIP-1559: the tip alone is more than the cap for everything.
    #[error("priority fee of {max_priority_fee} wei per gas is above the max fee of {max_fee}")]
    PriorityFeeAboveMaxFee {
        /// The transaction's tip cap, wei per gas.
        max_priority_fee: u128,
        /// The transaction's fee cap, wei per gas.
        max_fee: u128,
    },
    /// EIP-7825: no transaction may ask for more, whatever the block's limit.
    #[error("gas limit of {got} is above the cap of {cap} for one transaction")]
    GasLimitAboveCap {
        /// The transaction's gas limit.
        got: u64,
        /// The cap.
        cap: u64,
    },
    /// The transaction fits in no block.
    #[error("gas limit of {got} is above the block's gas limit of {limit}")]
    GasLimitAboveBlock {
        /// The transaction's gas limit.
        got: u64,
        /// The block's gas limit.
        limit: u64,
    },
    /// The gas does not even pay for the transaction's bytes.
    #[error("intrinsic gas too low: gas limit is {got}, at least {required} are needed")]
    IntrinsicGas {
        /// The transaction's gas limit.
        got: u64,
        /// Gas charged before anything runs.
        required: u64,
    },
    /// EIP-7623: the gas does not cover the floor for calldata.
    #[error("gas limit of {got} is below the calldata floor of {required}")]
    FloorGas {
        /// The transaction's gas limit.
        got: u64,
        /// The least gas that a transaction with this calldata uses.
        required: u64,
    },
    /// EIP-3860: the init code is too long.
    #[error("init code of {got} bytes is above the limit of {limit}")]
    InitCodeTooLarge {
        /// Length of the init code, bytes.
        got: usize,
        /// The limit, bytes.
        limit: usize,
    },
    /// EIP-7702: a set-code transaction needs a destination.
    #[error("a transaction with authorizations cannot create a contract")]
    AuthorizationsOnCreation,
}
