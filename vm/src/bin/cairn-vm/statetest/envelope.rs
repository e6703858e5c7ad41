//! The signed transaction: what its bytes alone decide.

use alloy_consensus::{Transaction, TxEnvelope};
use alloy_eips::eip2718::{Decodable2718, Eip2718Error};
use alloy_primitives::{Address, B256, Signature, U256, keccak256};
use cairn_vm::TxEnv;
use secp256k1::{
    Message,
    ecdsa::{RecoverableSignature, RecoveryId},
};

/// Half of the order of secp256k1's group, rounded down: the largest s (EIP-2).
const HALF_ORDER: U256 = U256::from_limbs([
    0xdfe9_2f46_681b_20a0,
    0x5d57_6e73_57a4_501d,
    0xffff_ffff_ffff_ffff,
    0x7fff_ffff_ffff_ffff,
]);

/// Why a signed transaction is invalid in any state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    #[error("the transaction cannot be decoded: {0}")]
    Encoding(String),
    #[error("the transaction names the chain {got}, this is {expected}")]
    ChainId { got: u64, expected: u64 },
    #[error("the signature is not valid")]
    Signature,
    #[error("{got} signed the transaction, not {expected}")]
    Signer { got: Address, expected: Address },
}

impl From<Eip2718Error> for EnvelopeError {
    fn from(error: Eip2718Error) -> Self {
        Self::Encoding(error.to_string())
    }
}

/// Checks encoding, chain id and signature.
pub fn check(bytes: &[u8], env: &TxEnv, expected: u64) -> Result<(), EnvelopeError> {
    let tx = TxEnvelope::decode_2718_exact(bytes)?;
    if let Some(got) = tx.chain_id().filter(|got| *got != expected) {
        return Err(EnvelopeError::ChainId { got, expected });
    }
    let got = recover(tx.signature(), tx.signature_hash())?;
    if got != env.sender {
        return Err(EnvelopeError::Signer {
            got,
            expected: env.sender,
        });
    }
    Ok(())
}

/// The address whose key signed `digest`.
pub fn recover(signature: &Signature, digest: B256) -> Result<Address, EnvelopeError> {
    if signature.s() > HALF_ORDER {
        return Err(EnvelopeError::Signature);
    }
    let parity = RecoveryId::from_u8_masked(u8::from(signature.v()));
    let compact = [
        signature.r().to_be_bytes::<32>(),
        signature.s().to_be_bytes::<32>(),
    ]
    .concat();
    // The library refuses r and s that are zero or not below the order.
    let public_key = RecoverableSignature::from_compact(&compact, parity)
        .and_then(|signature| signature.recover(Message::from_digest(digest.0)))
        .map_err(|_| EnvelopeError::Signature)?;
    let uncompressed = public_key.serialize_uncompressed();
    Ok(Address::from_word(keccak256(&uncompressed[1..])))
}
