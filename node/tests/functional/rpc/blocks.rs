//! Blocks, headers, receipts and transactions by every name that they have; and fees.

use alloy_primitives::{Address, B256, U256};
use serde_json::{Value, json};

use crate::harness::{GWEI, Node, Rpc, Transfer, hash, home, native, number, secp256k1, wei};

const SHOP: Address = Address::repeat_byte(0xbb);
/// No block and no transaction has it.
const UNKNOWN: B256 = B256::repeat_byte(0xee);

/// A node whose block 1 holds three payments.
fn with_a_block(data: &std::path::Path) -> (Node, Vec<B256>) {
    let idle = Node::start(data, &["run", "--chain", "dev"]);
    let payments = [
        native(0).pay(Transfer::new(SHOP, 1, 0)),
        native(0).pay(Transfer::new(SHOP, 2, 1)),
        secp256k1(0).pay(Transfer::new(SHOP, 3, 0)),
    ];
    let sent = payments
        .iter()
        .map(|payment| idle.rpc().send(payment))
        .collect();
    idle.stop();
    let node = Node::start(data, &["dev"]);
    node.rpc().mined(payments[1].hash());
    assert_eq!(node.rpc().height(), 1, "one block took all three");
    (node, sent)
}

#[test]
fn a_block_is_the_same_under_all_its_names() {
    let home = home();
    let (node, sent) = with_a_block(home.path());
    let rpc = node.rpc();
    let block = rpc.block("0x1");
    let by_hash = block["hash"].clone();
    assert_eq!(rpc.block("latest"), block);
    assert_eq!(rpc.call("eth_getBlockByHash", json!([by_hash])), block);
    assert_eq!(
        rpc.call("eth_getBlockByHash", json!([UNKNOWN])),
        Value::Null
    );
    assert_eq!(rpc.block("0x2"), Value::Null);
    for early in ["earliest", "safe", "finalized"] {
        assert_eq!(rpc.block(early)["number"], "0x0", "{early}");
    }

    let mut header = block.clone();
    for only_of_blocks in ["transactions", "uncles"] {
        assert!(
            header
                .as_object_mut()
                .unwrap()
                .remove(only_of_blocks)
                .is_some()
        );
    }
    assert_eq!(rpc.call("eth_getHeaderByNumber", json!(["latest"])), header);
    assert_eq!(rpc.call("eth_getHeaderByHash", json!([by_hash])), header);
    assert_eq!(
        rpc.call("eth_getHeaderByHash", json!([UNKNOWN])),
        Value::Null
    );

    let mut hashes: Vec<_> = block["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(hash)
        .collect();
    let whole = rpc.call("eth_getBlockByNumber", json!(["0x1", true]));
    for (index, (one, full)) in hashes
        .iter()
        .zip(whole["transactions"].as_array().unwrap())
        .enumerate()
    {
        let index = format!("{index:#x}");
        assert_eq!(rpc.call("eth_getTransactionByHash", json!([one])), *full);
        for (by, name) in [("Number", json!("latest")), ("Hash", by_hash.clone())] {
            let method = format!("eth_getTransactionByBlock{by}AndIndex");
            assert_eq!(rpc.call(&method, json!([name, index])), *full);
            assert_eq!(rpc.call(&method, json!([name, "0x3"])), Value::Null);
        }
    }
    hashes.sort_unstable();
    let mut sent = sent;
    sent.sort_unstable();
    assert_eq!(hashes, sent);
}

#[test]
fn receipts_and_counts_of_a_block() {
    let home = home();
    let (node, _) = with_a_block(home.path());
    let rpc = node.rpc();
    let block = rpc.block("0x1");
    let transactions = block["transactions"].as_array().unwrap();
    let one_by_one = Value::from_iter(transactions.iter().map(|one| rpc.receipt(hash(one))));
    for name in [
        json!("0x1"),
        json!("latest"),
        block["hash"].clone(),
        json!({"blockHash": block["hash"]}),
    ] {
        assert_eq!(rpc.call("eth_getBlockReceipts", json!([name])), one_by_one);
    }
    assert_eq!(rpc.call("eth_getBlockReceipts", json!(["0x0"])), json!([]));
    assert_eq!(
        rpc.call("eth_getBlockReceipts", json!([UNKNOWN])),
        Value::Null
    );
    for (index, receipt) in (0..).zip(one_by_one.as_array().unwrap()) {
        assert_eq!(number(&receipt["transactionIndex"]), index);
        assert_eq!(number(&receipt["cumulativeGasUsed"]), 21_000 * (index + 1));
    }

    for (by, known, unknown) in [
        ("Number", json!("0x1"), json!("0x2")),
        ("Hash", block["hash"].clone(), json!(UNKNOWN)),
    ] {
        let count = format!("eth_getBlockTransactionCountBy{by}");
        assert_eq!(rpc.call(&count, json!([known])), "0x3");
        assert_eq!(rpc.call(&count, json!([unknown])), Value::Null);
        let uncles = format!("eth_getUncleCountByBlock{by}");
        assert_eq!(rpc.call(&uncles, json!([known])), "0x0");
        assert_eq!(rpc.call(&uncles, json!([unknown])), Value::Null);
        let uncle = format!("eth_getUncleByBlock{by}AndIndex");
        assert_eq!(rpc.call(&uncle, json!([known, "0x0"])), Value::Null);
    }
    assert_eq!(
        rpc.call("eth_getBlockTransactionCountByNumber", json!(["pending"])),
        "0x0"
    );
}

#[test]
fn state_is_asked_for_at_any_name_of_a_block() {
    let home = home();
    let (node, _) = with_a_block(home.path());
    let rpc = node.rpc();
    let [genesis, tip] = ["0x0", "0x1"].map(|at| rpc.block(at)["hash"].clone());
    let balance = |at: Value| wei(&rpc.call("eth_getBalance", json!([SHOP, at])));
    for at in [
        json!("0x1"),
        json!("latest"),
        json!("pending"),
        tip.clone(),
        json!({"blockNumber": "0x1"}),
        Value::Null,
    ] {
        assert_eq!(balance(at), U256::from(6));
    }
    for at in [
        json!("earliest"),
        json!("safe"),
        json!("finalized"),
        genesis.clone(),
        json!({"blockHash": genesis}),
    ] {
        assert_eq!(balance(at), U256::ZERO);
    }
    let at = |name: Value| json!([SHOP, name]);
    rpc.refused(
        "eth_getBalance",
        at(json!(UNKNOWN)),
        -32001,
        "header not found: no block has the hash",
    );
    rpc.refused(
        "eth_getBalance",
        at(json!("0x2")),
        -32001,
        "header not found: block 2 does not exist yet",
    );
    rpc.refused(
        "eth_getStorageAt",
        json!([SHOP, "0x0", "0x2"]),
        -32001,
        "header not found",
    );

    rpc.call("cairn_invalidateBlock", json!([tip]));
    rpc.refused(
        "eth_getBalance",
        at(tip.clone()),
        -32000,
        "hash is not currently canonical",
    );
    assert_eq!(
        rpc.call("eth_getBlockByHash", json!([tip]))["number"],
        "0x1",
        "it is still known"
    );
    assert_eq!(rpc.call("eth_getBlockReceipts", json!([tip])), Value::Null);
}

fn fee_history(rpc: &Rpc, count: Value) -> Value {
    rpc.call("eth_feeHistory", json!([count, "latest", [0, 50, 100]]))
}

#[test]
fn fees_follow_what_was_paid() {
    let home = home();
    let (node, _) = with_a_block(home.path());
    let rpc = node.rpc();
    let next = wei(&rpc.block("pending")["baseFeePerGas"]);
    let tip = U256::from(GWEI);
    assert_eq!(
        wei(&rpc.call("eth_maxPriorityFeePerGas", json!([]))),
        tip,
        "what everybody paid"
    );
    assert_eq!(wei(&rpc.call("eth_gasPrice", json!([]))), next + tip);
    assert_eq!(rpc.call("eth_blobBaseFee", json!([])), "0x1");

    let history = fee_history(rpc, json!("0x2"));
    assert_eq!(history["oldestBlock"], "0x0");
    let [first, second] = ["0x0", "0x1"].map(|at| rpc.block(at)["baseFeePerGas"].clone());
    assert_eq!(
        history["baseFeePerGas"],
        json!([first, second, format!("{next:#x}")])
    );
    assert_eq!(
        history["gasUsedRatio"],
        json!([0.0, 63_000.0 / 30_000_000.0])
    );
    let paid = format!("{tip:#x}");
    assert_eq!(
        history["reward"],
        json!([["0x0", "0x0", "0x0"], [paid, paid, paid]])
    );
    assert_eq!(
        fee_history(rpc, json!(9_999)),
        history,
        "no more than there are"
    );
    assert_eq!(fee_history(rpc, json!(1))["oldestBlock"], "0x1");
}
