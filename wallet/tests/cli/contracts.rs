//! `contract deploy`, `call` and `send`, against a scripted node.

use alloy_primitives::{Address, TxKind, hex, keccak256};
use serde_json::{Value, json};

use crate::{
    Output, User,
    node::{Node, TO, payer},
};

/// Creation code that nobody runs here.
const CODE: &str = "0x6001600c60003960016000f300";

/// Somebody's contract.
const TOKEN: &str = "0x5FbDB2315678afecb367f032d93F642f64180aa3";

fn contract(user: &User, node: &Node, arguments: &[&str]) -> Output {
    let server = node.start();
    let rpc = server.url();
    user.run(&[&["--rpc", &rpc, "contract"], arguments].concat())
}

fn contract_json(user: &User, node: &Node, arguments: &[&str]) -> Value {
    contract(user, node, &[arguments, &["--json"]].concat()).json()
}

/// 32 bytes that end in these digits.
fn word(digits: &str) -> String {
    format!("{digits:0>64}")
}

fn logs() -> Value {
    json!([{"address": TOKEN.to_lowercase(), "topics": [format!("0x{}", word("a"))], "data": "0x0b0c"}])
}

#[test]
fn every_type_of_transaction_creates_a_contract() {
    for (scheme, options, number) in [
        ("ed25519", &[][..], 0x45),
        ("secp256k1", &[], 0x02),
        ("secp256k1", &["--type", "0x01"], 0x01),
        ("secp256k1", &["--type", "legacy"], 0x00),
    ] {
        let ((user, address), node) = (payer(scheme), Node::new());
        let line = ["deploy", CODE, "--value", "1.5", "--yes"];
        let result = contract_json(&user, &node, &[&line, options].concat());
        let sent = node.sent();
        let creation = &sent[0];
        assert_eq!(creation.tx_type(), number);
        assert_eq!((creation.to(), creation.nonce()), (TxKind::Create, 7));
        assert_eq!(hex::encode_prefixed(creation.input()), CODE);
        assert_eq!(creation.value().to_string(), "1500000000000000000");
        // The node's estimate and a fifth.
        assert_eq!(creation.gas_limit(), 120_000);
        let expected = address.parse::<Address>().unwrap().create(7);
        assert_eq!(result["contractAddress"], expected.to_string());
        assert_eq!(
            (&result["to"], &result["status"]),
            (&Value::Null, &json!("success"))
        );
    }
}

#[test]
fn people_see_what_they_create() {
    let ((user, address), node) = (payer("ed25519"), Node::new());
    let line = [
        "deploy",
        CODE,
        "--constructor",
        "constructor(address owner, uint256[] shares, int8)",
        "dev",
        "[1_000,1.5cairn]",
        "-7",
        "--yes",
    ];
    let shown = contract(&user, &node, &line);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let expected = address.parse::<Address>().unwrap().create(7);
    for words in [
        format!("creates contract {expected}"),
        "code    13 bytes and 192 of arguments".to_owned(),
        format!("          address owner     {address}"),
        "          uint256[] shares  [1000, 1500000000000000000]".to_owned(),
        "          int8              -7".to_owned(),
        "amount  0 cairn".to_owned(),
        "120000 gas at up to 5 gwei".to_owned(),
    ] {
        assert!(shown.stderr.contains(&words), "{words}: {}", shown.stderr);
    }
    let lines: Vec<&str> = shown.stdout.lines().collect();
    assert!(lines[0].starts_with("Sent: 0x"));
    assert_eq!(
        lines[1],
        format!("Contract {expected} is created, with 2 bytes of code.")
    );
    assert_eq!(
        lines[2],
        "Mined in block 2; it used 21000 gas, the fee was 0.000021 cairn."
    );
    let arguments = [
        word(&address[2..].to_lowercase()),
        word("60"),
        format!("{:f>64}", "f9"),
        word("2"),
        word("3e8"),
        word("14d1120d7b160000"),
    ];
    assert_eq!(
        hex::encode_prefixed(node.sent()[0].input()),
        format!("{CODE}{}", arguments.concat())
    );
    // Without waiting, the address is told all the same.
    let early = contract(&user, &node, &["deploy", CODE, "--yes", "--no-wait"]);
    assert!(
        early
            .stdout
            .contains(&format!("The contract will be {expected}.")),
        "{}",
        early.stdout
    );
    contract(&user, &node, &["deploy", CODE]).fails(1, "add --yes");
    assert_eq!(node.sent().len(), 2);
}

