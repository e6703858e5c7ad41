//! Strict reading of JSON-RPC's hexadecimal values.
//!
//! A quantity is `0x` and the fewest digits there are; data is `0x` and two digits a byte, of
//! exactly the length expected. Anything else, a JSON number included, is refused: a wallet
//! that guesses what a node meant guesses with somebody's money.

use alloy_primitives::{Address, B256, Bytes, U256, hex};
use serde_json::Value;

/// A quantity of up to 256 bits.
pub(super) fn quantity(value: &Value) -> Option<U256> {
    let digits = value.as_str()?.strip_prefix("0x")?;
    let minimal = digits == "0" || !digits.starts_with('0');
    let hexadecimal = digits.chars().all(|c| c.is_ascii_hexdigit());
    if !minimal || !hexadecimal || !(1..=64).contains(&digits.len()) {
        return None;
    }
    U256::from_str_radix(digits, 16).ok()
}

/// A quantity of up to 64 bits.
pub(super) fn quantity_u64(value: &Value) -> Option<u64> {
    quantity(value)?.try_into().ok()
}

/// A quantity of up to 128 bits.
pub(super) fn quantity_u128(value: &Value) -> Option<u128> {
    quantity(value)?.try_into().ok()
}

/// 32 bytes.
pub(super) fn hash(value: &Value) -> Option<B256> {
    fixed(value).map(B256::new)
}

/// 20 bytes; the case of the digits means nothing.
pub(super) fn address(value: &Value) -> Option<Address> {
    fixed(value).map(Address::new)
}

/// An address where null is a value too: a creation has no recipient.
pub(super) fn optional_address(value: &Value) -> Option<Option<Address>> {
    if value.is_null() {
        Some(None)
    } else {
        address(value).map(Some)
    }
}

/// Bytes of any number.
pub(super) fn bytes(value: &Value) -> Option<Bytes> {
    let digits = value.as_str()?.strip_prefix("0x")?;
    if digits.starts_with("0x") {
        return None;
    }
    hex::decode(digits).ok().map(Bytes::from)
}

fn fixed<const N: usize>(value: &Value) -> Option<[u8; N]> {
    let digits = value.as_str()?.strip_prefix("0x")?;
    let mut bytes = [0; N];
    if digits.len() != N.checked_mul(2)? {
        return None;
    }
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn only_minimal_quantities() {
        for (text, number) in [
            ("0x0", 0),
            ("0x1", 1),
            ("0xFf", 255),
            ("0xffffffffffffffff", u64::MAX),
        ] {
            assert_eq!(quantity_u64(&json!(text)), Some(number));
        }
        for bad in [
            json!("0x"),
            json!("0x00"),
            json!("0x01"),
            json!("1"),
            json!("0X1"),
            json!("0x+1"),
            json!("0x1_0"),
            json!("0xg"),
            json!(" 0x1"),
            json!(1),
            json!(null),
            json!("0x10000000000000000"),
            json!(""),
        ] {
            assert_eq!(quantity_u64(&bad), None, "{bad}");
        }
        assert_eq!(
            quantity(&json!(format!("0x{}", "f".repeat(64)))),
            Some(U256::MAX)
        );
        assert_eq!(quantity(&json!(format!("0x1{}", "0".repeat(64)))), None);
        assert_eq!(
            quantity_u128(&json!(format!("0x1{}", "0".repeat(32)))),
            None
        );
    }

    #[test]
    fn data_has_its_length() {
        let text = format!("0x{}", "ab".repeat(32));
        assert_eq!(hash(&json!(text)), Some(B256::repeat_byte(0xab)));
        for bad in [&text[..65], &text[2..], &format!("{text}00"), "0x0x"] {
            assert_eq!(hash(&json!(bad)), None);
        }
        assert_eq!(bytes(&json!("0x")), Some(Bytes::new()));
        assert_eq!(
            bytes(&json!("0x0aB0")),
            Some(Bytes::from_static(&[0x0a, 0xb0]))
        );
        for bad in ["", "0a", "0x0", "0x0g", "0x0x0a"] {
            assert_eq!(bytes(&json!(bad)), None);
        }
        assert_eq!(optional_address(&Value::Null), Some(None));
        assert_eq!(optional_address(&json!("0x")), None);
    }

    proptest! {
        #[test]
        fn quantities_read_back(number: u128) {
            prop_assert_eq!(quantity_u128(&json!(format!("{number:#x}"))), Some(number));
        }

        #[test]
        fn no_text_panics(text: String) {
            let value = json!(text);
            let _ = (quantity(&value), hash(&value), address(&value));
        }
    }
}
