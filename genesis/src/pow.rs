//! Compact targets and work, as Bitcoin has them.
//!
//! A target is a 256-bit integer; a block's hash, read as one, must not exceed it. `bits` is its
//! compact form: one byte of exponent (length in bytes), three of mantissa, of which the top bit is
//! a sign that no target has.

use alloy_primitives::{B256, U256};

/// Why compact bits are no target (R-DIF-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BitsError {
    /// The sign bit is set.
    #[error("bits {bits:#010x} stand for a negative target")]
    Negative {
        /// The bits.
        bits: u32,
    },
    /// The target is zero: no hash could meet it.
    #[error("bits {bits:#010x} stand for a target of zero")]
    Zero {
        /// The bits.
        bits: u32,
    },
    /// The target needs more than 256 bits.
    #[error("bits {bits:#010x} stand for a target of more than 256 bits")]
    Overflow {
        /// The bits.
        bits: u32,
    },
}

/// What a block's hash must not exceed. Never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target(U256);

impl Target {
    /// The target that `bits` stand for.
    ///
    /// # Errors
    /// If the bits stand for a negative number, for zero or for more than 256 bits.
    pub fn from_bits(bits: u32) -> Result<Self, BitsError> {
        let value = expand(bits).ok_or(BitsError::Overflow { bits })?;
        // As in Bitcoin, zero has no sign.
        if value.is_zero() {
            return Err(BitsError::Zero { bits });
        }
        if bits & 0x0080_0000 != 0 {
            return Err(BitsError::Negative { bits });
        }
        Ok(Self(value))
    }

    /// A target of this value, at least 1.
    pub fn new(value: U256) -> Self {
        Self(value.max(U256::ONE))
    }

    /// The integer.
    pub fn value(&self) -> U256 {
        self.0
    }

    /// The compact form: the target's highest three bytes (two if the top bit of the third is
    /// set), rounded down.
    pub fn to_bits(&self) -> u32 {
        compact(self.0)
    }

    /// Whether a block with this hash (display order) has the proof of work.
    pub fn is_met_by(&self, hash: B256) -> bool {
        U256::from_be_bytes(hash.0) <= self.0
    }

    /// Hashes needed on average: `2^256 / (target + 1)`, rounded down (R-FORK-1).
    pub fn work(&self) -> U256 {
        // 2^256 has 257 bits: (2^256 - 1 - target) / (target + 1) + 1 is the same number. Only the
        // target 2^256 - 1 needs care: it leaves one hash of work.
        match self.0.checked_add(U256::ONE) {
            Some(divisor) => (!self.0 / divisor).saturating_add(U256::ONE),
            None => U256::ONE,
        }
    }
}

/// The unsigned value of compact bits, `None` if it has more than 256 bits.
fn expand(bits: u32) -> Option<U256> {
    let mantissa = U256::from(bits & 0x007f_ffff);
    let exponent = usize::try_from(bits >> 24).expect("one byte fits");
    if exponent <= 3 {
        return Some(mantissa >> (8 * (3 - exponent)));
    }
    let shift = 8 * (exponent - 3);
    match mantissa.bit_len() {
        0 => Some(U256::ZERO),
        length if length + shift > 256 => None,
        _ => Some(mantissa << shift),
    }
}

fn compact(value: U256) -> u32 {
    let mut size = value.bit_len().div_ceil(8);
    let mantissa = if size <= 3 {
        value << (8 * (3 - size))
    } else {
        value >> (8 * (size - 3))
    };
    let mut mantissa = u32::try_from(mantissa).expect("three bytes are left");
    // The top bit is the sign: a mantissa that would set it moves down by one byte.
    if mantissa & 0x0080_0000 != 0 {
        mantissa >>= 8;
        size += 1;
    }
    mantissa | u32::try_from(size << 24).expect("at most 33 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    fn word(text: &str) -> u32 {
        u32::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
    }

    #[test]
    fn r_dif_1_bitcoins_table_of_compact_bits() {
        let Some(table) = vectors::json("small/bitcoin-nbits/compact.json") else {
            return;
        };
        for case in table["cases"].as_array().unwrap() {
            let bits = word(case["compact"].as_str().unwrap());
            let target = Target::from_bits(bits);
            let Some(value) = case["hex"].as_str() else {
                assert_eq!(target, Err(BitsError::Overflow { bits }));
                continue;
            };
            let value = U256::from_str_radix(value, 16).unwrap();
            match (value.is_zero(), case["negative"].as_bool().unwrap()) {
                (true, _) => assert_eq!(target, Err(BitsError::Zero { bits })),
                (_, true) => assert_eq!(target, Err(BitsError::Negative { bits })),
                _ => {
                    let recompact = word(case["recompact"].as_str().unwrap());
                    let target = target.unwrap();
                    assert_eq!((target.value(), target.to_bits()), (value, recompact));
                }
            }
        }
        assert_eq!(Target::new(U256::from(0x80)).to_bits(), 0x0200_8000);
    }

    #[test]
    fn a_hash_meets_its_target_but_not_one_less() {
        let hash = B256::with_last_byte(9);
        assert!(Target::new(U256::from(9)).is_met_by(hash));
        assert!(!Target::new(U256::from(8)).is_met_by(hash));
    }

    #[test]
    fn r_fork_1_work_of_extreme_targets() {
        assert_eq!(Target::new(U256::MAX).work(), U256::ONE);
        assert_eq!(Target::new(U256::ONE).work(), U256::ONE << 255);
        assert_eq!(
            Target::from_bits(0x207f_ffff).unwrap().work(),
            U256::from(2)
        );
    }
}
