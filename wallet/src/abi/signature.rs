//! Signatures as people write them: `balanceOf(address owner) view returns (uint256)`.

use alloy_dyn_abi::{DynSolType, DynSolValue, Specifier};
use alloy_json_abi::{Param, StateMutability};
use alloy_primitives::{Bytes, Selector, keccak256};
use serde_json::Value;

use super::AbiError;

/// Longest signature that is read, in bytes: those of real contracts have a few hundred.
const MAX_SIGNATURE_BYTES: usize = 4 << 10;

/// A parameter or an output.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name, empty where the signature gives none.
    pub name: String,
    /// Its type.
    pub kind: DynSolType,
}

impl Parameter {
    /// Its type, as it is hashed into selectors.
    #[must_use]
    pub fn type_name(&self) -> String {
        type_name(&self.kind)
    }

    /// Type and name, as in Solidity.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.type_name(), self.name)
            .trim_end()
            .to_owned()
    }
}

/// A function of a contract.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub inputs: Vec<Parameter>,
    /// What it returns; empty if the signature does not say.
    pub outputs: Vec<Parameter>,
}

impl Function {
    /// Reads a signature: `transfer(address,uint256)`, with names, `function`, modifiers and
    /// `returns (…)` where the user likes.
    ///
    /// # Errors
    /// [`AbiError::Signature`] or [`AbiError::Type`].
    pub fn parse(text: &str) -> Result<Self, AbiError> {
        let refused = || refused(text, "function", "balanceOf(address) returns (uint256)");
        let text = prepared(text).ok_or_else(refused)?;
        let parsed = alloy_json_abi::Function::parse(&text).map_err(|_| refused())?;
        Ok(Self {
            name: parsed.name,
            inputs: resolve(&parsed.inputs)?,
            outputs: resolve(&parsed.outputs)?,
        })
    }

    /// Name and types of the parameters, as they are hashed.
    #[must_use]
    pub fn signature(&self) -> String {
        format!("{}{}", self.name, type_list(&self.inputs))
    }

    /// The first four bytes of the signature's hash, by which a contract knows its function.
    #[must_use]
    pub fn selector(&self) -> Selector {
        Selector::from_slice(&keccak256(self.signature())[..4])
    }

    /// Call data: the selector and the encoded arguments.
    #[must_use]
    pub fn encode(&self, arguments: &[DynSolValue]) -> Bytes {
        [self.selector().to_vec(), encode(arguments)]
            .concat()
            .into()
    }

    /// Reads what a call returned.
    ///
    /// # Errors
    /// [`AbiError::Output`].
    pub fn decode_output(&self, output: &[u8]) -> Result<Vec<DynSolValue>, AbiError> {
        decode(&self.outputs, output).ok_or_else(|| AbiError::Output {
            expected: type_list(&self.outputs),
            got: output.len(),
        })
    }
}

/// What a contract is created with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Constructor {
    /// What it takes.
    pub inputs: Vec<Parameter>,
    /// Whether it takes coins; none if that is not known.
    pub payable: Option<bool>,
}

impl Constructor {
    /// Reads `constructor(address,uint256)`.
    ///
    /// # Errors
    /// [`AbiError::Signature`] or [`AbiError::Type`].
    pub fn parse(text: &str) -> Result<Self, AbiError> {
        let refused = || refused(text, "constructor", "constructor(address,uint256)");
        let text = prepared(text).ok_or_else(refused)?;
        let parsed = alloy_json_abi::Constructor::parse(&text).map_err(|_| refused())?;
        Ok(Self {
            inputs: resolve(&parsed.inputs)?,
            payable: None,
        })
    }

    /// Finds the constructor in a contract's ABI, the list that compilers write. A contract
    /// without one is created without arguments and coins. None if this is no ABI.
    ///
    /// # Errors
    /// [`AbiError::Type`].
    pub fn find(abi: &Value) -> Result<Option<Self>, AbiError> {
        let Some(items) = abi.as_array() else {
            return Ok(None);
        };
        let Some(item) = items.iter().find(|item| item["type"] == "constructor") else {
            return Ok(Some(Self {
                inputs: Vec::new(),
                payable: Some(false),
            }));
        };
        let Ok(parsed) = serde_json::from_value::<alloy_json_abi::Constructor>(item.clone()) else {
            return Ok(None);
        };
        Ok(Some(Self {
            inputs: resolve(&parsed.inputs)?,
            payable: Some(parsed.state_mutability == StateMutability::Payable),
        }))
    }

    /// `constructor` and the types of the parameters.
    #[must_use]
    pub fn signature(&self) -> String {
        format!("constructor{}", type_list(&self.inputs))
    }

    /// What follows the creation code.
    #[must_use]
    pub fn encode(&self, arguments: &[DynSolValue]) -> Vec<u8> {
        encode(arguments)
    }
}

/// The name of a type as it is hashed into selectors.
pub(super) fn type_name(kind: &DynSolType) -> String {
    match kind {
        DynSolType::Array(element) => format!("{}[]", type_name(element)),
        DynSolType::FixedArray(element, length) => format!("{}[{length}]", type_name(element)),
        DynSolType::Tuple(elements) => {
            let names: Vec<String> = elements.iter().map(type_name).collect();
            format!("({})", names.join(","))
        }
        plain => plain.to_string(),
    }
}

