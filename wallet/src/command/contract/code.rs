//! Creation code: in hexadecimal, or in the file that a compiler made.
//!
//! | compiler | its JSON file holds |
//! |---|---|
//! | Hardhat | `bytecode`: text, and `abi` |
//! | Foundry | `bytecode.object`: text, and `abi` |
//! | solc | `evm.bytecode.object` or `bin`: text, and `abi`; or all of them under `contracts` |

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use alloy_primitives::{Bytes, hex};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::abi::{AbiError, Constructor};

/// Largest file that is read, in bytes: artifacts with sources and syntax trees have a few MiB.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Creation code, and the constructor where the file tells of it.
#[derive(Debug, PartialEq)]
pub(super) struct Code {
    pub(super) bytes: Bytes,
    pub(super) constructor: Option<Constructor>,
}

/// Why there is no code to create a contract from.
#[derive(Debug, Error)]
pub enum CodeError {
    /// The command line has no code.
    #[error(
        "CODE is neither hexadecimal nor @FILE: {reason}; a file is named with @ before its path"
    )]
    Hex {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Arguments, but nothing says of which types.
    #[error(
        "the types of the arguments are not known; add for example --constructor \"constructor(address,uint256)\""
    )]
    ConstructorMissing,
    /// The file cannot be read.
    #[error("cannot read {}: {error}; check the path, and whether the compiler has run", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
    /// The file can be read, but it holds no code.
    #[error("{} holds no creation code: {reason}", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The contract's ABI names a type that does not exist.
    #[error("{} holds a constructor that cannot be called: {error}", path.display())]
    Abi {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        error: AbiError,
    },
}

const NO_HEX: &str =
    "it has other characters than the digits 0-9 and a-f, or an odd number of them";
const EMPTY: &str = "it is empty, as that of an interface or abstract contract is";
const UNLINKED: &str = "it calls libraries whose addresses are not filled in; link it first";
const NO_BYTECODE: &str =
    "it has no \"bytecode\", \"bytecode.object\", \"evm.bytecode.object\" or \"bin\"";
const SEVERAL: &str = "it has several contracts; put the one to deploy into a file of its own";
const NO_JSON: &str = "it begins like JSON but is none";
const NO_ABI: &str = "its \"abi\" is none";

/// Reads `CODE` or `@FILE`.
pub(super) fn read(text: &str) -> Result<Code, CodeError> {
    let Some(path) = text.strip_prefix('@') else {
        let bytes = decode(text).map_err(|reason| CodeError::Hex { reason })?;
        return Ok(Code {
            bytes,
            constructor: None,
        });
    };
    let path = Path::new(path);
    let content = read_file(path).map_err(|error| CodeError::File {
        path: path.to_owned(),
        error,
    })?;
    parse(path, content.trim())
}

fn read_file(path: &Path) -> io::Result<String> {
    let mut content = String::new();
    File::open(path)?
        .take(MAX_FILE_BYTES.saturating_add(1))
        .read_to_string(&mut content)?;
    if content.len() as u64 > MAX_FILE_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(content)
}

fn parse(path: &Path, content: &str) -> Result<Code, CodeError> {
    let wrong = |reason| CodeError::Content {
        path: path.to_owned(),
        reason,
    };
    if !content.starts_with('{') {
        let bytes = decode(content).map_err(wrong)?;
        return Ok(Code {
            bytes,
            constructor: None,
        });
    }
    let artifact: Value = serde_json::from_str(content).map_err(|_| wrong(NO_JSON))?;
    let (text, abi) = contract(&artifact).map_err(wrong)?;
    Ok(Code {
        bytes: decode(text).map_err(wrong)?,
        constructor: constructor(path, abi, wrong)?,
    })
}

/// Code and ABI of the one contract that a file is about.
fn contract(artifact: &Value) -> Result<(&str, &Value), &'static str> {
    if let Some(text) = bytecode(artifact) {
        return Ok((text, &artifact["abi"]));
    }
    let mut found = Vec::new();
    collect(&artifact["contracts"], &mut found);
    match found[..] {
        [one] => Ok(one),
        [] => Err(NO_BYTECODE),
        _ => Err(SEVERAL),
    }
}

/// Finds what solc says of contracts: by name, or by source file and then by name. Interfaces and
/// abstract contracts, whose code is empty, are no candidates.
fn collect<'a>(contracts: &'a Value, found: &mut Vec<(&'a str, &'a Value)>) {
    for part in contracts.as_object().into_iter().flat_map(Map::values) {
        let named = part.as_object().into_iter().flat_map(Map::values);
        for contract in std::iter::once(part).chain(named) {
            let text = bytecode(contract).filter(|text| !text.is_empty());
            found.extend(text.map(|text| (text, &contract["abi"])));
        }
    }
}

