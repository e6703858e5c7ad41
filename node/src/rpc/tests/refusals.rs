//! How requests fail: the right code, a sentence, never a panic.

use alloy_primitives::{Address, B256};
use serde_json::{Value, json};

use super::fixture::*;

async fn refused(node: &Node, method: &str, params: Value) -> (i64, String) {
    let error = node.ask(method, params.clone()).await;
    let error = error.expect_err(&format!("{method} {params} was answered"));
    (
        error["code"].as_i64().unwrap(),
        error["message"].as_str().unwrap().to_owned(),
    )
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let node = Node::start();
    for (method, params, words) in [
        (
            "eth_getBalance",
            json!([]),
            "parameter 1 (address) is missing",
        ),
        ("eth_getBalance", json!(["0x12"]), "parameter 1 (address): "),
        (
            "eth_getBalance",
            json!([ALICE, "newest"]),
            "parameter 2 (block): ",
        ),
        (
            "eth_getBalance",
            json!([ALICE, "latest", 1]),
            "too many parameters",
        ),
        (
            "eth_getBalance",
            json!({"address": ALICE}),
            "the parameters must be a JSON list",
        ),
        (
            "eth_getStorageAt",
            json!([ALICE, "zero"]),
            "parameter 2 (slot): ",
        ),
        (
            "eth_getBlockByNumber",
            json!(["0xfffffffffffffffffffff", false]),
            "parameter 1 (block): ",
        ),
        (
            "eth_feeHistory",
            json!(["0x0", "latest"]),
            "parameter 1 (block count): ",
        ),
        (
            "eth_feeHistory",
            json!(["0x1", "latest", [50, 10]]),
            "parameter 3 (reward percentiles): ",
        ),
        (
            "eth_sendRawTransaction",
            json!(["hello"]),
            "parameter 1 (signed transaction): ",
        ),
        (
            "eth_call",
            json!([{"to": ALICE, "value": "much"}]),
            "parameter 1 (transaction): ",
        ),
    ] {
        let (code, message) = refused(&node, method, params).await;
        assert_eq!(code, -32602, "{method}: {message}");
        assert!(message.starts_with(words), "{method}: {message}");
    }
}

#[tokio::test]
async fn unknown_methods_answer_32601() {
    let node = Node::start();
    for method in ["anvil_nodeInfo", "nonsense", ""] {
        let (code, _) = refused(&node, method, json!([])).await;
        assert_eq!(code, -32601, "{method}");
    }
}

#[tokio::test]
async fn blocks_that_are_not_there_are_named() {
    let node = Node::start();
    let (code, message) = refused(&node, "eth_getBalance", json!([ALICE, "0x5"])).await;
    assert_eq!(code, -32001);
    assert_eq!(
        message,
        "header not found: block 5 does not exist yet, the tip is block 0"
    );
    let (code, message) = refused(&node, "eth_getBalance", json!([ALICE, B256::ZERO])).await;
    assert_eq!(code, -32001);
    assert!(
        message.starts_with("header not found: no block has the hash 0x00"),
        "{message}"
    );
}

/// The words that ethers, viem and web3.py look for.
#[tokio::test]
async fn transactions_are_refused_in_geths_words() {
    let node = Node::start();
    let first = transfer(ALICE, 0, 3 * GWEI, GWEI);
    node.send(&first).await;
    let raw = |transaction: cairn_genesis::Transaction| json!([transaction.envelope()]);
    for (params, words) in [
        (raw(first.clone()), "already known"),
        (
            raw(transfer(ALICE, 0, 3 * GWEI + 1, GWEI)),
            "replacement transaction underpriced",
        ),
        (raw(transfer(ALICE, 99, 3 * GWEI, GWEI)), "nonce too high"),
        (
            raw(transfer(ALICE, 1, GWEI, 2 * GWEI)),
            "max priority fee per gas higher than max fee per gas",
        ),
        (json!(["0x03c0"]), "transaction type not supported"),
        (json!(["0x77c0"]), "transaction type not supported"),
        (json!(["0x02"]), "transaction could not be decoded"),
        (json!(["0x"]), "typed transaction too short"),
    ] {
        let (code, message) = refused(&node, "eth_sendRawTransaction", params).await;
        assert_eq!(code, -32000, "{message}");
        assert!(message.starts_with(words), "{message}");
    }
    node.mine();
    let (_, message) = refused(
        &node,
        "eth_sendRawTransaction",
        raw(transfer(ALICE, 0, 9 * GWEI, GWEI)),
    )
    .await;
    assert!(message.starts_with("nonce too low"), "{message}");
}