fn type_list(parameters: &[Parameter]) -> String {
    let names: Vec<String> = parameters.iter().map(Parameter::type_name).collect();
    format!("({})", names.join(","))
}

/// A signature as alloy reads it, if the text may be one. A name with a point in it is one of
/// Solidity's sources, which alloy takes for a small number: the selector would be wrong.
fn prepared(text: &str) -> Option<String> {
    let trimmed = text.trim();
    let readable = trimmed.len() <= MAX_SIGNATURE_BYTES && !trimmed.contains('.');
    readable.then(|| without_field_names(trimmed))
}

/// Leaves out the names of fields of structs, `(address to, uint256 amount)[] orders`, which
/// alloy does not read.
fn without_field_names(text: &str) -> String {
    let (mut depth, mut after_type, mut in_name) = (0_usize, false, false);
    let keep = |c: &char| {
        match c {
            '(' => (depth, after_type, in_name) = (depth.saturating_add(1), false, false),
            ')' => (depth, after_type, in_name) = (depth.saturating_sub(1), true, false),
            ',' => (after_type, in_name) = (false, false),
            space if space.is_whitespace() => in_name |= after_type && depth > 1,
            _ => after_type = true,
        }
        !in_name
    };
    text.chars().filter(keep).collect()
}

fn refused(text: &str, what: &'static str, example: &'static str) -> AbiError {
    AbiError::Signature {
        text: text.chars().take(100).collect(),
        what,
        example,
    }
}

fn resolve(parameters: &[Param]) -> Result<Vec<Parameter>, AbiError> {
    let resolve = |parameter: &Param| match parameter.resolve() {
        Ok(kind) => Ok(Parameter {
            name: parameter.name().to_owned(),
            kind,
        }),
        Err(_) => Err(AbiError::Type {
            name: parameter.selector_type().into_owned(),
        }),
    };
    parameters.iter().map(resolve).collect()
}

fn encode(values: &[DynSolValue]) -> Vec<u8> {
    DynSolValue::Tuple(values.to_vec()).abi_encode_params()
}

/// Reads values from the front of `data`. What does not fit its type, as a number where the
/// signature says address, must not be cut to size: types of fixed size have one encoding only.
fn decode(parameters: &[Parameter], data: &[u8]) -> Option<Vec<DynSolValue>> {
    let kinds = parameters.iter().map(|one| one.kind.clone()).collect();
    let kind = DynSolType::Tuple(kinds);
    let value = kind.abi_decode_params(data).ok()?;
    let exact = kind.is_dynamic() || data.starts_with(&value.abi_encode_params());
    match value {
        DynSolValue::Tuple(values) if exact && values.iter().all(fits) => Some(values),
        _ => None,
    }
}

