//! Our answers against the schemas of ethereum/execution-apis (`refs-openrpc.json`).

use std::path::PathBuf;

use serde_json::{Value, json};

use super::fixture::*;

/// The document, or `None` (said visibly) where the vectors are not there.
fn document() -> Option<Value> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors");
    let vectors =
        std::env::var_os("CAIRN_VECTORS").map_or_else(|| PathBuf::from(default), PathBuf::from);
    let path = vectors.join("execution-apis/refs-openrpc.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!(
            "SKIPPED: shapes of RPC answers: no vectors at {}; CAIRN_VECTORS names their directory",
            path.display()
        );
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn answers_have_the_specified_shapes() {
    let Some(document) = document() else {
        return;
    };
    let node = Node::start();
    let types = one_of_each_type(0);
    let ethereum = &types[..4];
    for transaction in ethereum {
        node.send(transaction).await;
    }
    node.send(&transfer(ALICE, 9, 3 * GWEI, GWEI)).await;
    let pool = node.get("txpool_content", json!([])).await;
    check(&document, "txpool_content", &pool);
    let hash = node.mine();
    let first = json!(ethereum[0].hash());
    for (method, params) in [
        ("eth_accounts", json!([])),
        ("eth_blobBaseFee", json!([])),
        ("eth_blockNumber", json!([])),
        ("eth_call", json!([{"to": CAROL}])),
        ("eth_chainId", json!([])),
        ("eth_coinbase", json!([])),
        ("eth_estimateGas", json!([{"to": CAROL}])),
        ("eth_feeHistory", json!(["0x2", "latest", [10, 90]])),
        ("eth_gasPrice", json!([])),
        ("eth_getBalance", json!([ALICE, "latest"])),
        ("eth_getBlockByHash", json!([hash, true])),
        ("eth_getBlockByNumber", json!(["0x0", true])),
        ("eth_getBlockByNumber", json!(["0x1", false])),
        ("eth_getBlockByNumber", json!(["0x9", false])),
        ("eth_getBlockReceipts", json!(["0x1"])),
        ("eth_getBlockTransactionCountByHash", json!([hash])),
        ("eth_getBlockTransactionCountByNumber", json!(["0x1"])),
        ("eth_getCode", json!([ALICE, "latest"])),
        ("eth_getStorageAt", json!([ALICE, "0x0", "latest"])),
        (
            "eth_getTransactionByBlockHashAndIndex",
            json!([hash, "0x3"]),
        ),
        (
            "eth_getTransactionByBlockNumberAndIndex",
            json!(["0x1", "0x1"]),
        ),
        ("eth_getTransactionByHash", json!([first])),
        ("eth_getTransactionCount", json!([ALICE, "pending"])),
        ("eth_getTransactionReceipt", json!([first])),
        ("eth_maxPriorityFeePerGas", json!([])),
        (
            "eth_sendRawTransaction",
            json!([transfer(ALICE, 4, 3 * GWEI, GWEI).envelope()]),
        ),
        ("eth_sendTransaction", json!([{"from": ALICE, "to": CAROL}])),
        ("eth_sign", json!([ALICE, "0x00"])),
        ("eth_signTransaction", json!([{"from": ALICE, "to": CAROL}])),
        ("eth_syncing", json!([])),
        ("net_version", json!([])),
        ("txpool_content", json!([])),
        ("txpool_contentFrom", json!([ALICE])),
        ("txpool_status", json!([])),
    ] {
        let answer = node.get(method, params).await;
        check(&document, method, &answer);
    }
}

/// The checker itself must be able to say no.
#[test]
fn the_checker_finds_faults() {
    let Some(document) = document() else {
        return;
    };
    let schema = |name: &str| document["components"]["schemas"][name].clone();
    for (name, value) in [
        ("uint", json!("0x01")),
        ("uint", json!(1)),
        ("hash32", json!("0x12")),
        ("ReceiptInfo", json!({})),
        ("ratio", Value::Null),
    ] {
        assert!(
            fault(&document, &schema(name), &value).is_some(),
            "{name} accepts {value}"
        );
    }
    assert_eq!(fault(&document, &schema("uint"), &json!("0x0")), None);
}

fn check(document: &Value, method: &str, answer: &Value) {
    let methods = document["methods"].as_array().unwrap();
    let method = methods
        .iter()
        .find(|entry| entry["name"] == *method)
        .unwrap();
    let schema = &method["result"]["schema"];
    if let Some(fault) = fault(document, schema, answer) {
        panic!("{}: {fault}\n{answer:#}", method["name"]);
    }
}