#[tokio::test]
async fn calls_fail_in_geths_words() {
    let node = Node::start();
    let poor = json!([{"from": CAROL, "to": ALICE, "value": "0x1"}]);
    let (code, message) = refused(&node, "eth_call", poor.clone()).await;
    assert_eq!(code, -32000);
    assert!(
        message.starts_with("insufficient funds for gas * price + value"),
        "{message}"
    );
    let (_, message) = refused(&node, "eth_estimateGas", poor).await;
    assert!(message.starts_with("insufficient funds"), "{message}");
    let low = json!([{"from": ALICE, "to": CAROL, "gas": "0x5207"}]);
    let (_, message) = refused(&node, "eth_call", low).await;
    assert!(message.starts_with("intrinsic gas too low"), "{message}");
    let priced = json!([{"from": CAROL, "to": ALICE, "gasPrice": "0xb2d05e00"}]);
    let (_, message) = refused(&node, "eth_estimateGas", priced).await;
    assert_eq!(message, "gas required exceeds allowance (0)");
}

#[tokio::test]
async fn the_node_signs_for_nobody_else() {
    let mut node = Node::start();
    let (code, message) = refused(
        &node,
        "eth_sendTransaction",
        json!([{"from": CAROL, "to": ALICE}]),
    )
    .await;
    assert_eq!(
        (code, message.starts_with("unknown account")),
        (-32000, true),
        "{message}"
    );
    let (code, _) = refused(&node, "eth_sendTransaction", json!([{"to": ALICE}])).await;
    assert_eq!(code, -32602);
    node.lock();
    for (method, params) in [
        ("eth_sendTransaction", json!([{"from": ALICE, "to": BOB}])),
        ("eth_signTransaction", json!([{"from": ALICE, "to": BOB}])),
        ("eth_sign", json!([ALICE, "0x00"])),
        ("personal_sign", json!(["0x00", ALICE])),
    ] {
        let (code, message) = refused(&node, method, params).await;
        assert_eq!(
            (code, message.starts_with("this node holds no keys")),
            (-32000, true),
            "{message}"
        );
    }
    assert_eq!(node.get("eth_accounts", json!([])).await, json!([]));
}

/// Every method gets every kind of nonsense in every place.
#[tokio::test]
async fn no_method_panics_on_nonsense() {
    let node = Node::start();
    node.mine();
    let big = format!("0x{}", "f".repeat(64));
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5e300),
        json!(u64::MAX),
        json!(""),
        json!("0x"),
        json!("0xffffffffffffffff"),
        json!(big),
        json!(Address::ZERO),
        json!([]),
        json!([{}]),
        json!([0, 50, 100]),
        json!({}),
        json!({"from": ALICE, "gas": "0xffffffffffffffff", "gasPrice": "0xffffffffffffffffffffffffffffffff"}),
        json!({"from": ALICE, "to": BOB, "value": big, "maxFeePerGas": "0xffffffffffffffffffffffffffffffff"}),
        json!({"blockHash": B256::ZERO}),
        json!("pending"),
    ];
    for method in node.methods() {
        for first in &values {
            let _ = node.ask(method, json!([first])).await;
            for second in &values {
                // Waiting for a transaction that never comes takes its time.
                if method != "eth_sendRawTransactionSync" {
                    let _ = node.ask(method, json!([first, second])).await;
                    let _ = node.ask(method, json!([ALICE, first, second])).await;
                }
            }
        }
    }
    assert_eq!(node.get("eth_blockNumber", json!([])).await, "0x1");
}
