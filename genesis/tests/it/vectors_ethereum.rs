//! Ethereum's own tests of RLP and tries: what `alloy` does for us is what Ethereum agreed on.

use std::collections::BTreeMap;

use alloy_primitives::{B256, aliases::U512, hex, keccak256};
use alloy_rlp::{Decodable, Encodable, Header, PayloadView};
use alloy_trie::{HashBuilder, Nibbles};
use serde_json::Value;

use crate::vectors;

/// Any RLP item.
#[derive(Debug, PartialEq, Eq)]
enum Item {
    Bytes(Vec<u8>),
    List(Vec<Item>),
}

impl Item {
    fn of(value: &Value) -> Self {
        match value {
            Value::Array(items) => Self::List(items.iter().map(Self::of).collect()),
            Value::String(text) => match text.strip_prefix('#') {
                Some(number) => Self::Bytes(integer(number.parse().unwrap())),
                None => Self::Bytes(text.as_bytes().to_vec()),
            },
            number => Self::Bytes(integer(U512::from(number.as_u64().unwrap()))),
        }
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => alloy_rlp::encode(&bytes[..]),
            Self::List(items) => {
                let payload = items.iter().flat_map(Self::encode).collect::<Vec<u8>>();
                let mut bytes = Vec::new();
                let payload_length = payload.len();
                let list = true;
                Header {
                    list,
                    payload_length,
                }
                .encode(&mut bytes);
                bytes.extend(payload);
                bytes
            }
        }
    }
}

impl Decodable for Item {
    fn decode(bytes: &mut &[u8]) -> alloy_rlp::Result<Self> {
        match Header::decode_raw(bytes)? {
            PayloadView::String(bytes) => Ok(Self::Bytes(bytes.to_vec())),
            PayloadView::List(items) => {
                let items = items.into_iter().map(alloy_rlp::decode_exact);
                items.collect::<Result<_, _>>().map(Self::List)
            }
        }
    }
}

fn integer(value: U512) -> Vec<u8> {
    value.to_be_bytes_trimmed_vec()
}

fn decode(bytes: &[u8]) -> alloy_rlp::Result<Item> {
    alloy_rlp::decode_exact(bytes)
}

fn hex_of(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn rlp() {
    let Some(tests) = vectors::json("small/ethereum-tests/RLPTests/rlptest.json") else {
        return;
    };
    for (name, test) in tests.as_object().unwrap() {
        let (item, encoded) = (Item::of(&test["in"]), hex_of(&test["out"]));
        assert_eq!(item.encode(), encoded, "{name}");
        assert_eq!(decode(&encoded), Ok(item), "{name}");
    }
}

#[test]
fn random_and_invalid_rlp() {
    for file in ["invalidRLPTest.json", "RandomRLPTests/example.json"] {
        let path = format!("small/ethereum-tests/RLPTests/{file}");
        let Some(tests) = vectors::json(&path) else {
            return;
        };
        for (name, test) in tests.as_object().unwrap() {
            let decoded = decode(&hex_of(&test["out"]));
            assert_eq!(decoded.is_ok(), test["in"] == "VALID", "{name}");
        }
    }
}

#[test]
fn integers_of_the_ledger_are_refused_in_any_but_the_shortest_form() {
    assert_eq!(u64::decode(&mut &hex!("820100")[..]), Ok(256));
    for wrong in [
        &hex!("00")[..],
        &hex!("8100"),
        &hex!("8101"),
        &hex!("820001"),
        &hex!("c0"),
    ] {
        assert!(u64::decode(&mut &wrong[..]).is_err(), "{wrong:?}");
    }
    let mut bytes = Vec::new();
    0u64.encode(&mut bytes);
    assert_eq!(bytes, [0x80]);
}

/// Text, or bytes after `0x`.
fn trie_bytes(text: &str) -> Vec<u8> {
    match text.strip_prefix("0x") {
        Some(digits) => hex::decode(digits).unwrap(),
        None => text.as_bytes().to_vec(),
    }
}

/// The pairs that are left once all were put in order; `null` takes a key out.
fn entries(input: &Value) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut entries = BTreeMap::new();
    let mut put = |key: &str, value: &Value| match value.as_str() {
        Some(value) => drop(entries.insert(trie_bytes(key), trie_bytes(value))),
        None => drop(entries.remove(&trie_bytes(key))),
    };
    match input {
        Value::Array(pairs) => {
            pairs
                .iter()
                .for_each(|pair| put(pair[0].as_str().unwrap(), &pair[1]));
        }
        pairs => pairs
            .as_object()
            .unwrap()
            .iter()
            .for_each(|(key, value)| put(key, value)),
    }
    entries
}

/// Whether a key is the beginning of another. Such tries do not occur in a ledger, whose keys are
/// hashes or RLP integers, and `alloy-trie` does not build them.
fn has_prefixes(entries: &BTreeMap<Vec<u8>, Vec<u8>>) -> bool {
    let mut pairs = entries.keys().zip(entries.keys().skip(1));
    pairs.any(|(key, next)| next.starts_with(key))
}

fn root(entries: BTreeMap<Vec<u8>, Vec<u8>>) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, value) in entries {
        builder.add_leaf(Nibbles::unpack(&key), &value);
    }
    builder.root()
}

fn hashed_keys(entries: BTreeMap<Vec<u8>, Vec<u8>>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    entries
        .into_iter()
        .map(|(key, value)| (keccak256(key).to_vec(), value))
        .collect()
}

#[test]
fn tries() {
    let files = [
        ("trietest", false),
        ("trieanyorder", false),
        ("trietest_secureTrie", true),
        ("trieanyorder_secureTrie", true),
        ("hex_encoded_securetrie_test", true),
    ];
    let mut built = 0;
    for (file, secure) in files {
        let Some(tests) = vectors::json(&format!("small/ethereum-tests/TrieTests/{file}.json"))
        else {
            return;
        };
        for (name, test) in tests.as_object().unwrap() {
            let entries = entries(&test["in"]);
            let entries = if secure {
                hashed_keys(entries)
            } else {
                entries
            };
            if has_prefixes(&entries) {
                continue;
            }
            built += 1;
            let expected: B256 = test["root"].as_str().unwrap().parse().unwrap();
            assert_eq!(root(entries), expected, "{file}: {name}");
        }
    }
    assert_eq!(built, 17);
}
