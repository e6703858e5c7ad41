//! Contracts by the wallet: created from code and from a compiler's file, asked, used, and what a
//! user hears when they refuse.

use alloy_primitives::{Address, U256, hex, keccak256};
use serde_json::{Value, json};

use crate::harness::{Node, User, hash, home, number, text};

/// Creation code of `Probe`: each function of it goes well or wrong in its own way.
const PROBE: &str = include_str!("contracts/Probe.hex");

/// Creation code of a plain ERC-20 token that anybody may mint.
const TOKEN: &str = include_str!("../../../vm/benches/contracts/erc20-transfer-loop.hex");

const SHOP: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

/// Arguments of `contract`, with the wallet's answer in JSON.
#[track_caller]
fn contract(user: &User, arguments: &[&str]) -> Value {
    user.json(&[&["contract"], arguments].concat())
}

/// What the single output of a call is.
#[track_caller]
fn ask(user: &User, contract: &str, signature: &str, arguments: &[&str]) -> String {
    let call = ["contract", "call", contract, signature];
    user.run(&[&call, arguments].concat()).success()
}

/// Creates a token, and gives its address.
#[track_caller]
fn deploy_token(user: &User, options: &[&str]) -> String {
    let made = contract(
        user,
        &[&["deploy", TOKEN.trim(), "--yes"], options].concat(),
    );
    text(&made["contractAddress"]).to_owned()
}

#[test]
fn every_type_of_transaction_creates_a_contract() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let user = User::new(node.rpc().url());
    user.restore("ed25519", "0", "dev0");
    user.restore("secp256k1", "0", "eth0");
    for (options, kind) in [
        (&["--from", "dev0"][..], "0x45"),
        (&["--from", "eth0"], "0x02"),
        (&["--from", "eth0", "--type", "0x01"], "0x01"),
        (&["--from", "eth0", "--type", "legacy"], "0x00"),
    ] {
        let line = [&["deploy", TOKEN.trim(), "--yes"], options].concat();
        let made = contract(&user, &line);
        let receipt = node.rpc().receipt(hash(&made["hash"]));
        assert_eq!(
            (&made["type"], &made["status"], &made["to"]),
            (&json!(kind), &json!("success"), &Value::Null)
        );
        assert_eq!(made["gasUsed"], number(&receipt["gasUsed"]));
        let address = text(&made["contractAddress"]);
        assert_eq!(
            address.to_lowercase(),
            text(&receipt["contractAddress"]),
            "the address is known beforehand"
        );
        let symbol = ask(&user, address, "symbol() returns (string)", &[]);
        assert_eq!(symbol, "ANC");
    }
}

#[test]
fn a_token_moves_between_both_kinds_of_accounts() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let user = User::new(node.rpc().url());
    let dev0 = user.restore("ed25519", "0", "dev0");
    let eth0 = user.restore("secp256k1", "0", "eth0");
    let token = deploy_token(&user, &["--from", "dev0"]);
    let balance = |who: &str, block: &str| {
        let signature = "balanceOf(address) returns (uint256)";
        ask(&user, &token, signature, &[who, "--block", block])
    };
    let send = |signature: &str, more: &[&str]| {
        let line = ["send", &token, signature];
        contract(&user, &[&line, more, &["--yes"]].concat())
    };

    let mint = "mint(address,uint256)";
    send(mint, &["dev0", "1000cairn", "--from", "dev0"]);
    let transfer = "transfer(address to, uint256 value)";
    let sent = send(transfer, &["eth0", "1.5cairn", "--from", "dev0"]);
    let topics = sent["logs"][0]["topics"].as_array().unwrap();
    let account = |topic: &Value| Address::from_word(hash(topic)).to_string();
    assert_eq!(
        hash(&topics[0]),
        keccak256("Transfer(address,address,uint256)")
    );
    assert_eq!((account(&topics[1]), account(&topics[2])), (dev0, eth0));
    let value = U256::from_be_bytes(hash(&sent["logs"][0]["data"]).0);
    assert_eq!(value.to_string(), "1500000000000000000");
    assert_eq!(balance("eth0", "latest"), "1500000000000000000");
    assert_eq!(balance("eth0", "2"), "0", "as it was before");

    // People see the call before, and the log afterwards.
    let line = [
        "contract", "send", &token, transfer, SHOP, "1_000", "--from", "eth0", "--yes",
    ];
    let said = user.run(&line);
    for words in [
        format!("to      {token}\ncall    transfer\n          address to     {SHOP}\n"),
        "          uint256 value  1000\namount  0 cairn\n".to_owned(),
    ] {
        assert!(said.stderr.contains(&words), "\"{words}\": {said:?}");
    }
    let told = said.success();
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("Sent: 0x") && lines[1].starts_with("Mined in block 4; it used "));
    assert_eq!(lines[2], format!("Log 1 of {token}"));
    assert_eq!(lines.len(), 7, "three topics and the data: {told}");
    assert_eq!(balance(SHOP, "latest"), "1000");
}

