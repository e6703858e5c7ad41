//! A running `cairn`, and where the binaries are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use super::process::{Ended, Running};
use super::rpc::Rpc;
use super::wait_for;

/// The node's binary, built with these tests.
const CAIRN: &str = env!("CARGO_BIN_EXE_cairn");

/// A node that serves RPC; killed when dropped.
pub struct Node {
    process: Running,
    rpc: Rpc,
}

impl Node {
    /// Starts `cairn` with `arguments` (`run …` or `dev …`) on the data directory `data`, on a
    /// free port, with one mining thread.
    #[track_caller]
    pub fn start(data: &Path, arguments: &[&str]) -> Self {
        match Self::try_start(data, arguments) {
            Ok(node) => node,
            Err(ended) => panic!("the node does not start: {ended:?}"),
        }
    }

    /// As [`Node::start`]; gives what is left of a node that ended instead of serving.
    #[track_caller]
    pub fn try_start(data: &Path, arguments: &[&str]) -> Result<Self, Ended> {
        Self::serve(&mut node_command(data, arguments))
    }

    /// As [`Node::try_start`], by a command of one's own that logs JSON.
    #[track_caller]
    pub fn serve(command: &mut Command) -> Result<Self, Ended> {
        let mut process = Running::start(command);
        let address = wait_for("a node that serves or ends", || {
            let address = process.find_line(rpc_address);
            address.map(Some).or_else(|| process.status().map(|_| None))
        });
        match address {
            Some(address) => Ok(Self {
                process,
                rpc: Rpc::new(&address),
            }),
            None => Err(process.wait()),
        }
    }

    /// Starts a node that must refuse to run, and gives what it left behind.
    #[track_caller]
    pub fn refuses(data: &Path, arguments: &[&str]) -> Ended {
        match Self::try_start(data, arguments) {
            Ok(_) => panic!("the node runs"),
            Err(ended) => ended,
        }
    }

    /// Its RPC.
    pub fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// Where it serves, as `HOST:PORT`.
    pub fn address(&self) -> &str {
        let url = self.rpc.url();
        url.strip_prefix("http://").expect("the URL is one of HTTP")
    }

    /// kill -9; gives all that it had logged.
    pub fn kill(mut self) -> String {
        self.process.kill();
        self.process.output()
    }

    /// Asks it to stop by a signal (`TERM`, `INT`), and checks that it does so in good order.
    #[track_caller]
    pub fn stop_by(self, signal: &str) {
        self.process.signal(signal);
        let ended = self.process.wait();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(
            ended.stderr, "",
            "a clean stop has nothing to complain about"
        );
    }

    /// Stops it in good order.
    #[track_caller]
    pub fn stop(self) {
        self.stop_by("TERM");
    }

    /// Waits until it ends by itself.
    #[track_caller]
    pub fn wait(self) -> Ended {
        self.process.wait()
    }
}

/// Starts a node and kills it whatever it is doing, perhaps before it serves.
pub fn start_and_kill(data: &Path, arguments: &[&str], doze: std::time::Duration) {
    let mut process = Running::start(&mut node_command(data, arguments));
    std::thread::sleep(doze);
    process.kill();
}

/// Runs `cairn` to its end, with a home directory that does not exist.
#[track_caller]
pub fn cairn(arguments: &[&str]) -> Ended {
    cairn_in(Path::new("/nonexistent"), arguments)
}

/// Runs `cairn` to its end, at home in `home`.
#[track_caller]
pub fn cairn_in(home: &Path, arguments: &[&str]) -> Ended {
    Running::start(&mut cairn_command(home, arguments)).wait()
}

/// The command line of any command, at home in `home`.
pub fn cairn_command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = clean(CAIRN, home);
    command.args(arguments);
    command
}

/// The wallet's binary, beside the node's: `cargo test --workspace` has built it; for the
/// node's tests alone it is built here, once.
pub fn wallet_binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let binary = Path::new(CAIRN).with_file_name("cairn-wallet");
        if !binary.exists() {
            build_wallet();
        }
        assert!(binary.exists(), "no wallet at {}", binary.display());
        binary
    })
}

/// Cargo holds no lock while it runs tests, so that this one does not wait for that one.
fn build_wallet() {
    let profile = Path::new(CAIRN)
        .parent()
        .expect("binaries lie in a directory");
    let target = profile
        .parent()
        .expect("a profile's directory lies in the target's");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo
        .args(["build", "-p", "cairn-wallet", "--target-dir"])
        .arg(target);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let built = cargo
        .status()
        .expect("cargo, which runs this test, can be started");
    assert!(built.success(), "the wallet does not build");
}

/// A program that sees nothing of this process's environment.
pub fn clean(program: impl AsRef<std::ffi::OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home);
    command
}

/// The command line of a node. What `arguments` say of RPC goes before our own.
pub fn node_command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = cairn_command(data, arguments);
    command.arg("--datadir").arg(data);
    command.args(["--threads", "1", "--log-format", "json"]);
    if !arguments.contains(&"--p2p") {
        command.arg("--no-p2p");
    }
    if !arguments.contains(&"--rpc") {
        command.args(["--rpc", "127.0.0.1:0"]);
    }
    command
}

/// The address in the line by which a node says that it serves.
fn rpc_address(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    (line["message"] == "started").then(|| line["rpc"].as_str().map(str::to_owned))?
}
