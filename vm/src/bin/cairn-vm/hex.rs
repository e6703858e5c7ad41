//! Bytes on the command line: hexadecimal digits, or the name of a file that holds some.

use std::{convert::Infallible, fs, path::PathBuf, str::FromStr};

use alloy_primitives::{Bytes, hex};

use crate::Failure;

/// Bytes that are given as `HEX` or `@FILE`, with or without `0x`; white space does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hex {
    Digits(String),
    File(PathBuf),
}

impl FromStr for Hex {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.strip_prefix('@') {
            Some(path) => Self::File(path.into()),
            None => Self::Digits(text.to_owned()),
        })
    }
}

impl Hex {
    /// The bytes of the argument `what`.
    pub fn read(&self, what: &'static str) -> Result<Bytes, Failure> {
        match self {
            Self::Digits(text) => decode(text, what),
            Self::File(path) => {
                let text = fs::read_to_string(path);
                decode(
                    &text.map_err(|error| Failure::Read {
                        path: path.clone(),
                        error,
                    })?,
                    what,
                )
            }
        }
    }
}

fn decode(text: &str, what: &'static str) -> Result<Bytes, Failure> {
    let digits: String = text.split_whitespace().collect();
    let bytes = hex::decode(digits).map_err(|error| Failure::Hex { what, error })?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Bytes, Failure> {
        text.parse::<Hex>().unwrap().read("--code")
    }

    #[test]
    fn digits_may_have_a_prefix_and_white_space() {
        for text in ["602a", "0x602a", "0x60 2a\n", "60\n2A"] {
            assert_eq!(read(text).unwrap().as_ref(), [0x60, 0x2a], "{text:?}");
        }
        assert!(read("").unwrap().is_empty());
    }

    #[test]
    fn errors_name_the_argument_or_the_file() {
        let odd = read("602").unwrap_err();
        assert_eq!(
            odd.to_string(),
            "--code is not hexadecimal: odd number of digits"
        );
        assert_eq!(odd.exit_code(), 2);
        let missing = read("@/nowhere/code.hex").unwrap_err();
        assert!(
            missing
                .to_string()
                .starts_with("/nowhere/code.hex cannot be read: ")
        );
        assert_eq!(missing.exit_code(), 1);
    }
}
