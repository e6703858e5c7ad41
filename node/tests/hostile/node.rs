//! A running `cairn`: its RPC, its memory, its log, its end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::wait::{PATIENCE, wait_for};

/// The node's binary, built with these tests.
const CAIRN: &str = env!("CARGO_BIN_EXE_cairn");

/// JSON-RPC of a node.
#[derive(Debug, Clone)]
pub struct Rpc {
    url: String,
    agent: ureq::Agent,
}

/// A node, killed when dropped.
pub struct Node {
    child: Child,
    log: PathBuf,
    errors: PathBuf,
    pub rpc: Rpc,
}

impl Rpc {
    fn new(address: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        Self {
            url: format!("http://{address}"),
            agent,
        }
    }

    /// Asks something that has an answer.
    #[track_caller]
    pub fn call(&self, method: &str, params: Value) -> Value {
        let question = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut answer = self.agent.post(&self.url).send_json(question).unwrap();
        let answer: Value = answer.body_mut().read_json().unwrap();
        let result = answer.get("result");
        result
            .unwrap_or_else(|| panic!("{method}: {answer}"))
            .clone()
    }

    /// Height of the tip.
    #[track_caller]
    pub fn height(&self) -> u64 {
        number(&self.call("eth_blockNumber", json!([])))
    }
}

impl Node {
    /// Starts a node on the chain of this file, in a directory of its own.
    #[track_caller]
    pub fn start(chain: &Path, data: &Path, arguments: &[&str]) -> Self {
        fs::create_dir_all(data).unwrap();
        let (log, errors) = (data.join("stdout"), data.join("stderr"));
        let mut command = Command::new(CAIRN);
        command.env_clear().env("HOME", data).arg("run");
        command.arg("--chain").arg(chain).arg("--datadir").arg(data);
        command.args(["--p2p", "127.0.0.1:0", "--rpc", "127.0.0.1:0", "--no-mdns"]);
        command.args(["--threads", "1", "--log-format", "json"]);
        let mut child = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(File::create(&log).unwrap())
            .stderr(File::create(&errors).unwrap())
            .spawn()
            .unwrap();
        let address = wait_for("a node that serves", || {
            if let Some(status) = child.try_wait().unwrap() {
                let said = fs::read_to_string(&errors).unwrap();
                panic!("the node does not start: {status}, {said}");
            }
            let log = fs::read_to_string(&log).unwrap();
            log.lines().find_map(rpc_address)
        });
        Self {
            child,
            log,
            errors,
            rpc: Rpc::new(&address),
        }
    }

    /// The most memory that it has had so far, in bytes.
    pub fn peak_bytes(&self) -> u64 {
        self.memory("VmHWM:")
    }

    /// The memory that it has now, in bytes.
    pub fn resident_bytes(&self) -> u64 {
        self.memory("VmRSS:")
    }

    fn memory(&self, key: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        let kibibytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kibibytes << 10
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Stops it, and checks that it does so in good order and had nothing to complain about.
    #[track_caller]
    pub fn stop(mut self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", "TERM", &pid]).status();
        assert!(sent.unwrap().success());
        let status = wait_for("the end of a node", || self.child.try_wait().unwrap());
        let errors = fs::read_to_string(&self.errors).unwrap();
        assert_eq!((status.code(), errors.as_str()), (Some(0), ""));
        assert!(!self.log().contains("panicked"));
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in the line by which a node says that it serves.
fn rpc_address(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    (line["message"] == "started").then(|| line["rpc"].as_str().map(str::to_owned))?
}

/// A quantity.
#[track_caller]
pub fn number(value: &Value) -> u64 {
    let digits = value.as_str().and_then(|text| text.strip_prefix("0x"));
    u64::from_str_radix(digits.unwrap(), 16).unwrap()
}
