//! Values as people and programs read them.
//!
//! A contract chooses these values, so a text with anything in it that a terminal would act upon,
//! or that hides, is shown in quotation marks with that escaped.

use alloy_dyn_abi::DynSolValue;
use alloy_primitives::hex;
use serde_json::Value;

/// A value on a line of its own: as [`to_text`], but a harmless text without quotation marks.
#[must_use]
pub fn to_line(value: &DynSolValue) -> String {
    match value {
        DynSolValue::String(text) if is_harmless(text) => text.clone(),
        other => to_text(other),
    }
}

/// A value as it can be given as an argument again: numbers in decimal, bytes in hexadecimal,
/// `[lists]`, `(structs)` and texts in quotation marks.
#[must_use]
pub fn to_text(value: &DynSolValue) -> String {
    match value {
        DynSolValue::Bool(value) => value.to_string(),
        DynSolValue::Int(number, _) => number.to_string(),
        DynSolValue::Uint(number, _) => number.to_string(),
        DynSolValue::FixedBytes(word, length) => hex::encode_prefixed(&word[..*length]),
        DynSolValue::Address(address) => address.to_string(),
        DynSolValue::Function(function) => function.to_string(),
        DynSolValue::Bytes(bytes) => hex::encode_prefixed(bytes),
        DynSolValue::String(text) => quoted(text),
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) => {
            format!("[{}]", list(values))
        }
        DynSolValue::Tuple(values) => format!("({})", list(values)),
    }
}

/// A value in JSON: numbers as decimal texts, because JavaScript would round them; bytes in
/// hexadecimal; lists and structs as lists.
#[must_use]
pub fn to_json(value: &DynSolValue) -> Value {
    match value {
        DynSolValue::Bool(value) => Value::Bool(*value),
        DynSolValue::String(text) => Value::String(text.clone()),
        DynSolValue::Array(values)
        | DynSolValue::FixedArray(values)
        | DynSolValue::Tuple(values) => values.iter().map(to_json).collect(),
        other => Value::String(to_text(other)),
    }
}

fn list(values: &[DynSolValue]) -> String {
    let texts: Vec<String> = values.iter().map(to_text).collect();
    texts.join(", ")
}

/// A text in quotation marks, as JSON has it, with all escaped that is not seen.
fn quoted(text: &str) -> String {
    let json = Value::String(text.to_owned()).to_string();
    json.chars().map(escaped_if_unseen).collect()
}

fn escaped_if_unseen(c: char) -> String {
    if !is_unseen(c) {
        return c.to_string();
    }
    let mut units = [0; 2];
    let units = c.encode_utf16(&mut units).iter();
    units.map(|unit| format!("\\u{unit:04x}")).collect()
}

/// Control characters, and marks of Unicode that reorder or hide what stands beside them.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Whether a text looks the same without quotation marks and is no other value's text.
fn is_harmless(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && quoted(text) == format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{Function, read_arguments};
    use alloy_dyn_abi::DynSolType;
    use alloy_primitives::{Address, B256, I256, U256};
    use proptest::prelude::*;
    use serde_json::json;

    fn string(text: &str) -> DynSolValue {
        DynSolValue::String(text.to_owned())
    }

    #[test]
    fn every_kind_of_value() {
        let address = Address::repeat_byte(0xab);
        let value = DynSolValue::Tuple(vec![
            DynSolValue::Uint(U256::MAX, 256),
            DynSolValue::Int(I256::MINUS_ONE, 8),
            DynSolValue::Bool(false),
            DynSolValue::Array(vec![DynSolValue::Address(address)]),
            DynSolValue::FixedBytes(B256::repeat_byte(1), 2),
            DynSolValue::FixedArray(vec![
                DynSolValue::Bytes(vec![]),
                DynSolValue::Bytes(vec![7]),
            ]),
            string("a \"b\""),
        ]);
        assert_eq!(
            to_text(&value),
            format!(
                r#"({}, -1, false, [{address}], 0x0101, [0x, 0x07], "a \"b\"")"#,
                U256::MAX
            )
        );
        assert_eq!(
            to_json(&value),
            json!([
                U256::MAX.to_string(),
                "-1",
                false,
                [address.to_string()],
                "0x0101",
                ["0x", "0x07"],
                "a \"b\""
            ])
        );
    }

    #[test]
    fn a_text_is_quoted_where_it_must_be() {
        for plain in ["USD Coin", "Käse, (mild)", "0x12", "🎉"] {
            assert_eq!(to_line(&string(plain)), plain);
        }
        for (text, shown) in [
            ("", r#""""#),
            (" a", r#"" a""#),
            ("\u{1b}[2J", r#""\u001b[2J""#),
            ("a\nb", r#""a\nb""#),
            ("\u{9b}2J", r#""\u009b2J""#),
            ("ab\u{202e}dc", r#""ab\u202edc""#),
            ("\u{e0041}", r#""\udb40\udc41""#),
            ("\"", r#""\"""#),
        ] {
            assert_eq!(to_line(&string(text)), shown);
        }
        // Within a list all are quoted: a comma must not become two values.
        assert_eq!(
            to_text(&DynSolValue::Array(vec![string("a, b")])),
            r#"["a, b"]"#
        );
    }

    /// Any value of a few nested types.
    fn value() -> impl Strategy<Value = DynSolValue> {
        let leaf = prop_oneof![
            any::<[u64; 4]>().prop_map(|limbs| DynSolValue::Uint(U256::from_limbs(limbs), 256)),
            any::<[u64; 4]>()
                .prop_map(|limbs| DynSolValue::Int(I256::from_raw(U256::from_limbs(limbs)), 256)),
            any::<bool>().prop_map(DynSolValue::Bool),
            any::<[u8; 20]>().prop_map(|bytes| DynSolValue::Address(bytes.into())),
            any::<[u8; 5]>()
                .prop_map(|bytes| DynSolValue::FixedBytes(B256::right_padding_from(&bytes), 5)),
            any::<Vec<u8>>().prop_map(DynSolValue::Bytes),
            any::<String>().prop_map(DynSolValue::String),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..3).prop_map(DynSolValue::Tuple),
                inner.prop_map(|value| DynSolValue::Array(vec![value.clone(), value])),
            ]
        })
    }

    fn type_of(value: &DynSolValue) -> DynSolType {
        value.as_type().unwrap()
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(value in value()) {
            let mut function = Function::parse("f(bool)").unwrap();
            function.inputs[0].kind = type_of(&value);
            let read = |text| read_arguments("", &function.inputs, &[text], &|_| Err(String::new()));
            prop_assert_eq!(read(to_text(&value)).unwrap(), vec![value.clone()]);
            if !matches!(&value, DynSolValue::String(text) if text.starts_with('"')) {
                prop_assert_eq!(read(to_line(&value)).unwrap(), vec![value]);
            }
        }

        #[test]
        fn no_text_reaches_the_terminal_unescaped(text: String) {
            prop_assert!(!to_line(&string(&text)).chars().any(is_unseen));
        }
    }
}
