//! Keys come, go and come back; and who sees them.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::harness::{PASSPHRASE, User, WORDS, native, parsed, secp256k1, snapshot, text};

/// Nobody listens there: keys are no business of a node's.
const NOWHERE: &str = "http://127.0.0.1:1";

/// The key of the first account of `WORDS` that every Ethereum tool knows.
const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

#[test]
fn a_new_account_comes_back_from_words_key_and_file() {
    let user = User::new(NOWHERE);
    let made = user.json(&["new", "--yes", "--name", "main"]);
    let words = text(&made["mnemonic"]);
    assert_eq!(words.split(' ').count(), 12);
    assert_eq!(made["scheme"], "ed25519");
    assert!(user.overheard().contains(words), "they are shown once");

    let exported = user.run(&["--json", "export", "main", "--yes"]);
    assert!(
        exported
            .stderr
            .starts_with("Warning: whoever sees the private key"),
        "{exported:?}"
    );
    let exported = parsed(exported);
    let key = text(&exported["privateKey"]);
    let file = user
        .run(&["export", "main", "--format", "keystore"])
        .success();
    assert!(user.overheard().contains(key), "it was asked for");

    let listed = user.json(&["list"]);
    assert_eq!(
        (&listed[0]["name"], &listed[0]["address"]),
        (&json!("main"), &made["address"])
    );
    let table = user.run(&["list"]).success();
    assert!(
        table.contains("main") && table.contains(text(&made["address"])),
        "{table}"
    );
    assert!(
        table.contains("ed25519") && table.contains("m/44'/60'/0'/0'/0'"),
        "{table}"
    );
    user.run(&["export", "main"]).refused(1, "add --yes");
    quiet(&user, &[words, key, PASSPHRASE]);

    for (line, input) in [
        (&["restore", "--name", "back"][..], words),
        (&["import", "--scheme", "ed25519", "--name", "back"], key),
        (&["import", "--name", "back"], &file),
    ] {
        let other = User::new(NOWHERE);
        let back = parsed(other.run_with(&[&["--json"], line].concat(), input, PASSPHRASE));
        assert_eq!(back["address"], made["address"], "{line:?}");
        assert_eq!(other.json(&["list"])[0]["name"], "back");
        let again = other.run_with(line, input, PASSPHRASE);
        again.refused(1, "the name \"back\" is taken by 0x");
        quiet(&other, &[words, key, PASSPHRASE]);
    }
}

/// Nothing that was printed, and no file in the home directory, holds any of these.
#[track_caller]
fn quiet(user: &User, secrets: &[&str]) {
    let printed = user.overheard();
    let files = snapshot(user.home())
        .into_keys()
        .map(|path| fs::read_to_string(path).unwrap());
    let files: String = files.collect();
    assert!(!printed.is_empty() && !files.is_empty());
    for secret in secrets {
        let bare = secret.trim_start_matches("0x");
        assert!(!printed.contains(bare), "a secret was printed");
        assert!(!files.contains(bare), "a secret lies in a file");
    }
}

#[test]
fn the_test_words_give_the_accounts_that_the_chains_fund() {
    let user = User::new(NOWHERE);
    for (index, at) in [(0, "0"), (4, "4")] {
        let ours = user.restore("ed25519", at, &format!("native{at}"));
        assert_eq!(ours, native(index).address.to_string());
        let theirs = user.restore("secp256k1", at, &format!("ethereum{at}"));
        assert_eq!(theirs, secp256k1(index).address.to_string());
    }
    let known = user.run_with(&["import", "--scheme", "secp256k1"], KEY, PASSPHRASE);
    known.refused(1, "is in the keystore already");
    user.run_with(&["restore", "--index", "4"], WORDS, PASSPHRASE)
        .refused(1, "is in the keystore already");
    assert_eq!(user.json(&["list"]).as_array().unwrap().len(), 4);
    quiet(&user, &[WORDS, KEY, PASSPHRASE]);
}

#[test]
fn what_is_no_secret_is_refused_and_not_repeated() {
    let user = User::new(NOWHERE);
    let typo = WORDS.replace("junk", "jumk");
    user.run_with(&["restore"], &typo, PASSPHRASE)
        .refused(1, "word number 12 is not in");
    let swapped = WORDS.replace("junk", "zoo");
    user.run_with(&["restore"], &swapped, PASSPHRASE)
        .refused(1, "checksum");
    let short = &KEY[..40];
    let import = ["import", "--scheme", "secp256k1"];
    user.run_with(&import, short, PASSPHRASE)
        .refused(1, "64 hexadecimal digits");
    user.run_with(&["import"], KEY, PASSPHRASE)
        .refused(2, "add --scheme secp256k1");
    user.run_with(&["new", "--yes"], "", "")
        .refused(1, "choose a passphrase");
    user.run(&["new"]).refused(1, "add --yes");
    let printed = user.overheard();
    for secret in ["jumk", "zoo", &short[2..]] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(
        !Path::new(&user.home().join(".cairn")).exists(),
        "nothing was stored"
    );
}
