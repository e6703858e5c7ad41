//! Questions and payments, against a scripted node.

use serde_json::{Value, json};

use crate::{
    Output, User,
    node::{Node, TO, payer},
    test_server::{Reply, TestServer},
};

fn send(user: &User, node: &Node, options: &[&str]) -> Output {
    let server = node.start();
    user.run(
        &[
            &["--rpc", &server.url(), "--json", "send", TO, "1.5", "--yes"],
            options,
        ]
        .concat(),
    )
}

#[test]
fn every_type_of_payment_is_sent_and_mined() {
    for (scheme, options, number) in [
        ("ed25519", &[][..], 0x45),
        ("secp256k1", &[], 0x02),
        ("secp256k1", &["--type", "0x01"], 0x01),
        ("secp256k1", &["--type", "legacy"], 0x00),
    ] {
        let ((user, address), node) = (payer(scheme), Node::new());
        let result = send(&user, &node, options).json();
        let sent = node.sent();
        let [transaction] = sent.as_slice() else {
            panic!("{sent:?}")
        };
        assert_eq!(transaction.sender().to_string(), address);
        assert_eq!(
            (
                transaction.tx_type(),
                transaction.nonce(),
                transaction.gas_limit()
            ),
            (number, 7, 21_000)
        );
        assert_eq!(transaction.value().to_string(), "1500000000000000000");
        // Base fee 2 gwei, tip 1 gwei: room for twice the base fee, or a quarter more where all of it is paid.
        let price = if transaction.is_dynamic_fee() {
            5_000_000_000
        } else {
            3_500_000_000
        };
        assert_eq!(transaction.max_fee(), price);
        assert_eq!(
            (&result["status"], &result["blockNumber"]),
            (&json!("success"), &json!(2))
        );
        assert_eq!(result["hash"], json!(transaction.hash()));
        assert_eq!(result["fee"], "21000000000000");
    }
}

#[test]
fn options_decide() {
    let ((user, _), node) = (payer("ed25519"), Node::new());
    let options = [
        "--nonce",
        "9",
        "--gas",
        "50000",
        "--max-fee",
        "3gwei",
        "--priority-fee",
        "1gwei",
        "--data",
        "0xabcd",
        "--chain-id",
        "31337",
        "--no-wait",
        "--from",
        "dev",
    ];
    assert_eq!(send(&user, &node, &options).json()["status"], "sent");
    let sent = node.sent();
    let transaction = &sent[0];
    assert_eq!((transaction.nonce(), transaction.gas_limit()), (9, 50_000));
    assert_eq!(
        (transaction.max_fee(), transaction.max_priority_fee()),
        (3_000_000_000, 1_000_000_000)
    );
    assert_eq!(transaction.input()[..], [0xab, 0xcd]);
}

