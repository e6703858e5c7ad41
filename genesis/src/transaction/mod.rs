//! Transactions, as EIP-2718 envelopes.
//!
//! ```text
//! envelope bytes ──Transaction::decode──► Transaction ──VerifiedTransaction::new──► VerifiedTransaction
//!                   encoding, type                      stateless rules, signature
//! ```
//!
//! | type | name | signature | encoding |
//! |---|---|---|---|
//! | `0x45` | native | Ed25519, key inside | ours |
//! | legacy | EIP-155 | secp256k1 | `alloy-consensus` |
//! | `0x01`, `0x02`, `0x04` | EIP-2930, EIP-1559, EIP-7702 | secp256k1 | `alloy-consensus` |
//!
//! A [`Transaction`] is immutable and keeps its envelope and hash. Absent: blob transactions
//! (`0x03`, there is no blob space) and legacy ones without a chain id (they could be replayed).

mod access;
mod envelope;
mod error;
pub mod gas;
pub mod native;
pub mod signature;
mod verified;

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxLegacy};
use alloy_primitives::{B256, Bytes, Signature, keccak256};

pub use error::TransactionError;
pub use native::NativeTransaction;
pub use verified::VerifiedTransaction;

/// A decoded transaction. Its signature and the stateless rules have not been checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    body: Body,
    signature: TransactionSignature,
    envelope: Bytes,
    hash: B256,
}

/// What was signed, by type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// `0x45`: Ed25519.
    Native(NativeTransaction),
    /// Without a type byte; always with a chain id here (EIP-155).
    Legacy(TxLegacy),
    /// `0x01`: with an access list.
    Eip2930(TxEip2930),
    /// `0x02`: with a priority fee.
    Eip1559(TxEip1559),
    /// `0x04`: with authorizations that delegate accounts to code.
    Eip7702(TxEip7702),
}

/// The signature that came with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionSignature {
    /// `R ‖ S` of a native transaction.
    Ed25519([u8; 64]),
    /// r, s and y-parity of any other.
    Secp256k1(Signature),
}

impl Transaction {
    /// Decodes an envelope, in the form that `eth_sendRawTransaction` takes.
    ///
    /// # Errors
    /// If the type is not supported or the bytes are not the canonical encoding.
    pub fn decode(envelope: &[u8]) -> Result<Self, TransactionError> {
        let (body, signature) = envelope::decode(envelope)?;
        let transaction = Self::assemble(body, signature);
        // R-ENC-1: "Every value has exactly one encoding." The envelope that is kept is our own
        // encoding of what was read; a decoder that let a second form pass is caught here.
        if *transaction.envelope != *envelope {
            return Err(TransactionError::NotCanonical);
        }
        Ok(transaction)
    }

    /// A native transaction with its signature (`R ‖ S`), which is not checked here.
    pub fn native(body: NativeTransaction, signature: [u8; 64]) -> Self {
        Self::assemble(Body::Native(body), TransactionSignature::Ed25519(signature))
    }

    /// A transaction of one of Ethereum's types with its signature, which is not checked here.
    ///
    /// # Errors
    /// If the body is native, or is legacy and has no chain id.
    pub fn ethereum(body: impl Into<Body>, signature: Signature) -> Result<Self, TransactionError> {
        let body = body.into();
        match &body {
            Body::Native(_) => Err(TransactionError::SignatureScheme),
            Body::Legacy(tx) if tx.chain_id.is_none() => Err(TransactionError::NoChainId),
            _ => Ok(Self::assemble(
                body,
                TransactionSignature::Secp256k1(signature),
            )),
        }
    }

    fn assemble(body: Body, signature: TransactionSignature) -> Self {
        let envelope = Bytes::from(envelope::encode(&body, &signature));
        let hash = keccak256(&envelope);
        Self {
            body,
            signature,
            envelope,
            hash,
        }
    }

    /// The canonical EIP-2718 envelope.
    pub fn envelope(&self) -> &Bytes {
        &self.envelope
    }

    /// `keccak256(envelope)`: the name of the transaction.
    pub fn hash(&self) -> B256 {
        self.hash
    }

    /// What was signed.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The signature.
    pub fn signature(&self) -> &TransactionSignature {
        &self.signature
    }

    /// The digest that the sender signed.
    pub fn signing_hash(&self) -> B256 {
        self.body.signing_hash()
    }

    pub(crate) fn is_legacy(&self) -> bool {
        matches!(self.body, Body::Legacy(_))
    }
}

impl AsRef<Transaction> for Transaction {
    fn as_ref(&self) -> &Transaction {
        self
    }
}

impl Body {
    /// The digest that the sender signs (R-TX-2, R-TX-4).
    pub fn signing_hash(&self) -> B256 {
        match self {
            Self::Native(tx) => tx.signing_hash(),
            Self::Legacy(tx) => tx.signature_hash(),
            Self::Eip2930(tx) => tx.signature_hash(),
            Self::Eip1559(tx) => tx.signature_hash(),
            Self::Eip7702(tx) => tx.signature_hash(),
        }
    }
}

impl From<NativeTransaction> for Body {
    fn from(tx: NativeTransaction) -> Self {
        Self::Native(tx)
    }
}

impl From<TxLegacy> for Body {
    fn from(tx: TxLegacy) -> Self {
        Self::Legacy(tx)
    }
}

impl From<TxEip2930> for Body {
    fn from(tx: TxEip2930) -> Self {
        Self::Eip2930(tx)
    }
}

impl From<TxEip1559> for Body {
    fn from(tx: TxEip1559) -> Self {
        Self::Eip1559(tx)
    }
}

impl From<TxEip7702> for Body {
    fn from(tx: TxEip7702) -> Self {
        Self::Eip7702(tx)
    }
}
