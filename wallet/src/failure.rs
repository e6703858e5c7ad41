//! Why a verb ended without doing what was asked.

use std::io::ErrorKind;

use thiserror::Error;

use crate::{
    abi::AbiError,
    client::RpcError,
    command::{ContractError, SendError},
    console::ConsoleError,
    derive::DeriveError,
    key::KeyError,
    keystore::KeystoreError,
    mnemonic::MnemonicError,
    sign::VerifyError,
};

/// Exit code of a verb that was understood but failed.
const FAILED: u8 = 1;

/// Exit code of a command line that cannot be carried out as it stands.
const USAGE: u8 = 2;

/// One sentence about what went wrong and what to do next, and the exit code that goes with it.
#[derive(Debug, Error)]
pub enum Failure {
    /// The command line asks for something that does not go together.
    #[error("{0}")]
    Usage(String),
    /// The user said no.
    #[error("{0}")]
    Declined(&'static str),
    /// A message or file cannot be read.
    #[error("{0}")]
    Input(String),
    /// Key files.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// Words.
    #[error(transparent)]
    Mnemonic(#[from] MnemonicError),
    /// Derivation paths.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// Raw keys.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The terminal, passphrases and output.
    #[error(transparent)]
    Console(#[from] ConsoleError),
    /// The node.
    #[error(transparent)]
    Rpc(Box<RpcError>),
    /// Payments.
    #[error(transparent)]
    Send(Box<SendError>),
    /// Signatures of functions, arguments and answers.
    #[error(transparent)]
    Abi(#[from] AbiError),
    /// Contracts.
    #[error(transparent)]
    Contract(Box<ContractError>),
    /// Signatures.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

impl Failure {
    /// Whether the reader of the output went away, as `head` does: nobody wants to hear of that.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Console(ConsoleError::Output(error)) if error.kind() == ErrorKind::BrokenPipe)
    }

    /// 2 if another command line is needed, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::Derive(
                DeriveError::Path { .. }
                | DeriveError::NotHardened { .. }
                | DeriveError::Index { .. },
            )
            | Self::Verify(
                VerifyError::Length { .. }
                | VerifyError::PublicKeyMissing
                | VerifyError::PublicKeyLength { .. },
            ) => USAGE,
            Self::Rpc(error) if matches!(**error, RpcError::Url { .. }) => USAGE,
            Self::Send(error) if error.is_usage() => USAGE,
            Self::Abi(error) if error.is_usage() => USAGE,
            Self::Contract(error) if error.is_usage() => USAGE,
            _ => FAILED,
        }
    }
}

/// Boxed, so that a result is not as large as the largest of all reasons.
macro_rules! boxed {
    ($($variant:ident: $error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::$variant(Box::new(error))
            }
        })*
    };
}

boxed!(Rpc: RpcError, Send: SendError, Contract: ContractError);
