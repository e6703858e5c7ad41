//! Signed messages: what the wallet signs, the node signs and verifies alike.

use alloy_primitives::{B256, eip191_hash_message, hex};
use serde_json::json;

use crate::harness::{Node, User, hash, home, secp256k1, text};

const MESSAGE: &str = "I own this account";

#[test]
fn ethereum_accounts_sign_as_every_tool_does() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let user = User::new(node.rpc().url());
    let address = user.restore("secp256k1", "0", "eth0");
    let signed = user.json(&["sign", MESSAGE]);
    let message = hex::encode_prefixed(MESSAGE);
    let by_node = node.rpc().call("personal_sign", json!([message, address]));
    assert_eq!(signed["signature"], by_node);

    let signature = text(&by_node);
    let verify = ["verify", MESSAGE, "--signature", signature];
    let told = user.run(&verify).success();
    assert_eq!(told, format!("Valid: signed by {address}"));
    let by_name = [&verify[..], &["--address", "eth0"]].concat();
    assert_eq!(
        user.json(&by_name),
        json!({"valid": true, "signer": address})
    );
    let somebody = secp256k1(1).address.to_string();
    let other = user.run(&[&verify[..], &["--address", &somebody]].concat());
    other.refused(1, &format!("NOT by {somebody}"));
    // It is a signature of somebody over any message, but not of this account.
    let changed = [
        "verify",
        "I own that account",
        "--signature",
        signature,
        "--address",
        "eth0",
    ];
    user.run(&changed).refused(1, "NOT by");
}

#[test]
fn the_precompile_verifies_what_native_accounts_sign() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let user = User::new(node.rpc().url());
    let address = user.restore("ed25519", "0", "dev0");
    let signed = user.json(&["sign", MESSAGE]);
    assert_eq!(signed["address"], json!(address));
    let [key, signature] =
        ["publicKey", "signature"].map(|part| hex::decode(text(&signed[part])).unwrap());
    let question = [
        &key[..],
        &signature,
        eip191_hash_message(MESSAGE).as_slice(),
    ]
    .concat();
    let precompile = "0x00000000000000000000000000000000000ed255";
    let call = json!([{"to": precompile, "input": hex::encode_prefixed(question)}]);
    assert_eq!(
        hash(&node.rpc().call("eth_call", call)),
        B256::with_last_byte(1)
    );

    let signature = ["--signature", text(&signed["signature"])];
    let key = ["--public-key", text(&signed["publicKey"])];
    user.run(&[&["verify", MESSAGE][..], &signature].concat())
        .refused(2, "--public-key");
    let told = user
        .run(&[&["verify", MESSAGE][..], &signature, &key].concat())
        .success();
    assert_eq!(told, format!("Valid: signed by {address}"));
    user.run(&[&["verify", "else"][..], &signature, &key].concat())
        .refused(1, "NOT valid");
}
