//! From what a user writes to the value of a type.
//!
//! ```text
//! uint8 to uint256   42  1_000  0x2a  20gwei  1.5cairn        int…   the same without units, -42
//! address            0x… (checksum checked), or the name of an account
//! bool               true  false
//! bytes, bytes32     0x…
//! string             as it is; "in quotation marks" as in JSON, which lists need for , ( ) [ ]
//! uint256[], [2]     [1,2]
//! (address,uint8)    (dev1,7)
//! ```

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{Address, B256, Function, hex};

use super::{
    AbiError, Parameter, Place, ValueError,
    number::{signed, unsigned},
    signature::type_name,
};
use crate::address::AccountRef;

/// Most characters of a wrong text that are repeated.
const MAX_REPEATED_CHARS: usize = 60;

/// Finds the address of a name, or says in a sentence why there is none.
pub type FindAccount<'a> = &'a dyn Fn(&AccountRef) -> Result<Address, String>;

/// Reads one text for each parameter of `signature`.
///
/// # Errors
/// [`AbiError::Count`] or [`AbiError::Argument`].
pub fn read_arguments(
    signature: &str,
    parameters: &[Parameter],
    texts: &[String],
    find: FindAccount<'_>,
) -> Result<Vec<DynSolValue>, AbiError> {
    if parameters.len() != texts.len() {
        return Err(AbiError::Count {
            signature: signature.to_owned(),
            expected: parameters.len(),
            got: texts.len(),
        });
    }
    let read = |(argument, (parameter, text)): (usize, (&Parameter, &String))| {
        let mut reader = Reader {
            rest: text,
            elements: Vec::new(),
            find,
        };
        reader
            .whole(&parameter.kind)
            .map_err(|error| AbiError::Argument {
                place: Place {
                    argument,
                    parameter: parameter.title(),
                    elements: reader.elements,
                },
                error: Box::new(error),
            })
    };
    (1..).zip(parameters.iter().zip(texts)).map(read).collect()
}

/// A text that is read from the front. The types lead, so it goes no deeper than they do.
struct Reader<'a> {
    rest: &'a str,
    /// Where it is: the numbers of the elements, from the outermost list inwards.
    elements: Vec<usize>,
    find: FindAccount<'a>,
}