#[test]
fn a_compiler_s_file_says_what_the_constructor_takes() {
    let ((user, _), node) = (payer("secp256k1"), Node::new());
    let abi = json!([{"type": "constructor", "stateMutability": "nonpayable", "inputs": [
        {"name": "name", "type": "string"}, {"name": "supply", "type": "uint64"}]}]);
    let artifact = json!({"abi": abi, "bytecode": {"object": CODE, "linkReferences": {}}});
    let file = user.file("Token.json", &artifact.to_string());
    let file = format!("@{}", file.display());
    let deploy =
        |more: &[&str]| contract(&user, &node, &[&["deploy", &file, "--yes"], more].concat());
    let shown = deploy(&["A Token", "1_000"]);
    assert!(
        shown.stderr.contains("string name    \"A Token\""),
        "{}",
        shown.stderr
    );
    let input = node.sent()[0].input().clone();
    let expected = [
        word("40"),
        word("3e8"),
        word("7"),
        format!("{:0<64}", hex::encode("A Token")),
    ];
    assert_eq!(
        hex::encode_prefixed(&input),
        format!("{CODE}{}", expected.concat())
    );

    deploy(&["A Token"]).fails(
        2,
        "constructor(string,uint64) takes 2 arguments, but 1 was given",
    );
    deploy(&["A", "1gweii"]).fails(2, "argument 2 (uint64 supply): \"gweii\" is not a unit");
    deploy(&["A", "20cairn"]).fails(2, "20cairn does not fit in uint64");
    deploy(&["A", "1", "--value", "1wei"]).fails(2, "takes no coins");
    let unknown = contract(&user, &node, &["deploy", CODE, "1", "--yes"]);
    unknown.fails(2, "add for example --constructor");
    let no_file = contract(&user, &node, &["deploy", "@nowhere.json", "--yes"]);
    no_file.fails(1, "cannot read nowhere.json");
    no_file.fails(1, "check the path, and whether the compiler has run");
    let no_code = contract(&user, &node, &["deploy", "Token.json", "--yes"]);
    no_code.fails(2, "a file is named with @ before its path");
    assert_eq!(node.sent().len(), 1);
}

#[test]
fn a_creation_that_goes_wrong() {
    let (user, _) = payer("ed25519");
    let deploy = |node: &Node, more: &[&str]| {
        contract(&user, node, &[&["deploy", CODE, "--yes"], more].concat())
    };
    let reverting = Node {
        revert: Some(json!({"code": 3, "message": "execution reverted", "data": "0x01020304"})),
        ..Node::new()
    };
    deploy(&reverting, &[]).fails(
        1,
        "the creation would fail: it reverts with custom error 0x01020304; nothing was sent",
    );
    // Bare code does not say what its constructor takes.
    deploy(&reverting, &[]).fails(1, "--constructor \"constructor(address,uint256)\"");
    let named = deploy(&reverting, &["--constructor", "constructor()"]);
    named.fails(1, "check the arguments and --value");
    let failed = Node {
        status: Some("0x0"),
        ..reverting.clone()
    };
    deploy(&failed, &["--gas", "200000"]).fails(1, "no coins moved except the fee of 0.000021 cairn; the contract reverts with custom error 0x01020304");
    // It was tried again on the state before the transaction's block.
    let asked = failed.asked().pop().unwrap();
    assert_eq!(
        (&asked[1], &asked[0]["gas"]),
        (&json!("0x1"), &json!("0x30d40"))
    );
    let silent = Node {
        status: Some("0x0"),
        ..Node::new()
    };
    deploy(&silent, &[]).fails(1, "the creation code refused");
    let lying = Node {
        created: Some(TOKEN),
        ..Node::new()
    };
    deploy(&lying, &[]).fails(
        1,
        &format!("the node says that the contract is at {TOKEN}, but"),
    );
    let empty = Node {
        code: "0x",
        ..Node::new()
    };
    let warned = deploy(&empty, &[]);
    assert!(
        warned.stderr.contains("Warning: the contract has no code"),
        "{}",
        warned.stderr
    );
}

