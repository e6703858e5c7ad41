//! What the node says of itself; calls and estimates; and what it signs for the well-known accounts.

use alloy_primitives::{Address, B256, U256, address, b256, eip191_hash_message, hex, keccak256};
use cairn_node::node::dev_accounts;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, SECP256K1};
use serde_json::{Value, json};

use crate::harness::{
    Failure, GWEI, Node, Transfer, hash, home, native, number, secp256k1, text, wei,
};

const SHOP: Address = address!("00000000000000000000000000000000000000b2");
/// Checks signatures of native accounts.
const ED25519: Address = address!("00000000000000000000000000000000000ed255");

#[test]
fn a_node_tells_what_it_is() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let version = format!("cairn/{}/linux-", env!("CARGO_PKG_VERSION"));
    let client = rpc.call("web3_clientVersion", json!([]));
    assert!(text(&client).starts_with(&version), "{client}");
    let hello = b256!("1c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac8");
    assert_eq!(hash(&rpc.call("web3_sha3", json!(["0x68656c6c6f"]))), hello);
    for (method, answer) in [
        ("net_version", json!("31337")),
        ("net_listening", json!(true)),
        ("net_peerCount", json!("0x0")),
        ("eth_chainId", json!("0x7a69")),
        ("eth_protocolVersion", json!("0x1")),
        ("eth_syncing", json!(false)),
        (
            "eth_accounts",
            json!(dev_accounts().map(|account| account.address)),
        ),
        (
            "eth_requestAccounts",
            json!(dev_accounts().map(|account| account.address)),
        ),
    ] {
        assert_eq!(rpc.call(method, json!([])), answer, "{method}");
    }
    let info = rpc.call("cairn_nodeInfo", json!([]));
    let genesis = rpc.block("0x0");
    assert_eq!(
        (&info["clientVersion"], &info["chain"]),
        (&client, &json!("dev"))
    );
    assert_eq!(info["genesisHash"], genesis["hash"]);
    assert_eq!(
        info["tip"],
        json!({"number": "0x0", "hash": genesis["hash"]})
    );
    assert_eq!(
        (&info["tipTimestamp"], &info["totalWork"]),
        (&genesis["timestamp"], &genesis["totalDifficulty"])
    );
    assert_eq!(
        (&info["historyFloor"], &info["poolSize"]),
        (&json!("0x0"), &json!("0x0"))
    );
    assert!(number(&info["time"]) > number(&genesis["timestamp"]));
    let mining = json!({
        "active": false, "waitSeconds": null, "mode": "on-transaction", "threads": "0x1",
        "hashesPerSecond": "0x0", "beneficiary": rpc.call("eth_coinbase", json!([])),
    });
    assert_eq!(info["mining"], mining);
}

#[test]
fn calls_and_estimates_of_transfers_and_precompiles() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let call = |transaction: Value| rpc.call("eth_call", json!([transaction]));
    let payer = native(0);
    let digest = keccak256("a native account says so");
    let signature = payer.ed25519(digest.as_slice());
    let question = [&payer.public_key()[..], &signature, digest.as_slice()].concat();
    let yes = call(json!({"to": ED25519, "data": hex::encode_prefixed(&question)}));
    assert_eq!(hash(&yes), B256::with_last_byte(1));
    let wrong = [&question[..127], &[question[127] ^ 1]].concat();
    assert_eq!(
        call(json!({"to": ED25519, "input": hex::encode_prefixed(wrong)})),
        "0x"
    );
    assert_eq!(
        call(json!({"from": payer.address, "to": SHOP, "value": "0x1"})),
        "0x"
    );

    let estimate = |transaction: Value| number(&rpc.call("eth_estimateGas", json!([transaction])));
    assert_eq!(
        estimate(json!({"from": payer.address, "to": SHOP, "value": "0x1"})),
        21_000
    );
    assert!(estimate(json!({"to": ED25519, "data": hex::encode_prefixed(&question)})) > 21_000);
    let poor = json!({"from": SHOP, "to": payer.address, "value": "0x1"});
    for method in ["eth_call", "eth_estimateGas"] {
        rpc.refused(
            method,
            json!([poor]),
            -32000,
            "insufficient funds for gas * price + value",
        );
        let rich =
            json!([poor, "latest", {(SHOP.to_string()): {"balance": "0xffffffffffffffffff"}}]);
        rpc.call(method, rich);
    }
    assert_eq!(rpc.height(), 0, "a call changes nothing");
    assert_eq!(rpc.balance(SHOP, "latest"), U256::ZERO);
}

