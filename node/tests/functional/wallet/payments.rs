//! Balance, send and history, by both kinds of accounts.

use alloy_primitives::U256;
use serde_json::{Value, json};

use crate::harness::{Node, Rpc, User, hash, home, number, text, wei};

const COIN: u64 = 1_000_000_000_000_000_000;

/// What `send --json` says is what the chain says.
#[track_caller]
fn is_on_chain(rpc: &Rpc, sent: &Value, kind: &str) {
    let receipt = rpc.receipt(hash(&sent["hash"]));
    let transaction = rpc.call("eth_getTransactionByHash", json!([sent["hash"]]));
    assert_eq!(
        (&sent["status"], &receipt["status"]),
        (&json!("success"), &json!("0x1"))
    );
    assert_eq!(
        (text(&sent["type"]), text(&transaction["type"])),
        (kind, short(kind))
    );
    assert_eq!(sent["blockNumber"], number(&receipt["blockNumber"]));
    assert_eq!(sent["blockHash"], receipt["blockHash"]);
    assert_eq!(sent["gasUsed"], number(&receipt["gasUsed"]));
    assert_eq!(sent["gasLimit"], number(&transaction["gas"]));
    assert_eq!(sent["chainId"], number(&transaction["chainId"]));
    assert_eq!(sent["nonce"], number(&transaction["nonce"]));
    let (price, gas) = (wei(&receipt["effectiveGasPrice"]), wei(&receipt["gasUsed"]));
    assert_eq!(text(&sent["effectiveGasPrice"]), price.to_string());
    assert_eq!(text(&sent["fee"]), (price * gas).to_string());
    assert_eq!(text(&sent["value"]), wei(&transaction["value"]).to_string());
    for side in ["from", "to"] {
        assert_eq!(text(&sent[side]).to_lowercase(), text(&transaction[side]));
    }
}

/// Two digits are the wallet's way, the fewest JSON-RPC's.
fn short(kind: &str) -> &str {
    match kind {
        "0x00" => "0x0",
        "0x01" => "0x1",
        "0x02" => "0x2",
        other => other,
    }
}

fn balance(user: &User, account: &str) -> U256 {
    let rows = user.json(&["balance", account]);
    text(&rows[0]["balance"]).parse().unwrap()
}

#[test]
fn coins_go_to_a_new_account_and_back() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let user = User::new(node.rpc().url());
    let dev0 = user.restore("ed25519", "0", "dev0");
    let eth0 = user.restore("secp256k1", "0", "eth0");
    let main = user.json(&["new", "--yes", "--name", "main"])["address"].clone();
    let main = text(&main);

    let said = user.run(&["send", "main", "1.5", "--from", "dev0", "--yes"]);
    for words in [
        &dev0,
        main,
        "1.5 cairn",
        "21000 gas at up to",
        "chain   31337, nonce 0",
    ] {
        assert!(
            said.stderr.contains(words),
            "\"{words}\" is not in {said:?}"
        );
    }
    let lines: Vec<_> = said.stdout.lines().collect();
    assert!(
        lines[0].starts_with("Sent: 0x") && lines[1].starts_with("Mined in block 1; the fee was ")
    );
    let table = user.run(&["balance"]).success();
    assert!(
        table
            .lines()
            .any(|line| line == format!("main  {main}  1.5 cairn")),
        "{table}"
    );

    for (from, kind, more) in [
        ("dev0", "0x45", &[][..]),
        ("eth0", "0x02", &[]),
        ("eth0", "0x01", &["--type", "0x01"]),
        ("eth0", "0x00", &["--type", "legacy"]),
    ] {
        let before = balance(&user, "main");
        let line = ["send", main, "20gwei", "--from", from, "--yes"];
        is_on_chain(node.rpc(), &user.json(&[&line[..], more].concat()), kind);
        assert_eq!(
            balance(&user, "main"),
            before + U256::from(20_000_000_000_u64)
        );
    }

    let back = user.json(&["send", &eth0, "0.5", "--from", "main", "--yes", "--no-wait"]);
    assert_eq!(
        (&back["status"], &back["blockNumber"]),
        (&json!("sent"), &Value::Null)
    );
    let receipt = node.rpc().mined(hash(&back["hash"]));
    let fee = wei(&receipt["effectiveGasPrice"]) * wei(&receipt["gasUsed"]);
    let left = U256::from(COIN) + U256::from(80_000_000_000_u64) - fee;
    assert_eq!(balance(&user, "main"), left);
    let earlier = user.json(&["balance", "main", "--block", "1"]);
    assert_eq!(
        earlier[0],
        json!({"name": "main", "address": main, "balance": "1500000000000000000"})
    );
    history(&user, &dev0, &eth0, receipt["transactionHash"].clone());
}