#[test]
fn a_compiler_s_file_knows_the_constructor() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let user = User::new(node.rpc().url());
    user.restore("ed25519", "0", "dev0");
    let abi = json!([{"type": "constructor", "stateMutability": "payable",
                      "inputs": [{"name": "start", "type": "uint256"}]}]);
    let artifact = json!({"abi": abi, "bytecode": {"object": format!("0x{}", PROBE.trim())}});
    let file = user.home().join("Probe.json");
    std::fs::write(&file, artifact.to_string()).unwrap();
    let file = format!("@{}", file.display());
    let deploy = ["contract", "deploy", &file, "--yes"];

    let made = user.json(&[&deploy[..], &["0x2a", "--value", "7wei"]].concat());
    let probe = text(&made["contractAddress"]);
    assert_eq!(ask(&user, probe, "count() returns (uint256)", &[]), "42");
    let balances = user.json(&["balance", probe]);
    assert_eq!(balances[0]["balance"], "7");
    assert_eq!(made["logs"].as_array().unwrap().len(), 1);

    let high = user.run(&[&deploy[..], &["1000"]].concat());
    high.refused(
        1,
        "the creation would fail: it reverts: start too large; nothing was sent",
    );
    let none = user.run(&deploy);
    none.refused(
        2,
        "constructor(uint256) takes 1 argument, but none was given",
    );
    let code = ["contract", "deploy", PROBE.trim(), "9", "--yes"];
    let typed = ["--constructor", "constructor(uint256)"];
    user.run(&code).refused(2, "add for example --constructor");
    let made = user.json(&[&code[..], &typed].concat());
    let probe = text(&made["contractAddress"]);
    assert_eq!(ask(&user, probe, "count() returns (uint256)", &[]), "9");
}

#[test]
fn a_contract_that_refuses_is_heard() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let user = User::new(node.rpc().url());
    user.restore("secp256k1", "0", "eth0");
    let code = ["deploy", PROBE.trim(), "5", "--yes"];
    let typed = ["--constructor", "constructor(uint256)"];
    let made = contract(&user, &[&code[..], &typed].concat());
    let probe = text(&made["contractAddress"]);
    let custom = format!(
        "with custom error {} and data 0x{:064x}{:064x}",
        hex::encode_prefixed(&keccak256("TooSmall(uint256,uint256)")[..4]),
        2,
        3
    );
    let signature = "fail(uint256) returns (uint256)";
    for (how, words) in [
        ("1", "reverts: no reason to go on"),
        ("2", &format!("reverts {custom}")),
        (
            "3",
            "reverts with panic 0x11 (a number overflows or underflows)",
        ),
        ("9", "reverts without a reason"),
    ] {
        let asked = user.run(&["contract", "call", probe, signature, how]);
        assert_eq!(asked.stderr, format!("cairn-wallet: the call {words}"));
        asked.refused(1, words);
        let send = ["contract", "send", probe, signature, how, "--yes"];
        let would = format!("the call would fail: it {words}; nothing was sent");
        user.run(&send).refused(1, &would);
        let data = keccak256("fail(uint256)")[..4].to_vec();
        let data = format!("{}{how:0>64}", hex::encode_prefixed(data));
        let plain = user.run(&["send", probe, "0", "--data", &data, "--yes"]);
        plain.refused(1, &would);
    }
    assert_eq!(node.rpc().height(), 1, "nothing was sent");

    // Whoever sets the gas gets what they asked for, and hears why it was of no use.
    let gas = ["--yes", "--gas", "100000"];
    let send = ["contract", "send", probe, signature];
    let failed = user.run(&[&send[..], &["1"], &gas].concat());
    failed.refused(
        1,
        "was mined in block 2 but failed: no coins moved except the fee",
    );
    failed.refused(1, "the contract reverts: no reason to go on");
    let failed = user.run(&[&send[..], &["4"], &gas].concat());
    failed.refused(1, "it used up its gas");

    let nobody = user.run(&["contract", "call", SHOP, "count()"]);
    nobody.refused(1, &format!("there is no contract at {SHOP}"));
    let nobody = user.run(&["contract", "send", SHOP, "count()", "--yes"]);
    nobody.refused(1, &format!("there is no contract at {SHOP}"));
    let wrong = user.run(&["contract", "call", probe, "count() returns (bool)"]);
    wrong.refused(1, "the answer of 32 bytes is not of the type (bool)");
    assert_eq!(node.rpc().height(), 3);
}
