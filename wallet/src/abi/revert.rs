//! Why a contract refused: the data that it reverts with.

use std::fmt;

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{Bytes, U256, hex};

use super::show::to_line;

/// `Error(string)`: a `require` or `revert` with a text.
const ERROR: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];

/// `Panic(uint256)`: a check that the compiler put in.
const PANIC: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];

/// Most bytes of data that are shown.
const MAX_SHOWN_BYTES: usize = 512;

/// What a reverted call returned. In words it goes on after "the call".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revert(pub Bytes);

impl fmt::Display for Revert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = &self.0;
        if data.is_empty() {
            return f.write_str("reverts without a reason");
        }
        let Some((selector, body)) = data.split_first_chunk::<4>() else {
            return write!(f, "reverts with data {data}");
        };
        match (*selector, known(*selector, body)) {
            (ERROR, Some(reason)) => write!(f, "reverts: {}", to_line(&reason)),
            (PANIC, Some(DynSolValue::Uint(code, _))) => {
                write!(f, "reverts with panic {code:#x}{}", meaning(code))
            }
            _ => write!(
                f,
                "reverts with custom error {}{}",
                hex::encode_prefixed(selector),
                shown(body)
            ),
        }
    }
}

/// What one of the two errors says that Solidity itself knows.
fn known(selector: [u8; 4], body: &[u8]) -> Option<DynSolValue> {
    let kind = match selector {
        ERROR => DynSolType::String,
        PANIC => DynSolType::Uint(256),
        _ => return None,
    };
    kind.abi_decode(body).ok()
}

/// What a panic code means, by Solidity's documentation.
fn meaning(code: U256) -> &'static str {
    match u8::try_from(code) {
        Ok(0x01) => " (an assertion failed)",
        Ok(0x11) => " (a number overflows or underflows)",
        Ok(0x12) => " (division by zero)",
        Ok(0x21) => " (not a value of the enum)",
        Ok(0x22) => " (a byte array in storage is broken)",
        Ok(0x31) => " (pop of an empty array)",
        Ok(0x32) => " (index out of bounds)",
        Ok(0x41) => " (too much memory)",
        Ok(0x51) => " (call of a function that was never set)",
        _ => "",
    }
}

fn shown(body: &[u8]) -> String {
    match body.len() {
        0 => String::new(),
        length if length > MAX_SHOWN_BYTES => format!(
            " and data {}… ({length} bytes)",
            hex::encode_prefixed(&body[..MAX_SHOWN_BYTES])
        ),
        _ => format!(" and data {}", hex::encode_prefixed(body)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::Function;
    use proptest::prelude::*;

    fn words(data: &[u8]) -> String {
        Revert(data.to_vec().into()).to_string()
    }

    fn error(text: &str) -> Bytes {
        let function = Function::parse("Error(string)").unwrap();
        function.encode(&[DynSolValue::String(text.to_owned())])
    }

    #[test]
    fn solidity_s_errors_are_told_in_words() {
        assert_eq!(words(&error("not the owner")), "reverts: not the owner");
        assert_eq!(words(&error("")), "reverts: \"\"");
        assert_eq!(words(&error("a\u{1b}[2J")), "reverts: \"a\\u001b[2J\"");
        let panic = |code: u64| {
            let function = Function::parse("Panic(uint256)").unwrap();
            words(&function.encode(&[DynSolValue::Uint(U256::from(code), 256)]))
        };
        assert_eq!(
            panic(0x11),
            "reverts with panic 0x11 (a number overflows or underflows)"
        );
        assert_eq!(panic(0x99), "reverts with panic 0x99");
        assert_eq!(panic(0x111), "reverts with panic 0x111");
    }

    #[test]
    fn others_are_shown_as_they_are() {
        assert_eq!(words(&[]), "reverts without a reason");
        assert_eq!(words(&[1, 2]), "reverts with data 0x0102");
        assert_eq!(words(&[1, 2, 3, 4]), "reverts with custom error 0x01020304");
        assert_eq!(
            words(&hex!("e450d38c00ff")),
            "reverts with custom error 0xe450d38c and data 0x00ff"
        );
        assert_eq!(
            words(&hex!("08c379a000ff")),
            "reverts with custom error 0x08c379a0 and data 0x00ff"
        );
        let long = words(&[7; 10_000]);
        assert!(
            long.ends_with("… (9996 bytes)") && long.len() < 1200,
            "{long}"
        );
    }

    proptest! {
        #[test]
        fn no_data_panics(mut data: Vec<u8>) {
            let _ = words(&data);
            data.splice(0..0, ERROR);
            let _ = words(&data);
        }
    }
}
