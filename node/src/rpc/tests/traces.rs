//! Traces and raw bytes of what is on the chain.

use alloy_primitives::{Address, B256, Bytes, U256, hex};
use cairn_genesis::{Block, HISTORY_STORAGE_ADDRESS, MAX_BLOCK_BYTES, Receipt};
use serde_json::{Value, json};

use super::fixture::*;
use super::quantity;
use crate::store::{Batch, Column, Durability, keys};

const TRACERS: [Option<&str>; 5] = [
    None,
    Some("callTracer"),
    Some("prestateTracer"),
    Some("4byteTracer"),
    Some("noopTracer"),
];

/// Adds 1 to slot 0, and logs nothing.
const COUNTER: [u8; 11] = hex!("5f546001015f555f5fa000");

/// Init code for `code`.
fn init(code: &[u8]) -> Bytes {
    let len = u8::try_from(code.len()).unwrap();
    [&[0x60, len, 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3], code]
        .concat()
        .into()
}

/// Sends a transaction of Alice with enough gas; gives its hash.
async fn send(node: &Node, mut transaction: Value) -> Value {
    transaction["from"] = json!(ALICE);
    transaction["gas"] = json!("0x30d40");
    node.get("eth_sendTransaction", json!([transaction])).await
}

/// Deploys `code` in a block of its own.
async fn deploy(node: &Node, code: &[u8]) -> Address {
    let hash = send(node, json!({"data": init(code)})).await;
    node.mine();
    let receipt = node.get("eth_getTransactionReceipt", json!([hash])).await;
    assert_eq!(receipt["status"], "0x1");
    serde_json::from_value(receipt["contractAddress"].clone()).unwrap()
}

async fn trace(node: &Node, hash: &Value, options: Value) -> Value {
    node.get("debug_traceTransaction", json!([hash, options]))
        .await
}

fn options(tracer: Option<&str>) -> Value {
    json!({"tracer": tracer, "tracerConfig": {"withLog": true, "diffMode": true}})
}

/// A counter that three transactions of one block count up, with a transfer between them.
async fn counted() -> (Node, Address, Vec<Value>) {
    let node = Node::start();
    let counter = deploy(&node, &COUNTER).await;
    let mut hashes = Vec::new();
    for to in [counter, counter, CAROL, counter] {
        hashes.push(send(&node, json!({"to": to, "value": "0x0"})).await);
    }
    node.mine();
    (node, counter, hashes)
}

#[tokio::test]
async fn a_transaction_is_traced_on_the_state_that_it_found() {
    let (node, _, hashes) = counted().await;
    let mut found = Vec::new();
    for hash in &hashes {
        let trace = trace(&node, hash, json!({})).await;
        let steps = trace["structLogs"].as_array().unwrap();
        let load = steps.iter().find(|step| step["op"] == "SLOAD");
        found.push(load.map(|load| load["storage"][B256::ZERO.to_string()].clone()));
        let receipt = node.get("eth_getTransactionReceipt", json!([hash])).await;
        assert_eq!(trace["gas"], quantity(&receipt["gasUsed"]));
    }
    let word = |value: u64| Some(json!(B256::from(U256::from(value))));
    assert_eq!(found, [word(0), word(1), None, word(2)]);
}

#[tokio::test]
async fn a_block_is_the_traces_of_its_transactions_for_ever() {
    let (node, counter, hashes) = counted().await;
    let hash = node
        .get("eth_getBlockByNumber", json!(["0x2", false]))
        .await["hash"]
        .clone();
    let mut before = Vec::new();
    for tracer in TRACERS {
        let mut expected = Vec::new();
        for hash in &hashes {
            expected
                .push(json!({"txHash": hash, "result": trace(&node, hash, options(tracer)).await}));
        }
        before.push(json!(expected));
    }
    for _ in 0..2 {
        for (tracer, expected) in TRACERS.into_iter().zip(&before) {
            let by_number = json!(["0x2", options(tracer)]);
            assert_eq!(
                &node.get("debug_traceBlockByNumber", by_number).await,
                expected
            );
            let by_hash = json!([hash, options(tracer)]);
            assert_eq!(&node.get("debug_traceBlockByHash", by_hash).await, expected);
        }
        send(&node, json!({"to": counter})).await;
        node.mine();
    }
    let empty = node.mine();
    assert_eq!(
        node.get("debug_traceBlockByHash", json!([empty])).await,
        json!([])
    );
}