/// What is wrong with `value`, by the part of JSON Schema that the document uses.
fn fault(document: &Value, schema: &Value, value: &Value) -> Option<String> {
    let fault_of = |schema: &Value| fault(document, schema, value);
    if let Some(reference) = schema["$ref"].as_str() {
        return fault_of(document.pointer(reference.trim_start_matches('#')).unwrap());
    }
    for alternatives in ["anyOf", "oneOf"] {
        if let Some(list) = schema[alternatives].as_array() {
            let faults: Vec<_> = list.iter().map(fault_of).collect();
            if faults.iter().all(Option::is_some) {
                return Some(format!("no alternative fits {value}: {faults:?}"));
            }
        }
    }
    let all = schema["allOf"].as_array();
    all.into_iter()
        .flatten()
        .find_map(fault_of)
        .or_else(|| type_fault(schema, value))
        .or_else(|| text_fault(schema, value))
        .or_else(|| items_fault(document, schema, value))
        .or_else(|| properties_fault(document, schema, value))
}

fn type_fault(schema: &Value, value: &Value) -> Option<String> {
    let fits = match schema["type"].as_str()? {
        "string" => value.is_string(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("type {other} is not known to this checker"),
    };
    (!fits).then(|| format!("{value} is no {}", schema["type"]))
}

fn text_fault(schema: &Value, value: &Value) -> Option<String> {
    let (pattern, text) = (schema["pattern"].as_str()?, value.as_str()?);
    (!matches(pattern, text)).then(|| format!("{text:?} does not match {pattern}"))
}

fn items_fault(document: &Value, schema: &Value, value: &Value) -> Option<String> {
    let items = schema.get("items")?;
    value
        .as_array()?
        .iter()
        .find_map(|item| fault(document, items, item))
}

fn properties_fault(document: &Value, schema: &Value, value: &Value) -> Option<String> {
    let object = value.as_object()?;
    let required = schema["required"].as_array().into_iter().flatten();
    let missing = required
        .filter_map(Value::as_str)
        .find(|name| !object.contains_key(*name));
    if let Some(name) = missing {
        return Some(format!("{name} is missing"));
    }
    let known = schema["properties"].as_object();
    object.iter().find_map(
        |(name, value)| match known.and_then(|known| known.get(name)) {
            Some(schema) => fault(document, schema, value).map(|fault| format!("{name}: {fault}")),
            None if schema["additionalProperties"] == false => {
                Some(format!("{name} does not belong there"))
            }
            None => None,
        },
    )
}

/// The document's patterns are all `^0x` and a class of hex digits, with or without a length.
fn matches(pattern: &str, text: &str) -> bool {
    if pattern == "^(0|[1-9][0-9]*)$" {
        return text == "0"
            || (text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0'));
    }
    let Some(digits) = text.strip_prefix("0x") else {
        return false;
    };
    let is_hex = |upper| {
        digits
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() && (upper || !byte.is_ascii_uppercase()))
    };
    let rest = pattern
        .strip_prefix("^0x")
        .and_then(|rest| rest.strip_suffix('$'));
    let rest = rest.unwrap_or_else(|| panic!("pattern {pattern} is not known to this checker"));
    if rest.len() == 1 {
        return digits == rest;
    }
    if let Some(length) = rest.strip_prefix("(0|[1-9a-f][0-9a-f]") {
        let longest = length.trim_matches(['*', ')', '{', '}']).split(',').nth(1);
        let longest: usize =
            longest.map_or(usize::MAX, |longest| longest.parse::<usize>().unwrap() + 1);
        let minimal = digits == "0" || (!digits.is_empty() && !digits.starts_with('0'));
        return minimal && is_hex(false) && digits.len() <= longest;
    }
    let (upper, length) = match rest.strip_prefix("[0-9a-fA-F]") {
        Some(length) => (true, length),
        None => (
            false,
            rest.strip_prefix("[0-9a-f]")
                .unwrap_or_else(|| panic!("pattern {pattern}?")),
        ),
    };
    is_hex(upper) && fits_length(length, digits.len())
}

/// `*`, `{n}` or `{least,most}`.
fn fits_length(length: &str, got: usize) -> bool {
    let number = |text: &str| text.parse::<usize>().unwrap();
    let Some(bounds) = length
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
    else {
        assert_eq!(length, "*");
        return true;
    };
    match bounds.split_once(',') {
        Some((least, most)) => (number(least)..=number(most)).contains(&got),
        None => got == number(bounds),
    }
}
