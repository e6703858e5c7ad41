//! From a passphrase to 32 bytes, slowly: scrypt or PBKDF2, as version 3 names them.
//!
//! A key file is input: its parameters are bounded before any memory is allocated.

use alloy_primitives::hex;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::error::FormatError;

/// Most memory that scrypt may use, in bytes: twice what geth's standard parameters take.
const MAX_SCRYPT_BYTES: u64 = 512 << 20;

/// Most work that scrypt may do, as n · r · p: eight times geth's standard, some seconds.
const MAX_SCRYPT_WORK: u64 = 1 << 24;

/// Most rounds of PBKDF2: some seconds, 38 times what version 3 suggests.
const MAX_PBKDF2_ROUNDS: u64 = 10_000_000;

/// Longest salt that is accepted, in bytes; everybody writes 16 or 32.
const MAX_SALT_BYTES: usize = 256;

/// Length of the derived key, in bytes. Version 3 needs 32 and nobody writes another.
pub(super) const DERIVED_BYTES: usize = 32;

/// Key derivation function and its parameters, as they stand in a key file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kdf", content = "kdfparams", rename_all = "lowercase")]
pub enum Kdf {
    /// RFC 7914; memory-hard.
    Scrypt {
        /// Length of the result in bytes, 32.
        dklen: u64,
        /// Cost, a power of two.
        n: u64,
        /// Block size in 128 bytes.
        r: u64,
        /// Parallelization.
        p: u64,
        /// Salt, hexadecimal.
        salt: String,
    },
    /// RFC 8018 with HMAC-SHA-256.
    Pbkdf2 {
        /// Rounds.
        c: u64,
        /// Length of the result in bytes, 32.
        dklen: u64,
        /// Always `hmac-sha256`.
        prf: String,
        /// Salt, hexadecimal.
        salt: String,
    },
}

impl Kdf {
    /// What new files use: geth's standard, scrypt with n = 2^18, r = 8, p = 1. One guess costs
    /// 256 MiB and most of a second, twice OWASP's minimum; geth's "light" choice costs 1/64 of
    /// that and suits only machines that cannot spare the memory.
    #[must_use]
    pub const fn standard() -> Self {
        Self::scrypt(1 << 18, 8, 1)
    }

    /// The cheapest parameters there are, so that tests can encrypt thousands of keys.
    #[cfg(test)]
    pub(crate) const fn cheap_for_tests() -> Self {
        Self::scrypt(2, 1, 1)
    }

    const fn scrypt(n: u64, r: u64, p: u64) -> Self {
        Self::Scrypt {
            dklen: DERIVED_BYTES as u64,
            n,
            r,
            p,
            salt: String::new(),
        }
    }

    /// The same parameters with a new salt.
    pub(super) fn with_salt(&self, bytes: &[u8]) -> Self {
        let mut kdf = self.clone();
        match &mut kdf {
            Self::Scrypt { salt, .. } | Self::Pbkdf2 { salt, .. } => *salt = hex::encode(bytes),
        }
        kdf
    }

    /// Derives the key of a file.
    pub(super) fn derive(
        &self,
        passphrase: &str,
    ) -> Result<Zeroizing<[u8; DERIVED_BYTES]>, FormatError> {
        let mut key = Zeroizing::new([0; DERIVED_BYTES]);
        match self {
            Self::Scrypt {
                dklen,
                n,
                r,
                p,
                salt,
            } => {
                check_length(*dklen)?;
                let parameters = scrypt_parameters(*n, *r, *p)?;
                scrypt::scrypt(
                    passphrase.as_bytes(),
                    &decode_salt(salt)?,
                    &parameters,
                    &mut *key,
                )
                .expect("scrypt makes keys of 32 bytes");
            }
            Self::Pbkdf2 {
                c,
                dklen,
                prf,
                salt,
            } => {
                check_length(*dklen)?;
                if prf != "hmac-sha256" {
                    return Err(FormatError::Field {
                        field: "prf",
                        expected: "hmac-sha256",
                    });
                }
                let rounds = pbkdf2_rounds(*c)?;
                pbkdf2::pbkdf2_hmac::<Sha256>(
                    passphrase.as_bytes(),
                    &decode_salt(salt)?,
                    rounds,
                    &mut *key,
                );
            }
        }
        Ok(key)
    }
}