#[tokio::test]
async fn logs_are_counted_through_the_block() {
    let (node, counter, _) = counted().await;
    let traces = node
        .get(
            "debug_traceBlockByNumber",
            json!(["0x2", options(Some("callTracer"))]),
        )
        .await;
    let receipts = node.get("eth_getBlockReceipts", json!(["0x2"])).await;
    let mut logs = 0;
    for (trace, receipt) in traces
        .as_array()
        .unwrap()
        .iter()
        .zip(receipts.as_array().unwrap())
    {
        let traced = trace["result"]["logs"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let stored = receipt["logs"].as_array().unwrap();
        assert_eq!(traced.len(), stored.len());
        for (traced, stored) in traced.iter().zip(stored) {
            assert_eq!(
                (&traced["index"], &traced["address"]),
                (&stored["logIndex"], &json!(counter))
            );
            logs += 1;
        }
        assert_eq!(trace["result"]["gasUsed"], receipt["gasUsed"]);
    }
    assert_eq!(logs, 3);
}

#[tokio::test]
async fn every_type_of_transaction_can_be_traced() {
    let node = Node::start();
    for transaction in one_of_each_type(0) {
        node.send(&transaction).await;
    }
    node.mine();
    let receipts = node.get("eth_getBlockReceipts", json!(["0x1"])).await;
    let traces = node
        .get(
            "debug_traceBlockByNumber",
            json!(["latest", {"tracer": "callTracer"}]),
        )
        .await;
    let receipts = receipts.as_array().unwrap();
    assert_eq!(receipts.len(), 5);
    for (trace, receipt) in traces.as_array().unwrap().iter().zip(receipts) {
        assert_eq!(trace["txHash"], receipt["transactionHash"]);
        for (traced, stored) in [("from", "from"), ("to", "to"), ("gasUsed", "gasUsed")] {
            assert_eq!(trace["result"][traced], receipt[stored]);
        }
    }
}

#[tokio::test]
async fn the_diff_of_a_transfer_is_what_balances_say() {
    let node = Node::start();
    node.mine();
    let hash = send(&node, json!({"to": CAROL, "value": "0x7"})).await;
    node.mine();
    let diff = trace(&node, &hash, options(Some("prestateTracer"))).await;
    for (part, block) in [("pre", "0x1"), ("post", "0x2")] {
        let accounts = diff[part].as_object().unwrap();
        for (address, account) in accounts {
            let mut balance: U256 =
                serde_json::from_value(node.get("eth_getBalance", json!([address, block])).await)
                    .unwrap();
            // The subsidy comes after the last transaction.
            if *address == format!("{MINER:#x}") && part == "post" {
                balance -= node.context.spec.subsidy(2);
            }
            assert_eq!(account["balance"], json!(balance), "{part} {address}");
        }
    }
    let count = |part: &str| diff[part].as_object().unwrap().len();
    assert_eq!(
        (count("pre"), count("post")),
        (2, 3),
        "Carol was not there before"
    );
    let nonces = |part: &str| diff[part][format!("{ALICE:#x}")]["nonce"].clone();
    assert_eq!((nonces("pre"), nonces("post")), (Value::Null, json!(1)));
}

#[tokio::test]
async fn the_parents_hash_is_written_before_the_first_transaction() {
    let node = Node::start();
    let parent = node.mine();
    let number = B256::from(U256::from(1));
    let hash = send(
        &node,
        json!({"to": HISTORY_STORAGE_ADDRESS, "data": number}),
    )
    .await;
    node.mine();
    node.mine();
    let trace = trace(&node, &hash, json!({})).await;
    assert_eq!(
        (&trace["failed"], &trace["returnValue"]),
        (&json!(false), &json!(parent))
    );
}

#[tokio::test]
async fn failures_are_traced_to_their_end() {
    let node = Node::start();
    // PUSH1 1 PUSH0 SSTORE, then REVERT with a word, or a loop without end.
    let reverts = deploy(&node, &hex!("60015f5560205ffd")).await;
    let loops = deploy(&node, &hex!("5b5f56")).await;
    let mut hashes = Vec::new();
    for to in [reverts, loops] {
        hashes.push(send(&node, json!({"to": to})).await);
    }
    node.mine();
    let reverted = trace(&node, &hashes[0], options(Some("callTracer"))).await;
    assert_eq!(
        (&reverted["error"], &reverted["output"]),
        (&json!("execution reverted"), &json!(B256::ZERO))
    );
    let looped = trace(&node, &hashes[1], options(Some("callTracer"))).await;
    assert_eq!(
        (&looped["error"], &looped["gasUsed"]),
        (&json!("out of gas"), &json!("0x30d40"))
    );
    let steps = trace(&node, &hashes[1], json!({"disableStack": true})).await;
    let last = steps["structLogs"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["error"], &steps["failed"]),
        (&json!("out of gas"), &json!(true))
    );
    assert!(last["gas"].as_u64() < last["gasCost"].as_u64());
}

