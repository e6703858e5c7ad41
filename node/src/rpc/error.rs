//! Every way in which a request can fail, and the JSON-RPC error it becomes.
//!
//! Codes: −32602 for parameters, −32001 for a block that is not there, −32000 for a
//! refusal (with geth's wording, which wallets match on), 3 for a revert (with its
//! data), 4 for a wait that ran out, 4444 for pruned state, −32005 for a query that asks for
//! too much (with a range that does not), −32603 for our own failures.

use alloy_primitives::{B256, Bytes, U64};
use cairn_genesis::TransactionError;
use jsonrpsee::types::ErrorObjectOwned;
use serde_json::{Value, json};

use super::revert::revert_reason;
use crate::state::StateError;
use crate::store::StoreError;

const INVALID_PARAMS: i32 = -32602;
const INTERNAL: i32 = -32603;
const REFUSED: i32 = -32000;
/// EIP-1898's "resource not found".
const NOT_FOUND: i32 = -32001;
/// EIP-1474's "limit exceeded"; indexers made for hosted nodes divide their range on it.
const LIMIT_EXCEEDED: i32 = -32005;
/// geth's code for a reverted call; ethers and viem read `data` under it.
const REVERTED: i32 = 3;
/// EIP-7966's code for a transaction that was accepted and not mined in time.
const NOT_MINED_IN_TIME: i32 = 4;
/// EIP-4444's code for history that a node no longer keeps.
const PRUNED: i32 = 4444;

/// Why a request has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// The parameters are not what the method takes.
    #[error("{0}")]
    InvalidParams(String),
    /// The block named does not exist here.
    #[error("header not found: {0}")]
    BlockNotFound(String),
    /// The request was understood and declined.
    #[error("{0}")]
    Refused(String),
    /// The call ended in REVERT.
    #[error("execution reverted{}", revert_reason(.0).map(|reason| format!(": {reason}")).unwrap_or_default())]
    Reverted(Bytes),
    /// The transaction is in the pool, and no block took it in time.
    #[error("transaction {hash} was accepted, but not mined within {waited_ms} ms")]
    NotMinedInTime {
        /// The transaction.
        hash: B256,
        /// How long the request waited.
        waited_ms: u64,
    },
    /// The transaction is in the pool, and the node stopped before a block took it.
    #[error("transaction {hash} was accepted, but the node is shutting down: it waits on disk")]
    NotMinedBeforeTheEnd {
        /// The transaction.
        hash: B256,
    },
    /// State this old is not kept.
    #[error(
        "pruned history unavailable: the state of block {number} was pruned, the oldest one kept is that of block {floor}"
    )]
    Pruned {
        /// The block asked for.
        number: u64,
        /// The oldest block whose state can be read.
        floor: u64,
    },
    /// A filter or subscription cannot go on without leaving something out.
    #[error(
        "filter not found: block {number} ({hash}), the last that it told of, has left the best chain and is no longer kept; begin anew"
    )]
    Lost {
        /// Height of the block.
        number: u64,
        /// Its hash.
        hash: B256,
    },
    /// A query over a range of blocks whose answer no single request gets. The words are those
    /// of hosted nodes: indexers read the range out of them.
    #[error("{why}. Try with this block range [{from:#x}, {to:#x}].")]
    TooMuch {
        /// What there is too much of.
        why: String,
        /// First block asked for.
        from: u64,
        /// Last block up to which the answer would do.
        to: u64,
    },
    /// A long reorganization is being written; it passes by itself.
    #[error("{}", StoreError::Reorganizing)]
    Reorganizing,
    /// The node was told to stop.
    #[error("the node is shutting down")]
    Stopping,
    /// Our own failure: the database, or a defect.
    #[error("{0}")]
    Internal(String),
}

impl RpcError {
    /// A sentence about wrong parameters.
    pub fn params(sentence: impl Into<String>) -> Self {
        Self::InvalidParams(sentence.into())
    }

    /// A sentence about a refusal.
    pub fn refused(sentence: impl Into<String>) -> Self {
        Self::Refused(sentence.into())
    }

    /// What is for the operator alone, and a web page asked for.
    pub fn stranger(method: &str) -> Self {
        Self::Refused(format!(
            "{method} is not for web pages: call it from a program, or start the node with --rpc-cors and the page's origin by name"
        ))
    }

