//! What is answered about blocks, transactions and receipts.

use alloy_primitives::{B256, U256};
use alloy_rpc_types_eth as alloy;
use serde_json::{Value, json};

use super::fixture::*;
use super::quantity;
use crate::rpc::pool_mirror::end_of_run;

/// A chain of three blocks: an empty one, one with a transaction of each type, an empty one.
pub async fn chain() -> (Node, Vec<Value>) {
    let node = Node::start();
    node.mine();
    let mut hashes = Vec::new();
    for transaction in one_of_each_type(0) {
        hashes.push(node.send(&transaction).await);
    }
    node.mine();
    node.mine();
    (node, hashes)
}

#[tokio::test]
async fn the_tip_moves_and_names_mean_what_they_say() {
    let (node, _) = chain().await;
    assert_eq!(node.get("eth_blockNumber", json!([])).await, "0x3");
    let number = |block: Value| quantity(&block["number"]);
    for (name, expected) in [
        ("latest", 3),
        ("earliest", 0),
        ("safe", 0),
        ("finalized", 0),
        ("0x2", 2),
        ("pending", 4),
    ] {
        let block = node.get("eth_getBlockByNumber", json!([name, false])).await;
        assert_eq!(number(block), expected, "{name}");
    }
    assert_eq!(
        node.get("eth_getBlockByNumber", json!(["0x4", false]))
            .await,
        Value::Null
    );
}