fn history(user: &User, dev0: &str, eth0: &str, last: Value) {
    let told = user.json(&["history", "main"]);
    assert_eq!(
        (&told["fromBlock"], &told["toBlock"], &told["minedBlocks"]),
        (&json!(0), &json!(6), &json!(0))
    );
    let payments = told["payments"].as_array().unwrap();
    let seen: Vec<_> = payments
        .iter()
        .map(|one| {
            (
                text(&one["direction"]),
                one["blockNumber"].as_u64().unwrap(),
                text(&one["value"]),
            )
        })
        .collect();
    let gwei = "20000000000";
    let expected = [
        ("out", 6, "500000000000000000"),
        ("in", 5, gwei),
        ("in", 4, gwei),
        ("in", 3, gwei),
        ("in", 2, gwei),
        ("in", 1, "1500000000000000000"),
    ];
    assert_eq!(seen, expected);
    assert_eq!(
        (&payments[0]["hash"], text(&payments[0]["to"])),
        (&last, eth0)
    );
    assert_eq!(
        (text(&payments[5]["from"]), text(&payments[5]["status"])),
        (dev0, "success")
    );

    let table = user.run(&["history", "main", "--blocks", "1"]);
    assert!(table.stderr.contains("1 payment of"), "{table:?}");
    let line = table.success();
    for words in ["block 6", " out ", "0.5 cairn", eth0, text(&last)] {
        assert!(line.contains(words), "\"{words}\" is not in {line}");
    }
    let older = user.json(&["history", "main", "--before", "3"]);
    assert_eq!(older["payments"].as_array().unwrap().len(), 2);
    assert_eq!(
        user.json(&["history", "dev0"])["minedBlocks"],
        6,
        "the default receiver of rewards"
    );
}

/// A payment that waits is hurried: the same nonce, higher fees.
#[test]
fn a_payment_that_waits_is_replaced_by_a_better_one() {
    let home = home();
    let node = Node::start(home.path(), &["run", "--chain", "dev"]);
    let user = User::new(node.rpc().url());
    user.restore("ed25519", "0", "dev0");
    let to = "0x00000000000000000000000000000000000000b2";
    let send = [
        "send",
        to,
        "7wei",
        "--yes",
        "--max-fee",
        "10gwei",
        "--priority-fee",
        "1gwei",
    ];
    let timed_out = user.run(&[&["--json"], &send[..], &["--timeout", "1"]].concat());
    timed_out.refused(1, "is not mined after 1 s");
    timed_out.refused(1, "this node does not mine: start it with --mine");
    timed_out.refused(1, "replace it with --nonce 0 and fees at least 10 % higher");
    let waiting: Value = serde_json::from_str(&timed_out.stdout).unwrap();
    assert_eq!(waiting["status"], "pending");

    let same = [
        &["--json"],
        &send[..2],
        &["8wei"],
        &send[3..],
        &["--nonce", "0"],
    ]
    .concat();
    let refused = user.run(&same);
    refused.refused(1, "replacement transaction underpriced");
    refused.refused(1, "raise both fees by 10 % or more");
    let better = [
        "send",
        to,
        "9wei",
        "--yes",
        "--no-wait",
        "--nonce",
        "0",
        "--max-fee",
        "11gwei",
        "--priority-fee",
        "1.1gwei",
    ];
    let better = user.json(&better);
    assert_eq!(better["status"], "sent");
    let next = user.json(&["send", to, "1wei", "--yes", "--no-wait"]);
    assert_eq!(next["nonce"], 1, "after what waits");
    node.stop();

    let node = Node::start(home.path(), &["dev"]);
    node.rpc().mined(hash(&better["hash"]));
    node.rpc().mined(hash(&next["hash"]));
    assert_eq!(
        node.rpc().balance(to.parse().unwrap(), "latest"),
        U256::from(10)
    );
    assert!(node.rpc().receipt(hash(&waiting["hash"])).is_null());
}
