//! What the benchmarks ask of nodes over JSON-RPC.

use std::time::Duration;

use cairn_genesis::VerifiedTransaction;
use serde_json::{Value, json};

use super::nodes::Running;

/// Transactions in one HTTP request.
const BATCH: usize = 100;

/// Hands transactions in; all must be taken.
pub async fn submit(url: &str, transactions: Vec<VerifiedTransaction>) {
    let url = url.to_owned();
    let all = move || {
        for batch in transactions.chunks(BATCH) {
            let call = |transaction: &VerifiedTransaction| {
                json!({"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction",
                       "params": [transaction.envelope()]})
            };
            let calls: Vec<Value> = batch.iter().map(call).collect();
            let answer = post(&url, &json!(calls));
            let answers = answer.as_array().expect("a batch");
            let refused = answers.iter().find(|answer| answer.get("result").is_none());
            assert!(refused.is_none(), "refused: {refused:?}");
        }
    };
    tokio::task::spawn_blocking(all).await.expect("no panic");
}

/// Waits until nothing waits in the node's pool.
pub async fn empties(url: &str) {
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "txpool_status", "params": []});
    until(url, request, |answer| answer["result"]["pending"] == "0x0").await;
}

/// Waits until every node has a peer.
pub async fn connected(nodes: &[&Running]) {
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "net_peerCount", "params": []});
    for node in nodes {
        until(&node.rpc, request.clone(), |answer| {
            answer["result"] != "0x0"
        })
        .await;
    }
}

async fn until(url: &str, request: Value, good: fn(&Value) -> bool) {
    loop {
        let (url, request) = (url.to_owned(), request.clone());
        let ask = move || post(&url, &request);
        let answer = tokio::task::spawn_blocking(ask).await.expect("no panic");
        if good(&answer) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn post(url: &str, body: &Value) -> Value {
    let mut response = ureq::post(url).send_json(body).expect("an answer");
    response.body_mut().read_json().expect("JSON")
}
