//! Somebody with a wallet: the real `cairn-wallet` with a home directory of its own.

use std::cell::RefCell;
use std::path::Path;

use serde_json::Value;

use super::node::{clean, wallet_binary};
use super::process::{Ended, Running};
use super::rpc::text;

/// Words of the accounts that `dev` and `devnet` fund.
pub const WORDS: &str = "test test test test test test test test test test test junk";

/// What protects every key here.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// A user and the node whom their wallet asks.
pub struct User {
    home: tempfile::TempDir,
    url: String,
    overheard: RefCell<String>,
}

impl User {
    /// One without accounts.
    pub fn new(url: &str) -> Self {
        Self {
            home: super::home(),
            url: url.to_owned(),
            overheard: RefCell::default(),
        }
    }

    /// The same one, who asks another node.
    pub fn at(self, url: &str) -> Self {
        let url = url.to_owned();
        Self { url, ..self }
    }

    /// Their home directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Runs the wallet.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, "", PASSPHRASE)
    }

    /// Runs the wallet with `input` to read and another passphrase.
    #[track_caller]
    pub fn run_with(&self, arguments: &[&str], input: &str, passphrase: &str) -> Ended {
        let mut command = clean(wallet_binary(), self.home());
        command
            .env("CAIRN_RPC", &self.url)
            .env("CAIRN_PASSWORD", passphrase);
        let ended = Running::start_with_input(command.args(arguments), input).wait();
        *self.overheard.borrow_mut() += &format!("{}\n{}\n", ended.stdout, ended.stderr);
        ended
    }

    /// All that the wallet has printed since this was asked last.
    pub fn overheard(&self) -> String {
        self.overheard.take()
    }

    /// Runs the wallet for a result in JSON.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        parsed(self.run(&[&["--json"], arguments].concat()))
    }

    /// Brings back an account of [`WORDS`] under a name, and gives its address.
    #[track_caller]
    pub fn restore(&self, scheme: &str, index: &str, name: &str) -> String {
        let line = [
            "--json", "restore", "--scheme", scheme, "--index", index, "--name", name,
        ];
        let restored = parsed(self.run_with(&line, WORDS, PASSPHRASE));
        text(&restored["address"]).to_owned()
    }
}

impl Ended {
    /// Checks that the wallet failed with `code` and ended with a sentence that holds `words`.
    #[track_caller]
    pub fn refused(&self, code: i32, words: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        let sentence = self.stderr.lines().last().unwrap_or_default();
        assert!(sentence.starts_with("cairn-wallet: "), "{self:?}");
        assert!(
            sentence.contains(words),
            "\"{words}\" is not in: {sentence}"
        );
    }
}

/// The JSON that a command printed, which went well.
#[track_caller]
pub fn parsed(ended: Ended) -> Value {
    let printed = ended.success();
    serde_json::from_str(&printed).unwrap_or_else(|_| panic!("no JSON: {printed}"))
}
