//! A devnet in a directory of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{Ended, Rpc, Running, clean, home, parsed, text, wait_for, wallet_binary};

/// Where the scripts are.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../genesis/devnet");

/// The scripts, all of them.
pub const NAMES: [&str; 9] = [
    "up.sh",
    "status.sh",
    "partition.sh",
    "heal.sh",
    "kill.sh",
    "restart.sh",
    "load.sh",
    "reorg.sh",
    "down.sh",
];

/// A devnet, or the place for one; taken down when dropped.
pub struct Devnet {
    home: tempfile::TempDir,
}

impl Devnet {
    /// A place without a devnet.
    pub fn none() -> Self {
        Self { home: home() }
    }

    /// One that runs, and what `up.sh` said.
    #[track_caller]
    pub fn up(options: &[&str]) -> (Self, Ended) {
        let devnet = Self::none();
        let up = devnet.run("up.sh", &[&devnet.programs(), options].concat());
        assert_eq!(up.code, Some(0), "{up:?}");
        (devnet, up)
    }

    /// The option that names the directory of the programs which were built with these tests.
    pub fn programs(&self) -> [&'static str; 2] {
        let directory = wallet_binary().parent().and_then(Path::to_str);
        ["--bin-dir", directory.expect("programs lie somewhere")]
    }

    /// Runs a script to its end.
    #[track_caller]
    pub fn run(&self, script: &str, arguments: &[&str]) -> Ended {
        Running::start(self.command(script).args(arguments)).wait()
    }

    /// The command line of a script.
    pub fn command(&self, script: &str) -> Command {
        let mut command = clean(Path::new(SCRIPTS).join(script), self.home.path());
        command
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("CAIRN_DEVNET_DIR", self.directory());
        command
    }

    /// The directory of the devnet.
    pub fn directory(&self) -> PathBuf {
        self.home.path().join("devnet")
    }

    /// What `status.sh` says.
    #[track_caller]
    pub fn status(&self) -> Value {
        parsed(self.run("status.sh", &["--json"]))
    }

    /// What it says of each node.
    #[track_caller]
    pub fn nodes(&self) -> Vec<Value> {
        let status = self.status();
        status["nodes"].as_array().expect("a list of nodes").clone()
    }

    /// One of its values, for each node.
    #[track_caller]
    pub fn each(&self, name: &str) -> Vec<Value> {
        self.nodes().iter().map(|node| node[name].clone()).collect()
    }

    /// Waits until this many peers are counted by each node, which a connection that is just
    /// being replaced may delay.
    #[track_caller]
    pub fn connected(&self, peers: &[u64]) {
        wait_for("peers", || (self.each("peers") == peers).then_some(()));
    }

    /// RPC of a node.
    #[track_caller]
    pub fn rpc(&self, node: usize) -> Rpc {
        let status = self.status();
        let url = text(&status["nodes"][node - 1]["rpc"]);
        Rpc::new(url.strip_prefix("http://").expect("a URL of HTTP"))
    }

    /// RPC of every node.
    #[track_caller]
    pub fn rpcs(&self) -> Vec<Rpc> {
        (1..=self.nodes().len())
            .map(|node| self.rpc(node))
            .collect()
    }

    /// Takes it down, and checks that nothing is left.
    #[track_caller]
    pub fn down(self) {
        let switch = self.switch();
        let down = self.run("down.sh", &[]);
        assert!(down.success().contains("nothing is left of it"));
        let left = fs::read_dir(self.home.path()).unwrap();
        assert_eq!(left.count(), 0, "files are left");
        assert_eq!(self.processes(), Vec::<String>::new(), "processes are left");
        if let Some(switch) = switch {
            // The kernel takes a moment to let go of a namespace.
            wait_for("the end of the namespaces", || {
                namespaces(&switch).is_empty().then_some(())
            });
            assert!(!Path::new("/sys/class/net").join(&switch).exists());
        }
    }

    /// Name of the namespace between its nodes, if it has one.
    pub fn switch(&self) -> Option<String> {
        let directory = self.directory().canonicalize().unwrap();
        let mut files = fs::read_dir("/run").ok()?.map_while(Result::ok);
        files.find_map(|file| {
            let name = file.file_name().into_string().ok()?;
            let number = name.strip_prefix("cairn-devnet-")?;
            let owner = fs::read_link(file.path()).ok()?;
            (owner == directory).then(|| format!("cairn{number}"))
        })
    }

    /// Command lines of processes that have to do with it.
    fn processes(&self) -> Vec<String> {
        let directory = self.directory().display().to_string();
        let processes = fs::read_dir("/proc").unwrap();
        processes
            .filter_map(|process| fs::read(process.ok()?.path().join("cmdline")).ok())
            .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
            .filter(|line| line.contains(&directory))
            .collect()
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        let down = self.command("down.sh").stdout(Stdio::null()).status();
        // In a test that fails anyway a second complaint would hide the first.
        if !std::thread::panicking() {
            assert!(down.expect("the script can be started").success());
        }
    }
}

/// The namespaces of a switch and its nodes.
fn namespaces(switch: &str) -> Vec<String> {
    let list = Command::new("ip").args(["netns", "list"]).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    let names = list.lines().filter_map(|line| line.split(' ').next());
    names
        .filter(|name| name.split('-').next() == Some(switch))
        .map(str::to_owned)
        .collect()
}

/// Whether network namespaces with cables between them can be had here.
pub fn namespaces_can_be_had() -> bool {
    let probe = format!("cairn-test-{}", std::process::id());
    let ip = |arguments: &[&str]| {
        let ended = Command::new("ip").args(arguments).output();
        ended.is_ok_and(|ended| ended.status.success())
    };
    if !ip(&["netns", "add", &probe]) {
        return false;
    }
    let bridge = ip(&["-n", &probe, "link", "add", "one", "type", "bridge"]);
    let cable = [
        "link", "add", "two", "type", "veth", "peer", "name", "three",
    ];
    let cable = ip(&[&["-n", &probe], &cable[..]].concat());
    assert!(ip(&["netns", "delete", &probe]));
    bridge && cable
}