#[tokio::test]
async fn calls_are_traced_in_worlds_that_are_not_quite_real() {
    let (node, counter, _) = counted().await;
    let found = async |options: Value| {
        let call = json!({"from": ALICE, "to": counter});
        let trace = node
            .get("debug_traceCall", json!([call, "0x2", options]))
            .await;
        let steps = trace["structLogs"].as_array().unwrap();
        let load = steps.iter().find(|step| step["op"] == "SLOAD").unwrap();
        let word = load["storage"][B256::ZERO.to_string()].clone();
        u64::try_from(serde_json::from_value::<U256>(word).unwrap()).unwrap()
    };
    assert_eq!(found(json!({})).await, 3, "after the block");
    for (index, value) in [("0x0", 0), ("0x1", 1), ("0x2", 2), ("0x3", 2), ("0x4", 3)] {
        assert_eq!(
            found(json!({"txIndex": index})).await,
            value,
            "before transaction {index}"
        );
    }
    let state = json!({counter.to_string(): {"stateDiff": {B256::ZERO.to_string(): B256::with_last_byte(9)}}});
    assert_eq!(
        found(json!({"stateOverrides": state, "txIndex": "0x1"})).await,
        9
    );
    // NUMBER PUSH0 MSTORE PUSH1 32 PUSH0 RETURN
    let code = json!({CAROL.to_string(): {"code": "0x435f5260205ff3"}});
    let options = json!({"stateOverrides": code, "blockOverrides": {"number": "0x63"}});
    let trace = node
        .get("debug_traceCall", json!([{"to": CAROL}, "latest", options]))
        .await;
    assert_eq!(trace["returnValue"], json!(B256::with_last_byte(0x63)));
}

