//! Signatures, and the rule about what a key signs.
//!
//! A key of ours signs only digests whose preimage begins with 0x45 (a native transaction) or 0x19
//! (a message, EIP-191), or is an Ethereum transaction. [`Digest`] can be made of nothing else, so
//! no message that a stranger asks for can turn out to be a payment.

use alloy_consensus::SignableTransaction;
use alloy_primitives::{Address, B256, Signature, eip191_hash_message};
use cairn_genesis::NativeTransaction;
use ed25519_dalek::Signer;
use secp256k1::{Message, SECP256K1, ecdsa::RecoveryId};
use thiserror::Error;

use crate::key::{PrivateKey, Scheme};

/// Why a signature does not verify.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum VerifyError {
    /// Neither 64 bytes (ed25519) nor 65 (secp256k1).
    #[error("a signature has 64 bytes (ed25519) or 65 (secp256k1), this has {got}")]
    Length {
        /// Number of bytes given.
        got: usize,
    },
    /// An ed25519 signature does not reveal its key.
    #[error("an ed25519 signature is checked against its public key; add --public-key")]
    PublicKeyMissing,
    /// Not the 32 bytes of an ed25519 public key.
    #[error("an ed25519 public key has 32 bytes, this has {got}")]
    PublicKeyLength {
        /// Number of bytes given.
        got: usize,
    },
    /// The signature is not one of this message.
    #[error("the signature is NOT valid for this message")]
    Invalid,
    /// The signature is good, but somebody else's.
    #[error("the message was signed by {signer}, NOT by {expected}")]
    OtherSigner {
        /// Who signed.
        signer: Address,
        /// Who was asked about.
        expected: Address,
    },
}

/// The hash of something that a key may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(B256);

impl Digest {
    /// A message: keccak256(0x19 ‖ "Ethereum Signed Message:\n" ‖ length ‖ message), EIP-191.
    #[must_use]
    pub fn message(message: &[u8]) -> Self {
        Self(eip191_hash_message(message))
    }

    /// A native transaction: keccak256(0x45 ‖ rlp[…]).
    pub(crate) fn native(transaction: &NativeTransaction) -> Self {
        Self(transaction.signing_hash())
    }

    /// An Ethereum transaction: legacy with a chain id, or typed.
    pub(crate) fn ethereum(transaction: &impl SignableTransaction<Signature>) -> Self {
        Self(transaction.signature_hash())
    }
}

impl PrivateKey {
    /// Signs a message by EIP-191: 64 bytes R ‖ S of ed25519, or 65 bytes r ‖ s ‖ v of secp256k1
    /// with v = 27 or 28.
    #[must_use]
    pub fn sign_message(&self, message: &[u8]) -> Vec<u8> {
        let digest = Digest::message(message);
        match self.scheme() {
            Scheme::Ed25519 => self.sign_ed25519(digest).to_vec(),
            Scheme::Secp256k1 => self.sign_secp256k1(digest).as_bytes().to_vec(),
        }
    }

    /// R ‖ S over the 32 bytes of the digest.
    pub(crate) fn sign_ed25519(&self, digest: Digest) -> [u8; 64] {
        self.ed25519().sign(digest.0.as_slice()).to_bytes()
    }

    /// r, s and parity; s is the low one and the nonce deterministic (RFC 6979).
    pub(crate) fn sign_secp256k1(&self, digest: Digest) -> Signature {
        let mut secret = self.secp256k1();
        let signature = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(digest.0.0), &secret);
        secret.non_secure_erase();
        let (recovery, bytes) = signature.serialize_compact();
        Signature::from_bytes_and_parity(&bytes, recovery == RecoveryId::One)
    }
}

/// Finds who signed `message`: the address that belongs to the signature, which is valid.
///
/// `signature` is 65 bytes of secp256k1 (v = 0, 1, 27 or 28; the signer is recovered) or 64 of
/// ed25519, which needs the signer's `public_key`.
///
/// # Errors
/// [`VerifyError`] in every case but a valid signature.
pub fn signer_of(
    message: &[u8],
    signature: &[u8],
    public_key: Option<&[u8]>,
) -> Result<Address, VerifyError> {
    let digest = Digest::message(message);
    match signature {
        [compact @ .., v] if compact.len() == 64 => recover(digest, compact, *v),
        _ => {
            let got = signature.len();
            let signature = signature
                .try_into()
                .map_err(|_| VerifyError::Length { got })?;
            let public_key = public_key.ok_or(VerifyError::PublicKeyMissing)?;
            verify_ed25519(digest, &signature, public_key)
        }
    }
}

/// Checks that `message` was signed by `expected`.
///
/// # Errors
/// As [`signer_of`], and [`VerifyError::OtherSigner`].
pub fn verify(
    message: &[u8],
    signature: &[u8],
    public_key: Option<&[u8]>,
    expected: Address,
) -> Result<(), VerifyError> {
    let signer = signer_of(message, signature, public_key)?;
    if signer == expected {
        Ok(())
    } else {
        Err(VerifyError::OtherSigner { signer, expected })
    }
}

