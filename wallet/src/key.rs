//! Private keys of both schemes, and the addresses that belong to them.
//!
//! A key is erased from memory when it is dropped. It cannot be printed by accident, and it signs
//! only what [`crate::sign`] lets it sign.

use std::{fmt, str::FromStr};

use alloy_primitives::{Address, hex, keccak256};
use clap::ValueEnum;
use secp256k1::{PublicKey, SECP256K1, SecretKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

/// The two kinds of keys that own accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Cairn's own: ed25519, native transactions (type 0x45).
    #[default]
    Ed25519,
    /// Ethereum's: secp256k1, legacy, 0x01 and 0x02 transactions; works with every Ethereum tool.
    Secp256k1,
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ed25519 => "ed25519",
            Self::Secp256k1 => "secp256k1",
        })
    }
}

/// Why bytes are no private key.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// Not 64 hexadecimal digits. The text is a secret and not repeated.
    #[error(
        "this is not a private key; a private key is 64 hexadecimal digits, with or without 0x"
    )]
    NotHex,
    /// Zero, or not below the order of secp256k1.
    #[error("this number is not a private key of secp256k1: it is zero or too large")]
    OutOfRange,
}

/// A private key: the 32-byte seed of RFC 8032 for ed25519, a big-endian scalar for secp256k1.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKey {
    scheme: Scheme,
    bytes: Zeroizing<[u8; 32]>,
}

impl PrivateKey {
    /// Takes a key from its 32 bytes.
    ///
    /// # Errors
    /// [`KeyError::OutOfRange`] where secp256k1 has no such key; ed25519 takes any bytes.
    pub fn from_bytes(scheme: Scheme, bytes: &[u8; 32]) -> Result<Self, KeyError> {
        if scheme == Scheme::Secp256k1 {
            SecretKey::from_byte_array(*bytes)
                .map_err(|_| KeyError::OutOfRange)?
                .non_secure_erase();
        }
        Ok(Self {
            scheme,
            bytes: Zeroizing::new(*bytes),
        })
    }

    /// Reads a key written as 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`KeyError`], which never repeats the text.
    pub fn from_hex(scheme: Scheme, text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let mut bytes = Zeroizing::new([0_u8; 32]);
        hex::decode_to_slice(digits, &mut *bytes).map_err(|_| KeyError::NotHex)?;
        Self::from_bytes(scheme, &bytes)
    }

    /// The kind of key.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The secret itself, for encryption and export only.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The public key: 32 bytes for ed25519, 33 (compressed) for secp256k1.
    #[must_use]
    pub fn public_key(&self) -> Vec<u8> {
        match self.scheme {
            Scheme::Ed25519 => self.ed25519().verifying_key().to_bytes().to_vec(),
            Scheme::Secp256k1 => self.secp256k1_public().serialize().to_vec(),
        }
    }

    /// The address of the account that this key owns.
    #[must_use]
    pub fn address(&self) -> Address {
        match self.scheme {
            Scheme::Ed25519 => {
                cairn_genesis::native_address(&self.ed25519().verifying_key().to_bytes())
            }
            Scheme::Secp256k1 => ethereum_address(&self.secp256k1_public()),
        }
    }

    pub(crate) fn ed25519(&self) -> ed25519_dalek::SigningKey {
        ed25519_dalek::SigningKey::from_bytes(&self.bytes)
    }

    pub(crate) fn secp256k1(&self) -> SecretKey {
        SecretKey::from_byte_array(*self.bytes)
            .expect("the range was checked when the key was made")
    }

    fn secp256k1_public(&self) -> PublicKey {
        let mut secret = self.secp256k1();
        let public = secret.public_key(SECP256K1);
        secret.non_secure_erase();
        public
    }
}

/// Shows whose key it is, never the key.
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("scheme", &self.scheme)
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

/// Ethereum's address of a public key: the last 20 bytes of keccak256 of its 64 bytes.
pub(crate) fn ethereum_address(public: &PublicKey) -> Address {
    let [_, point @ ..] = public.serialize_uncompressed();
    Address::from_slice(&keccak256(point)[12..])
}

impl FromStr for Scheme {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        <Self as ValueEnum>::from_str(text, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_ethereum_key() {
        let hex = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
        let key = PrivateKey::from_hex(Scheme::Secp256k1, hex).unwrap();
        assert_eq!(
            key.address().to_string(),
            "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
        );
        assert_eq!(key.public_key().len(), 33);
    }

    #[test]
    fn an_ed25519_address_is_a_tagged_hash() {
        let key = PrivateKey::from_bytes(Scheme::Ed25519, &[1; 32]).unwrap();
        let preimage = [&[0x45], &key.public_key()[..]].concat();
        assert_eq!(key.address().as_slice(), &keccak256(preimage)[12..]);
    }

    #[test]
    fn refuses_what_is_no_key() {
        let secp = |bytes| PrivateKey::from_bytes(Scheme::Secp256k1, &bytes);
        assert_eq!(secp([0; 32]).unwrap_err(), KeyError::OutOfRange);
        assert_eq!(secp([0xff; 32]).unwrap_err(), KeyError::OutOfRange);
        assert!(PrivateKey::from_bytes(Scheme::Ed25519, &[0xff; 32]).is_ok());
        for text in ["", "0x", "12", &"g".repeat(64), &"1".repeat(66)] {
            assert_eq!(
                PrivateKey::from_hex(Scheme::Ed25519, text).unwrap_err(),
                KeyError::NotHex
            );
        }
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let key = PrivateKey::from_bytes(Scheme::Ed25519, &[0xab; 32]).unwrap();
        let text = format!("{key:?}").to_lowercase();
        assert!(!text.contains("abab") && !text.contains("171"), "{text}");
    }
}