#[tokio::test]
async fn what_cannot_be_traced_is_refused() {
    let (node, _, hashes) = counted().await;
    let tracer = json!({"tracer": "jsTracer"});
    for (method, params, code, words) in [
        (
            "debug_traceTransaction",
            json!([B256::ZERO]),
            -32000,
            "transaction not found",
        ),
        (
            "debug_traceTransaction",
            json!([hashes[0], tracer]),
            -32602,
            "tracer not found: there is no tracer 'jsTracer'",
        ),
        (
            "debug_traceTransaction",
            json!([hashes[0], {"timeout": "soon"}]),
            -32602,
            "'timeout' is no duration",
        ),
        (
            "debug_traceTransaction",
            json!([hashes[0], {"limit": "all"}]),
            -32602,
            "parameter 2 (trace options): ",
        ),
        (
            "debug_traceTransaction",
            json!([hashes[0], {"timeout": "0s"}]),
            -32000,
            "execution timeout",
        ),
        (
            "debug_traceBlockByNumber",
            json!(["0x0"]),
            -32000,
            "genesis is not traceable",
        ),
        (
            "debug_traceBlockByNumber",
            json!(["pending"]),
            -32000,
            "tracing on top of pending is not supported",
        ),
        (
            "debug_traceBlockByNumber",
            json!(["0x9"]),
            -32001,
            "header not found: block 9",
        ),
        (
            "debug_traceBlockByHash",
            json!([B256::ZERO]),
            -32001,
            "header not found: ",
        ),
        (
            "debug_traceCall",
            json!([{"to": CAROL}, "pending"]),
            -32000,
            "tracing on top of pending",
        ),
        (
            "debug_traceCall",
            json!([{"to": CAROL}, "0x2", {"txIndex": "0x5"}]),
            -32000,
            "transaction index 5 out of range",
        ),
        (
            "debug_traceCall",
            json!([{"to": CAROL, "gas": "0x1"}, "0x2"]),
            -32000,
            "intrinsic gas too low",
        ),
    ] {
        let error = node.ask(method, params.clone()).await.expect_err(method);
        assert_eq!(error["code"], code, "{method} {params}: {error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with(words), "{method} {params}: {message}");
    }
}

#[tokio::test]
async fn raw_bytes_are_those_of_the_protocol() {
    let (node, _, hashes) = counted().await;
    let bytes = |value: &Value| serde_json::from_value::<Bytes>(value.clone()).unwrap();
    let shown = node
        .get("eth_getBlockByNumber", json!(["0x2", false]))
        .await;
    for id in [
        json!("0x2"),
        shown["hash"].clone(),
        json!({"blockNumber": "0x2"}),
    ] {
        let raw = bytes(&node.get("debug_getRawBlock", json!([id])).await);
        let block = Block::decode(&raw, MAX_BLOCK_BYTES).unwrap();
        assert_eq!(
            (json!(block.hash()), block.encode()),
            (shown["hash"].clone(), raw.to_vec())
        );
        let header = bytes(&node.get("debug_getRawHeader", json!([id])).await);
        assert_eq!(
            alloy_primitives::keccak256(&header),
            block.header.commitment()
        );
        let receipts = node.get("debug_getRawReceipts", json!([id])).await;
        let receipts = receipts
            .as_array()
            .unwrap()
            .iter()
            .map(|raw| Receipt::decode(&bytes(raw)).unwrap());
        let receipts: Vec<_> = receipts.collect();
        assert_eq!(
            cairn_genesis::receipts_root(&receipts),
            block.header.receipts_root
        );
    }
    for hash in &hashes {
        let raw = node.get("debug_getRawTransaction", json!([hash])).await;
        assert_eq!(
            raw,
            node.get("eth_getRawTransactionByHash", json!([hash])).await
        );
        assert_eq!(json!(alloy_primitives::keccak256(bytes(&raw))), *hash);
    }
    for (method, nothing) in [
        ("debug_getRawBlock", json!("0x9")),
        ("debug_getRawHeader", json!(B256::ZERO)),
        ("debug_getRawReceipts", json!("0x9")),
        ("debug_getRawTransaction", json!(B256::ZERO)),
    ] {
        assert_eq!(
            node.get(method, json!([nothing])).await,
            Value::Null,
            "{method}"
        );
    }
}

/// It was found out when the block was executed; no signature is asked again.
#[tokio::test]
async fn the_store_names_the_sender_of_what_is_traced() {
    let node = Node::start();
    let hash = node.send(&transfer(ALICE, 0, 3 * GWEI, GWEI)).await;
    let block = node.mine();
    let from = async || trace(&node, &hash, options(Some("callTracer"))).await["from"].clone();
    assert_eq!(from().await, json!(ALICE));
    let key = keys::block(1, block);
    let stored = node.context.store.get(Column::Receipts, &key).unwrap();
    let mut receipts = stored.unwrap();
    let mut places = receipts.windows(ALICE.len());
    let at = places.position(|bytes| bytes == ALICE.as_slice()).unwrap();
    receipts[at..at + BOB.len()].copy_from_slice(BOB.as_slice());
    let mut batch = Batch::default();
    batch.put(Column::Receipts, key, receipts);
    node.context.store.write(batch, Durability::Synced).unwrap();
    assert_eq!(from().await, json!(BOB));
}