#[test]
fn answers_are_decoded() {
    let (user, address) = payer("ed25519");
    let call = |output: &str, arguments: &[&str]| {
        let node = Node {
            output: output.to_owned(),
            ..Node::new()
        };
        let answer = contract(&user, &node, &[&["call", TOKEN], arguments].concat());
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        (answer.stdout, node.asked().remove(0))
    };
    let balance = format!("0x{}", word("de0b6b3a7640000"));
    let (shown, asked) = call(
        &balance,
        &[
            "balanceOf(address) returns (uint256)",
            "dev",
            "--from",
            "dev",
            "--block",
            "17",
        ],
    );
    assert_eq!(shown, "1000000000000000000\n");
    assert_eq!(
        asked[0]["data"],
        format!("0x70a08231{}", word(&address[2..].to_lowercase()))
    );
    assert_eq!(asked[0]["from"], address.to_lowercase());
    assert_eq!(
        (&asked[0]["to"], &asked[1]),
        (&json!(TOKEN.to_lowercase()), &json!("0x11"))
    );

    let name = format!(
        "0x{}{}{:0<64}",
        word("20"),
        word("8"),
        hex::encode("USD Coin")
    );
    assert_eq!(call(&name, &["name() returns (string)"]).0, "USD Coin\n");
    assert_eq!(call(&name, &["name()"]).0, format!("{name}\n"));
    let several = format!("0x{}{}{}{}", word("1"), word("40"), word("1"), word("1"));
    let (shown, _) = call(&several, &["f() returns (bool done, int8[] them)"]);
    assert_eq!(shown, "done  true\nthem  [1]\n");
    let (shown, _) = call(&several, &["f() returns (bool,int8[])"]);
    assert_eq!(shown, "true\n[1]\n");
    let (shown, _) = call(&several, &["--json", "f() returns (uint8 n, int8[])"]);
    assert_eq!(
        serde_json::from_str::<Value>(&shown).unwrap(),
        json!({"address": TOKEN, "signature": "f()", "data": several, "outputs": [
            {"name": "n", "type": "uint8", "value": "1"},
            {"name": "", "type": "int8[]", "value": ["1"]}]})
    );
}

#[test]
fn a_call_that_goes_wrong_ends_in_one_sentence() {
    let (user, _) = payer("ed25519");
    let call = |node: Node, arguments: &[&str]| {
        let answer = contract(&user, &node, &[&["call", TOKEN], arguments].concat());
        assert_eq!(
            (answer.stdout.as_str(), answer.stderr.lines().count()),
            ("", 1),
            "{}",
            answer.stderr
        );
        answer
    };
    let reverts = |data: String| Node {
        revert: Some(json!({"code": 3, "message": "execution reverted", "data": data})),
        ..Node::new()
    };
    let text = format!(
        "0x08c379a0{}{}{:0<64}",
        word("20"),
        word("d"),
        hex::encode("not the owner")
    );
    call(reverts(text), &["f()"]).fails(1, "cairn-wallet: the call reverts: not the owner\n");
    let panic = format!("0x4e487b71{}", word("12"));
    call(reverts(panic), &["f()"]).fails(1, "reverts with panic 0x12 (division by zero)");
    call(reverts("0xe450d38c00".to_owned()), &["f()"])
        .fails(1, "custom error 0xe450d38c and data 0x00");
    let pruned = Node {
        revert: Some(json!({"code": 4444, "message": "state was pruned"})),
        ..Node::new()
    };
    call(pruned, &["f()"]).fails(1, "the node refuses eth_call: state was pruned (code 4444)");
    let nobody = Node {
        code: "0x",
        ..Node::new()
    };
    call(nobody, &["f()"]).fails(1, &format!("there is no contract at {TOKEN}"));
    call(Node::new(), &["f() returns (bool)"])
        .fails(1, "the answer of 0 bytes is not of the type (bool)");
    call(Node::new(), &["f(uint7)"]).fails(2, "\"uint7\" is not a type");
    call(Node::new(), &["transfer"]).fails(2, "\"transfer\" is not the signature of a function");
    call(Node::new(), &["f(address)", "nobody"])
        .fails(1, "argument 1 (address): there is no account nobody");
    call(Node::new(), &["f(bool[])", "[true,no]"])
        .fails(2, "argument 1 (bool[]), element 2: \"no\" is neither");
}

