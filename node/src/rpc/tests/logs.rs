//! Logs by block, address and topic; filters and subscriptions over a chain that changes its mind.

use alloy_primitives::{Address, B256, Bloom, BloomInput, Bytes, hex};
use serde_json::{Value, json};

use super::fixture::*;
use super::quantity;

/// LOG2 with the first two words of the calldata as topics and the rest as data.
const LOGGER: &[u8] =
    &hex!("6019 80 6009 5f 39 5f f3" "6040 36 03 80 6040 5f 37 6020 35 5f 35 90 91 5f a2 00");

fn topic(byte: u8) -> B256 {
    B256::repeat_byte(byte)
}

/// Two loggers, deployed in block 1.
async fn loggers(node: &Node) -> [Address; 2] {
    let data = Bytes::from_static(LOGGER);
    for _ in 0..2 {
        let deploy = json!([{"from": ALICE, "data": data}]);
        node.get("eth_sendTransaction", deploy).await;
    }
    node.mine();
    [ALICE.create(0), ALICE.create(1)]
}

/// Has `logger` log, in the next block.
async fn log(node: &Node, logger: Address, topics: [u8; 2], data: &[u8]) -> Value {
    let data = [&topic(topics[0]).0, &topic(topics[1]).0, data].concat();
    let call = json!([{"from": ALICE, "to": logger, "data": Bytes::from(data), "gas": "0x30d40"}]);
    node.get("eth_sendTransaction", call).await
}

pub(super) async fn logs(node: &Node, query: Value) -> Vec<Value> {
    let logs = node.get("eth_getLogs", json!([query])).await;
    serde_json::from_value(logs).unwrap()
}

/// Block number and data of each log.
fn places(logs: &[Value]) -> Vec<(u64, String)> {
    let place = |log: &Value| {
        (
            quantity(&log["blockNumber"]),
            log["data"].as_str().unwrap().to_owned(),
        )
    };
    logs.iter().map(place).collect()
}

fn place(number: u64, data: &str) -> (u64, String) {
    (number, data.to_owned())
}

/// Block 2: a logs (1, 2) and (1, 3), b logs (1, 2). Block 3: nothing. Block 4: b logs (4, 2).
async fn story(node: &Node) -> [Address; 2] {
    let [a, b] = loggers(node).await;
    log(node, a, [1, 2], &[0xa1]).await;
    log(node, a, [1, 3], &[0xa2]).await;
    log(node, b, [1, 2], &[0xb1]).await;
    node.mine();
    node.mine();
    log(node, b, [4, 2], &[0xb2]).await;
    node.mine();
    [a, b]
}

