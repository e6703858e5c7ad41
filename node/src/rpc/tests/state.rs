//! What is answered about state, supply, fees, calls, and the node itself.

use alloy_primitives::{B256, U256};
use serde_json::{Value, json};

use super::answers::chain;
use super::fixture::*;
use super::quantity;

#[tokio::test]
async fn state_is_read_at_any_block() {
    let (node, _) = chain().await;
    let hash = node
        .get("eth_getBlockByNumber", json!(["0x2", false]))
        .await["hash"]
        .clone();
    let at = |block: Value| node.get("eth_getBalance", json!([CAROL, block]));
    assert_eq!(at(json!("0x1")).await, "0x0");
    assert_eq!(at(json!("0x2")).await, "0x5");
    assert_eq!(at(json!("latest")).await, "0x5");
    assert_eq!(at(json!(hash)).await, "0x5");
    assert_eq!(
        at(json!({"blockHash": hash, "requireCanonical": true})).await,
        "0x5"
    );
    assert_eq!(at(json!({"blockNumber": "0x1"})).await, "0x0");
    assert_eq!(node.get("eth_getBalance", json!([CAROL])).await, "0x5");
    let nonce = |block: &'static str| node.get("eth_getTransactionCount", json!([ALICE, block]));
    assert_eq!(nonce("0x1").await, "0x0");
    assert_eq!(nonce("latest").await, "0x4");
    let history = "0x0000F90827F1C53a10cb7A02335B175320002935";
    let code = node.get("eth_getCode", json!([history, "latest"])).await;
    assert!(code.as_str().unwrap().len() > 2);
    assert_eq!(node.get("eth_getCode", json!([ALICE])).await, "0x");
    // The history contract holds the parent's hash in the slot of its number.
    let parent = node
        .get("eth_getBlockByNumber", json!(["0x2", false]))
        .await["hash"]
        .clone();
    for slot in [
        "0x2",
        "0x02",
        "0x0000000000000000000000000000000000000000000000000000000000000002",
    ] {
        assert_eq!(
            node.get("eth_getStorageAt", json!([history, slot, "latest"]))
                .await,
            parent,
            "{slot}"
        );
    }
    let zero = json!(B256::ZERO);
    assert_eq!(
        node.get("eth_getStorageAt", json!([history, "0x2", "0x2"]))
            .await,
        zero
    );
}

#[tokio::test]
async fn the_supply_is_exact() {
    let (node, _) = chain().await;
    let genesis = node.get("cairn_supply", json!(["earliest"])).await;
    let now = node.get("cairn_supply", json!([])).await;
    let wei = |value: &Value| serde_json::from_value::<U256>(value.clone()).unwrap();
    let subsidies = U256::from(3) * node.context.spec.subsidy(1);
    assert_eq!(wei(&now["issued"]), wei(&genesis["issued"]) + subsidies);
    let block = node
        .get("eth_getBlockByNumber", json!(["0x2", false]))
        .await;
    let burned = wei(&block["baseFeePerGas"]) * wei(&block["gasUsed"]);
    assert_eq!(wei(&now["burned"]), burned);
    assert_eq!(wei(&now["total"]), wei(&now["issued"]) - burned);
    assert_eq!(now["number"], "0x3");
}

#[tokio::test]
async fn fee_history_has_one_more_base_fee_than_blocks() {
    let (node, _) = chain().await;
    for count in [json!("0x3"), json!(3)] {
        let history = node
            .get("eth_feeHistory", json!([count, "latest", [0, 50, 100]]))
            .await;
        assert_eq!(history["oldestBlock"], "0x1");
        assert_eq!(history["baseFeePerGas"].as_array().unwrap().len(), 4);
        assert_eq!(history["baseFeePerBlobGas"].as_array().unwrap().len(), 4);
        let ratios = history["gasUsedRatio"].as_array().unwrap();
        assert_eq!(ratios.len(), 3);
        assert!(ratios.iter().all(Value::is_number));
        assert_eq!(history["reward"][0], json!(["0x0", "0x0", "0x0"]));
        assert_eq!(
            history["reward"][1][0], "0x3b9aca00",
            "the lowest tip is one gwei"
        );
    }
    let long = node.get("eth_feeHistory", json!(["0x400", "latest"])).await;
    assert_eq!(long["oldestBlock"], "0x0");
    assert!(long.get("reward").is_none());
}