    fn code(&self) -> i32 {
        match self {
            Self::InvalidParams(_) => INVALID_PARAMS,
            Self::BlockNotFound(_) => NOT_FOUND,
            Self::Refused(_) | Self::Lost { .. } | Self::Reorganizing | Self::Stopping => REFUSED,
            Self::Reverted(_) => REVERTED,
            Self::NotMinedInTime { .. } | Self::NotMinedBeforeTheEnd { .. } => NOT_MINED_IN_TIME,
            Self::Pruned { .. } => PRUNED,
            Self::TooMuch { .. } => LIMIT_EXCEEDED,
            Self::Internal(_) => INTERNAL,
        }
    }

    fn data(&self) -> Option<Value> {
        match self {
            Self::Reverted(output) => Some(json!(output)),
            Self::NotMinedInTime { hash, .. } | Self::NotMinedBeforeTheEnd { hash } => {
                Some(json!(hash))
            }
            Self::TooMuch { from, to, .. } => {
                Some(json!({"from": U64::from(*from), "to": U64::from(*to)}))
            }
            _ => None,
        }
    }
}

impl From<RpcError> for ErrorObjectOwned {
    fn from(error: RpcError) -> Self {
        if let RpcError::Internal(reason) = &error {
            tracing::error!(reason, "a request failed by our own fault");
        }
        Self::owned(error.code(), error.to_string(), error.data())
    }
}

impl From<StoreError> for RpcError {
    fn from(error: StoreError) -> Self {
        match error {
            // No fault of ours, and nothing to log.
            StoreError::Reorganizing => Self::Reorganizing,
            _ => Self::Internal(error.to_string()),
        }
    }
}

/// geth's words come first, where it has any for the case: wallets match on them.
impl From<TransactionError> for RpcError {
    fn from(error: TransactionError) -> Self {
        let words = match &error {
            TransactionError::Empty => "typed transaction too short",
            TransactionError::UnknownType { .. } | TransactionError::Blob => {
                "transaction type not supported"
            }
            TransactionError::NoChainId => {
                "only replay-protected (EIP-155) transactions allowed over RPC"
            }
            TransactionError::ChainId { .. } => "invalid chain id for signer",
            TransactionError::NonceTooHigh => "nonce has max value",
            TransactionError::GasLimitTooLow { .. } => "intrinsic gas too low",
            TransactionError::GasLimitTooHigh { .. } => "transaction gas limit too high",
            TransactionError::InitCodeTooLong { .. } => "max initcode size exceeded",
            TransactionError::PriorityFeeAboveMaxFee { .. } => {
                "max priority fee per gas higher than max fee per gas"
            }
            TransactionError::NoAuthorizations => "EIP-7702 transaction with empty auth list",
            TransactionError::SignatureRange
            | TransactionError::HighS
            | TransactionError::NoSigner
            | TransactionError::Ed25519 => "invalid sender",
            _ => "transaction could not be decoded",
        };
        Self::Refused(format!("{words}: {error}"))
    }
}

impl From<StateError> for RpcError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Pruned { number, floor } => Self::Pruned { number, floor },
            StateError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::hex;

    use super::*;

    #[test]
    fn a_revert_carries_code_3_its_reason_and_its_data() {
        let output = hex!(
            "08c379a0"
            "0000000000000000000000000000000000000000000000000000000000000020"
            "0000000000000000000000000000000000000000000000000000000000000003"
            "6e6f210000000000000000000000000000000000000000000000000000000000"
        );
        let error = ErrorObjectOwned::from(RpcError::Reverted(output.into()));
        assert_eq!(error.code(), 3);
        assert_eq!(error.message(), "execution reverted: no!");
        let data = error.data().unwrap().get();
        assert!(data.starts_with("\"0x08c379a0"), "{data}");
    }

    #[test]
    fn too_much_says_what_would_do() {
        let why = "query returned more than 10000 results".into();
        let error = RpcError::TooMuch {
            why,
            from: 1,
            to: 30,
        };
        let object = ErrorObjectOwned::from(error);
        assert_eq!(object.code(), -32005);
        let words =
            "query returned more than 10000 results. Try with this block range [0x1, 0x1e].";
        assert_eq!(object.message(), words);
        assert_eq!(
            object.data().unwrap().get(),
            r#"{"from":"0x1","to":"0x1e"}"#
        );
    }

    #[test]
    fn a_reorganization_is_no_fault() {
        let object = ErrorObjectOwned::from(RpcError::from(StoreError::Reorganizing));
        assert_eq!(object.code(), -32000);
        assert_eq!(object.message(), StoreError::Reorganizing.to_string());
    }

    #[test]
    fn pruned_state_says_what_is_kept() {
        let error = RpcError::Pruned {
            number: 5,
            floor: 90,
        };
        let object = ErrorObjectOwned::from(error);
        assert_eq!(object.code(), 4444);
        assert!(object.message().contains("block 90"));
        assert!(object.data().is_none());
    }
}
