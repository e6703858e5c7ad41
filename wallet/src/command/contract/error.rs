//! What can go wrong with a contract, each with what to do next.

use alloy_primitives::Address;
use thiserror::Error;

use super::CodeError;
use crate::abi::Revert;

/// Why a contract was not created, asked or used.
#[derive(Debug, Error)]
pub enum ContractError {
    /// The creation code cannot be read.
    #[error(transparent)]
    Code(#[from] CodeError),
    /// The constructor takes no coins.
    #[error("the constructor takes no coins, so leave --value out")]
    NotPayable,
    /// There is nothing at the address.
    #[error("there is no contract at {address}; check the address and --rpc")]
    NoContract {
        /// The address.
        address: Address,
    },
    /// The contract refuses.
    #[error("the call {0}")]
    Reverts(Revert),
    /// The node says that the contract is elsewhere than it must be.
    #[error(
        "the node says that the contract is at {}, but the transaction creates it at {expected}; do not trust it, and look at another node",
        got.map_or_else(|| "no address".to_owned(), |address| address.to_string())
    )]
    OtherAddress {
        /// What follows from sender and nonce.
        expected: Address,
        /// What the node says.
        got: Option<Address>,
    },
}

impl ContractError {
    /// Whether another command line is needed, whatever the node says.
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NotPayable | Self::Code(CodeError::Hex { .. } | CodeError::ConstructorMissing)
        )
    }
}