#[tokio::test]
async fn prices_look_at_what_was_paid() {
    let node = Node::start();
    assert_eq!(
        node.get("eth_maxPriorityFeePerGas", json!([])).await,
        "0x3b9aca00"
    );
    for transaction in one_of_each_type(0) {
        node.send(&transaction).await;
    }
    node.mine();
    let tip = quantity(&node.get("eth_maxPriorityFeePerGas", json!([])).await);
    assert_eq!(u128::from(tip), GWEI);
    let price = quantity(&node.get("eth_gasPrice", json!([])).await);
    let next = node
        .get("eth_getBlockByNumber", json!(["pending", false]))
        .await;
    assert_eq!(price, quantity(&next["baseFeePerGas"]) + tip);
    assert_eq!(node.get("eth_blobBaseFee", json!([])).await, "0x1");
}

#[tokio::test]
async fn calls_and_estimates_of_transfers() {
    let node = Node::start();
    let transfer = json!({"from": ALICE, "to": CAROL, "value": "0x1"});
    assert_eq!(
        node.get("eth_call", json!([transfer, "latest"])).await,
        "0x"
    );
    assert_eq!(
        node.get("eth_estimateGas", json!([transfer])).await,
        "0x5208"
    );
    let with_data = json!({"from": ALICE, "to": CAROL, "data": "0x0102"});
    let estimate = quantity(
        &node
            .get("eth_estimateGas", json!([with_data, "pending"]))
            .await,
    );
    assert_eq!(
        estimate,
        21_000 + 10 * 4 * 2,
        "EIP-7623's floor is above the intrinsic gas"
    );
    // Carol has nothing, but a call may pretend.
    let from_carol = json!({"from": CAROL, "to": ALICE, "value": "0x1"});
    assert!(node.ask("eth_call", json!([from_carol])).await.is_err());
    let pretend = json!({CAROL.to_string(): {"balance": "0x1"}});
    assert_eq!(
        node.get("eth_call", json!([from_carol, "latest", pretend]))
            .await,
        "0x"
    );
    // The ed25519 precompile answers nothing to nonsense.
    let precompile = json!({"to": "0x00000000000000000000000000000000000ed255", "data": "0x01"});
    assert_eq!(node.get("eth_call", json!([precompile])).await, "0x");
}

#[tokio::test]
async fn what_the_node_says_of_itself() {
    let node = Node::start();
    let get = |method: &'static str| node.get(method, json!([]));
    assert_eq!(get("eth_chainId").await, "0x7a69");
    assert_eq!(get("net_version").await, "31337");
    assert_eq!(get("net_listening").await, true);
    assert_eq!(get("net_peerCount").await, "0x0");
    assert_eq!(get("eth_syncing").await, false);
    assert_eq!(get("eth_mining").await, false);
    assert_eq!(get("eth_hashrate").await, "0x3e8");
    assert_eq!(get("eth_coinbase").await, json!(MINER));
    assert_eq!(get("web3_clientVersion").await, "cairn/test");
    assert_eq!(get("eth_accounts").await, json!([ALICE, BOB]));
    let hash = node
        .get("web3_sha3", json!(["0x68656c6c6f20776f726c64"]))
        .await;
    assert_eq!(
        hash,
        "0x47173285a8d7341e5e972fc677286384f802f8ef42a5ec5f03bbfa254cb01fad"
    );
    let info = get("cairn_nodeInfo").await;
    assert_eq!(info["chain"], "dev");
    assert_eq!(info["genesisHash"], json!(node.context.genesis_hash));
    assert_eq!(info["mining"]["mode"], "off");
}
