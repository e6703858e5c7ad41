//! What a contract says when it reverts: Solidity's `Error(string)` and `Panic(uint256)`.

use alloy_primitives::U256;

const ERROR_SELECTOR: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
const PANIC_SELECTOR: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];
const WORD: usize = 32;

/// The reason inside the output of a reverted call, if it is one of Solidity's two forms.
pub fn revert_reason(output: &[u8]) -> Option<String> {
    let (selector, body) = output.split_first_chunk::<4>()?;
    match *selector {
        ERROR_SELECTOR => error_text(body),
        PANIC_SELECTOR => Some(panic_text(word(body, 0)?)),
        _ => None,
    }
}

/// `abi.decode(body, (string))`. A contract chooses these bytes: every length is checked.
fn error_text(body: &[u8]) -> Option<String> {
    let at = usize::try_from(word(body, 0)?).ok()?;
    let length = usize::try_from(word(body, at)?).ok()?;
    let start = at.checked_add(WORD)?;
    let text = body.get(start..start.checked_add(length)?)?;
    Some(String::from_utf8_lossy(text).into_owned())
}

fn word(body: &[u8], at: usize) -> Option<U256> {
    let bytes = body.get(at..at.checked_add(WORD)?)?;
    Some(U256::from_be_slice(bytes))
}

/// Solidity's panic codes, in geth's words.
fn panic_text(code: U256) -> String {
    let known = match u8::try_from(code).unwrap_or(u8::MAX) {
        0x00 => "generic panic",
        0x01 => "assert(false)",
        0x11 => "arithmetic underflow or overflow",
        0x12 => "division or modulo by zero",
        0x21 => "enum overflow",
        0x22 => "invalid encoded storage byte array accessed",
        0x31 => "out-of-bounds array access; popping on an empty array",
        0x32 => "out-of-bounds access of an array or bytesN",
        0x41 => "out of memory",
        0x51 => "uninitialized function",
        _ => return format!("unknown panic code: {code:#x}"),
    };
    known.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;
    use proptest::prelude::*;

    #[test]
    fn panics_are_named() {
        let overflow =
            hex!("4e487b71" "0000000000000000000000000000000000000000000000000000000000000011");
        assert_eq!(
            revert_reason(&overflow).unwrap(),
            "arithmetic underflow or overflow"
        );
        let other =
            hex!("4e487b71" "0000000000000000000000000000000000000000000000000000000000000099");
        assert_eq!(revert_reason(&other).unwrap(), "unknown panic code: 0x99");
    }

    #[test]
    fn custom_errors_and_short_outputs_have_no_reason() {
        assert_eq!(revert_reason(&[]), None);
        assert_eq!(revert_reason(&hex!("08c379a0")), None);
        assert_eq!(revert_reason(&hex!("deadbeef00")), None);
    }

    proptest! {
        #[test]
        fn no_output_panics(mut output in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = revert_reason(&output);
            output.splice(0..0, ERROR_SELECTOR);
            let _ = revert_reason(&output);
        }
    }
}
