//! The two signature schemes: who signed, or nobody.

use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, B256, Signature, U256, keccak256, uint};
use ed25519_dalek::VerifyingKey;
use secp256k1::{
    Message,
    ecdsa::{RecoverableSignature, RecoveryId},
};

use super::{Body, Transaction, TransactionError, TransactionSignature};

/// Order of secp256k1's group.
const SECP256K1_ORDER: U256 =
    uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);
/// Half of the order, rounded down: the largest s (EIP-2).
const SECP256K1_HALF_ORDER: U256 =
    uint!(0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0_U256);

/// Who signed the transaction.
pub(super) fn sender(transaction: &Transaction) -> Result<Address, TransactionError> {
    match (transaction.body(), transaction.signature()) {
        (Body::Native(tx), TransactionSignature::Ed25519(signature)) => {
            let digest = tx.signing_hash();
            // R-TX-5: "Native signatures are pure Ed25519 over the 32 bytes of the digest, verified
            // strictly and singly."
            if verify_ed25519(&tx.public_key, digest.as_slice(), signature) {
                Ok(tx.sender())
            } else {
                Err(TransactionError::Ed25519)
            }
        }
        (body, TransactionSignature::Secp256k1(signature)) => {
            recover_secp256k1(signature, body.signing_hash())
        }
        (_, TransactionSignature::Ed25519(_)) => {
            unreachable!("the constructors pair each body with its own kind of signature")
        }
    }
}

/// Whether `signature` (`R ‖ S`) is valid for `message` under `public_key` (R-TX-5): S < L, A and R
/// canonically encoded and not of small order, `[S]B = R + [k]A` without cofactor.
///
/// This is dalek's `verify_strict`. Never verify in batches: that accepts another set of
/// signatures, and nodes would disagree.
pub fn verify_ed25519(public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    if !is_canonical_point(public_key) {
        return false;
    }
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    VerifyingKey::from_bytes(public_key)
        .is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

/// Whether the y of an encoded point is below `p = 2^255 - 19`. `verify_strict` compares R byte by
/// byte, which implies it; for A it reduces y. No signature under such a key is known that it would
/// accept (nobody knows the secret of a point with y < 19), but the rule must not depend on that.
fn is_canonical_point(encoded: &[u8; 32]) -> bool {
    let [lowest, middle @ .., highest] = encoded;
    !(*lowest >= 0xed && middle.iter().all(|byte| *byte == 0xff) && highest & 0x7f == 0x7f)
}

/// The address whose key signed `digest` (R-TX-4).
///
/// # Errors
/// If r or s is out of range, s is in the upper half, or no key gives this signature.
pub fn recover_secp256k1(signature: &Signature, digest: B256) -> Result<Address, TransactionError> {
    let (r, s) = (signature.r(), signature.s());
    // R-TX-4: "r and s lie in [1, n − 1], and s ≤ n/2."
    if r.is_zero() || s.is_zero() || r >= SECP256K1_ORDER || s >= SECP256K1_ORDER {
        return Err(TransactionError::SignatureRange);
    }
    if s > SECP256K1_HALF_ORDER {
        return Err(TransactionError::HighS);
    }
    let mut compact = [0; 64];
    compact[..32].copy_from_slice(&r.to_be_bytes::<32>());
    compact[32..].copy_from_slice(&s.to_be_bytes::<32>());
    let parity = RecoveryId::from_u8_masked(u8::from(signature.v()));
    let public_key = RecoverableSignature::from_compact(&compact, parity)
        .and_then(|signature| signature.recover(Message::from_digest(digest.0)))
        .map_err(|_| TransactionError::NoSigner)?;
    let uncompressed = public_key.serialize_uncompressed();
    Ok(Address::from_word(keccak256(&uncompressed[1..])))
}

/// The account that an authorization delegates, or `None` if it is to be skipped (R-TX-13): made for
/// another chain, of a nonce that no account can have, or not properly signed.
pub(super) fn authority(authorization: &SignedAuthorization, chain_id: u64) -> Option<Address> {
    let named = *authorization.chain_id();
    if !named.is_zero() && named != U256::from(chain_id) {
        return None;
    }
    if authorization.nonce() == u64::MAX {
        return None;
    }
    let signature = authorization.signature().ok()?;
    recover_secp256k1(&signature, authorization.signature_hash()).ok()
}
