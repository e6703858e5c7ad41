//! Amounts of coins and prices of gas: text in, exact wei out, and back.
//!
//! One cairn is 10^18 wei, as one ether is. All arithmetic is on integers; a text that names a
//! fraction of a wei is refused, never rounded.

use std::{fmt, str::FromStr};

use alloy_primitives::U256;
use thiserror::Error;

/// Longest text that is looked at: 78 digits of a 256-bit number, 18 decimals and a unit fit.
const MAX_TEXT_BYTES: usize = 120;

/// Number of decimal places of one cairn.
const CAIRN_DECIMALS: usize = 18;

/// Number of decimal places of one gwei.
const GWEI_DECIMALS: usize = 9;

/// Why a text is not an amount.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AmountError {
    /// Not digits, optionally a point and more digits, optionally a unit.
    #[error("\"{text}\" is not an amount; write for example 1.5, 1.5cairn, 20gwei or 7wei")]
    Malformed {
        /// The text as given, shortened.
        text: String,
    },
    /// Below zero.
    #[error("\"{text}\" is below zero; an amount is zero or more")]
    Negative {
        /// The text as given, shortened.
        text: String,
    },
    /// The letters after the number name no unit.
    #[error("\"{unit}\" is not a unit; use cairn, gwei or wei")]
    UnknownUnit {
        /// The letters after the number.
        unit: String,
    },
    /// The amount is not a whole number of wei.
    #[error(
        "\"{text}\" has {got} decimals but {unit} has {max}: nothing is smaller than 1 wei; shorten the amount"
    )]
    TooManyDecimals {
        /// The text as given.
        text: String,
        /// Decimals that matter (trailing zeros do not).
        got: usize,
        /// Decimals that the unit has.
        max: usize,
        /// The unit's name.
        unit: &'static str,
    },
    /// The amount does not fit its type: 256 bits for coins, 128 bits for prices.
    #[error("\"{text}\" is larger than any amount that can exist; check the number of digits")]
    TooLarge {
        /// The text as given.
        text: String,
    },
    /// A price of gas without a unit, where a guess could cost a fortune.
    #[error("the price \"{text}\" needs a unit; write for example {text}gwei")]
    PriceWithoutUnit {
        /// The text as given.
        text: String,
    },
}

/// The units that an amount can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Wei,
    Gwei,
    Cairn,
}

impl Unit {
    fn from_name(name: &str) -> Result<Self, AmountError> {
        match name.to_ascii_lowercase().as_str() {
            "wei" => Ok(Self::Wei),
            "gwei" => Ok(Self::Gwei),
            "cairn" => Ok(Self::Cairn),
            _ => Err(AmountError::UnknownUnit {
                unit: name.to_owned(),
            }),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Wei => "wei",
            Self::Gwei => "gwei",
            Self::Cairn => "cairn",
        }
    }

    const fn decimals(self) -> usize {
        match self {
            Self::Wei => 0,
            Self::Gwei => GWEI_DECIMALS,
            Self::Cairn => CAIRN_DECIMALS,
        }
    }
}

/// An amount of coins in wei. A text without a unit counts cairns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(pub U256);

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let (number, unit) = split(text)?;
        to_wei(text, number, unit.unwrap_or(Unit::Cairn)).map(Self)
    }
}

/// Exact, in cairns, without trailing zeros: `1.5 cairn`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cairn", decimal(self.0, CAIRN_DECIMALS))
    }
}

/// A price of one unit of gas, in wei. A text must name its unit (zero needs none), because
/// `20` read as 20 cairns per gas instead of 20 gwei would empty an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct GasPrice(pub u128);

impl FromStr for GasPrice {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let (number, unit) = split(text)?;
        let wei = to_wei(text, number, unit.unwrap_or(Unit::Cairn))?;
        if unit.is_none() && !wei.is_zero() {
            return Err(AmountError::PriceWithoutUnit {
                text: text.trim().to_owned(),
            });
        }
        let wei = u128::try_from(wei).map_err(|_| AmountError::TooLarge {
            text: text.trim().to_owned(),
        })?;
        Ok(Self(wei))
    }
}

/// Exact, in gwei, without trailing zeros: `1.5 gwei`.
impl fmt::Display for GasPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} gwei", decimal(U256::from(self.0), GWEI_DECIMALS))
    }
}

/// Splits a text into its number and its unit, if it names one.
fn split(text: &str) -> Result<(&str, Option<Unit>), AmountError> {
    let trimmed = text.trim();
    let malformed = || AmountError::Malformed {
        text: trimmed.chars().take(40).collect(),
    };
    if trimmed.len() > MAX_TEXT_BYTES {
        return Err(malformed());
    }
    if let Some(number) = trimmed.strip_prefix('-')
        && split(number).is_ok()
    {
        return Err(AmountError::Negative {
            text: trimmed.chars().take(40).collect(),
        });
    }
    let end = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return Err(malformed());
    }
    let unit = unit.trim_start();
    if unit.is_empty() {
        return Ok((number, None));
    }
    if !unit.chars().all(|c| c.is_ascii_alphabetic()) {
        return Err(malformed());
    }
    Ok((number, Some(Unit::from_name(unit)?)))
}

