//! A node under attack and its honest neighbor, and what must hold for them.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use alloy_primitives::Address;
use cairn_genesis::ChainSpec;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::node::{Node, Rpc, number};
use super::users;
use super::wait::wait_for;

/// The most memory that the node may ever have, whatever strangers do. About 100 MiB are its
/// own; answers on their way to peers may take 64 MiB, and each of 64 peers a few.
const MAX_MEMORY_BYTES: u64 = 512 << 20;

/// The longest log: strangers do not fill the disk with it.
const MAX_LOG_BYTES: usize = 1 << 20;

/// Blocks that have to come while an attack goes on.
const BLOCKS: u64 = 3;

/// Somebody who did what is not forgiven.
#[derive(Debug, Clone)]
pub struct Offender {
    /// The peer id.
    pub id: String,
    /// What is part of the reason for the ban.
    pub words: &'static str,
}

/// What a stranger needs to know of the node.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its multiaddress over TCP, with its id.
    pub address: String,
    /// The rules of its chain.
    pub spec: Arc<ChainSpec>,
    /// Its RPC.
    pub rpc: Rpc,
}

/// The two nodes.
pub struct Stage {
    _home: TempDir,
    node: Node,
    friend: Node,
    friend_id: String,
    /// All offenders so far.
    named: RefCell<Vec<Offender>>,
    pub target: Target,
}

impl Stage {
    /// Starts both, and waits until the one follows the other.
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let spec = Arc::new(chain());
        let file = home.path().join("chain.json");
        std::fs::write(&file, spec.to_json()).unwrap();
        let miner = Address::repeat_byte(1).to_string();
        let mine = ["--mine", "--mine-share", "5", "--mine-to", &miner];
        let node = Node::start(&file, &home.path().join("node"), &mine);
        let info = node.rpc.call("admin_nodeInfo", json!([]));
        let address = info["enode"].as_str().unwrap().to_owned();
        let friend = friend(&file, home.path(), &address);
        let info = friend.rpc.call("admin_nodeInfo", json!([]));
        let target = Target {
            address,
            spec,
            rpc: node.rpc.clone(),
        };
        let stage = Self {
            _home: home,
            node,
            friend,
            friend_id: info["id"].as_str().unwrap().to_owned(),
            named: RefCell::default(),
            target,
        };
        wait_for("the neighbor", || stage.has_friend().then_some(()));
        stage.lives();
        stage
    }

    /// Lets an attack go on, again and again, until blocks have come in the meantime. Whom it
    /// names must be banned for what it did.
    pub fn withstands<A>(&self, attack: impl Fn(Target) -> A + Send + Sync + 'static)
    where
        A: Future<Output = Vec<Offender>> + Send + 'static,
    {
        let idle = self.node.resident_bytes();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let enough = Arc::new(AtomicBool::new(false));
        let (target, told) = (self.target.clone(), Arc::clone(&enough));
        let attack = runtime.spawn(async move {
            let mut offenders = attack(target.clone()).await;
            while !told.load(Ordering::Relaxed) {
                offenders.extend(attack(target.clone()).await);
            }
            offenders
        });
        self.lives();
        enough.store(true, Ordering::Relaxed);
        let offenders = runtime.block_on(attack).unwrap();
        let (peak, log) = (self.node.peak_bytes(), self.node.log().len());
        println!(
            "idle {} MiB, at most {} MiB, log {} KiB, {} offenders",
            idle >> 20,
            peak >> 20,
            log >> 10,
            offenders.len()
        );
        self.named.borrow_mut().extend(offenders);
        self.has_banned(&self.named.borrow());
        assert!(peak < MAX_MEMORY_BYTES, "{peak} bytes of memory");
        assert!(log < MAX_LOG_BYTES, "{log} bytes of log");
    }

    /// The node mines, and both tell of what it mined.
    #[track_caller]
    pub fn lives(&self) {
        let wanted = self.node.rpc.height() + BLOCKS;
        for (name, rpc) in [("node", &self.node.rpc), ("neighbor", &self.friend.rpc)] {
            wait_for(&format!("block {wanted} at the {name}"), || {
                (rpc.height() >= wanted).then_some(())
            });
        }
        let block = |rpc: &Rpc| {
            let height = format!("{wanted:#x}");
            rpc.call("eth_getBlockByNumber", json!([height, false]))["hash"].clone()
        };
        wait_for("one chain", || {
            (block(&self.node.rpc) == block(&self.friend.rpc)).then_some(())
        });
        assert!(self.has_friend(), "the neighbor is lost");
    }

    #[track_caller]
    fn has_friend(&self) -> bool {
        let peers = self.node.rpc.call("admin_peers", json!([]));
        let mut peers = peers.as_array().unwrap().iter();
        let Some(friend) = peers.find(|peer| peer["id"] == *self.friend_id) else {
            return false;
        };
        assert_eq!(number(&friend["network"]["points"]), 0, "{friend}");
        true
    }

    /// Every offender is banned for what it did, and nobody else.
    #[track_caller]
    fn has_banned(&self, offenders: &[Offender]) {
        for offender in offenders {
            let reason = wait_for(&format!("the ban of {offender:?}"), || {
                let bans = self.bans();
                let mut bans = bans.iter();
                let ban = bans.find(|ban| ban["subject"] == *offender.id)?;
                Some(ban["reason"].as_str().unwrap().to_owned())
            });
            assert!(reason.contains(offender.words), "{offender:?}: {reason}");
        }
        for ban in self.bans() {
            let is_named = offenders.iter().any(|known| ban["subject"] == *known.id);
            assert!(is_named, "{ban}");
        }
    }

    fn bans(&self) -> Vec<Value> {
        let bans = self.node.rpc.call("cairn_bans", json!([]));
        bans.as_array().unwrap().clone()
    }

    /// What the node has logged.
    pub fn log(&self) -> String {
        self.node.log()
    }

    /// After it all: the node has its neighbor, mines on, takes payments and stops in good order.
    #[track_caller]
    pub fn ends_well(self) {
        let since = self.friend_since();
        users::pay_and_see(&self.friend.rpc, &self.target);
        self.lives();
        let bans = self.friend.rpc.call("cairn_bans", json!([]));
        assert_eq!(bans, json!([]), "the neighbor has heard of nothing bad");
        assert_eq!(self.friend_since(), since, "the connection is the same");
        self.friend.stop();
        self.node.stop();
    }

    fn friend_since(&self) -> Value {
        let peers = self.node.rpc.call("admin_peers", json!([]));
        let mut peers = peers.as_array().unwrap().iter();
        let friend = peers.find(|peer| peer["id"] == *self.friend_id).unwrap();
        friend["network"]["since"].clone()
    }
}

fn friend(file: &Path, home: &Path, address: &str) -> Node {
    Node::start(file, &home.join("friend"), &["--peer", address])
}

/// As `devnet`, with a block every second that is found at once, and with [`users`].
fn chain() -> ChainSpec {
    let devnet = ChainSpec::builtin("devnet").unwrap().to_json();
    let mut json: Value = serde_json::from_str(&devnet).unwrap();
    json["name"] = json!("hostile");
    json["spacing"] = json!(1);
    json["difficulty"]["asert"]["anchor_bits"] = json!("1f00ffff");
    for address in users::funded() {
        json["alloc"][address.to_string()] = json!({"balance": "1000000000000000000000"});
    }
    ChainSpec::from_json(&json.to_string()).unwrap()
}
