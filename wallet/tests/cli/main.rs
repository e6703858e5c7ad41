//! Runs the real `cairn-wallet`, as a script would: no terminal, a home of its own, and instead of
//! a node a scripted server on this machine.

#[path = "../../src/test_server.rs"]
mod test_server;

mod accounts;
mod contracts;
mod messages;
mod node;
mod payments;
mod usage;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

/// The passphrase of every account made here.
const PASSPHRASE: &str = "correct horse battery";

/// The mnemonic that development tools share.
const DEV_WORDS: &str = "test test test test test test test test test test test junk";

/// A user with a home directory.
struct User {
    home: tempfile::TempDir,
}

/// What a command left behind.
struct Output {
    code: i32,
    stdout: String,
    stderr: String,
}

impl User {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    fn home(&self) -> &Path {
        self.home.path()
    }

    /// A file in the home directory.
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home().join(name);
        std::fs::write(&path, text).expect("the home is writable");
        path
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "", &[("CAIRN_PASSWORD", PASSPHRASE)])
    }

    fn run_with(&self, arguments: &[&str], stdin: &str, variables: &[(&str, &str)]) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cairn-wallet"))
            .args(arguments)
            .env_clear()
            .env("HOME", self.home())
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built");
        // A command that reads nothing may be gone already.
        let _ = child
            .stdin
            .take()
            .map(|mut pipe| pipe.write_all(stdin.as_bytes()));
        let output = child.wait_with_output().expect("the command ends");
        Output {
            code: output.status.code().expect("it was not killed"),
            stdout: String::from_utf8(output.stdout).expect("output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("output is UTF-8"),
        }
    }

    /// Restores an account of the development mnemonic and gives its address.
    fn restore_dev(&self, scheme: &str, index: u32, name: &str) -> String {
        let index = index.to_string();
        let line = [
            "--json", "restore", "--scheme", scheme, "--index", &index, "--name", name,
        ];
        let restored = self.run_with(&line, DEV_WORDS, &[("CAIRN_PASSWORD", PASSPHRASE)]);
        text(&restored.json()["address"])
    }
}

impl Output {
    /// The JSON of a command that succeeded.
    #[track_caller]
    fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{}", self.stderr);
        serde_json::from_str(&self.stdout).expect("--json prints JSON")
    }

    /// Checks that the command failed with this exit code and a sentence that holds these words.
    #[track_caller]
    fn fails(&self, code: i32, words: &str) {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        assert!(
            self.stderr.contains(words),
            "\"{words}\" is not in: {}",
            self.stderr
        );
    }
}

/// A JSON string's text.
#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}
