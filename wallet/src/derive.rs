//! SLIP-0010: a tree of keys from one seed.
//!
//! One module for both curves. On secp256k1 SLIP-0010 gives the same keys as BIP-32, so seeds of
//! other Ethereum wallets give the addresses that their owners expect; on ed25519 every step is
//! hardened. Public derivation is absent: a wallet that holds the seed never needs it.

use std::{fmt, str::FromStr};

use hmac::{Hmac, KeyInit, Mac};
use secp256k1::{Scalar, SecretKey};
use sha2::Sha512;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::key::{KeyError, PrivateKey, Scheme};

/// Set in the number of a hardened child.
const HARDENED: u32 = 1 << 31;

/// The last account of some words.
pub const MAX_INDEX: u32 = HARDENED - 1;

/// Deepest path that is accepted; BIP-44 uses five levels.
const MAX_DEPTH: usize = 16;

/// Why no key can be derived.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DeriveError {
    /// The text is not a path.
    #[error("\"{path}\" is not a derivation path; write for example m/44'/60'/0'/0/0")]
    Path {
        /// The text as given.
        path: String,
    },
    /// ed25519 knows hardened children only.
    #[error(
        "ed25519 keys are derived by hardened steps only; write {index}' instead of {index} in the path"
    )]
    NotHardened {
        /// The step that is not hardened.
        index: u32,
    },
    /// The account index does not fit a path.
    #[error("the account index {index} is too large; the largest is {MAX_INDEX}")]
    Index {
        /// The index as given.
        index: u32,
    },
    /// The result is no key of the curve (probability about 2^-127).
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// The steps from the master key to a key, each with its hardened bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivationPath(Vec<u32>);

impl DerivationPath {
    /// The path of account number `index`: Ethereum's `m/44'/60'/0'/0/INDEX` for secp256k1, the
    /// same with every step hardened for ed25519.
    ///
    /// # Errors
    /// [`DeriveError::Index`] from 2^31 on.
    pub fn account(scheme: Scheme, index: u32) -> Result<Self, DeriveError> {
        if index >= HARDENED {
            return Err(DeriveError::Index { index });
        }
        let harden = |step: u32| step | HARDENED;
        Ok(Self(match scheme {
            Scheme::Ed25519 => [44, 60, 0, 0, index].map(harden).to_vec(),
            Scheme::Secp256k1 => vec![harden(44), harden(60), harden(0), 0, index],
        }))
    }
}

impl FromStr for DerivationPath {
    type Err = DeriveError;

    fn from_str(path: &str) -> Result<Self, DeriveError> {
        let invalid = || DeriveError::Path {
            path: path.chars().take(80).collect(),
        };
        let mut parts = path.split('/');
        if parts.next() != Some("m") {
            return Err(invalid());
        }
        let steps: Option<Vec<u32>> = parts.take(MAX_DEPTH + 1).map(parse_step).collect();
        match steps {
            Some(steps) if steps.len() <= MAX_DEPTH => Ok(Self(steps)),
            _ => Err(invalid()),
        }
    }
}

fn parse_step(text: &str) -> Option<u32> {
    let (number, bit) = match text.strip_suffix('\'').or_else(|| text.strip_suffix('h')) {
        Some(number) => (number, HARDENED),
        None => (text, 0),
    };
    if !number.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let number: u32 = number.parse().ok()?;
    (number < HARDENED).then_some(number | bit)
}

impl fmt::Display for DerivationPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("m")?;
        for step in &self.0 {
            let mark = if step & HARDENED == 0 { "" } else { "'" };
            write!(f, "/{}{mark}", step & !HARDENED)?;
        }
        Ok(())
    }
}

/// Derives the key at `path` from a seed of 16 to 64 bytes.
///
/// # Errors
/// [`DeriveError::NotHardened`] for ed25519, and [`DeriveError::Key`] where the curve has no key
/// (about once in 2^127 paths; take another index).
pub fn derive(
    scheme: Scheme,
    seed: &[u8],
    path: &DerivationPath,
) -> Result<PrivateKey, DeriveError> {
    let mut node = Node::master(scheme, seed);
    for &step in &path.0 {
        node = node.child(scheme, step)?;
    }
    Ok(PrivateKey::from_bytes(scheme, &node.key)?)
}

/// A key and the chain code that its children are made with.
struct Node {
    key: Zeroizing<[u8; 32]>,
    chain_code: Zeroizing<[u8; 32]>,
}

impl Node {
    fn master(scheme: Scheme, seed: &[u8]) -> Self {
        let curve: &[u8] = match scheme {
            Scheme::Ed25519 => b"ed25519 seed",
            Scheme::Secp256k1 => b"Bitcoin seed",
        };
        let mut node = Self::split(&hmac(curve, &[seed]));
        // SLIP-0010: on secp256k1 a master key out of range is hashed again.
        while scheme == Scheme::Secp256k1 && SecretKey::from_byte_array(*node.key).is_err() {
            node = Self::split(&hmac(curve, &[&*node.key, &*node.chain_code]));
        }
        node
    }

    fn child(&self, scheme: Scheme, step: u32) -> Result<Self, DeriveError> {
        match scheme {
            Scheme::Ed25519 => self.child_ed25519(step),
            Scheme::Secp256k1 => self.child_secp256k1(step),
        }
    }