#[tokio::test]
async fn logs_are_found_by_range_address_and_topic() {
    let node = Node::start();
    let [a, b] = story(&node).await;
    let all = [
        place(2, "0xa1"),
        place(2, "0xa2"),
        place(2, "0xb1"),
        place(4, "0xb2"),
    ];
    let range = |from: &str, to: &str| json!({"fromBlock": from, "toBlock": to});
    for (query, expected) in [
        (range("0x0", "latest"), &all[..]),
        (range("earliest", "0x3"), &all[..3]),
        (range("0x3", "0x3"), &[]),
        (range("0x3", "0x7fffffff"), &all[3..]),
        (range("0x9", "0x10"), &[]),
        (json!({}), &all[3..]),
        (json!({"fromBlock": "0x0", "address": a}), &all[..2]),
        (json!({"fromBlock": "0x0", "address": [b]}), &all[2..]),
        (json!({"fromBlock": "0x0", "topics": [topic(4)]}), &all[3..]),
        (
            json!({"fromBlock": "0x0", "topics": [null, topic(3)]}),
            &all[1..2],
        ),
        (
            json!({"fromBlock": "0x0", "topics": [[topic(4), topic(9)], topic(2)]}),
            &all[3..],
        ),
        (
            json!({"fromBlock": "0x0", "address": a, "topics": [topic(4)]}),
            &[],
        ),
        (
            json!({"fromBlock": "0x0", "topics": [null, null, null]}),
            &[],
        ),
    ] {
        assert_eq!(
            places(&logs(&node, query.clone()).await),
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_log_says_where_it_stands() {
    let node = Node::start();
    story(&node).await;
    let block = node
        .get("eth_getBlockByNumber", json!(["0x2", false]))
        .await;
    let found = logs(&node, json!({"blockHash": block["hash"]})).await;
    assert_eq!(found.len(), 3);
    let receipts = node.get("eth_getBlockReceipts", json!(["0x2"])).await;
    let in_receipts = receipts.as_array().unwrap().iter();
    let in_receipts: Vec<_> = in_receipts
        .flat_map(|receipt| receipt["logs"].as_array().unwrap())
        .collect();
    assert_eq!(found.iter().collect::<Vec<_>>(), in_receipts);
    for (index, log) in found.iter().enumerate() {
        assert_eq!(quantity(&log["logIndex"]), u64::try_from(index).unwrap());
        assert_eq!(log["transactionHash"], block["transactions"][index]);
        assert_eq!(log["transactionIndex"], log["logIndex"]);
        assert_eq!(log["blockHash"], block["hash"]);
        assert_eq!(log["blockTimestamp"], block["timestamp"]);
        assert_eq!(log["removed"], false);
        let log: alloy_rpc_types_eth::Log = serde_json::from_value(log.clone()).unwrap();
        assert_eq!(log.block_number, Some(2));
    }
}

#[tokio::test]
async fn blooms_of_blocks_are_those_of_their_logs() {
    let node = Node::start();
    let [a, b] = story(&node).await;
    let mut expected = Bloom::ZERO;
    for bytes in [
        a.as_slice(),
        b.as_slice(),
        topic(1).as_slice(),
        topic(2).as_slice(),
        topic(3).as_slice(),
    ] {
        expected.accrue(BloomInput::Raw(bytes));
    }
    let bloom = |number: &'static str| {
        let node = &node;
        async move {
            let block = node
                .get("eth_getBlockByNumber", json!([number, true]))
                .await;
            let header = node.get("eth_getHeaderByNumber", json!([number])).await;
            assert_eq!(header["logsBloom"], block["logsBloom"]);
            block["logsBloom"].clone()
        }
    };
    assert_eq!(bloom("0x2").await, json!(expected));
    assert_eq!(bloom("0x3").await, json!(Bloom::ZERO));
    // Off the chain nothing is known of them.
    let block = node
        .get("eth_getBlockByNumber", json!(["0x4", false]))
        .await["hash"]
        .clone();
    node.get("cairn_invalidateBlock", json!([block])).await;
    let off = node.get("eth_getBlockByHash", json!([block, false])).await;
    assert_eq!(off["logsBloom"], json!(Bloom::repeat_byte(0xff)));
    node.mine();
    assert_eq!(
        bloom("0x4").await,
        json!(Bloom::from_iter([&alloy_log(b, [4, 2])]))
    );
    node.get("cairn_reconsiderBlock", json!([block])).await;
}

fn alloy_log(from: Address, topics: [u8; 2]) -> alloy_primitives::Log {
    let topics = topics.map(topic).to_vec();
    alloy_primitives::Log::new_unchecked(from, topics, Bytes::new())
}

#[tokio::test]
async fn wrong_queries_are_refused_in_geths_words() {
    let node = Node::start();
    story(&node).await;
    let hash = node
        .get("eth_getBlockByNumber", json!(["0x4", false]))
        .await["hash"]
        .clone();
    for (query, code, words) in [
        (
            json!({"fromBlock": "0x2", "toBlock": "0x1"}),
            -32602,
            "invalid block range params",
        ),
        (
            json!({"fromBlock": "0x5"}),
            -32602,
            "invalid block range params",
        ),
        (
            json!({"blockHash": hash, "fromBlock": "0x1"}),
            -32602,
            "cannot specify both",
        ),
        (
            json!({"toBlock": "pending"}),
            -32602,
            "pending logs are not supported",
        ),
        (json!({"blockHash": topic(9)}), -32000, "unknown block"),
        (
            json!({"topics": ["0x12"]}),
            -32602,
            "parameter 1 (filter): each of 'topics' must be",
        ),
        (
            json!({"address": "0x12"}),
            -32602,
            "parameter 1 (filter): 'address' must be",
        ),
    ] {
        let error = node.ask("eth_getLogs", json!([query])).await.unwrap_err();
        assert_eq!(error["code"], code, "{query}: {error}");
        assert!(
            error["message"].as_str().unwrap().starts_with(words),
            "{query}: {error}"
        );
    }
    node.get("cairn_invalidateBlock", json!([hash])).await;
    let error = node
        .ask("eth_getLogs", json!([{"blockHash": hash}]))
        .await
        .unwrap_err();
    let words = "hash is not currently canonical";
    assert!(
        error["message"].as_str().unwrap().starts_with(words),
        "{error}"
    );
}

pub(super) async fn changes(node: &Node, filter: &Value) -> Vec<Value> {
    let changes = node.get("eth_getFilterChanges", json!([filter])).await;
    serde_json::from_value(changes).unwrap()
}

/// ```text
///   1 ─┬─ A2 (a logs) ── A3 (b logs)
///      └─ B2 (both, once more)
/// ```
#[tokio::test]
async fn filters_follow_reorganizations() {
    let node = Node::start();
    let [a, b] = loggers(&node).await;
    let of_logs = node
        .get(
            "eth_newFilter",
            json!([{"address": [a, b], "topics": [topic(1)]}]),
        )
        .await;
    let of_a = node
        .get("eth_newFilter", json!([{"address": a, "fromBlock": "0x0"}]))
        .await;
    let of_blocks = node.get("eth_newBlockFilter", json!([])).await;
    assert!(
        changes(&node, &of_logs).await.is_empty() && changes(&node, &of_blocks).await.is_empty()
    );

    log(&node, a, [1, 2], &[0xa1]).await;
    let a2 = node.mine();
    log(&node, b, [1, 2], &[0xb1]).await;
    log(&node, b, [7, 2], &[0xb2]).await;
    let a3 = node.mine();
    assert_eq!(changes(&node, &of_blocks).await, [json!(a2), json!(a3)]);
    let told = changes(&node, &of_logs).await;
    assert_eq!(places(&told), [place(2, "0xa1"), place(3, "0xb1")]);
    assert!(told.iter().all(|log| log["removed"] == false));

    node.get("cairn_invalidateBlock", json!([a2])).await;
    assert_eq!(
        logs(&node, json!({"fromBlock": "0x0"})).await,
        [Value::Null; 0]
    );
    let b2 = node.mine();
    assert_eq!(changes(&node, &of_blocks).await, [json!(b2)]);
    let gone = changes(&node, &of_logs).await;
    let expected = [
        place(3, "0xb1"),
        place(2, "0xa1"),
        place(2, "0xa1"),
        place(2, "0xb1"),
    ];
    assert_eq!(places(&gone), expected);
    let removed: Vec<_> = gone
        .iter()
        .map(|log| log["removed"].as_bool().unwrap())
        .collect();
    assert_eq!(removed, [true, true, false, false]);
    // Apart from that it is the log that was told of.
    let mut taken_back = gone[1].clone();
    taken_back["removed"] = json!(false);
    assert_eq!(taken_back, told[0]);
    assert_eq!(gone[2]["blockHash"], json!(b2));
    // Whoever was told of nothing is told of what stands.
    assert_eq!(places(&changes(&node, &of_a).await), [place(2, "0xa1")]);
    assert_eq!(changes(&node, &of_logs).await, [Value::Null; 0]);
    let all = node.get("eth_getFilterLogs", json!([of_a])).await;
    assert_eq!(places(all.as_array().unwrap()), [place(2, "0xa1")]);
}

#[tokio::test]
async fn filters_are_bounded_by_heights_and_live_until_they_are_given_back() {
    let node = Node::start();
    let [a, _] = loggers(&node).await;
    let bounded = node
        .get(
            "eth_newFilter",
            json!([{"fromBlock": "0x3", "toBlock": "0x3"}]),
        )
        .await;
    let pending = node.get("eth_newPendingTransactionFilter", json!([])).await;
    let whole = node
        .get("eth_newPendingTransactionFilter", json!([true]))
        .await;
    let mut sent = Vec::new();
    for data in [0xa1, 0xa2, 0xa3] {
        sent.push(log(&node, a, [1, 2], &[data]).await);
        if data == 0xa3 {
            let transactions = changes(&node, &whole).await;
            assert_eq!(transactions.len(), 1, "the others are mined");
            assert_eq!(transactions[0]["hash"], sent[2]);
        }
        node.mine();
    }
    assert_eq!(places(&changes(&node, &bounded).await), [place(3, "0xa2")]);
    assert_eq!(changes(&node, &pending).await, sent);
    assert!(changes(&node, &pending).await.is_empty());
    assert_eq!(
        node.get("eth_uninstallFilter", json!([pending])).await,
        true
    );
    assert_eq!(
        node.get("eth_uninstallFilter", json!([pending])).await,
        false
    );
    for method in ["eth_getFilterChanges", "eth_getFilterLogs"] {
        let error = node.ask(method, json!([pending])).await.unwrap_err();
        assert_eq!(error["code"], -32000);
        assert!(
            error["message"]
                .as_str()
                .unwrap()
                .starts_with("filter not found"),
            "{error}"
        );
    }
    let error = node
        .ask("eth_getFilterLogs", json!([whole]))
        .await
        .unwrap_err();
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .starts_with("filter not found"),
        "{error}"
    );
    let error = node
        .ask(
            "eth_newFilter",
            json!([{"fromBlock": "0x3", "toBlock": "0x2"}]),
        )
        .await;
    assert_eq!(error.unwrap_err()["message"], "invalid block range params");
}

#[tokio::test]
async fn subscribers_are_told_as_it_happens() {
    let node = Node::start();
    let [a, _] = loggers(&node).await;
    let mut heads = node.subscribe(json!(["newHeads"])).await;
    let mut of_a = node.subscribe(json!(["logs", {"address": a}])).await;
    let mut pending = node.subscribe(json!(["newPendingTransactions"])).await;
    let mut whole = node
        .subscribe(json!(["newPendingTransactions", true]))
        .await;
    let mut syncing = node.subscribe(json!(["syncing"])).await;
    assert_eq!(syncing.next().await, false);

    let sent = log(&node, a, [1, 2], &[0xa1]).await;
    assert_eq!(pending.next().await, sent);
    let transaction = whole.next().await;
    assert_eq!(
        (&transaction["hash"], &transaction["blockHash"]),
        (&sent, &Value::Null)
    );
    let block = node.mine();
    let head = heads.next().await;
    assert_eq!(head, node.get("eth_getHeaderByHash", json!([block])).await);
    let told = of_a.next().await;
    assert_eq!(told, logs(&node, json!({"blockHash": block})).await[0]);

    node.get("cairn_invalidateBlock", json!([block])).await;
    let gone = of_a.next().await;
    assert_eq!(
        (&gone["removed"], &gone["blockHash"]),
        (&json!(true), &json!(block))
    );
    let other = node.mine();
    assert_eq!(heads.next().await["hash"], json!(other));
    let again = of_a.next().await;
    assert_eq!(
        (&again["removed"], &again["blockHash"]),
        (&json!(false), &json!(other))
    );
}

#[tokio::test]
async fn wrong_subscriptions_are_refused() {
    let node = Node::start();
    for (params, words) in [
        (
            json!(["nonsense"]),
            "no \"nonsense\" subscription in eth namespace",
        ),
        (json!([]), "parameter 1 (subscription) is missing"),
        (
            json!(["logs", {"blockHash": topic(1)}]),
            "one block has no changes",
        ),
        (
            json!(["logs", {"toBlock": "pending"}]),
            "pending logs are not supported",
        ),
    ] {
        let error = node.ask("eth_subscribe", params.clone()).await.unwrap_err();
        assert_eq!(error["code"], -32602, "{params}: {error}");
        assert!(
            error["message"].as_str().unwrap().starts_with(words),
            "{error}"
        );
    }
}