impl Reader<'_> {
    /// A value that takes all of the text.
    fn whole(&mut self, kind: &DynSolType) -> Result<DynSolValue, ValueError> {
        if !is_list(kind) && !self.rest.trim_start().starts_with('"') {
            // A plain text may hold anything, spaces too.
            return match kind {
                DynSolType::String => Ok(DynSolValue::String(self.rest.to_owned())),
                _ => self.plain(kind, self.rest.trim()),
            };
        }
        let value = self.value(kind)?;
        match self.rest.trim() {
            "" => Ok(value),
            more => Err(ValueError::More {
                rest: shorten(more),
            }),
        }
    }

    /// The next value, within a list or not.
    fn value(&mut self, kind: &DynSolType) -> Result<DynSolValue, ValueError> {
        self.rest = self.rest.trim_start();
        match kind {
            DynSolType::Array(element) => {
                let values = self.list(kind, ["[", "]"], &mut std::iter::repeat(&**element))?;
                Ok(DynSolValue::Array(values))
            }
            DynSolType::FixedArray(element, length) => {
                let mut kinds = std::iter::repeat_n(&**element, *length);
                let values = self.list(kind, ["[", "]"], &mut kinds)?;
                full(kind, *length, values).map(DynSolValue::FixedArray)
            }
            DynSolType::Tuple(elements) => {
                let values = self.list(kind, ["(", ")"], &mut elements.iter())?;
                full(kind, elements.len(), values).map(DynSolValue::Tuple)
            }
            _ if self.rest.starts_with('"') => {
                let text = self.quoted()?;
                match kind {
                    DynSolType::String => Ok(DynSolValue::String(text)),
                    _ => self.plain(kind, text.trim()),
                }
            }
            _ => {
                let end = self.rest.find([',', ']', ')']).unwrap_or(self.rest.len());
                let (text, rest) = self.rest.split_at(end);
                let value = self.plain(kind, text.trim())?;
                self.rest = rest;
                Ok(value)
            }
        }
    }

    /// Values between brackets, each of the next of `kinds`.
    fn list(
        &mut self,
        kind: &DynSolType,
        [open, close]: [&'static str; 2],
        kinds: &mut dyn Iterator<Item = &DynSolType>,
    ) -> Result<Vec<DynSolValue>, ValueError> {
        let mut values = Vec::new();
        self.expect(open, kind)?;
        if self.take(close) {
            return Ok(values);
        }
        loop {
            let element = kinds.next().ok_or_else(|| ValueError::TooMany {
                kind: type_name(kind),
                expected: values.len(),
            })?;
            self.elements.push(values.len().saturating_add(1));
            values.push(self.value(element)?);
            self.elements.pop();
            if self.take(close) {
                return Ok(values);
            }
            self.expect(",", kind)?;
        }
    }

    /// Goes past `mark`, if it is what comes next.
    fn take(&mut self, mark: &str) -> bool {
        let rest = self.rest.trim_start();
        let found = rest.strip_prefix(mark);
        self.rest = found.unwrap_or(rest);
        found.is_some()
    }

    fn expect(&mut self, mark: &'static str, kind: &DynSolType) -> Result<(), ValueError> {
        if self.take(mark) {
            return Ok(());
        }
        Err(ValueError::Shape {
            mark,
            place: match self.rest {
                "" => "at the end".to_owned(),
                rest => format!("before \"{}\"", shorten(rest)),
            },
            kind: type_name(kind),
            example: match kind {
                DynSolType::Tuple(_) => "(1,2)",
                _ => "[1,2]",
            },
        })
    }

    /// A text in quotation marks, as JSON has it.
    fn quoted(&mut self) -> Result<String, ValueError> {
        let mut texts = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
        match texts.next() {
            Some(Ok(text)) => {
                self.rest = self.rest.get(texts.byte_offset()..).unwrap_or_default();
                Ok(text)
            }
            _ => Err(ValueError::Quotes),
        }
    }

    /// A value that is no list, from all of `text`.
    fn plain(&self, kind: &DynSolType, text: &str) -> Result<DynSolValue, ValueError> {
        if text.is_empty() {
            return Err(ValueError::Missing);
        }
        Ok(match kind {
            DynSolType::Uint(bits) => DynSolValue::Uint(unsigned(text, *bits)?, *bits),
            DynSolType::Int(bits) => DynSolValue::Int(signed(text, *bits)?, *bits),
            DynSolType::Address => DynSolValue::Address(self.address(text)?),
            DynSolType::Bool => DynSolValue::Bool(boolean(text)?),
            DynSolType::Bytes => DynSolValue::Bytes(bytes(text)?),
            DynSolType::String => DynSolValue::String(text.to_owned()),
            DynSolType::FixedBytes(length) => {
                let word = B256::right_padding_from(&sized(kind, *length, text)?);
                DynSolValue::FixedBytes(word, *length)
            }
            DynSolType::Function => {
                let bytes = sized(kind, Function::len_bytes(), text)?;
                DynSolValue::Function(Function::from_slice(&bytes))
            }
            DynSolType::Array(_) | DynSolType::FixedArray(..) | DynSolType::Tuple(_) => {
                unreachable!("lists are read as lists")
            }
        })
    }

    fn address(&self, text: &str) -> Result<Address, ValueError> {
        match text.parse()? {
            AccountRef::Address(address) => Ok(address),
            name => (self.find)(&name).map_err(ValueError::Account),
        }
    }
}

const fn is_list(kind: &DynSolType) -> bool {
    matches!(
        kind,
        DynSolType::Array(_) | DynSolType::FixedArray(..) | DynSolType::Tuple(_)
    )
}

/// The values, if there are enough of them.
fn full(
    kind: &DynSolType,
    expected: usize,
    values: Vec<DynSolValue>,
) -> Result<Vec<DynSolValue>, ValueError> {
    let got = values.len();
    if got == expected {
        return Ok(values);
    }
    Err(ValueError::TooFew {
        kind: type_name(kind),
        expected,
        got,
    })
}

