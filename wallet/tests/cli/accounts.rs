//! Making, finding and moving accounts.

use serde_json::{Value, json};

use crate::{DEV_WORDS, PASSPHRASE, User};

#[test]
fn a_new_account_comes_back_from_its_words() {
    let user = User::new();
    let made = user
        .run(&["--json", "new", "--yes", "--name", "main"])
        .json();
    let words = made["mnemonic"].as_str().unwrap();
    assert_eq!(words.split(' ').count(), 12);
    assert_eq!(
        (&made["scheme"], &made["derivation"]),
        (&json!("ed25519"), &json!("m/44'/60'/0'/0'/0'"))
    );

    let listed = user.run(&["--json", "list"]).json();
    assert_eq!(
        (&listed[0]["address"], &listed[0]["name"]),
        (&made["address"], &json!("main"))
    );

    let other = User::new();
    let restored = other
        .run_with(&["--json", "restore"], words, &[("CAIRN_PASSWORD", "else")])
        .json();
    assert_eq!(restored["address"], made["address"]);
}

#[test]
fn the_key_file_is_private_and_holds_no_secret() {
    let user = User::new();
    let made = user
        .run(&[
            "--json",
            "new",
            "--yes",
            "--words",
            "24",
            "--scheme",
            "secp256k1",
        ])
        .json();
    let words = made["mnemonic"].as_str().unwrap();
    assert_eq!(words.split(' ').count(), 24);
    let exported = user.run(&["--json", "export", "--yes"]).json();
    let key = exported["privateKey"]
        .as_str()
        .unwrap()
        .trim_start_matches("0x");
    let path = made["file"].as_str().unwrap();
    let directory = user.home().join(".cairn/keystore");
    assert!(path.starts_with(directory.to_str().unwrap()), "{path}");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(!text.contains(key) && !text.contains(words));
    let file: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(file["crypto"]["kdfparams"]["n"], 1 << 18);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode =
            |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(path.as_ref()), mode(&directory)), (0o600, 0o700));
    }
}