fn bytecode(artifact: &Value) -> Option<&str> {
    let places = [
        "/bytecode",
        "/bytecode/object",
        "/evm/bytecode/object",
        "/bin",
    ];
    places
        .iter()
        .find_map(|place| artifact.pointer(place)?.as_str())
}

fn constructor(
    path: &Path,
    abi: &Value,
    wrong: impl Fn(&'static str) -> CodeError,
) -> Result<Option<Constructor>, CodeError> {
    if abi.is_null() {
        return Ok(None);
    }
    let found = Constructor::find(abi).map_err(|error| CodeError::Abi {
        path: path.to_owned(),
        error,
    })?;
    found.ok_or_else(|| wrong(NO_ABI)).map(Some)
}

fn decode(text: &str) -> Result<Bytes, &'static str> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if digits.is_empty() {
        return Err(EMPTY);
    }
    // Compilers write __$…$__, or __Name__ in older days, where an address is to go.
    if digits.contains("__") {
        return Err(UNLINKED);
    }
    match hex::decode(digits) {
        Ok(bytes) if !digits.starts_with("0x") => Ok(bytes.into()),
        _ => Err(NO_HEX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Reads a file with this content.
    fn file(content: &str) -> Result<Code, CodeError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("it");
        std::fs::write(&path, content).unwrap();
        read(&format!("@{}", path.display()))
    }

    #[test]
    fn code_is_found_where_each_compiler_puts_it() {
        let plain = Code {
            bytes: Bytes::from_static(&[0x60, 1]),
            constructor: None,
        };
        for text in ["0x6001", "6001"] {
            assert_eq!(read(text).unwrap(), plain);
            assert_eq!(file(&format!("{text}\n")).unwrap(), plain);
        }
        let abi = json!([{"type": "constructor", "stateMutability": "payable",
                          "inputs": [{"name": "owner", "type": "address"}]}]);
        for artifact in [
            json!({"abi": abi, "bytecode": "0x6001"}),
            json!({"abi": abi, "bytecode": {"object": "0x6001"}}),
            json!({"abi": abi, "evm": {"bytecode": {"object": "6001"}}}),
            json!({"sources": {}, "contracts": {
                "A.sol": {"A": {"abi": abi, "evm": {"bytecode": {"object": "6001"}}}},
                "I.sol": {"I": {"abi": [], "evm": {"bytecode": {"object": ""}}}}}}),
            json!({"contracts": {"A.sol:A": {"abi": abi, "bin": "6001"}, "I.sol:I": {"abi": [], "bin": ""}}}),
        ] {
            let code = file(&artifact.to_string()).unwrap();
            let constructor = code.constructor.unwrap();
            assert_eq!(
                (code.bytes, constructor.payable),
                (plain.bytes.clone(), Some(true))
            );
            assert_eq!(constructor.signature(), "constructor(address)");
        }
        let bare = json!({"bytecode": "0x6001"});
        assert_eq!(file(&bare.to_string()).unwrap(), plain);
    }

    #[test]
    fn what_is_no_code_is_told_apart() {
        let reason = |content: &str| match file(content) {
            Err(CodeError::Content { reason, .. }) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(""), EMPTY);
        assert_eq!(reason("pragma solidity"), NO_HEX);
        assert_eq!(reason("0x600"), NO_HEX);
        assert_eq!(reason("0x0x60"), NO_HEX);
        assert_eq!(reason("{"), NO_JSON);
        assert_eq!(reason(r#"{"abi": []}"#), NO_BYTECODE);
        assert_eq!(reason(r#"{"contracts": {"A": {"B": {}}}}"#), NO_BYTECODE);
        let several = r#"{"contracts": {"A": {"bin": "60"}, "B": {"bin": "60"}}}"#;
        assert_eq!(reason(several), SEVERAL);
        assert_eq!(reason(r#"{"bytecode": "0x"}"#), EMPTY);
        assert_eq!(reason(r#"{"bytecode": "0x60__$aabb$__"}"#), UNLINKED);
        assert_eq!(reason(r#"{"bytecode": "0x60", "abi": {}}"#), NO_ABI);
        assert!(matches!(
            file(
                r#"{"bytecode": "0x60", "abi": [{"type": "constructor", "stateMutability": "payable", "inputs": [{"name": "", "type": "uint7"}]}]}"#
            ),
            Err(CodeError::Abi { .. })
        ));
        assert!(matches!(
            read("Token.json"),
            Err(CodeError::Hex { reason: NO_HEX })
        ));
        assert!(matches!(read("@/nonexistent"), Err(CodeError::File { .. })));
    }
}
