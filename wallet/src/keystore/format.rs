//! Web3 Secret Storage, version 3: one encrypted key as JSON.
//!
//! Source: <https://ethereum.org/en/developers/docs/data-structures-and-encoding/web3-secret-storage/>.

use alloy_primitives::{hex, keccak256};
use ctr::cipher::{KeyIvInit, StreamCipher};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    error::FormatError,
    kdf::{DERIVED_BYTES, Kdf},
};
use crate::key::{PrivateKey, Scheme};

/// The version of the format that is read and written.
const VERSION: u64 = 3;

/// The only cipher of version 3.
const CIPHER: &str = "aes-128-ctr";

type Aes128Ctr = ctr::Ctr128BE<aes::Aes128>;

/// A key file. Fields that other programs add are ignored when it is read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyFile {
    /// 40 hexadecimal digits without 0x. Some programs leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(alias = "Crypto")]
    crypto: Crypto,
    /// A random UUID.
    #[serde(default)]
    id: String,
    version: u64,
    /// What Cairn adds. Without it the key is one of secp256k1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cairn: Option<CairnField>,
}

/// The text of a key file with another field of ours. What other programs wrote beside it stays:
/// some keep the words there, encrypted too.
pub(super) fn with_field(text: &str, cairn: &CairnField) -> Result<String, FormatError> {
    let json = |error: serde_json::Error| FormatError::Json(error.to_string());
    let mut file: Value = serde_json::from_str(text).map_err(json)?;
    file["cairn"] = serde_json::to_value(cairn).map_err(json)?;
    Ok(format!("{file:#}\n"))
}

/// What Cairn adds to the format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CairnField {
    /// The kind of key.
    pub scheme: Scheme,
    /// The account's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The derivation path, if the key comes from a mnemonic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Crypto {
    cipher: String,
    cipherparams: CipherParameters,
    ciphertext: String,
    #[serde(flatten)]
    kdf: Kdf,
    mac: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct CipherParameters {
    iv: String,
}

impl KeyFile {
    /// Reads a key file; the version is looked at first, so that an old file is named as such.
    ///
    /// # Errors
    /// [`FormatError::Json`] or [`FormatError::Version`].
    pub fn from_json(text: &str) -> Result<Self, FormatError> {
        #[derive(Deserialize)]
        struct Version {
            version: u64,
        }
        let json = |error: serde_json::Error| FormatError::Json(error.to_string());
        let Version { version } = serde_json::from_str(text).map_err(json)?;
        if version != VERSION {
            return Err(FormatError::Version { got: version });
        }
        serde_json::from_str(text).map_err(json)
    }

    /// The file's text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("strings and numbers are JSON");
        format!("{text}\n")
    }

    /// The kind of key inside.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.cairn
            .as_ref()
            .map_or(Scheme::Secp256k1, |cairn| cairn.scheme)
    }

    /// Encrypts a key with fresh salt, initialization vector and id.
    ///
    /// # Errors
    /// [`FormatError::NoRandomness`], or bounds of the parameters.
    pub fn encrypt(
        key: &PrivateKey,
        passphrase: &str,
        kdf: &Kdf,
        cairn: CairnField,
    ) -> Result<Self, FormatError> {
        let mut random = [0_u8; 64];
        getrandom::fill(&mut random).map_err(|_| FormatError::NoRandomness)?;
        let (salt, rest) = random.split_at(32);
        let (iv, id) = rest.split_at(16);
        let kdf = kdf.with_salt(salt);
        let derived = kdf.derive(passphrase)?;
        // What is a secret here becomes ciphertext in place, so no copy of the key is left behind.
        let mut text = *key.expose();
        apply_cipher(&derived, iv, &mut text)?;
        Ok(Self {
            address: Some(hex::encode(key.address())),
            crypto: Crypto {
                cipher: CIPHER.to_owned(),
                cipherparams: CipherParameters {
                    iv: hex::encode(iv),
                },
                ciphertext: hex::encode(text),
                mac: hex::encode(mac(&derived, &text)),
                kdf,
            },
            id: uuid(id),
            version: VERSION,
            cairn: Some(cairn),
        })
    }

    /// Decrypts the key.
    ///
    /// # Errors
    /// [`FormatError::WrongPassphrase`], or what is wrong with the file.
    pub fn decrypt(&self, passphrase: &str) -> Result<PrivateKey, FormatError> {
        let Crypto {
            cipher,
            cipherparams,
            ciphertext,
            kdf,
            mac: stated,
        } = &self.crypto;
        if cipher != CIPHER {
            return Err(FormatError::Field {
                field: "cipher",
                expected: CIPHER,
            });
        }
        let iv: [u8; 16] = decode(&cipherparams.iv, "iv", "16 bytes in hexadecimal")?;
        let mut text = Zeroizing::new(decode::<32>(
            ciphertext,
            "ciphertext",
            "32 bytes in hexadecimal",
        )?);
        let stated: [u8; 32] = decode(stated, "mac", "32 bytes in hexadecimal")?;
        let derived = kdf.derive(passphrase)?;
        if mac(&derived, &text) != stated {
            return Err(FormatError::WrongPassphrase);
        }
        apply_cipher(&derived, &iv, &mut text)?;
        Ok(PrivateKey::from_bytes(self.scheme(), &text)?)
    }
}

/// Encrypts or decrypts in place: AES-128-CTR with the first half of the derived key.
fn apply_cipher(
    derived: &[u8; DERIVED_BYTES],
    iv: &[u8],
    text: &mut [u8; 32],
) -> Result<(), FormatError> {
    let mut cipher =
        Aes128Ctr::new_from_slices(&derived[..16], iv).map_err(|_| FormatError::Field {
            field: "iv",
            expected: "16 bytes in hexadecimal",
        })?;
    cipher.apply_keystream(text);
    Ok(())
}