#[tokio::test]
async fn a_block_has_every_field_that_tools_read() {
    let (node, _) = chain().await;
    let block = node
        .get("eth_getBlockByNumber", json!(["0x2", false]))
        .await;
    let fields = "hash parentHash sha3Uncles miner stateRoot transactionsRoot receiptsRoot logsBloom difficulty \
        totalDifficulty number gasLimit gasUsed timestamp extraData mixHash nonce baseFeePerGas size uncles transactions \
        powHeader bits seal";
    for field in fields.split_whitespace() {
        assert!(!block[field].is_null(), "{field} is missing");
    }
    assert!(block.get("withdrawals").is_none());
    assert_eq!(block["bits"], "0x207fffff");
    assert_eq!(
        block["difficulty"], "0x2",
        "half of all hashes meet the target"
    );
    assert_eq!(block["totalDifficulty"], "0x6", "genesis counts");
    assert_eq!(block["powHeader"].as_str().unwrap().len(), 2 + 160);
    assert_eq!(block["extraData"], "0x74657374");
    assert_eq!(block["nonce"].as_str().unwrap().len(), 2 + 16);
    let parent: B256 = serde_json::from_value(block["parentHash"].clone()).unwrap();
    assert_eq!(block["mixHash"], json!(alloy_primitives::keccak256(parent)));
    assert_eq!(block["transactions"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn the_pow_header_hashes_to_the_block_hash() {
    let (node, _) = chain().await;
    let block = node
        .get("eth_getBlockByNumber", json!(["latest", false]))
        .await;
    let header: alloy_primitives::Bytes =
        serde_json::from_value(block["powHeader"].clone()).unwrap();
    assert_eq!(header.len(), 80);
    let seal = &block["seal"];
    let number = |bytes: &[u8]| u64::from(u32::from_le_bytes(bytes.try_into().unwrap()));
    assert_eq!(number(&header[0..4]), quantity(&seal["version"]));
    assert_eq!(number(&header[68..72]), quantity(&seal["time"]));
    assert_eq!(number(&header[72..76]), quantity(&block["bits"]));
    assert_eq!(number(&header[76..80]), quantity(&seal["nonce"]));
    let by_hash = node
        .get("eth_getBlockByHash", json!([block["hash"], false]))
        .await;
    assert_eq!(by_hash, block);
}

#[tokio::test]
async fn alloy_reads_our_blocks_and_transactions() {
    let (node, hashes) = chain().await;
    let block = node
        .get("eth_getBlockByNumber", json!(["0x2", false]))
        .await;
    let parsed: alloy::Block = serde_json::from_value(block.clone()).unwrap();
    assert_eq!(json!(parsed.header.hash), block["hash"]);
    assert_eq!(
        parsed.header.inner.base_fee_per_gas,
        Some(quantity(&block["baseFeePerGas"]))
    );
    for hash in &hashes {
        let transaction = node.get("eth_getTransactionByHash", json!([hash])).await;
        let receipt = node.get("eth_getTransactionReceipt", json!([hash])).await;
        if transaction["type"] == "0x45" {
            continue;
        }
        let parsed: alloy::Transaction = serde_json::from_value(transaction.clone()).unwrap();
        assert_eq!(json!(parsed.inner.tx_hash()), *hash);
        assert_eq!(json!(parsed.inner.signer()), transaction["from"]);
        let parsed: alloy::TransactionReceipt = serde_json::from_value(receipt.clone()).unwrap();
        assert_eq!(json!(parsed.transaction_hash), *hash);
        assert!(parsed.status());
    }
}

/// The snapshot of a native transaction: what must never change by accident.
#[tokio::test]
async fn a_native_transaction_shows_its_key_and_signature() {
    let node = Node::start();
    let native = native(0);
    let hash = node.send(&native).await;
    let shown = node.get("eth_getTransactionByHash", json!([hash])).await;
    let (r, s) = match native.signature() {
        cairn_genesis::TransactionSignature::Ed25519(bytes) => bytes.split_at(32),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        shown,
        json!({
            "hash": hash,
            "type": "0x45",
            "chainId": "0x7a69",
            "nonce": "0x0",
            "from": native_sender(),
            "to": CAROL,
            "value": "0x1",
            "gas": "0x5208",
            "gasPrice": "0xb2d05e00",
            "maxFeePerGas": "0xb2d05e00",
            "maxPriorityFeePerGas": "0x3b9aca00",
            "input": "0x",
            "accessList": [],
            "v": "0x0",
            "yParity": "0x0",
            "r": U256::from_be_slice(r),
            "s": U256::from_le_slice(s),
            "publicKey": shown["publicKey"],
            "signature": format!("0x{}", alloy_primitives::hex::encode([r, s].concat())),
            "blockHash": null,
            "blockNumber": null,
            "blockTimestamp": null,
            "transactionIndex": null,
        })
    );
    assert_eq!(shown["publicKey"].as_str().unwrap().len(), 66);
}

#[tokio::test]
async fn each_type_shows_its_own_fields() {
    let (node, hashes) = chain().await;
    let mut shown = Vec::new();
    for hash in &hashes {
        shown.push(node.get("eth_getTransactionByHash", json!([hash])).await);
    }
    let types: Vec<_> = shown
        .iter()
        .map(|transaction| transaction["type"].clone())
        .collect();
    assert_eq!(types, ["0x0", "0x1", "0x2", "0x4", "0x45"]);
    let has = |index: usize, field: &str| shown[index].get(field).is_some();
    assert!(!has(0, "accessList") && !has(0, "yParity") && !has(0, "maxFeePerGas"));
    let v = quantity(&shown[0]["v"]);
    assert!(
        v == 35 + 2 * CHAIN_ID || v == 36 + 2 * CHAIN_ID,
        "EIP-155: {v}"
    );
    assert!(has(1, "accessList") && has(1, "yParity") && !has(1, "maxFeePerGas"));
    assert!(
        has(2, "maxFeePerGas") && has(2, "maxPriorityFeePerGas") && !has(2, "authorizationList")
    );
    assert_eq!(shown[3]["authorizationList"].as_array().unwrap().len(), 1);
    assert!(has(4, "publicKey") && has(4, "signature"));
    // What was paid is the base fee plus the tip, not the most that was offered.
    let base_fee = quantity(
        &node
            .get("eth_getBlockByNumber", json!(["0x2", false]))
            .await["baseFeePerGas"],
    );
    assert_eq!(
        u128::from(quantity(&shown[2]["gasPrice"])),
        u128::from(base_fee) + GWEI
    );
}

#[tokio::test]
async fn receipts_add_up() {
    let (node, hashes) = chain().await;
    let receipts = node.get("eth_getBlockReceipts", json!(["0x2"])).await;
    let receipts = receipts.as_array().unwrap();
    assert_eq!(receipts.len(), 5);
    let mut cumulative = 0;
    for (index, receipt) in receipts.iter().enumerate() {
        cumulative += quantity(&receipt["gasUsed"]);
        assert_eq!(quantity(&receipt["cumulativeGasUsed"]), cumulative);
        assert_eq!(
            quantity(&receipt["transactionIndex"]),
            u64::try_from(index).unwrap()
        );
        assert_eq!(receipt["status"], "0x1");
        assert_eq!(receipt["contractAddress"], Value::Null);
        let single = node
            .get(
                "eth_getTransactionReceipt",
                json!([receipt["transactionHash"]]),
            )
            .await;
        assert_eq!(single, *receipt);
    }
    let block = node.get("eth_getBlockByNumber", json!(["0x2", true])).await;
    assert_eq!(quantity(&block["gasUsed"]), cumulative);
    for hash in &hashes {
        assert!(
            receipts
                .iter()
                .any(|receipt| receipt["transactionHash"] == *hash)
        );
    }
}

#[tokio::test]
async fn a_transaction_is_found_by_hash_and_by_place() {
    let (node, hashes) = chain().await;
    let block = node.get("eth_getBlockByNumber", json!(["0x2", true])).await;
    for (index, whole) in (0_u64..).zip(block["transactions"].as_array().unwrap()) {
        let index = format!("{index:#x}");
        let by_number = node
            .get(
                "eth_getTransactionByBlockNumberAndIndex",
                json!(["0x2", index]),
            )
            .await;
        let by_hash = node
            .get(
                "eth_getTransactionByBlockHashAndIndex",
                json!([block["hash"], index]),
            )
            .await;
        let by_name = node
            .get("eth_getTransactionByHash", json!([whole["hash"]]))
            .await;
        assert_eq!([&by_number, &by_hash, &by_name], [whole; 3]);
        assert_eq!(whole["transactionIndex"], *index);
    }
    let raw = node
        .get("eth_getRawTransactionByHash", json!([hashes[4]]))
        .await;
    assert!(raw.as_str().unwrap().starts_with("0x45"));
    for (method, params) in [
        ("eth_getTransactionByHash", json!([B256::ZERO])),
        ("eth_getTransactionReceipt", json!([B256::ZERO])),
        ("eth_getRawTransactionByHash", json!([B256::ZERO])),
        (
            "eth_getTransactionByBlockNumberAndIndex",
            json!(["0x2", "0x5"]),
        ),
        (
            "eth_getTransactionByBlockNumberAndIndex",
            json!(["0x9", "0x0"]),
        ),
        ("eth_getBlockByHash", json!([B256::ZERO, true])),
        ("eth_getBlockReceipts", json!(["0x9"])),
    ] {
        assert_eq!(node.get(method, params).await, Value::Null, "{method}");
    }
}

#[tokio::test]
async fn counts_and_uncles() {
    let (node, _) = chain().await;
    let hash = node
        .get("eth_getBlockByNumber", json!(["0x2", false]))
        .await["hash"]
        .clone();
    assert_eq!(
        node.get("eth_getBlockTransactionCountByNumber", json!(["0x2"]))
            .await,
        "0x5"
    );
    assert_eq!(
        node.get("eth_getBlockTransactionCountByHash", json!([hash]))
            .await,
        "0x5"
    );
    assert_eq!(
        node.get("eth_getUncleCountByBlockHash", json!([hash]))
            .await,
        "0x0"
    );
    assert_eq!(
        node.get("eth_getUncleCountByBlockNumber", json!(["0x9"]))
            .await,
        Value::Null
    );
    assert_eq!(
        node.get("eth_getUncleByBlockHashAndIndex", json!([hash, "0x0"]))
            .await,
        Value::Null
    );
    assert_eq!(
        node.get("eth_getUncleByBlockNumberAndIndex", json!(["0x2", "0x0"]))
            .await,
        Value::Null
    );
    let block = node
        .get("eth_getBlockByNumber", json!(["0x2", false]))
        .await;
    let header = node.get("eth_getHeaderByNumber", json!(["0x2"])).await;
    assert_eq!(node.get("eth_getHeaderByHash", json!([hash])).await, header);
    for (field, value) in header.as_object().unwrap() {
        assert_eq!(block[field], *value, "{field}");
    }
}

#[tokio::test]
async fn a_reorganization_takes_transactions_back_into_the_pool() {
    let node = Node::start();
    let hash = node.send(&transfer(ALICE, 0, 3 * GWEI, GWEI)).await;
    let block = node.mine();
    let tip = node.get("cairn_invalidateBlock", json!([block])).await;
    assert_eq!(tip["number"], "0x0");
    let pending = node.get("eth_getTransactionByHash", json!([hash])).await;
    assert_eq!(pending["blockHash"], Value::Null);
    assert_eq!(
        node.get("eth_getTransactionReceipt", json!([hash])).await,
        Value::Null
    );
    let tips = node.get("cairn_chainTips", json!([])).await;
    assert_eq!(tips[0]["status"], "active");
    assert_eq!(tips[1]["status"], "invalid");
    assert_eq!(tips[1]["hash"], json!(block));
    assert_eq!(tips[1]["branchLength"], "0x1");
    let off_chain = node.get("eth_getBlockByHash", json!([block, true])).await;
    assert_eq!(off_chain["transactions"][0]["from"], json!(ALICE));
    let state = node
        .ask("eth_getBalance", json!([CAROL, block]))
        .await
        .unwrap_err();
    assert!(
        state["message"]
            .as_str()
            .unwrap()
            .starts_with("hash is not currently canonical")
    );
    let tip = node.get("cairn_reconsiderBlock", json!([block])).await;
    assert_eq!(tip["hash"], json!(block));
    assert_eq!(
        node.get("eth_getTransactionByHash", json!([hash])).await["blockHash"],
        json!(block)
    );
    assert_eq!(
        end_of_run(&node.context.pool.of(ALICE), 0),
        0,
        "the pool is empty again"
    );
}
