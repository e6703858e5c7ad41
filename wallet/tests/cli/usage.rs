//! Help, bad input and exit codes.

use crate::User;

const ADDRESS: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

#[test]
fn help_teaches() {
    let user = User::new();
    let help = user.run(&["--help"]);
    assert_eq!(help.code, 0);
    for words in [
        "First steps",
        "cairn-wallet new",
        "Exit codes",
        "CAIRN_RPC",
        "CAIRN_KEYSTORE",
        "CAIRN_PASSWORD_FILE",
    ] {
        assert!(help.stdout.contains(words), "{words}");
    }
    for verb in [
        "new", "restore", "import", "list", "name", "export", "send", "balance", "history", "sign",
        "verify",
    ] {
        assert_eq!(user.run(&[verb, "--help"]).code, 0, "{verb}");
    }
    assert!(user.run(&["--version"]).stdout.starts_with("cairn-wallet "));
}

#[test]
fn bad_command_lines_end_with_2() {
    let user = User::new();
    for (line, words) in [
        (&[][..], "Usage"),
        (&["pay"], "unrecognized subcommand"),
        (&["send", ADDRESS], "required"),
        (&["send", ADDRESS, "1.5.0"], "is not an amount"),
        (&["send", ADDRESS, "-1"], "\"-1\" is below zero"),
        (&["send", ADDRESS, "1", "--nonce", "x"], "whole number"),
        (
            &["send", ADDRESS, "1", "--nonce", "18446744073709551616"],
            "write a whole number from 0 to 18446744073709551615",
        ),
        (
            &["restore", "--index", "5000000000"],
            "write a whole number from 0 to 2147483647",
        ),
        (&["history", "--blocks", "0"], "from 1 to"),
        (
            &["send", ADDRESS, "0.1234567890123456789"],
            "19 decimals but cairn has 18",
        ),
        (&["send", ADDRESS, "1ether"], "is not a unit"),
        (
            &["send", "0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "1"],
            "checksum",
        ),
        (&["send", "0x1234", "1"], "is not an address"),
        (&["send", ADDRESS, "1", "--max-fee", "20"], "needs a unit"),
        (&["send", ADDRESS, "1", "--data", "xyz"], "not hexadecimal"),
        (&["send", ADDRESS, "1", "--type", "0x03"], "invalid value"),
        (&["balance", "0x12"], "is not an address"),
        (&["balance", "--block", "newest"], "block number"),
        (&["new", "--words", "13"], "invalid value"),
        (&["new", "--name", "two words"], "is not a name"),
        (
            &["--rpc", "ftp://node", "balance", ADDRESS],
            "is not the URL",
        ),
    ] {
        user.run(line).fails(2, words);
    }
}

#[test]
fn a_wrong_variable_is_named() {
    let user = User::new();
    let send = ["send", ADDRESS, "1"];
    let with = |line: &[&str], value| user.run_with(line, "", &[("CAIRN_CHAIN_ID", value)]);
    for value in ["x", ""] {
        with(&send, value).fails(2, "that of the variable CAIRN_CHAIN_ID");
    }
    let typed = with(&[&send[..], &["--chain-id", "y"]].concat(), "x");
    typed.fails(
        2,
        "invalid value 'y' for '--chain-id <ID>': write a whole number",
    );
    assert!(!typed.stderr.contains("variable"), "{}", typed.stderr);
}

#[test]
fn the_account_must_be_clear() {
    let user = User::new();
    user.run(&["send", ADDRESS, "1"])
        .fails(1, "cairn-wallet new");
    user.run(&["export", "nobody", "--yes"])
        .fails(1, "there is no account nobody");
    user.restore_dev("ed25519", 0, "a");
    user.restore_dev("ed25519", 1, "b");
    user.run(&["sign", "hello"]).fails(2, "name one of: a, b");
}

#[test]
fn nobody_is_there_to_see_the_words() {
    let user = User::new();
    user.run(&["new"]).fails(
        1,
        "there is no terminal to show the words on; add --yes to print them with the result",
    );
}
