//! Why a transaction is invalid, whatever the state.

/// A transaction breaks a rule that needs no state to check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// There are no bytes.
    #[error("the transaction is empty")]
    Empty,
    /// The bytes are not RLP of the type's fields.
    #[error("the transaction is not valid RLP: {0}")]
    Rlp(#[from] alloy_rlp::Error),
    /// Items or bytes follow the transaction's fields.
    #[error("{bytes} bytes follow the transaction's fields")]
    TrailingBytes {
        /// How many.
        bytes: usize,
    },
    /// The bytes decode, but to a transaction that is encoded otherwise.
    #[error("the transaction is not in its canonical encoding")]
    NotCanonical,
    /// A block holds a legacy transaction as a byte string.
    #[error("a legacy transaction stands in a block as a list, not as a byte string")]
    LegacyInString,
    /// The type does not exist here.
    #[error(
        "transaction type {got:#04x} does not exist here: use legacy, 0x01, 0x02, 0x04 or 0x45"
    )]
    UnknownType {
        /// The type.
        got: u8,
    },
    /// EIP-4844.
    #[error("blob transactions (type 0x03) are not supported: this chain has no blob space")]
    Blob,
    /// Legacy and signed without a chain id.
    #[error("the transaction names no chain id: sign it with EIP-155")]
    NoChainId,
    /// A secp256k1 signature was given for a native body.
    #[error("a native transaction (type 0x45) needs an Ed25519 signature")]
    SignatureScheme,
    /// Signed for another chain.
    #[error("the transaction is for chain id {got}, but this chain's is {expected}")]
    ChainId {
        /// This chain's id.
        expected: u64,
        /// The transaction's.
        got: u64,
    },
    /// The nonce is `2^64 - 1` (EIP-2681).
    #[error("the nonce is 2^64 - 1, which no account may use")]
    NonceTooHigh,
    /// The gas limit does not pay for the transaction itself.
    #[error("the gas limit is {got}, but this transaction needs at least {required}")]
    GasLimitTooLow {
        /// Gas that it needs before anything runs, or the floor of EIP-7623 if that is higher.
        required: u64,
        /// Its gas limit.
        got: u64,
    },
    /// The gas limit is above the cap of EIP-7825.
    #[error("the gas limit is {got}, but a transaction may use at most {limit}")]
    GasLimitTooHigh {
        /// The cap.
        limit: u64,
        /// Its gas limit.
        got: u64,
    },
    /// The init code is longer than EIP-3860 allows.
    #[error("the init code has {got} bytes, but at most {limit} are allowed")]
    InitCodeTooLong {
        /// The limit, in bytes.
        limit: usize,
        /// Its length, in bytes.
        got: usize,
    },
    /// The priority fee is above the whole fee (EIP-1559).
    #[error(
        "the priority fee ({priority} wei per gas) is above the highest fee ({max} wei per gas)"
    )]
    PriorityFeeAboveMaxFee {
        /// `max_priority_fee`.
        priority: u128,
        /// `max_fee`.
        max: u128,
    },
    /// A `0x04` transaction without authorizations (EIP-7702).
    #[error("a transaction of type 0x04 needs at least one authorization")]
    NoAuthorizations,
    /// r or s is zero or not below the order of the curve.
    #[error("the signature's r or s is out of range")]
    SignatureRange,
    /// s is in the upper half: the other of two forms of one signature (EIP-2).
    #[error("the signature's s is above half the order of the curve")]
    HighS,
    /// No public key gives this signature.
    #[error("the signature belongs to no public key")]
    NoSigner,
    /// The Ed25519 signature is wrong for this key and digest.
    #[error("the Ed25519 signature is not valid")]
    Ed25519,
}
