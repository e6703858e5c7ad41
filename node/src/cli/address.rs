//! Addresses as people write them.

use alloy_primitives::Address;

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Other than 40 hexadecimal digits.
    #[error("an address is 0x and 40 hexadecimal digits")]
    Malformed,
    /// Upper and lower case are mixed, but not as EIP-55 says.
    #[error(
        "the checksum of {text} is wrong, so a character was probably mistyped; copy the address again"
    )]
    WrongChecksum {
        /// The text as given.
        text: String,
    },
}

/// Reads an address. Mixed case must be the EIP-55 checksum; one case alone carries none.
///
/// # Errors
/// The text is no address, or is mistyped.
pub fn parse(text: &str) -> Result<Address, AddressError> {
    let address: Address = text.parse().map_err(|_| AddressError::Malformed)?;
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let is_upper = |letter: char| letter.is_ascii_uppercase();
    let is_lower = |letter: char| letter.is_ascii_lowercase();
    let is_mixed = digits.contains(is_upper) && digits.contains(is_lower);
    if is_mixed && !address.to_checksum(None).ends_with(digits) {
        return Err(AddressError::WrongChecksum {
            text: text.to_owned(),
        });
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::args::Cli;
    use super::*;

    /// An example of EIP-55, and the same with one letter in the other case.
    const RIGHT: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    const WRONG: &str = "0x5aAeb6053f3E94C9b9A09f33669435E7Ef1BeAed";

    #[test]
    fn mixed_case_is_a_checksum() {
        let address = parse(RIGHT).unwrap();
        assert_eq!(address.to_string(), RIGHT);
        let digits = &RIGHT[2..];
        let upper = digits.to_uppercase();
        let all_upper = format!("0x{upper}");
        for same in [digits, &RIGHT.to_lowercase(), &all_upper, &upper] {
            assert_eq!(parse(same), Ok(address), "{same}");
        }
        let wrong = |text: &str| AddressError::WrongChecksum { text: text.into() };
        assert_eq!(parse(WRONG), Err(wrong(WRONG)));
        assert_eq!(parse(&WRONG[2..]), Err(wrong(&WRONG[2..])));
        for malformed in ["", "0x", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe", "me"] {
            assert_eq!(
                parse(malformed),
                Err(AddressError::Malformed),
                "{malformed}"
            );
        }
    }

    #[test]
    fn options_refuse_a_wrong_checksum() {
        for command in [
            "run --mine-to ADDRESS",
            "dev --mine-to ADDRESS",
            "spec new mine --chain-id 7 --fund ADDRESS=1",
        ] {
            let parse = |address| {
                let line = format!("cairn {command}").replace("ADDRESS", address);
                Cli::try_parse_from(line.split(' '))
            };
            assert!(parse(RIGHT).is_ok(), "{command}");
            let error = parse(WRONG).unwrap_err().to_string();
            let words = format!("the checksum of {WRONG} is wrong");
            assert!(error.contains(&words), "{error}");
        }
    }
}