fn check_length(dklen: u64) -> Result<(), FormatError> {
    if dklen == DERIVED_BYTES as u64 {
        return Ok(());
    }
    Err(FormatError::KdfBounds {
        parameter: "dklen",
        got: dklen,
        allowed: "exactly 32",
    })
}

fn decode_salt(salt: &str) -> Result<Vec<u8>, FormatError> {
    let wrong = FormatError::Field {
        field: "salt",
        expected: "1 to 256 bytes in hexadecimal",
    };
    match hex::decode(salt) {
        Ok(bytes) if (1..=MAX_SALT_BYTES).contains(&bytes.len()) => Ok(bytes),
        _ => Err(wrong),
    }
}

fn scrypt_parameters(n: u64, r: u64, p: u64) -> Result<scrypt::Params, FormatError> {
    let bounds = |parameter, got, allowed| FormatError::KdfBounds {
        parameter,
        got,
        allowed,
    };
    if n < 2 || !n.is_power_of_two() {
        return Err(bounds("n", n, "the powers of two from 2"));
    }
    let memory = n.saturating_mul(r).saturating_mul(128);
    if r == 0 || memory > MAX_SCRYPT_BYTES {
        return Err(bounds("r", r, "1 to 512 MiB of memory (128 * n * r)"));
    }
    let work = n.saturating_mul(r).saturating_mul(p);
    if p == 0 || work > MAX_SCRYPT_WORK {
        return Err(bounds("p", p, "1 to 2^24 steps of work (n * r * p)"));
    }
    let narrow = |value: u64| u32::try_from(value).ok();
    let log_n = u8::try_from(n.trailing_zeros()).ok();
    log_n
        .zip(narrow(r))
        .zip(narrow(p))
        .and_then(|((log_n, r), p)| scrypt::Params::new(log_n, r, p).ok())
        .ok_or(bounds("n", n, "what scrypt allows"))
}

fn pbkdf2_rounds(c: u64) -> Result<u32, FormatError> {
    let wrong = FormatError::KdfBounds {
        parameter: "c",
        got: c,
        allowed: "1 to 10000000",
    };
    match u32::try_from(c) {
        Ok(rounds) if (1..=MAX_PBKDF2_ROUNDS).contains(&c) => Ok(rounds),
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_bounded_before_memory_is_taken() {
        assert!(scrypt_parameters(1 << 18, 8, 1).is_ok());
        assert!(scrypt_parameters(1 << 18, 1, 8).is_ok());
        assert!(scrypt_parameters(1 << 19, 8, 1).is_ok());
        for (n, r, p, parameter) in [
            (0, 8, 1, "n"),
            (1, 8, 1, "n"),
            (3, 8, 1, "n"),
            (1 << 20, 8, 1, "r"),
            (1 << 63, 1, 1, "r"),
            (2, 0, 1, "r"),
            (2, u64::MAX, 1, "r"),
            (2, 1, 0, "p"),
            (2, 1, u64::MAX, "p"),
            (1 << 18, 8, 9, "p"),
        ] {
            match scrypt_parameters(n, r, p) {
                Err(FormatError::KdfBounds { parameter: got, .. }) => assert_eq!(got, parameter),
                other => panic!("{n} {r} {p}: {other:?}"),
            }
        }
        assert!(pbkdf2_rounds(262_144).is_ok());
        for c in [0, MAX_PBKDF2_ROUNDS + 1, u64::MAX] {
            assert!(pbkdf2_rounds(c).is_err());
        }
        assert!(check_length(31).is_err() && check_length(64).is_err());
        assert!(
            decode_salt("").is_err() && decode_salt("0").is_err() && decode_salt("zz").is_err()
        );
        assert!(decode_salt(&"00".repeat(MAX_SALT_BYTES + 1)).is_err());
    }

    /// RFC 7914, section 12.
    #[test]
    fn scrypt_of_the_rfc() {
        let kdf = Kdf::scrypt(1024, 8, 16).with_salt(b"NaCl");
        let key = kdf.derive("password").unwrap();
        assert_eq!(
            hex::encode(*key),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
        );
    }
}
