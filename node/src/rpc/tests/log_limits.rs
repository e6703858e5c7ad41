//! More logs than one answer holds.

use alloy_primitives::{Address, Bytes, hex};
use serde_json::{Value, json};

use super::fixture::*;
use super::logs::{changes, logs};

/// A block of 30 million gas with [`LOGS`] logs.
async fn crowded_block(node: &Node, crowd: Address) {
    let call = json!([{"from": ALICE, "to": crowd, "gas": "0xf00000"}]);
    node.get("eth_sendTransaction", call).await;
    node.mine();
}

const LOGS: usize = 6000;

/// A contract that counts down from [`LOGS`], and logs at each step without topics; in block 1.
async fn deploy_crowd(node: &Node) -> Address {
    let init = hex!("6010 80 6009 5f 39 5f f3" "611770 5b 5f5fa0 6001 90 03 80 6003 57 00");
    let deploy = json!([{"from": ALICE, "data": Bytes::copy_from_slice(&init)}]);
    node.get("eth_sendTransaction", deploy).await;
    node.mine();
    ALICE.create(0)
}

#[tokio::test]
async fn too_many_logs_are_refused_with_a_range_that_does() {
    let node = Node::start();
    let crowd = deploy_crowd(&node).await;
    for _ in 0..3 {
        crowded_block(&node, crowd).await;
    }
    assert_eq!(
        logs(&node, json!({"fromBlock": "0x2", "toBlock": "0x2"}))
            .await
            .len(),
        LOGS
    );
    let all = json!([{"fromBlock": "0x1"}]);
    let error = node.ask("eth_getLogs", all).await.unwrap_err();
    let expected = json!({
        "code": -32005,
        "message": "query returned more than 10000 results. Try with this block range [0x1, 0x2].",
        "data": {"from": "0x1", "to": "0x2"},
    });
    assert_eq!(error, expected);
    assert_eq!(
        logs(&node, json!({"fromBlock": "0x1", "toBlock": "0x2"}))
            .await
            .len(),
        LOGS
    );
    // A filter gets them in parts.
    let tip = node
        .get("eth_getBlockByNumber", json!(["0x2", false]))
        .await["hash"]
        .clone();
    node.get("cairn_invalidateBlock", json!([tip])).await;
    let filter = node.get("eth_newFilter", json!([{"address": crowd}])).await;
    node.get("cairn_reconsiderBlock", json!([tip])).await;
    parts(&node, &filter, false).await;
    // And in parts it hears that they are gone.
    node.get("cairn_invalidateBlock", json!([tip])).await;
    parts(&node, &filter, true).await;
    node.get("cairn_reconsiderBlock", json!([tip])).await;
    parts(&node, &filter, false).await;
}

/// What left and what came share the limits of one answer.
#[tokio::test]
async fn a_change_of_branch_is_told_in_parts() {
    let node = Node::start();
    let crowd = deploy_crowd(&node).await;
    let filter = node.get("eth_newFilter", json!([{"address": crowd}])).await;
    crowded_block(&node, crowd).await;
    assert_eq!(changes(&node, &filter).await.len(), LOGS);
    let tip = node
        .get("eth_getBlockByNumber", json!(["0x2", false]))
        .await["hash"]
        .clone();
    node.get("cairn_invalidateBlock", json!([tip])).await;
    // The transaction waits again, and comes into another block.
    node.mine();
    for (expected, removed) in [(LOGS, true), (LOGS, false), (0, false)] {
        let part = changes(&node, &filter).await;
        assert_eq!(part.len(), expected);
        assert!(part.iter().all(|log| log["removed"] == removed));
    }
}

/// Three blocks with [`LOGS`] logs are told of, one by one.
async fn parts(node: &Node, filter: &Value, removed: bool) {
    for expected in [LOGS, LOGS, LOGS, 0] {
        let part = changes(node, filter).await;
        assert_eq!(part.len(), expected);
        assert!(part.iter().all(|log| log["removed"] == removed));
    }
}