    /// "I = HMAC-SHA512(Key = cpar, Data = 0x00 || ser256(kpar) || ser32(i))", the key is IL.
    fn child_ed25519(&self, step: u32) -> Result<Self, DeriveError> {
        if step & HARDENED == 0 {
            return Err(DeriveError::NotHardened { index: step });
        }
        Ok(Self::split(&hmac(
            &*self.chain_code,
            &[&[0], &*self.key, &step.to_be_bytes()],
        )))
    }

    /// As above if hardened, else over the public key; the key is "IL + kpar (mod n)".
    fn child_secp256k1(&self, step: u32) -> Result<Self, DeriveError> {
        let mut parent = SecretKey::from_byte_array(*self.key).map_err(|_| KeyError::OutOfRange)?;
        let mut digest = if step & HARDENED == 0 {
            let public = parent.public_key(secp256k1::SECP256K1).serialize();
            hmac(&*self.chain_code, &[&public, &step.to_be_bytes()])
        } else {
            hmac(&*self.chain_code, &[&[0], &*self.key, &step.to_be_bytes()])
        };
        let child = loop {
            let mut node = Self::split(&digest);
            if let Some(key) = add_keys(&parent, &node.key) {
                node.key = key;
                break node;
            }
            // SLIP-0010: "let I = HMAC-SHA512(Key = cpar, Data = 0x01 || IR || ser32(i))" and retry.
            digest = hmac(
                &*self.chain_code,
                &[&[1], &*node.chain_code, &step.to_be_bytes()],
            );
        };
        parent.non_secure_erase();
        Ok(child)
    }

    fn split(digest: &[u8; 64]) -> Self {
        let mut node = Self {
            key: Zeroizing::new([0; 32]),
            chain_code: Zeroizing::new([0; 32]),
        };
        let (key, chain_code) = digest.split_at(32);
        node.key.copy_from_slice(key);
        node.chain_code.copy_from_slice(chain_code);
        node
    }
}

/// `parent + tweak` modulo the order of secp256k1; none if `tweak` is out of range or the sum zero.
fn add_keys(parent: &SecretKey, tweak: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
    let tweak = Scalar::from_be_bytes(*tweak).ok()?;
    let mut sum = parent.add_tweak(&tweak).ok()?;
    let key = Zeroizing::new(sum.secret_bytes());
    sum.non_secure_erase();
    Some(key)
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 64]> {
    let mut mac =
        <Hmac<Sha512> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_vectors;
    use alloy_primitives::hex;
    use serde_json::Value;

    fn text<'a>(value: &'a Value, key: &str) -> &'a str {
        value[key].as_str().unwrap()
    }

    #[test]
    fn official_vectors() {
        let Some(json) = test_vectors::read("SLIP-0010", "slip-0010/slip-0010.json") else {
            return;
        };
        let vectors: Vec<Value> = serde_json::from_str(&json).unwrap();
        let mut checked = 0;
        for vector in &vectors {
            let scheme = match text(vector, "curve") {
                "secp256k1" => Scheme::Secp256k1,
                "ed25519" => Scheme::Ed25519,
                _ => continue,
            };
            let seed = hex::decode(text(vector, "seed")).unwrap();
            for chain in vector["chains"].as_array().unwrap() {
                let path: DerivationPath = text(chain, "path").parse().unwrap();
                let key = derive(scheme, &seed, &path).unwrap();
                assert_eq!(
                    hex::encode(key.expose()),
                    text(chain, "private"),
                    "{scheme} {path}"
                );
                // The vectors put a zero byte before ed25519 keys to make them 33 bytes long.
                let public = hex::encode(key.public_key());
                assert!(text(chain, "public").ends_with(&public), "{scheme} {path}");
                checked += 1;
            }
        }
        assert!(checked >= 20, "only {checked} keys in the vectors");
    }

    #[test]
    fn paths_are_read_and_printed() {
        for text in ["m", "m/0", "m/44'/60'/0'/0/7", "m/2147483647'"] {
            assert_eq!(text.parse::<DerivationPath>().unwrap().to_string(), text);
        }
        assert_eq!(
            "m/1h".parse::<DerivationPath>().unwrap().to_string(),
            "m/1'"
        );
        for text in [
            "",
            "44'",
            "m/",
            "m//1",
            "m/-1",
            "m/+1",
            "m/2147483648",
            "m/a",
            "M/0",
            "m/'",
        ] {
            assert!(text.parse::<DerivationPath>().is_err(), "{text}");
        }
        let deep = format!("m{}", "/0".repeat(MAX_DEPTH));
        assert!(deep.parse::<DerivationPath>().is_ok());
        assert!(format!("{deep}/0").parse::<DerivationPath>().is_err());
    }

    #[test]
    fn account_paths() {
        let path = |scheme| DerivationPath::account(scheme, 3).unwrap().to_string();
        assert_eq!(path(Scheme::Ed25519), "m/44'/60'/0'/0'/3'");
        assert_eq!(path(Scheme::Secp256k1), "m/44'/60'/0'/0/3");
        assert_eq!(
            DerivationPath::account(Scheme::Ed25519, HARDENED),
            Err(DeriveError::Index { index: HARDENED })
        );
    }

    #[test]
    fn ed25519_refuses_soft_steps() {
        let path = "m/0".parse().unwrap();
        assert_eq!(
            derive(Scheme::Ed25519, &[7; 32], &path).unwrap_err(),
            DeriveError::NotHardened { index: 0 }
        );
        assert!(derive(Scheme::Secp256k1, &[7; 32], &path).is_ok());
    }
}