fn verify_ed25519(
    digest: Digest,
    signature: &[u8; 64],
    public_key: &[u8],
) -> Result<Address, VerifyError> {
    let public_key: [u8; 32] = public_key
        .try_into()
        .map_err(|_| VerifyError::PublicKeyLength {
            got: public_key.len(),
        })?;
    if !cairn_genesis::verify_ed25519(&public_key, digest.0.as_slice(), signature) {
        return Err(VerifyError::Invalid);
    }
    Ok(cairn_genesis::native_address(&public_key))
}

/// v is 27 or 28, or the bare parity that some tools write. A high s is refused, as in transactions.
fn recover(digest: Digest, compact: &[u8], v: u8) -> Result<Address, VerifyError> {
    let odd = match v {
        0 | 27 => false,
        1 | 28 => true,
        _ => return Err(VerifyError::Invalid),
    };
    let signature = Signature::from_bytes_and_parity(compact, odd);
    cairn_genesis::recover_secp256k1(&signature, digest.0).map_err(|_| VerifyError::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{U256, hex, keccak256};
    use proptest::prelude::*;

    fn key(scheme: Scheme, byte: u8) -> PrivateKey {
        PrivateKey::from_bytes(scheme, &[byte; 32]).unwrap()
    }

    /// The example that web3.js and ethers document for `personal_sign`.
    #[test]
    fn agrees_with_ethereum_tools() {
        let hex = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318";
        let key = PrivateKey::from_hex(Scheme::Secp256k1, hex).unwrap();
        let signature = key.sign_message(b"Some data");
        assert_eq!(
            hex::encode(&signature),
            "b91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c"
        );
        let address = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23";
        assert_eq!(
            signer_of(b"Some data", &signature, None)
                .unwrap()
                .to_string(),
            address
        );
    }

    #[test]
    fn a_message_digest_begins_with_0x19() {
        assert_eq!(
            Digest::message(b"hello").0,
            keccak256(b"\x19Ethereum Signed Message:\n5hello")
        );
    }

    /// n / 2, rounded down, of the order n of secp256k1.
    const HALF_ORDER: U256 = U256::from_limbs([
        0xdfe9_2f46_681b_20a0,
        0x5d57_6e73_57a4_501d,
        0xffff_ffff_ffff_ffff,
        0x7fff_ffff_ffff_ffff,
    ]);

    #[test]
    fn a_high_s_is_refused() {
        let signature = key(Scheme::Secp256k1, 1).sign_message(b"m");
        let order = HALF_ORDER * U256::from(2) + U256::ONE;
        let mut other = signature.clone();
        let s = order - U256::from_be_slice(&signature[32..64]);
        other[32..64].copy_from_slice(&s.to_be_bytes::<32>());
        other[64] = if signature[64] == 27 { 28 } else { 27 };
        assert_eq!(signer_of(b"m", &other, None), Err(VerifyError::Invalid));
    }

    #[test]
    fn says_what_is_missing_or_wrong() {
        let ours = key(Scheme::Ed25519, 2);
        let signature = ours.sign_message(b"m");
        let public = ours.public_key();
        assert_eq!(
            signer_of(b"m", &signature, None),
            Err(VerifyError::PublicKeyMissing)
        );
        assert_eq!(
            signer_of(b"m", &signature, Some(&public[1..])),
            Err(VerifyError::PublicKeyLength { got: 31 })
        );
        assert_eq!(
            signer_of(b"m", &signature[1..], Some(&public)),
            Err(VerifyError::Length { got: 63 })
        );
        assert_eq!(
            signer_of(b"n", &signature, Some(&public)),
            Err(VerifyError::Invalid)
        );
        let expected = Address::repeat_byte(7);
        assert_eq!(
            verify(b"m", &signature, Some(&public), expected),
            Err(VerifyError::OtherSigner {
                signer: ours.address(),
                expected
            })
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_a_key_signs_verifies(message: Vec<u8>, byte in 1_u8..=0xfe) {
            for scheme in [Scheme::Ed25519, Scheme::Secp256k1] {
                let key = key(scheme, byte);
                let signature = key.sign_message(&message);
                let public = key.public_key();
                prop_assert_eq!(verify(&message, &signature, Some(&public), key.address()), Ok(()));
            }
        }

        #[test]
        fn no_bytes_panic(message: Vec<u8>, signature: Vec<u8>, full: [u8; 32], v: u8) {
            let _ = signer_of(&message, &signature, Some(&full));
            let long = [&full[..], &full[..], &[v]].concat();
            let _ = signer_of(&message, &long, None);
            let _ = signer_of(&message, &long[..64], Some(&full));
        }
    }
}
