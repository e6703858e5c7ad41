//! Signing and verifying messages.

use crate::{PASSPHRASE, User, text};

/// Signs with the development account of a scheme: address, signature, public key.
fn sign(user: &User, scheme: &str, message: &str) -> [String; 3] {
    let name = format!("{scheme}-signer");
    user.restore_dev(scheme, 0, &name);
    let signed = user
        .run(&["--json", "sign", message, "--from", &name])
        .json();
    ["address", "signature", "publicKey"].map(|field| text(&signed[field]))
}

#[test]
fn an_ethereum_signature_reveals_its_signer() {
    let user = User::new();
    let [address, signature, _] = sign(&user, "secp256k1", "hello");
    let verified = user
        .run(&["--json", "verify", "hello", "--signature", &signature])
        .json();
    assert_eq!(verified["signer"], address.as_str());
    let by_name = [
        "verify",
        "hello",
        "--signature",
        &signature,
        "--address",
        "secp256k1-signer",
    ];
    assert_eq!(user.run(&by_name).code, 0);
    let other = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    let refused = user.run(&[
        "--json",
        "verify",
        "hello",
        "--signature",
        &signature,
        "--address",
        other,
    ]);
    refused.fails(1, "NOT by 0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
    assert!(refused.stdout.contains("\"valid\": false"));
}

#[test]
fn a_native_signature_needs_its_key() {
    let user = User::new();
    let [address, signature, public_key] = sign(&user, "ed25519", "hello");
    let verify = |message: &str, more: &[&str]| {
        user.run(&[&["verify", message, "--signature", &signature], more].concat())
    };
    verify("hello", &[]).fails(2, "--public-key");
    verify("hello", &["--public-key", "0x12"]).fails(2, "32 bytes");
    let key = ["--public-key", public_key.as_str()];
    let valid = verify("hello", &[&key[..], &["--address", &address]].concat());
    assert_eq!(
        (valid.code, valid.stdout.trim()),
        (0, format!("Valid: signed by {address}").as_str())
    );
    verify("hallo", &key).fails(1, "NOT valid");
}

#[test]
fn messages_come_as_text_bytes_or_input() {
    let user = User::new();
    user.restore_dev("ed25519", 0, "dev");
    let password = [("CAIRN_PASSWORD", PASSPHRASE)];
    let sign = |arguments: &[&str], stdin: &str| {
        user.run_with(&[&["--json", "sign"], arguments].concat(), stdin, &password)
    };
    let text = sign(&["hello"], "").json();
    assert_eq!(sign(&["--hex", "0x68656c6c6f"], "").json(), text);
    assert_eq!(sign(&["-"], "hello").json(), text);
    assert_ne!(sign(&["-"], "hello\n").json(), text);
    sign(&["--hex", "0x6"], "").fails(2, "not hexadecimal");
    user.run(&["verify", "hello", "--signature", "0x12"])
        .fails(2, "this has 1");
}