#[test]
fn people_see_what_happens() {
    let ((user, address), node) = (payer("ed25519"), Node::new());
    let server = node.start();
    let shown = user.run(&["--rpc", &server.url(), "send", TO, "1.5", "--yes"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    for words in [
        address.as_str(),
        TO,
        "1.5 cairn",
        "0.000105 cairn",
        "1.500105 cairn",
        "21000 gas at up to 5 gwei",
    ] {
        assert!(shown.stderr.contains(words), "{words}: {}", shown.stderr);
    }
    assert!(shown.stdout.contains("Sent: 0x") && shown.stdout.contains("Mined in block 2"));
    // A gap in the nonces is named before anybody waits for it.
    let gap = ["send", TO, "1", "--yes", "--nonce", "9", "--no-wait"];
    let gap = user.run(&[&["--rpc", &server.url()], &gap[..]].concat());
    assert!(gap.stderr.contains("the next nonce is 7"), "{}", gap.stderr);
    // Without --yes somebody has to agree.
    user.run(&["--rpc", &server.url(), "send", TO, "1.5"])
        .fails(1, "add --yes");
    assert_eq!(node.sent().len(), 2);
}

#[test]
fn nothing_is_sent_that_should_not_be() {
    let (user, _) = payer("ed25519");
    let fails = |node: &Node, options: &[&str], code, words: &str| {
        send(&user, node, options).fails(code, words);
        assert!(node.sent().is_empty());
    };
    let node = Node::new();
    fails(
        &node,
        &["--chain-id", "1"],
        1,
        "the node is on chain 31337, not on 1",
    );
    fails(&node, &["--nonce", "4"], 1, "the next is 5");
    fails(&node, &["--type", "legacy"], 2, "needs a key of secp256k1");
    fails(
        &node,
        &["--gas-price", "1gwei"],
        2,
        "use --max-fee and --priority-fee",
    );
    fails(
        &node,
        &["--max-fee", "1gwei", "--priority-fee", "2gwei"],
        2,
        "above the highest fee",
    );
    let poor = Node {
        balance: "0xde0b6b3a7640000",
        ..Node::new()
    };
    fails(
        &poor,
        &[],
        1,
        "has 1 cairn, but 1.5 cairn and a fee of up to",
    );
    let greedy = Node {
        tip: "0x38d7ea4c68000",
        ..Node::new()
    };
    fails(&greedy, &[], 1, "if it is right, set --gas and --max-fee");
    let reverting = |refusal: Value| Node {
        revert: Some(refusal),
        ..Node::new()
    };
    for (refusal, words) in [
        (
            json!({"code": 3, "message": "execution reverted"}),
            "the call would fail: execution reverted; nothing was sent",
        ),
        (
            json!({"code": 3, "message": "execution reverted", "data": "0x"}),
            "the call would fail: it reverts without a reason; nothing was sent, check the amount and --data",
        ),
        (
            json!({"code": 3, "message": "execution reverted", "data": "0xe450d38c01"}),
            "the call would fail: it reverts with custom error 0xe450d38c and data 0x01;",
        ),
        (
            json!({"code": -32000, "message": "out of gas"}),
            "the call would fail: out of gas;",
        ),
    ] {
        fails(&reverting(refusal), &["--data", "0x12345678"], 1, words);
    }
}

#[test]
fn refusals_come_with_advice() {
    let (user, _) = payer("ed25519");
    for (refusal, advice) in [
        (
            "replacement transaction underpriced",
            "raise both fees by 10 % or more",
        ),
        (
            "transaction underpriced: below the base fee",
            "raise the fee",
        ),
        ("nonce too low", "leave --nonce out"),
        (
            "insufficient funds for gas * price + value",
            "transactions that wait count too",
        ),
        ("too many transactions", "nothing was sent"),
    ] {
        let node = Node {
            refusal: Some(refusal),
            ..Node::new()
        };
        let refused = send(&user, &node, &[]);
        refused.fails(1, refusal);
        refused.fails(1, advice);
    }
    // An earlier attempt of the same payment is as good as this one.
    let known = Node {
        refusal: Some("already known"),
        ..Node::new()
    };
    assert_eq!(send(&user, &known, &[]).json()["status"], "success");
}

#[test]
fn scripts_learn_the_hash_even_if_it_ends_badly() {
    let (user, _) = payer("ed25519");
    let nobody = "nothing is wrong with it; but this node does not mine: start it with --mine";
    for (status, why, told, words) in [
        (Some("0x0"), None, "failed", "so give it more with --gas"),
        (None, None, "pending", "is not mined after 1 s; it may"),
        (None, Some(nobody), "pending", nobody),
    ] {
        let node = Node {
            status,
            why,
            ..Node::new()
        };
        let ended = send(&user, &node, &["--timeout", "1"]);
        ended.fails(1, words);
        let json: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(json["status"], told);
        let reason = json["reason"].as_str();
        assert_eq!(reason.is_some(), status.is_some() || why.is_some());
        assert!(reason.is_none_or(|reason| ended.stderr.contains(reason)));
        assert_eq!(json["hash"], json!(node.sent()[0].hash()));
    }
}

#[test]
fn a_node_that_is_not_there_or_makes_no_sense() {
    let (user, _) = payer("ed25519");
    let nobody = ["--rpc", "http://127.0.0.1:1"];
    for verb in [&["balance"][..], &["history"], &["send", TO, "1", "--yes"]] {
        user.run(&[&nobody, verb].concat())
            .fails(1, "no node answers at http://127.0.0.1:1");
    }
    let says = |reply: Reply, words: &str| {
        let server = TestServer::start(move |_| reply.clone());
        user.run(&["--rpc", &server.url(), "balance"])
            .fails(1, words);
    };
    says(Reply::Raw(404, "not here".to_owned()), "HTTP status 404");
    says(
        Reply::Raw(200, "<html>".to_owned()),
        "does not speak JSON-RPC",
    );
    says(Reply::Result(json!(5)), "makes no sense");
    says(
        Reply::Error(-32000, "state is pruned".to_owned()),
        "state is pruned (code -32000)",
    );
}

#[test]
fn balances_of_accounts_and_addresses() {
    let (user, address) = payer("ed25519");
    let server = Node::new().start();
    let ask = |arguments: &[&str]| user.run(&[&["--rpc", &server.url()], arguments].concat());
    let own = ask(&["balance"]);
    assert_eq!(own.stdout.trim(), format!("dev  {address}  100 cairn"));
    let both = ask(&["--json", "balance", "dev", TO, "--block", "1"]).json();
    assert_eq!(
        both[0],
        json!({"name": "dev", "address": address, "balance": "100000000000000000000"})
    );
    assert_eq!(both[1]["address"], TO);
    ask(&["balance", "nobody"]).fails(1, "there is no account nobody");
}

#[test]
fn history_goes_back_through_the_blocks() {
    let (user, address) = payer("ed25519");
    let hash = format!("0x{}", "cd".repeat(32));
    let (from, payment) = (address.clone(), hash.clone());
    let server = TestServer::start(move |request| match request["method"].as_str().unwrap() {
        "eth_getBlockByNumber" => {
            let payments = if request["params"][0] == "0x1" {
                json!([{"hash": payment, "from": TO, "to": from, "value": "0xde0b6b3a7640000"}])
            } else {
                json!([])
            };
            Reply::Result(
                json!({"number": request["params"][0], "timestamp": "0x65e07af0", "miner": from,
                                 "transactions": payments}),
            )
        }
        _ => Node::new().answer(request),
    });
    let ask = |arguments: &[&str]| user.run(&[&["--rpc", &server.url()], arguments].concat());
    let table = ask(&["history"]);
    let line = table.stdout.trim();
    for words in [
        "2024-02-29 12:39:12",
        "block 1",
        " in ",
        "1 cairn",
        TO,
        &hash,
    ] {
        assert!(line.contains(words), "{words}: {line}");
    }
    assert!(
        table.stderr.contains("1 payment of") && table.stderr.contains("mined 2 of them"),
        "{}",
        table.stderr
    );
    let json = ask(&["--json", "history", "dev", "--blocks", "1"]).json();
    assert_eq!(
        (&json["fromBlock"], &json["toBlock"], &json["payments"]),
        (&json!(2), &json!(2), &json!([]))
    );
    let earlier = ask(&["--json", "history", "--before", "2"]).json();
    assert_eq!(
        (&earlier["toBlock"], &earlier["payments"][0]["direction"]),
        (&json!(1), &json!("in"))
    );
}