/// Whether a value is one of its type: alloy keeps the whole word of a small one.
fn fits(value: &DynSolValue) -> bool {
    match value {
        DynSolValue::Uint(number, bits) => number.bit_len() <= *bits,
        DynSolValue::Int(number, bits) => {
            let unused = 256_usize.saturating_sub(*bits);
            number.wrapping_shl(unused).asr(unused) == *number
        }
        DynSolValue::FixedBytes(word, length) => word[*length..].iter().all(|byte| *byte == 0),
        DynSolValue::Array(values)
        | DynSolValue::FixedArray(values)
        | DynSolValue::Tuple(values) => values.iter().all(fits),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Address, U256, hex};
    use serde_json::json;

    #[test]
    fn selectors_are_those_of_solidity() {
        for (text, signature, selector) in [
            (
                "transfer(address,uint256)",
                "transfer(address,uint256)",
                "a9059cbb",
            ),
            (
                "function transfer(address to, uint amount) external returns (bool)",
                "transfer(address,uint256)",
                "a9059cbb",
            ),
            (
                " balanceOf(address)(uint256) ",
                "balanceOf(address)",
                "70a08231",
            ),
            (
                "aggregate3((address target, bool allowFailure, bytes callData)[] calldata calls) public payable returns ((bool,bytes)[] memory)",
                "aggregate3((address,bool,bytes)[])",
                "82ad56cb",
            ),
            (
                "totalSupply() view returns (uint256)",
                "totalSupply()",
                "18160ddd",
            ),
            (
                "swap(tuple(uint a, (int24 x, bool y) b)[2] memory, bytes)",
                "swap((uint256,(int24,bool))[2],bytes)",
                "7c4fd06d",
            ),
            ("f((uint))", "f((uint256))", "3fc03eeb"),
            ("f(uint08)", "f(uint8)", "3120d434"),
        ] {
            let function = Function::parse(text).unwrap();
            assert_eq!(function.signature(), signature);
            assert_eq!(hex::encode(function.selector()), selector, "{text}");
        }
    }

    #[test]
    fn names_and_outputs_are_kept() {
        let text =
            "getReserves(address pair) view returns (uint112 reserve0, uint112, uint32[2][] at)";
        let function = Function::parse(text).unwrap();
        let titles = |all: &[Parameter]| all.iter().map(Parameter::title).collect::<Vec<_>>();
        assert_eq!(titles(&function.inputs), ["address pair"]);
        assert_eq!(
            titles(&function.outputs),
            ["uint112 reserve0", "uint112", "uint32[2][] at"]
        );
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        for text in [
            "",
            "transfer",
            "0xa9059cbb",
            "transfer(address",
            "transfer(address,uint256))",
            "f(uint256) returns uint256",
            "Token.transfer(address,uint256)",
            "f(Lib.Kind)",
            "f(,)",
            "a b(c)",
            &format!("f({})", "(".repeat(5000)),
            &"(".repeat(4000),
        ] {
            assert!(
                matches!(Function::parse(text), Err(AbiError::Signature { .. })),
                "{text}"
            );
        }
        for (text, wrong) in [
            ("f(adress)", "adress"),
            ("f(uint7[])", "uint7[]"),
            ("f(bool,(bytes33))", "(bytes33)"),
        ] {
            assert!(
                matches!(Function::parse(text), Err(AbiError::Type { name }) if name == wrong),
                "{text}"
            );
        }
        assert!(Constructor::parse("f(address)").is_err());
        assert!(Constructor::parse("constructor(address) returns (bool)").is_err());
    }

    #[test]
    fn the_constructor_is_found_in_an_abi() {
        let abi = json!([
            {"type": "function", "name": "f", "inputs": [], "outputs": [], "stateMutability": "view"},
            {"type": "constructor", "stateMutability": "payable", "inputs": [
                {"name": "owners", "type": "tuple[]", "internalType": "struct Owner[]", "components": [
                    {"name": "who", "type": "address"}, {"name": "share", "type": "uint8"}]},
            ]},
        ]);
        let found = Constructor::find(&abi).unwrap().unwrap();
        assert_eq!(found.signature(), "constructor((address,uint8)[])");
        assert_eq!(found.payable, Some(true));
        let none = Constructor::find(&json!([])).unwrap().unwrap();
        assert_eq!(
            (none.signature().as_str(), none.payable),
            ("constructor()", Some(false))
        );
        assert_eq!(Constructor::find(&json!({})).unwrap(), None);
        assert_eq!(
            Constructor::find(&json!([{"type": "constructor"}])).unwrap(),
            None
        );
    }

    /// The example of the ABI's specification.
    #[test]
    fn the_encoding_is_that_of_the_specification() {
        let function = Function::parse("baz(uint32 x, bool y)").unwrap();
        let values = [
            DynSolValue::Uint(U256::from(69), 32),
            DynSolValue::Bool(true),
        ];
        assert_eq!(
            hex::encode(function.encode(&values)),
            "cdcd77c000000000000000000000000000000000000000000000000000000000000000450000000000000000000000000000000000000000000000000000000000000001"
        );
        assert_eq!(Constructor::default().encode(&[]), Vec::<u8>::new());
    }

    #[test]
    fn answers_are_read_or_refused_but_never_cut() {
        let function = Function::parse("f() returns (address, uint8)").unwrap();
        let values = vec![
            DynSolValue::Address(Address::repeat_byte(7)),
            DynSolValue::Uint(U256::from(255), 8),
        ];
        let answer = encode(&values);
        assert_eq!(function.decode_output(&answer).unwrap(), values);
        let longer = [&answer[..], &[1; 40]].concat();
        assert_eq!(function.decode_output(&longer).unwrap(), values);
        for (at, byte) in [(11, 1), (62, 1)] {
            let mut wrong = answer.clone();
            wrong[at] = byte;
            assert!(matches!(
                function.decode_output(&wrong),
                Err(AbiError::Output { got: 64, .. })
            ));
        }
        for (kind, digits) in [
            ("bool", "02"),
            ("int8", "80"),
            ("int8[1][]", "80"),
            ("bytes1", "01"),
            ("uint16", "010000"),
        ] {
            let function = Function::parse(&format!("f() returns ({kind})")).unwrap();
            let word = hex::decode(format!("{digits:0>64}")).unwrap();
            let list = [&[0; 31][..], &[32], &[0; 31], &[1], &word].concat();
            let answer = if kind.ends_with("[]") { list } else { word };
            assert!(function.decode_output(&answer).is_err(), "{kind}");
        }
        assert!(function.decode_output(&answer[..63]).is_err());
        assert!(function.decode_output(&[]).is_err());
        let nothing = Function::parse("f()").unwrap();
        assert_eq!(nothing.decode_output(&[]).unwrap(), []);
    }

    #[test]
    fn an_answer_that_lies_about_its_length_is_refused() {
        let function = Function::parse("f() returns (string, uint256[])").unwrap();
        let mut answer = vec![0xff; 128];
        assert!(function.decode_output(&answer).is_err());
        answer[..64].fill(0);
        answer[31] = 64;
        answer[63] = 64;
        assert!(function.decode_output(&answer).is_err());
    }
}