fn boolean(text: &str) -> Result<bool, ValueError> {
    text.parse().map_err(|_| ValueError::Bool {
        text: shorten(text),
    })
}

fn bytes(text: &str) -> Result<Vec<u8>, ValueError> {
    let digits = text
        .strip_prefix("0x")
        .filter(|rest| !rest.starts_with("0x"));
    let decoded = digits.and_then(|digits| hex::decode(digits).ok());
    decoded.ok_or_else(|| ValueError::Hex {
        text: shorten(text),
    })
}

/// Bytes of a type that has so many: fewer are not filled up, since nobody can tell on which side.
fn sized(kind: &DynSolType, expected: usize, text: &str) -> Result<Vec<u8>, ValueError> {
    let bytes = bytes(text)?;
    if bytes.len() == expected {
        return Ok(bytes);
    }
    Err(ValueError::Length {
        kind: type_name(kind),
        expected,
        got: bytes.len(),
    })
}

/// As much of a text as is repeated to the user.
pub(super) fn shorten(text: &str) -> String {
    text.chars().take(MAX_REPEATED_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::Function as AbiFunction;
    use alloy_primitives::{I256, U256};
    use proptest::prelude::*;

    const DEV: Address = Address::repeat_byte(0xde);

    fn read(signature: &str, texts: &[&str]) -> Result<Vec<DynSolValue>, AbiError> {
        let function = AbiFunction::parse(signature).unwrap();
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        read_arguments(
            &function.signature(),
            &function.inputs,
            &texts,
            &|name| match name.to_string().as_str() {
                "dev" => Ok(DEV),
                other => Err(format!("there is no account {other}")),
            },
        )
    }

    /// The value of one argument.
    fn one(kind: &str, text: &str) -> DynSolValue {
        read(&format!("f({kind})"), &[text]).unwrap().remove(0)
    }

    /// What is said about one wrong argument.
    #[track_caller]
    fn wrong(kind: &str, text: &str, words: &str) {
        let error = read(&format!("f({kind} it)"), &[text])
            .unwrap_err()
            .to_string();
        let begin = format!("argument 1 ({kind} it)");
        assert!(
            error.starts_with(&begin) && error.contains(words),
            "{error}"
        );
    }

    fn uint(number: u64) -> DynSolValue {
        DynSolValue::Uint(U256::from(number), 256)
    }

    fn string(text: &str) -> DynSolValue {
        DynSolValue::String(text.to_owned())
    }

    #[test]
    fn plain_values() {
        let shop = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        assert_eq!(
            one("address", shop),
            DynSolValue::Address(shop.parse().unwrap())
        );
        assert_eq!(one("address", " dev "), DynSolValue::Address(DEV));
        assert_eq!(one("bool", "true"), DynSolValue::Bool(true));
        assert_eq!(one("bytes", "0x"), DynSolValue::Bytes(vec![]));
        assert_eq!(one("bytes", "0xAbcd"), DynSolValue::Bytes(vec![0xab, 0xcd]));
        let word = B256::right_padding_from(&[1, 2]);
        assert_eq!(one("bytes2", "0x0102"), DynSolValue::FixedBytes(word, 2));
        let number = I256::try_from(-3).unwrap();
        assert_eq!(one("int24", "-3"), DynSolValue::Int(number, 24));
        assert_eq!(one("uint256", "20gwei"), uint(20_000_000_000));
        let function = Function::repeat_byte(1);
        assert_eq!(
            one("function", &function.to_string()),
            DynSolValue::Function(function)
        );
    }

    #[test]
    fn a_string_is_taken_as_it_is_unless_it_is_quoted() {
        for text in ["", "hello, (world)]", " spaces ", "0x12", "it's", "a \"b\""] {
            assert_eq!(one("string", text), string(text));
        }
        assert_eq!(one("string", r#""a \"b\" \u0041""#), string("a \"b\" A"));
        assert_eq!(one("string", r#""""#), string(""));
        wrong("string", "\"open", "in quotation marks ends with one");
        wrong("string", "\"a\" b", "there is more after its end: \"b\"");
    }

    #[test]
    fn lists_and_structs_within_each_other() {
        assert_eq!(
            one("uint256[]", " [ 1 , 0x2,3gwei ] "),
            DynSolValue::Array(vec![uint(1), uint(2), uint(3_000_000_000)])
        );
        assert_eq!(one("uint256[]", "[]"), DynSolValue::Array(vec![]));
        assert_eq!(
            one("uint256[2]", "[1,2]"),
            DynSolValue::FixedArray(vec![uint(1), uint(2)])
        );
        assert_eq!(
            one(
                "(string,(address,uint256)[])[]",
                r#"[(plain text,[(dev,1),("dev","2")]),("a,b)",[])]"#
            ),
            DynSolValue::Array(vec![
                DynSolValue::Tuple(vec![
                    string("plain text"),
                    DynSolValue::Array(vec![
                        DynSolValue::Tuple(vec![DynSolValue::Address(DEV), uint(1)]),
                        DynSolValue::Tuple(vec![DynSolValue::Address(DEV), uint(2)]),
                    ]),
                ]),
                DynSolValue::Tuple(vec![string("a,b)"), DynSolValue::Array(vec![])]),
            ])
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        wrong("uint256", "1.5", "): \"1.5\" is not a whole number");
        wrong("uint8", "256", "does not fit in uint8");
        wrong("bool", "yes", "neither true nor false");
        wrong("bytes", "abcd", "write 0x and an even number of digits");
        wrong("bytes", "0x0x12", "write 0x and an even number of digits");
        wrong("bytes4", "0x0102", "bytes4 has 4 bytes, but 2 were given");
        wrong(
            "address",
            "0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "checksum",
        );
        wrong("address", "0x1234", "is not an address");
        wrong("address", "nobody", "there is no account nobody");
        wrong("uint256", "", "a value is missing");
        wrong(
            "uint256[]",
            "1",
            "[ is missing before \"1\"; uint256[] is written like [1,2]",
        );
        wrong("uint256[]", "[1", ", is missing at the end");
        wrong("uint256[]", "[1,]", ", element 2: a value is missing");
        wrong("string[]", "[a,,b]", ", element 2: a value is missing");
        wrong("uint256[]", "[1,2] 3", "there is more after its end: \"3\"");
        wrong(
            "uint256[2]",
            "[1]",
            "uint256[2] has 2 elements, but 1 was given",
        );
        wrong(
            "uint256[2]",
            "[1,2,3]",
            "uint256[2] has 2 elements, but more were given",
        );
        wrong(
            "(uint256,bool)",
            "(1)",
            "(uint256,bool) has 2 elements, but 1 was given",
        );
        wrong(
            "(uint256,bool)",
            "[1,true]",
            "( is missing before \"[1,true]\"",
        );
        wrong(
            "(uint256,bool[])[]",
            "[(1,[]),(2,[true,maybe])]",
            ", element 2, element 2, element 2: \"maybe\"",
        );
    }

    #[test]
    fn the_number_of_arguments_counts() {
        let says = |texts: &[&str]| read("f(bool,bool)", texts).unwrap_err().to_string();
        assert_eq!(
            says(&[]),
            "f(bool,bool) takes 2 arguments, but none was given"
        );
        assert_eq!(
            says(&["true"]),
            "f(bool,bool) takes 2 arguments, but 1 was given"
        );
        assert_eq!(
            read("f()", &["1", "2"]).unwrap_err().to_string(),
            "f() takes no arguments, but 2 were given"
        );
        assert_eq!(read("f()", &[]).unwrap(), []);
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            for kind in ["uint8[]", "(string,bytes)[2]", "string", "int64", "address"] {
                let _ = read(&format!("f({kind})"), &[&text]);
            }
        }

        #[test]
        fn no_list_panics(text in "[\\[\\](),\"a1 ]{0,20}") {
            for kind in ["string[][]", "(string,uint8[])[2]", "(bool[1],uint8)[]"] {
                let _ = read(&format!("f({kind})"), &[&text]);
            }
        }
    }
}
