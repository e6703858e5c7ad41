//! What goes wrong with a payment: nothing is sent, and the sentence says what to do.

use serde_json::json;

use crate::harness::{Node, Rpc, User, hash, home};

const SHOP: &str = "0x00000000000000000000000000000000000000b2";

/// No transaction has reached the node.
#[track_caller]
fn nothing_came(rpc: &Rpc) {
    assert_eq!(rpc.height(), 0);
    assert_eq!(
        rpc.call("txpool_status", json!([])),
        json!({"pending": "0x0", "queued": "0x0"})
    );
}

#[test]
fn nothing_is_sent_that_should_not_be() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let user = User::new(node.rpc().url());
    user.run(&["send", SHOP, "1", "--yes"])
        .refused(1, "make one with `cairn-wallet new`");
    let dev0 = user.restore("ed25519", "0", "dev0");
    let refuses = |line: &[&str], code: i32, words: &[&str]| {
        let refused = user.run(&[&["--json", "send"], line].concat());
        words.iter().for_each(|words| refused.refused(code, words));
        assert_eq!(refused.stdout, "", "{refused:?}");
        nothing_came(node.rpc());
    };
    refuses(
        &[SHOP, "1", "--yes", "--chain-id", "1"],
        1,
        &[
            "the node is on chain 31337, not on 1; nothing was sent",
            "check --rpc and --chain-id",
        ],
    );
    refuses(
        &[SHOP, "10000", "--yes"],
        1,
        &[
            &format!("{dev0} has 10000 cairn, but 10000 cairn and a fee of up to"),
            "send less",
        ],
    );
    refuses(&[SHOP, "1"], 1, &["add --yes"]);
    refuses(
        &[SHOP, "1", "--yes", "--from", "nobody"],
        1,
        &["there is no account nobody", "cairn-wallet list"],
    );
    refuses(
        &["nobody", "1", "--yes"],
        1,
        &["there is no account nobody"],
    );
    refuses(
        &[
            SHOP,
            "1",
            "--yes",
            "--max-fee",
            "1gwei",
            "--priority-fee",
            "2gwei",
        ],
        2,
        &["raise --max-fee"],
    );
    refuses(
        &[SHOP, "1", "--yes", "--gas-price", "1gwei"],
        2,
        &["use --max-fee and --priority-fee"],
    );
    refuses(&[SHOP, "1", "--yes", "--type", "0x02"], 2, &["secp256k1"]);
    refuses(
        &[
            "0xcA11bde05977b3631167028862bE2a173976CA11",
            "1",
            "--yes",
            "--data",
            "0x42cbb15c",
        ],
        1,
        &[
            "the call would fail: it reverts without a reason",
            "nothing was sent",
        ],
    );

    let wrong = user.run_with(&["--json", "send", SHOP, "1", "--yes"], "", "guess");
    wrong.refused(
        1,
        "the passphrase is wrong (or the file is damaged); try again",
    );
    assert!(!wrong.stderr.contains("guess"));
    nothing_came(node.rpc());
}

#[test]
fn wrong_words_on_the_command_line_end_with_2() {
    let user = User::new("http://127.0.0.1:1");
    for (line, words) in [
        // One letter in the wrong case.
        (
            &["send", "0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "1"][..],
            "checksum",
        ),
        (
            &["balance", "0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266"],
            "checksum",
        ),
        (&["send", "0x1234", "1"], "is not an address"),
        (&["send", SHOP, "1ether"], "is not a unit"),
        (&["send", SHOP, "0.1234567890123456789"], "18"),
        (&["send", SHOP, "1", "--max-fee", "20"], "needs a unit"),
        (&["send", SHOP], "<AMOUNT>"),
        (&["pay", SHOP, "1"], "unrecognized subcommand 'pay'"),
        (&["restore", "test", "junk"], "unexpected argument"),
    ] {
        user.run(line).misused(words);
    }
    user.run(&["--rpc", "ftp://node", "balance", SHOP])
        .refused(2, "write for example http://127.0.0.1:8545");
}

#[test]
fn a_node_that_is_down_or_goes_away() {
    let home = home();
    let node = Node::start(home.path(), &["run", "--chain", "dev"]);
    let url = node.rpc().url().to_owned();
    let user = User::new(&url);
    user.restore("ed25519", "0", "dev0");
    let sent = user.json(&["send", SHOP, "1", "--yes", "--no-wait"]);
    node.kill();
    let words = format!(
        "no node answers at {url} (connection refused); start one with `cairn run` or set --rpc"
    );
    for line in [
        &["balance"][..],
        &["history"],
        &["send", SHOP, "1", "--yes"],
    ] {
        user.run(line).refused(1, &words);
    }

    // What it had taken is not lost, and the wallet goes on where it was.
    let node = Node::start(home.path(), &["dev"]);
    let user = user.at(node.rpc().url());
    node.rpc().mined(hash(&sent["hash"]));
    let next = user.json(&["send", SHOP, "1", "--yes"]);
    assert_eq!(
        (&next["nonce"], &next["status"]),
        (&json!(1), &json!("success"))
    );
}
