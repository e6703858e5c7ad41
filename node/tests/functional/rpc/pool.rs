//! What waits in the pool, and why.

use alloy_primitives::{Address, B256};
use serde_json::{Value, json};

use crate::harness::{GWEI, Node, Rpc, Transfer, home, lower, native, secp256k1, text};

const SHOP: Address = Address::repeat_byte(0xbb);

/// Status and reason of a transaction; the explanation holds `words`.
#[track_caller]
fn why(rpc: &Rpc, transaction: B256, words: &str) -> (String, String) {
    let why = rpc.call("cairn_why", json!([transaction]));
    assert_eq!(why["hash"], json!(transaction));
    assert!(
        text(&why["explanation"]).contains(words),
        "\"{words}\" is not in {why}"
    );
    (
        text(&why["status"]).to_owned(),
        text(&why["reason"]).to_owned(),
    )
}

#[track_caller]
fn is(why: (String, String), status: &str, reason: &str) {
    assert_eq!((why.0.as_str(), why.1.as_str()), (status, reason));
}

#[test]
fn every_transaction_has_a_reason_to_wait() {
    let home = home();
    let idle = Node::start(home.path(), &["run", "--chain", "dev"]);
    let rpc = idle.rpc();
    let ready = rpc.send(&native(0).pay(Transfer::new(SHOP, 1, 0)));
    is(why(rpc, ready, "--mine"), "ready", "nobody_mines");
    let gap = rpc.send(&native(1).pay(Transfer::new(SHOP, 1, 2)));
    is(why(rpc, gap, "nonce 0"), "waiting", "nonce_gap");
    let low = Transfer {
        max_fee: 100,
        tip: 1,
        ..Transfer::new(SHOP, 1, 0)
    };
    let cheap = rpc.send(&secp256k1(0).pay(low));
    is(
        why(rpc, cheap, "base fee"),
        "waiting",
        "max_fee_below_base_fee",
    );
    let better = Transfer {
        max_fee: 20 * GWEI,
        tip: 2 * GWEI,
        ..low
    };
    let better = rpc.send(&secp256k1(0).pay(better));
    is(why(rpc, cheap, &better.to_string()), "gone", "replaced");
    is(
        why(rpc, B256::repeat_byte(7), "never seen"),
        "unknown",
        "unknown",
    );
    assert_eq!(rpc.call("cairn_nodeInfo", json!([]))["poolSize"], "0x3");
    idle.stop();

    let node = Node::start(home.path(), &["dev"]);
    node.rpc().mined(ready);
    node.rpc().mined(better);
    is(why(node.rpc(), ready, "in block 1"), "mined", "mined");
    let mined = node.rpc().call("cairn_why", json!([better]));
    assert_eq!(mined["blockNumber"], "0x1");
    is(why(node.rpc(), gap, "nonce 0"), "waiting", "nonce_gap");
}

#[test]
fn the_pool_is_shown_by_sender_and_nonce() {
    let home = home();
    let node = Node::start(home.path(), &["run", "--chain", "dev"]);
    let rpc = node.rpc();
    for nonce in [0, 1, 4] {
        rpc.send(&native(0).pay(Transfer::new(SHOP, 1 + nonce, nonce)));
    }
    rpc.send(&secp256k1(0).pay(Transfer::new(SHOP, 9, 3)));
    assert_eq!(
        rpc.call("txpool_status", json!([])),
        json!({"pending": "0x2", "queued": "0x2"})
    );

    let content = rpc.call("txpool_content", json!([]));
    let (native, ethereum) = (native(0).address, secp256k1(0).address);
    for sender in [native, ethereum] {
        let own = rpc.call("txpool_contentFrom", json!([sender]));
        for part in ["pending", "queued"] {
            let expected = content[part]
                .get(lower(sender))
                .cloned()
                .unwrap_or_else(|| json!({}));
            assert_eq!(own[part], expected);
        }
    }
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(&content["pending"][lower(native)]), ["0", "1"]);
    assert_eq!(keys(&content["queued"][lower(native)]), ["4"]);
    assert_eq!(keys(&content["queued"][lower(ethereum)]), ["3"]);
    let stranger = rpc.call("txpool_contentFrom", json!([SHOP]));
    assert_eq!(stranger, json!({"pending": {}, "queued": {}}));

    let lines = rpc.call("txpool_inspect", json!([]));
    let line = format!("{SHOP}: 5 wei + 21000 gas × 10000000000 wei");
    assert_eq!(lines["queued"][lower(native)]["4"], line);
    assert_eq!(keys(&lines["pending"][lower(native)]), ["0", "1"]);
}