/// Who signed a message by EIP-191.
fn signer(message: &[u8], signature: &Value) -> Address {
    let bytes = hex::decode(text(signature)).unwrap();
    let parity = RecoveryId::try_from(i32::from(bytes[64]) - 27).unwrap();
    let signature = RecoverableSignature::from_compact(&bytes[..64], parity).unwrap();
    let digest = Message::from_digest(eip191_hash_message(message).0);
    let public = SECP256K1.recover_ecdsa(digest, &signature).unwrap();
    Address::from_raw_public_key(&public.serialize_uncompressed()[1..])
}

#[test]
fn a_development_node_signs_for_the_accounts_that_everybody_knows() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let from = secp256k1(3).address;
    let sent = rpc.call(
        "eth_sendTransaction",
        json!([{"from": from, "to": SHOP, "value": "0x7"}]),
    );
    let receipt = rpc.mined(hash(&sent));
    assert_eq!(
        (&receipt["status"], &receipt["gasUsed"]),
        (&json!("0x1"), &json!("0x5208"))
    );
    assert_eq!(rpc.balance(SHOP, "latest"), U256::from(7));

    let wish =
        json!({"from": from, "to": SHOP, "value": "0x5", "gasPrice": format!("{:#x}", 3 * GWEI)});
    let signed = rpc.call("eth_signTransaction", json!([wish]));
    assert_eq!(
        (&signed["tx"]["type"], &signed["tx"]["nonce"]),
        (&json!("0x0"), &json!("0x1"))
    );
    assert_eq!(rpc.height(), 1, "it is not sent");
    let sent = rpc.call("eth_sendRawTransaction", json!([signed["raw"]]));
    assert_eq!(sent, signed["tx"]["hash"]);
    rpc.mined(hash(&sent));
    assert_eq!(rpc.balance(SHOP, "latest"), U256::from(12));

    let message = hex::encode_prefixed("hello");
    let signature = rpc.call("eth_sign", json!([from, message]));
    assert_eq!(signer(b"hello", &signature), from);
    assert_eq!(
        rpc.call("personal_sign", json!([message, from, "password"])),
        signature
    );
    rpc.refused(
        "eth_sign",
        json!([SHOP, message]),
        -32000,
        "unknown account",
    );
    let stranger = json!([{"from": native(0).address, "to": SHOP}]);
    rpc.refused("eth_sendTransaction", stranger, -32000, "unknown account");
    let nobody = json!([{"to": SHOP}]);
    rpc.refused(
        "eth_sendTransaction",
        nobody,
        -32602,
        "the transaction has no 'from'",
    );
}

#[test]
fn a_public_node_signs_nothing() {
    let home = home();
    let node = Node::start(home.path(), &["run", "--chain", "testnet"]);
    let rpc = node.rpc();
    assert_eq!(rpc.call("eth_accounts", json!([])), json!([]));
    let from = secp256k1(0).address;
    for (method, params) in [
        ("eth_sendTransaction", json!([{"from": from, "to": SHOP}])),
        ("eth_signTransaction", json!([{"from": from, "to": SHOP}])),
        ("eth_sign", json!([from, "0x00"])),
        ("personal_sign", json!(["0x00", from])),
    ] {
        rpc.refused(method, params, -32000, "this node holds no keys");
    }
}

/// EIP-7966.
#[test]
fn a_send_that_waits_for_the_receipt() {
    let (mining, idle) = (home(), home());
    let node = Node::start(mining.path(), &["dev"]);
    let payment = native(0).pay(Transfer::new(SHOP, 9, 0));
    let receipt = node
        .rpc()
        .call("eth_sendRawTransactionSync", json!([payment.envelope()]));
    assert_eq!(receipt, node.rpc().receipt(payment.hash()));
    assert_eq!(wei(&receipt["blockNumber"]), U256::ONE);

    let node = Node::start(idle.path(), &["run", "--chain", "dev"]);
    let waited = node
        .rpc()
        .ask("eth_sendRawTransactionSync", json!([payment.envelope(), 1]));
    let Err(Failure::Refused { code: 4, message }) = waited else {
        panic!("{waited:?}");
    };
    assert!(message.contains(&payment.hash().to_string()), "{message}");
    let waiting = node
        .rpc()
        .call("eth_getTransactionByHash", json!([payment.hash()]));
    assert!(
        waiting["blockHash"].is_null() && waiting.is_object(),
        "it stays in the pool"
    );
}
