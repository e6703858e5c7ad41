//! What is answered about the mempool, and sending.

use alloy_primitives::{Bytes, Signature, eip191_hash_message};
use serde_json::{Value, json};

use super::fixture::*;
use super::quantity;

#[tokio::test]
async fn pending_and_queued_are_told_apart() {
    let node = Node::start();
    for nonce in [0, 1, 3] {
        node.send(&transfer(ALICE, nonce, 3 * GWEI, GWEI)).await;
    }
    assert_eq!(
        node.get("txpool_status", json!([])).await,
        json!({"pending": "0x2", "queued": "0x1"})
    );
    assert_eq!(
        node.get("eth_getTransactionCount", json!([ALICE, "pending"]))
            .await,
        "0x2"
    );
    assert_eq!(
        node.get("eth_getTransactionCount", json!([ALICE, "latest"]))
            .await,
        "0x0"
    );
    let content = node.get("txpool_content", json!([])).await;
    let alice = format!("{ALICE:?}");
    let nonces = |part: &Value| {
        part.as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(nonces(&content["pending"][&alice]), ["0", "1"]);
    assert_eq!(nonces(&content["queued"][&alice]), ["3"]);
    let from = node.get("txpool_contentFrom", json!([ALICE])).await;
    assert_eq!(from["pending"], content["pending"][&alice]);
    let inspect = node.get("txpool_inspect", json!([])).await;
    let line = inspect["queued"][&alice]["3"].as_str().unwrap();
    assert!(
        line.ends_with(": 1 wei + 21000 gas × 3000000000 wei"),
        "{line}"
    );
}

#[tokio::test]
async fn the_pending_block_holds_what_pays_most_first() {
    let node = Node::start();
    node.send(&transfer(ALICE, 0, 3 * GWEI, GWEI)).await;
    let second = node.send(&transfer(ALICE, 1, 9 * GWEI, 5 * GWEI)).await;
    let best = node.send(&transfer(BOB, 0, 9 * GWEI, 2 * GWEI)).await;
    node.send(&transfer(BOB, 2, 9 * GWEI, 2 * GWEI)).await;
    let block = node
        .get("eth_getBlockByNumber", json!(["pending", false]))
        .await;
    let hashes = block["transactions"].as_array().unwrap();
    assert_eq!(hashes.len(), 3, "what lies beyond a gap is not in it");
    assert_eq!(
        [&hashes[0], &hashes[2]],
        [&best, &second],
        "a nonce order goes before a price"
    );
    for field in ["hash", "nonce", "seal", "powHeader"] {
        assert_eq!(block[field], Value::Null, "{field}");
    }
    assert_eq!(
        node.get("eth_getBlockTransactionCountByNumber", json!(["pending"]))
            .await,
        "0x3"
    );
    let mined = node.mine();
    let block_mined = node.get("eth_getBlockByHash", json!([mined, false])).await;
    assert_eq!(block_mined["transactions"], block["transactions"]);
    assert_eq!(block_mined["baseFeePerGas"], block["baseFeePerGas"]);
}

#[tokio::test]
async fn why_says_what_a_transaction_waits_for() {
    let node = Node::start();
    let ready = node.send(&transfer(ALICE, 0, 3 * GWEI, GWEI)).await;
    let gap = node.send(&transfer(ALICE, 5, 3 * GWEI, GWEI)).await;
    let cheap = node.send(&transfer(BOB, 0, 1, 1)).await;
    let why = |hash: Value| node.get("cairn_why", json!([hash]));
    let answer = why(ready.clone()).await;
    assert_eq!(
        (&answer["status"], &answer["reason"]),
        (&json!("ready"), &json!("nobody_mines"))
    );
    let explanation = answer["explanation"].as_str().unwrap();
    assert!(explanation.ends_with("this node does not mine: start it with --mine"));
    let answer = why(gap).await;
    assert_eq!(
        (&answer["status"], &answer["reason"]),
        (&json!("waiting"), &json!("nonce_gap"))
    );
    let answer = why(cheap.clone()).await;
    assert_eq!(answer["reason"], "max_fee_below_base_fee");
    let replacement = node.send(&transfer(BOB, 0, 3 * GWEI, GWEI)).await;
    let answer = why(cheap).await;
    assert_eq!(
        (&answer["status"], &answer["reason"]),
        (&json!("gone"), &json!("replaced"))
    );
    assert!(
        answer["explanation"]
            .as_str()
            .unwrap()
            .contains(replacement.as_str().unwrap())
    );
    node.mine();
    let answer = why(ready).await;
    assert_eq!(
        (&answer["status"], &answer["blockNumber"]),
        (&json!("mined"), &json!("0x1"))
    );
    assert_eq!(
        why(json!(alloy_primitives::B256::ZERO)).await["status"],
        "unknown"
    );
}

#[tokio::test]
async fn the_node_signs_for_its_development_accounts() {
    let node = Node::start();
    let first = node
        .get(
            "eth_sendTransaction",
            json!([{"from": ALICE, "to": CAROL, "value": "0x5"}]),
        )
        .await;
    let request = json!({"from": ALICE, "to": CAROL, "value": "0x5", "gasPrice": "0xb2d05e00"});
    let second = node.get("eth_sendTransaction", json!([request])).await;
    let sent = node.get("eth_getTransactionByHash", json!([first])).await;
    assert_eq!(
        (&sent["type"], &sent["gas"], &sent["nonce"]),
        (&json!("0x2"), &json!("0x5208"), &json!("0x0"))
    );
    let sent = node.get("eth_getTransactionByHash", json!([second])).await;
    assert_eq!(
        (&sent["type"], &sent["nonce"]),
        (&json!("0x0"), &json!("0x1"))
    );
    node.mine();
    assert_eq!(node.get("eth_getBalance", json!([CAROL])).await, "0xa");
    let signed = node
        .get("eth_signTransaction", json!([{"from": BOB, "to": CAROL}]))
        .await;
    let hash = node
        .get("eth_sendRawTransaction", json!([signed["raw"]]))
        .await;
    assert_eq!(hash, signed["tx"]["hash"]);
}

#[tokio::test]
async fn concurrent_sends_take_different_nonces() {
    let node = Node::start();
    let request = json!([{"from": ALICE, "to": CAROL, "value": "0x1"}]);
    let send = || node.get("eth_sendTransaction", request.clone());
    let (a, b, c, d) = tokio::join!(send(), send(), send(), send());
    let mut nonces = Vec::new();
    for hash in [a, b, c, d] {
        let transaction = node.get("eth_getTransactionByHash", json!([hash])).await;
        nonces.push(quantity(&transaction["nonce"]));
    }
    nonces.sort_unstable();
    assert_eq!(nonces, [0, 1, 2, 3]);
}

#[tokio::test]
async fn messages_are_signed_with_their_prefix() {
    let node = Node::start();
    let message = "0x68656c6c6f";
    let signature = node.get("eth_sign", json!([ALICE, message])).await;
    assert_eq!(
        node.get("personal_sign", json!([message, ALICE, ""])).await,
        signature
    );
    let bytes: Bytes = serde_json::from_value(signature).unwrap();
    assert_eq!(bytes.len(), 65);
    let signature = Signature::try_from(bytes.as_ref()).unwrap();
    let digest = eip191_hash_message("hello");
    assert_eq!(
        cairn_genesis::recover_secp256k1(&signature, digest).unwrap(),
        ALICE
    );
}

#[tokio::test]
async fn a_synchronous_send_answers_with_the_receipt() {
    let node = Node::start();
    let transaction = transfer(ALICE, 0, 3 * GWEI, GWEI);
    let waiting = node.ask(
        "eth_sendRawTransactionSync",
        json!([transaction.envelope(), 5000]),
    );
    let mining = async {
        while node.context.pool.is_empty() {
            tokio::task::yield_now().await;
        }
        node.mine()
    };
    let (receipt, block) = tokio::join!(waiting, mining);
    let receipt = receipt.unwrap();
    assert_eq!(receipt["blockHash"], json!(block));
    assert_eq!(receipt["transactionHash"], json!(transaction.hash()));
    let late = transfer(ALICE, 1, 3 * GWEI, GWEI);
    let error = node
        .ask("eth_sendRawTransactionSync", json!([late.envelope(), 20]))
        .await
        .unwrap_err();
    assert_eq!(error["code"], 4);
    assert_eq!(error["data"], json!(late.hash()));
}