/// The exact value of `number` (digits with at most one point) in `unit`.
fn to_wei(text: &str, number: &str, unit: Unit) -> Result<U256, AmountError> {
    let text = text.trim();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction = fraction.trim_end_matches('0');
    let decimals = unit.decimals();
    if fraction.len() > decimals {
        return Err(AmountError::TooManyDecimals {
            text: text.to_owned(),
            got: fraction.len(),
            max: decimals,
            unit: unit.name(),
        });
    }
    // Appending the missing zeros and dropping the point multiplies by 10^decimals, exactly.
    let digits = format!("{whole}{fraction:0<decimals$}");
    U256::from_str_radix(&digits, 10).map_err(|_| AmountError::TooLarge {
        text: text.to_owned(),
    })
}

/// `value` divided by 10^`decimals`, in as few digits as are exact.
fn decimal(value: U256, decimals: usize) -> String {
    let digits = format!("{value:0>width$}", width = decimals.saturating_add(1));
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(decimals));
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wei(text: &str) -> U256 {
        text.parse::<Amount>().unwrap().0
    }

    #[test]
    fn reads_every_unit() {
        assert_eq!(wei("1.5"), U256::from(1_500_000_000_000_000_000_u64));
        assert_eq!(wei("1.5cairn"), wei("1.5"));
        assert_eq!(wei(" 1.5 CAIRN "), wei("1.5"));
        assert_eq!(wei("20gwei"), U256::from(20_000_000_000_u64));
        assert_eq!(wei("7wei"), U256::from(7));
        assert_eq!(wei("0"), U256::ZERO);
        assert_eq!(wei("007.0wei"), U256::from(7));
        assert_eq!(wei("0.000000000000000001"), U256::ONE);
    }

    #[test]
    fn refuses_what_is_not_exact() {
        for (text, got, max) in [("0.0000000000000000001", 19, 18), ("1.5wei", 1, 0)] {
            match text.parse::<Amount>() {
                Err(AmountError::TooManyDecimals { got: g, max: m, .. }) => {
                    assert_eq!((g, m), (got, max), "{text}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn refuses_what_is_not_an_amount() {
        for text in [
            "", ".", ".5", "5.", "1.2.3", "1,5", "--1", "-", "+1", "1e18", "0x10", "1_000", "1 2",
            "１",
        ] {
            assert!(
                matches!(
                    text.parse::<Amount>(),
                    Err(AmountError::Malformed { .. } | AmountError::UnknownUnit { .. })
                ),
                "{text}"
            );
        }
        assert_eq!(
            "1ether".parse::<Amount>(),
            Err(AmountError::UnknownUnit {
                unit: "ether".to_owned()
            })
        );
        assert!("9".repeat(200).parse::<Amount>().is_err());
        for text in ["-1", "-0.5", "-7wei"] {
            let error = text.parse::<Amount>().unwrap_err();
            assert_eq!(error, AmountError::Negative { text: text.into() });
        }
    }

    #[test]
    fn refuses_what_does_not_fit() {
        assert_eq!(wei(&format!("{}wei", U256::MAX)), U256::MAX);
        assert!(matches!(
            format!("{}", U256::MAX).parse::<Amount>(),
            Err(AmountError::TooLarge { .. })
        ));
        assert!(matches!(
            "340282366920938463463374607431768211456wei".parse::<GasPrice>(),
            Err(AmountError::TooLarge { .. })
        ));
    }

    #[test]
    fn a_price_names_its_unit() {
        assert_eq!("20gwei".parse(), Ok(GasPrice(20_000_000_000)));
        assert_eq!("0".parse(), Ok(GasPrice(0)));
        assert!(matches!(
            "20".parse::<GasPrice>(),
            Err(AmountError::PriceWithoutUnit { .. })
        ));
    }

    #[test]
    fn prints_without_trailing_zeros() {
        assert_eq!(Amount(U256::ZERO).to_string(), "0 cairn");
        assert_eq!(Amount(U256::ONE).to_string(), "0.000000000000000001 cairn");
        assert_eq!(Amount(wei("1200")).to_string(), "1200 cairn");
        assert_eq!(GasPrice(1_500_000_000).to_string(), "1.5 gwei");
    }

    proptest! {
        #[test]
        fn printing_and_reading_is_identity(limbs: [u64; 4]) {
            let amount = Amount(U256::from_limbs(limbs));
            prop_assert_eq!(amount.to_string().parse::<Amount>(), Ok(amount));
            prop_assert_eq!(format!("{} wei", amount.0).parse::<Amount>(), Ok(amount));
        }

        #[test]
        fn a_price_survives_the_trip(wei: u128) {
            let price = GasPrice(wei);
            prop_assert_eq!(price.to_string().parse::<GasPrice>(), Ok(price));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Amount>();
            let _ = text.parse::<GasPrice>();
        }
    }
}
