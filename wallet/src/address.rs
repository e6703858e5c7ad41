//! Addresses as people write them: EIP-55 checksums are checked, names of accounts allowed.

use std::{fmt, str::FromStr};

use alloy_primitives::{Address, hex};
use thiserror::Error;

/// Longest name of an account. Names are shown in lists and stored in key files.
const MAX_NAME_BYTES: usize = 32;

/// Why a text is neither an address nor a name.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AddressError {
    /// Not 0x and 40 hexadecimal digits.
    #[error(
        "\"{text}\" is not an address; an address is 0x and 40 hexadecimal digits, this has {digits}"
    )]
    Malformed {
        /// The text as given, shortened.
        text: String,
        /// Number of characters after 0x.
        digits: usize,
    },
    /// Upper and lower case are mixed, but not as EIP-55 says.
    #[error(
        "the checksum of {text} is wrong, so a character was probably mistyped; copy the address again"
    )]
    WrongChecksum {
        /// The text as given.
        text: String,
    },
    /// Not a name that an account may have.
    #[error(
        "\"{text}\" is not a name; a name has 1 to {MAX_NAME_BYTES} letters, digits, '-', '_' or '.', and does not begin with 0x"
    )]
    Name {
        /// The text as given, shortened.
        text: String,
    },
}

/// Reads an address. Mixed case must be the EIP-55 checksum; one case alone carries none.
///
/// # Errors
/// [`AddressError::Malformed`] or [`AddressError::WrongChecksum`].
pub fn parse_address(text: &str) -> Result<Address, AddressError> {
    let digits = text.strip_prefix("0x").unwrap_or_default();
    let mut bytes = [0_u8; 20];
    if hex::decode_to_slice(digits, &mut bytes).is_err() || digits.starts_with("0x") {
        return Err(AddressError::Malformed {
            text: shorten(text),
            digits: digits.chars().count(),
        });
    }
    let address = Address::from(bytes);
    let mixed = digits.chars().any(|c| c.is_ascii_uppercase())
        && digits.chars().any(|c| c.is_ascii_lowercase());
    if mixed && address.to_checksum(None) != text {
        return Err(AddressError::WrongChecksum {
            text: text.to_owned(),
        });
    }
    Ok(address)
}

/// The name of an account in the keystore.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountName(String);

impl AccountName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountName {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let valid = (1..=MAX_NAME_BYTES).contains(&text.len())
            && text.chars().all(allowed)
            && !text.starts_with("0x");
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(AddressError::Name {
                text: shorten(text),
            })
        }
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a user writes to mean an account: its address, or the name it has in the keystore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountRef {
    /// Any address, ours or not.
    Address(Address),
    /// A name in the keystore.
    Name(AccountName),
}

impl FromStr for AccountRef {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        // 40 bare digits are an address somebody forgot to prefix, not a name.
        if text.starts_with("0x") || text.len() > MAX_NAME_BYTES {
            parse_address(text).map(Self::Address)
        } else {
            text.parse().map(Self::Name)
        }
    }
}

impl fmt::Display for AccountRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The examples of EIP-55.
    const CHECKSUMMED: [&str; 4] = [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ];

    #[test]
    fn accepts_checksums_and_single_case() {
        for text in CHECKSUMMED {
            let address = parse_address(text).unwrap();
            assert_eq!(address.to_string(), text);
            assert_eq!(parse_address(&text.to_lowercase()), Ok(address));
            assert_eq!(
                parse_address(&format!("0x{}", text[2..].to_uppercase())),
                Ok(address)
            );
        }
    }

    #[test]
    fn refuses_a_wrong_checksum() {
        let text = CHECKSUMMED[0].replacen('A', "a", 1);
        assert_eq!(
            parse_address(&text),
            Err(AddressError::WrongChecksum { text })
        );
    }

    #[test]
    fn refuses_what_is_no_address() {
        let bare = &CHECKSUMMED[0][2..];
        for text in [
            "",
            "0x",
            "0x12",
            bare,
            &CHECKSUMMED[0][..41],
            "0x0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeA",
        ] {
            assert!(
                matches!(parse_address(text), Err(AddressError::Malformed { .. })),
                "{text}"
            );
        }
        assert!(matches!(
            bare.parse::<AccountRef>(),
            Err(AddressError::Malformed { .. })
        ));
    }

    #[test]
    fn tells_names_from_addresses() {
        assert!(matches!("savings".parse(), Ok(AccountRef::Name(_))));
        assert!(matches!(CHECKSUMMED[0].parse(), Ok(AccountRef::Address(_))));
        for text in ["", "a b", "0xname", "a/b", "ä", &"x".repeat(33)] {
            assert!(text.parse::<AccountName>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_reading_is_identity(bytes: [u8; 20]) {
            let address = Address::from(bytes);
            prop_assert_eq!(parse_address(&address.to_string()), Ok(address));
            prop_assert_eq!(parse_address(&address.to_string().to_lowercase()), Ok(address));
        }

        #[test]
        fn one_flipped_letter_is_noticed(bytes: [u8; 20], at in 2_usize..42) {
            let text = Address::from(bytes).to_string();
            let flip = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
            let flipped: String = text.chars().enumerate().map(|(i, c)| if i == at { flip(c) } else { c }).collect();
            let digits = &flipped[2..];
            let mixed = digits.chars().any(|c| c.is_ascii_uppercase()) && digits.chars().any(|c| c.is_ascii_lowercase());
            if flipped != text && mixed {
                prop_assert_eq!(parse_address(&flipped), Err(AddressError::WrongChecksum { text: flipped.clone() }));
            }
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<AccountRef>();
            let _ = parse_address(&text);
        }
    }
}