#[test]
fn a_call_in_a_transaction_shows_itself_and_its_logs() {
    let (user, address) = payer("secp256k1");
    let node = Node {
        logs: logs(),
        ..Node::new()
    };
    let line = [
        "send",
        TOKEN,
        "transfer(address to, uint256 amount)",
        TO,
        "1.5cairn",
        "--value",
        "20gwei",
        "--yes",
    ];
    let shown = contract(&user, &node, &line);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    for words in [
        format!("from    {address} (dev)\nto      {TOKEN}\ncall    transfer\n"),
        format!("          address to      {TO}\n          uint256 amount  1500000000000000000\n"),
        "amount  0.00000002 cairn\nfee ".to_owned(),
    ] {
        assert!(shown.stderr.contains(&words), "{words}: {}", shown.stderr);
    }
    let log = format!(
        "Log 1 of {TOKEN}\n  topic  0x{}\n  data   0x0b0c\n",
        word("a")
    );
    assert!(
        shown.stdout.contains("Mined in block 2; it used 21000 gas")
            && shown.stdout.ends_with(&log),
        "{}",
        shown.stdout
    );
    let sent = node.sent();
    let transaction = &sent[0];
    assert_eq!(transaction.to(), TxKind::Call(TOKEN.parse().unwrap()));
    assert_eq!(transaction.value().to_string(), "20000000000");
    let selector = &keccak256("transfer(address,uint256)")[..4];
    assert_eq!(&transaction.input()[..4], selector);
    assert_eq!(
        hex::encode(&transaction.input()[4..]),
        word(&TO[2..].to_lowercase()) + &word("14d1120d7b160000")
    );

    let json = contract_json(&user, &node, &line);
    assert_eq!(json["logs"][0]["address"], TOKEN);
    assert_eq!(
        (&json["logs"][0]["topics"], &json["logs"][0]["data"]),
        (&logs()[0]["topics"], &json!("0x0b0c"))
    );
    assert_eq!(
        (&json["to"], &json["gasUsed"]),
        (&json!(TOKEN), &json!(21_000))
    );
    assert_eq!(json.get("contractAddress"), None);
}

#[test]
fn a_transaction_that_would_do_nothing_is_not_sent() {
    let (user, _) = payer("ed25519");
    let send = |node: &Node| contract(&user, node, &["send", TOKEN, "f()", "--yes"]);
    let nobody = Node {
        code: "0x",
        ..Node::new()
    };
    send(&nobody).fails(1, "there is no contract at");
    let reverting = Node {
        revert: Some(json!({"code": 3, "message": "execution reverted", "data": "0x"})),
        ..Node::new()
    };
    let refused = send(&reverting);
    refused.fails(1, "the call would fail: it reverts without a reason");
    refused.fails(1, "check the arguments and --value");
    assert!(!refused.stderr.contains("--data"), "{}", refused.stderr);
    assert!(nobody.sent().is_empty() && reverting.sent().is_empty());
}
