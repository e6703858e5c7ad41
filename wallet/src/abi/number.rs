//! Whole numbers as people write them, and none that their type cannot hold.

use alloy_primitives::{I256, Sign, U256};

use super::ValueError;
use crate::amount::Amount;

/// Reads a `uint` of `bits` bits: `42`, `1_000`, `0x2a`, or an amount with its unit (`20gwei`).
/// A number with a point needs the unit: nobody can tell which decimals a contract counts in.
pub(super) fn unsigned(text: &str, bits: usize) -> Result<U256, ValueError> {
    let value = match magnitude(text) {
        Some(value) => value?,
        None if text.ends_with(|c: char| c.is_ascii_alphabetic()) && begins_with_digit(text) => {
            text.parse::<Amount>()?.0
        }
        None => return Err(malformed(text)),
    };
    let max = U256::MAX >> 256_usize.saturating_sub(bits);
    if value <= max {
        Ok(value)
    } else {
        Err(range(text, format!("uint{bits}"), "0".to_owned(), max))
    }
}

/// Reads an `int` of `bits` bits: as [`unsigned`], without units, perhaps with a sign.
pub(super) fn signed(text: &str, bits: usize) -> Result<I256, ValueError> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (Sign::Negative, digits),
        None => (Sign::Positive, text),
    };
    let value = magnitude(digits).ok_or_else(|| malformed(text))??;
    // The negative range is larger by one.
    let max = U256::MAX >> 257_usize.saturating_sub(bits);
    let lowest = max.saturating_add(U256::ONE);
    let limit = if sign.is_negative() { lowest } else { max };
    I256::checked_from_sign_and_abs(sign, value)
        .filter(|_| value <= limit)
        .ok_or_else(|| range(text, format!("int{bits}"), format!("-{lowest}"), max))
}

/// Digits, in decimal or after 0x in hexadecimal, with single underscores between them. None if
/// these are no digits.
fn magnitude(text: &str) -> Option<Result<U256, ValueError>> {
    let (digits, radix) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let is_group = |group: &str| !group.is_empty() && group.chars().all(|c| c.is_digit(radix));
    if !digits.split('_').all(is_group) {
        return None;
    }
    let bare = digits.replace('_', "");
    let significant = bare.trim_start_matches('0');
    let number = match significant {
        "" => Ok(U256::ZERO),
        some => U256::from_str_radix(some, u64::from(radix)),
    };
    Some(number.map_err(|_| range(text, "uint256".to_owned(), "0".to_owned(), U256::MAX)))
}

fn begins_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && !text.starts_with("0x")
}

fn malformed(text: &str) -> ValueError {
    ValueError::Number {
        text: super::argument::shorten(text),
    }
}

fn range(text: &str, kind: String, min: String, max: U256) -> ValueError {
    ValueError::Range {
        text: super::argument::shorten(text),
        kind,
        min,
        max: max.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::AmountError;
    use proptest::prelude::*;

    #[test]
    fn every_way_to_write_a_number() {
        for (text, number) in [
            ("0", 0_u64),
            ("007", 7),
            ("1_000_000", 1_000_000),
            ("0x2a", 42),
            ("0xFF_FF", 65_535),
            ("20gwei", 20_000_000_000),
            ("1.5cairn", 1_500_000_000_000_000_000),
            ("7 wei", 7),
        ] {
            assert_eq!(unsigned(text, 256), Ok(U256::from(number)), "{text}");
        }
        assert_eq!(signed("-0x10", 8), Ok(I256::try_from(-16).unwrap()));
        assert_eq!(signed("1_2", 8), Ok(I256::try_from(12).unwrap()));
        assert_eq!(signed("-0", 8), Ok(I256::ZERO));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", "-1", "+1", "1.5", "1e18", "0x", "0x_1", "_1", "1__0", "1_", "abc", "0xg", "1 000",
            "0x1wei", "１", "true",
        ] {
            assert!(
                matches!(
                    unsigned(text, 256),
                    Err(ValueError::Number { .. } | ValueError::Amount(_))
                ),
                "{text}"
            );
        }
        for text in ["", "-", "--1", "+1", "1wei", "- 1", "1.0"] {
            assert!(
                matches!(signed(text, 256), Err(ValueError::Number { .. })),
                "{text}"
            );
        }
        assert_eq!(
            unsigned("1ether", 256),
            Err(ValueError::Amount(AmountError::UnknownUnit {
                unit: "ether".to_owned()
            }))
        );
    }

    #[test]
    fn the_type_is_the_limit() {
        assert_eq!(unsigned("255", 8), Ok(U256::from(255)));
        assert_eq!(
            unsigned("256", 8).unwrap_err().to_string(),
            "256 does not fit in uint8, which goes from 0 to 255"
        );
        assert_eq!(
            signed("-129", 8).unwrap_err().to_string(),
            "-129 does not fit in int8, which goes from -128 to 127"
        );
        assert!(signed("128", 8).is_err() && signed("127", 8).is_ok() && signed("-128", 8).is_ok());
        assert_eq!(unsigned(&U256::MAX.to_string(), 256), Ok(U256::MAX));
        assert_eq!(signed(&I256::MIN.to_string(), 256), Ok(I256::MIN));
        assert!(signed(&U256::MAX.to_string(), 256).is_err());
        assert!(matches!(
            unsigned(&format!("{}0", U256::MAX), 256),
            Err(ValueError::Range { .. })
        ));
        // An amount is measured as well.
        assert!(matches!(
            unsigned("1gwei", 16),
            Err(ValueError::Range { .. })
        ));
    }

    proptest! {
        #[test]
        fn numbers_read_back(limbs: [u64; 4]) {
            let number = U256::from_limbs(limbs);
            prop_assert_eq!(unsigned(&number.to_string(), 256), Ok(number));
            prop_assert_eq!(unsigned(&format!("{number:#x}"), 256), Ok(number));
            let number = I256::from_raw(number);
            prop_assert_eq!(signed(&number.to_string(), 256), Ok(number));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = (unsigned(&text, 64), signed(&text, 64));
        }
    }
}