#[test]
fn the_development_words_give_the_funded_accounts() {
    let user = User::new();
    assert_eq!(
        user.restore_dev("secp256k1", 0, "dev0"),
        "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    );
    assert_eq!(
        user.restore_dev("secp256k1", 1, "dev1"),
        "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    );
    let native = user.restore_dev("ed25519", 9, "native9");
    let spec = cairn_genesis::ChainSpec::builtin("dev").unwrap();
    let funded = spec
        .alloc
        .get(&native.parse::<alloy_primitives::Address>().unwrap())
        .map(|account| account.balance);
    assert!(
        funded.is_some_and(|balance| !balance.is_zero()),
        "{native} is not funded"
    );
    let table = user.run(&["list"]);
    assert!(
        table.stdout.contains("dev0") && table.stdout.contains(&native),
        "{}",
        table.stdout
    );
}

#[test]
fn other_paths_and_the_25th_word() {
    let user = User::new();
    let password = [("CAIRN_PASSWORD", PASSPHRASE)];
    let scheme = ["--json", "restore", "--scheme", "secp256k1"];
    let with =
        |more: &[&str], words: &str| user.run_with(&[&scheme, more].concat(), words, &password);
    let second = with(&["--path", "m/44'/60'/0'/0/1"], DEV_WORDS).json();
    assert_eq!(
        second["address"],
        "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    );
    let extra = with(&["--bip39-passphrase"], &format!("{DEV_WORDS}\nsecret\n")).json();
    assert_ne!(
        extra["address"],
        "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    );
    with(&["--bip39-passphrase"], DEV_WORDS).fails(1, "second line");
    with(&["--path", "m/x"], DEV_WORDS).fails(2, "is not a derivation path");
    let soft = user.run_with(&["restore", "--path", "m/0"], DEV_WORDS, &password);
    soft.fails(2, "hardened");
}

#[test]
fn wrong_words_are_not_repeated() {
    let user = User::new();
    let password = [("CAIRN_PASSWORD", PASSPHRASE)];
    let typo = DEV_WORDS.replace("junk", "jumk");
    let refused = user.run_with(&["restore"], &typo, &password);
    refused.fails(1, "word number 12 is not in the BIP-39 English list");
    assert!(!refused.stderr.contains("jumk"));
    user.run_with(&["restore"], "", &password)
        .fails(1, "this has 0");
    assert!(!user.home().join(".cairn").exists());
}

#[test]
fn nothing_is_stored_twice_or_unprotected() {
    let user = User::new();
    user.restore_dev("ed25519", 0, "dev");
    let password = [("CAIRN_PASSWORD", PASSPHRASE)];
    let again = user.run_with(&["restore", "--name", "other"], DEV_WORDS, &password);
    again.fails(1, "is in the keystore already");
    again.fails(1, "rename it with `cairn-wallet name dev NAME`");
    user.run(&["new", "--yes", "--name", "dev"])
        .fails(1, "the name \"dev\" is taken by 0x");
    user.run_with(&["new", "--yes"], "", &[("CAIRN_PASSWORD", "")])
        .fails(1, "passphrase is empty");
    assert_eq!(
        user.run(&["--json", "list"])
            .json()
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn an_account_gets_another_name() {
    let user = User::new();
    let words = "is in the keystore already";
    let password = [("CAIRN_PASSWORD", PASSPHRASE)];
    let restore = |line: &[&str]| user.run_with(line, DEV_WORDS, &password);
    let address = restore(&["--json", "restore"]).json()["address"].clone();
    let address = address.as_str().unwrap();
    let again = restore(&["restore", "--name", "dev0"]);
    again.fails(1, words);
    again.fails(
        1,
        &format!("give it a name with `cairn-wallet name {address} NAME`"),
    );
    for (from, to) in [(address, "dev0"), ("dev0", "main")] {
        let named = user.run(&["--json", "name", from, to]).json();
        assert_eq!(
            (&named["name"], &named["address"]),
            (&json!(to), &json!(address))
        );
    }
    user.restore_dev("ed25519", 1, "dev1");
    user.run(&["name", "dev1", "main"]).fails(1, "is taken by");
    user.run(&["name", "dev0", "x"])
        .fails(1, "there is no account dev0");
    assert_eq!(user.run(&["sign", "hello", "--from", "main"]).code, 0);
}

#[test]
fn a_raw_key_goes_in_and_out() {
    let user = User::new();
    let key = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    let password = [("CAIRN_PASSWORD", PASSPHRASE)];
    let import = |arguments: &[&str], text: &str| user.run_with(arguments, text, &password);
    import(&["import"], key).fails(2, "--scheme secp256k1");
    let refused = import(&["import", "--scheme", "secp256k1"], "0x1234");
    refused.fails(1, "64 hexadecimal digits");
    assert!(!refused.stderr.contains("1234"));
    let added = import(&["--json", "import", "--scheme", "secp256k1"], key).json();
    assert_eq!(
        added["address"],
        "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    );

    user.run(&["export"]).fails(1, "add --yes");
    let printed = user.run(&["export", "--yes"]);
    assert_eq!(printed.stdout.trim(), key);
    assert!(printed.stderr.contains("Warning"));
    let wrong = user.run_with(&["export", "--yes"], "", &[("CAIRN_PASSWORD", "wrong")]);
    wrong.fails(1, "passphrase is wrong");
    assert!(wrong.stdout.is_empty());
}

#[test]
fn key_files_move_between_programs() {
    // The file that MyCrypto wrote for Ethereum's official tests.
    let foreign = json!({
        "version": 3, "id": "0eb785e0-340a-4290-9c42-90a11973ee47",
        "address": "460121576cc7df020759730751f92bd62fd78dd6",
        "crypto": {
            "ciphertext": "54ae683c6287fa3d58321f09d56e26d94e58a00d4f90bdd95782ae0e4aab618b",
            "cipherparams": {"iv": "681679cdb125bba9495d068b002816a4"}, "cipher": "aes-128-ctr", "kdf": "scrypt",
            "kdfparams": {"dklen": 32, "n": 8192, "r": 8, "p": 1,
                "salt": "c3407f363fce02a66e3c4bf4a8f6b7da1c1f54266cef66381f0625c251c32785"},
            "mac": "dea6bdf22a2f522166ed82808c22a6311e84c355f4bbe100d4260483ff675a46",
        },
    });
    let user = User::new();
    let path = user.file("foreign.json", &foreign.to_string());
    let path = path.to_str().unwrap();
    user.run(&["import", path]).fails(1, "passphrase is wrong");
    user.run(&["import", path, "--scheme", "ed25519"])
        .fails(2, "leave --scheme out");
    let password = [("CAIRN_PASSWORD", "foobartest121")];
    let added = user
        .run_with(&["--json", "import", path, "--name", "old"], "", &password)
        .json();
    assert_eq!(
        added["address"],
        "0x460121576Cc7DF020759730751f92bd62FD78dD6"
    );

    let exported = user.run_with(&["export", "old", "--format", "keystore"], "", &password);
    let file: Value = serde_json::from_str(&exported.stdout).unwrap();
    // Stored again with parameters of our own, under the same passphrase.
    assert_eq!(file["crypto"]["kdfparams"]["n"], 1 << 18);
    let other = User::new();
    let again = other
        .run_with(&["--json", "import"], &exported.stdout, &password)
        .json();
    assert_eq!(
        (&again["address"], &again["name"]),
        (&added["address"], &json!("old"))
    );
}

#[test]
fn passphrases_come_from_files_too() {
    let user = User::new();
    let file = user.file("password", &format!("{PASSPHRASE}\r\n"));
    let file = file.to_str().unwrap();
    let made = user.run_with(
        &["--json", "--password-file", file, "new", "--yes"],
        "",
        &[],
    );
    assert_eq!(made.code, 0, "{}", made.stderr);
    let short = User::new().run_with(&["new", "--yes"], "", &[("CAIRN_PASSWORD", "1234567")]);
    assert!(short.stderr.contains("is short") && !made.stderr.contains("is short"));
    // The same passphrase from the variable; and the file goes before the variable.
    assert_eq!(user.run(&["export", "--yes"]).code, 0);
    let variables = [("CAIRN_PASSWORD", "wrong"), ("CAIRN_PASSWORD_FILE", file)];
    assert_eq!(user.run_with(&["export", "--yes"], "", &variables).code, 0);
    let lines = user.file("lines", "one\ntwo\n");
    user.run(&[
        "--password-file",
        lines.to_str().unwrap(),
        "export",
        "--yes",
    ])
    .fails(1, "more than one line");
    let empty = user.file("empty", "\n");
    let line = [
        "--password-file",
        empty.to_str().unwrap(),
        "export",
        "--yes",
    ];
    user.run(&line).fails(1, "empty is empty");
    user.run(&["--password-file", "/nowhere/file", "export", "--yes"])
        .fails(1, "cannot read /nowhere/file");
}

#[test]
fn keystores_are_chosen_and_foreign_files_named() {
    let user = User::new();
    let empty = user.run(&["list"]);
    assert_eq!((empty.code, empty.stdout.as_str()), (0, ""));
    assert!(empty.stderr.contains("cairn-wallet new"));
    let directory = user.home().join("elsewhere");
    let directory = directory.to_str().unwrap();
    user.run(&["--keystore", directory, "new", "--yes", "--name", "there"]);
    user.file("elsewhere/notes.txt", "not a key");
    let listed = user.run_with(&["list"], "", &[("CAIRN_KEYSTORE", directory)]);
    assert!(listed.stdout.contains("there"), "{}", listed.stderr);
    assert!(listed.stderr.contains("Ignored") && listed.stderr.contains("notes.txt"));
    assert_eq!(user.run(&["--json", "list"]).json(), json!([]));
}