/// keccak256(second half of the derived key ‖ ciphertext).
fn mac(derived: &[u8; DERIVED_BYTES], ciphertext: &[u8; 32]) -> [u8; 32] {
    let mut preimage = Zeroizing::new([0_u8; 48]);
    preimage[..16].copy_from_slice(&derived[16..]);
    preimage[16..].copy_from_slice(ciphertext);
    keccak256(*preimage).0
}

fn decode<const N: usize>(
    text: &str,
    field: &'static str,
    expected: &'static str,
) -> Result<[u8; N], FormatError> {
    let mut bytes = [0_u8; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| FormatError::Field { field, expected })?;
    Ok(bytes)
}

/// 16 random bytes written as a UUID of version 4 (RFC 9562).
fn uuid(random: &[u8]) -> String {
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(random);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = hex::encode(bytes);
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_vectors;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn encrypt(key: &PrivateKey, passphrase: &str) -> KeyFile {
        let cairn = CairnField {
            scheme: key.scheme(),
            name: None,
            path: None,
        };
        KeyFile::encrypt(key, passphrase, &Kdf::cheap_for_tests(), cairn).unwrap()
    }

    fn sample() -> Value {
        let key = PrivateKey::from_bytes(Scheme::Secp256k1, &[1; 32]).unwrap();
        serde_json::from_str(&encrypt(&key, "secret").to_json()).unwrap()
    }

    #[test]
    fn official_vectors() {
        let name = "ethereum-tests/KeyStoreTests/basic_tests.json";
        let Some(text) = test_vectors::read("Web3 Secret Storage", name) else {
            return;
        };
        let vectors: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
        assert!(vectors.len() >= 5);
        for (name, vector) in &vectors {
            let file = KeyFile::from_json(&vector["json"].to_string()).unwrap();
            let passphrase = vector["password"].as_str().unwrap();
            let key = file.decrypt(passphrase).unwrap();
            assert_eq!(
                hex::encode(key.expose()),
                vector["priv"].as_str().unwrap(),
                "{name}"
            );
            if let Some(address) = &file.address {
                assert_eq!(&hex::encode(key.address()), address, "{name}");
            }
        }
    }

    #[test]
    fn the_file_has_the_fields_that_other_programs_read() {
        let file = sample();
        assert_eq!(file["version"], 3);
        assert_eq!(file["address"].as_str().unwrap().len(), 40);
        assert_eq!(file["crypto"]["cipher"], "aes-128-ctr");
        assert_eq!(file["crypto"]["kdf"], "scrypt");
        assert_eq!(file["crypto"]["kdfparams"]["dklen"], 32);
        assert_eq!(file["cairn"], json!({"scheme": "secp256k1"}));
        let id = file["id"].as_str().unwrap();
        assert_eq!((id.len(), &id[14..15]), (36, "4"));
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let damage = |pointer: &str, value: Value| {
            let mut file = sample();
            *file.pointer_mut(pointer).unwrap() = value;
            KeyFile::from_json(&file.to_string()).and_then(|file| file.decrypt("secret"))
        };
        assert!(damage("/id", json!("x")).is_ok());
        assert!(matches!(
            damage("/version", json!(1)),
            Err(FormatError::Version { got: 1 })
        ));
        for (pointer, value) in [
            ("/crypto/cipher", json!("aes-256-gcm")),
            ("/crypto/cipherparams/iv", json!("00")),
            ("/crypto/ciphertext", json!("00".repeat(33))),
            ("/crypto/mac", json!("zz".repeat(32))),
            ("/crypto/kdfparams/salt", json!("")),
        ] {
            assert!(
                matches!(damage(pointer, value), Err(FormatError::Field { .. })),
                "{pointer}"
            );
        }
        for (pointer, value) in [
            ("/crypto/ciphertext", json!("00".repeat(32))),
            ("/crypto/mac", json!("00".repeat(32))),
            ("/crypto/kdfparams/salt", json!("00")),
        ] {
            assert!(
                matches!(damage(pointer, value), Err(FormatError::WrongPassphrase)),
                "{pointer}"
            );
        }
        for (pointer, value) in [
            ("/crypto/kdf", json!("argon2")),
            ("/crypto/kdfparams/n", json!(-1)),
            ("/cairn/scheme", json!("rsa")),
            ("/crypto", json!(null)),
        ] {
            assert!(
                matches!(damage(pointer, value), Err(FormatError::Json(_))),
                "{pointer}"
            );
        }
        let greedy = damage("/crypto/kdfparams/n", json!(1_u64 << 40));
        assert!(matches!(greedy, Err(FormatError::KdfBounds { .. })));
    }

    #[test]
    fn an_old_capital_is_understood() {
        let text = sample().to_string().replacen("\"crypto\"", "\"Crypto\"", 1);
        assert!(KeyFile::from_json(&text).unwrap().decrypt("secret").is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn what_is_encrypted_is_decrypted(bytes in any::<[u8; 32]>(), passphrase in any::<String>(), ed25519: bool) {
            let scheme = if ed25519 { Scheme::Ed25519 } else { Scheme::Secp256k1 };
            let Ok(key) = PrivateKey::from_bytes(scheme, &bytes) else { return Ok(()) };
            let text = encrypt(&key, &passphrase).to_json();
            let secret = hex::encode(bytes);
            prop_assert!(!text.contains(&secret));
            let file = KeyFile::from_json(&text).unwrap();
            prop_assert_eq!(file.decrypt(&passphrase).unwrap(), key);
            let other = format!("{passphrase}x");
            prop_assert!(matches!(file.decrypt(&other), Err(FormatError::WrongPassphrase)));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = KeyFile::from_json(&text);
        }
    }
}
