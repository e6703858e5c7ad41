//! kill -9 under load, again and again: nothing that anybody was told is lost.
//!
//! ```text
//! sender ──transactions─► ┌───────┐
//! watcher ──questions───► │ cairn │ ──kill -9──► started again: is all that was told still so?
//! log ◄────────────────── └───────┘
//!                         mines without pause
//! ```
//!
//! The moments come from a seed, which is printed; `CAIRN_TEST_SEED` brings one back.

use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use alloy_primitives::{Address, U256};
use cairn_genesis::ChainSpec;
use serde_json::{Value, json};

use crate::harness::{
    Account, Failure, Node, Rpc, Told, Transfer, block_at, cairn, hash, home, native, number,
    parsed, receipts_of, secp256k1, start_and_kill, text, wait_for,
};

const ROUNDS: usize = 20;

/// Rounds between two looks at the whole database.
const CHECK_EVERY: usize = 5;

/// A node runs no longer than this after its first new block.
const LONGEST_RUN_MS: u64 = 800;

/// A start takes less on most machines, so that most kills hit it.
const LONGEST_START_MS: u64 = 150;

/// Gets a wei from each payment.
const SHOP: Address = Address::repeat_byte(0xbb);

/// The chain `dev` with work of some ten milliseconds for each block: enough to keep a miner busy
/// without pause, little enough for many commits in each round.
fn spec_file(directory: &Path) -> String {
    let mut spec: Value =
        serde_json::from_str(&ChainSpec::builtin("dev").unwrap().to_json()).unwrap();
    spec["difficulty"] = json!({"fixed": "1f00ffff"});
    let path = directory.join("busy.json");
    fs::write(&path, spec.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn from_environment() -> Self {
        let seed = match std::env::var("CAIRN_TEST_SEED") {
            Ok(seed) => seed.parse().unwrap(),
            Err(_) => RandomState::new().build_hasher().finish(),
        };
        println!("CAIRN_TEST_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    fn up_to_ms(&mut self, longest_ms: u64) -> Duration {
        Duration::from_millis(self.next() % (longest_ms + 1))
    }
}

/// Sends payments of all accounts in turn until the node is gone.
fn send(rpc: &Rpc, told: &Mutex<Told>) -> Result<(), Failure> {
    let payers: Vec<Account> = (0..5)
        .flat_map(|index| [native(index), secp256k1(index)])
        .collect();
    let mut nonces = Vec::new();
    for payer in &payers {
        let nonce = rpc.ask("eth_getTransactionCount", json!([payer.address, "pending"]))?;
        nonces.push(number(&nonce));
    }
    loop {
        for (payer, nonce) in payers.iter().zip(&mut nonces) {
            let payment = payer.pay(Transfer::new(SHOP, 1, *nonce));
            match rpc.ask("eth_sendRawTransaction", json!([payment.envelope()])) {
                Ok(sent) => {
                    told.lock().unwrap().accepted.insert(hash(&sent));
                    *nonce += 1;
                }
                // It has as many in the pool as the pool takes.
                Err(Failure::Refused { message, .. }) => {
                    assert!(message.starts_with("nonce too high"), "{message}");
                    thread::sleep(Duration::from_millis(1));
                }
                Err(gone) => return Err(gone),
            }
        }
    }
}

/// Reads every new block and its receipts until the node is gone.
fn watch(rpc: &Rpc, told: &Mutex<Told>) -> Result<(), Failure> {
    let mut next = told.lock().unwrap().next_height();
    loop {
        let tip = rpc.ask("eth_getHeaderByNumber", json!(["latest"]))?;
        let height = number(&tip["number"]);
        told.lock().unwrap().block(height, hash(&tip["hash"]));
        let block = |height| ("eth_getBlockByNumber", json!([block_at(height), false]));
        let blocks = rpc.ask_all(&(next..=height).map(block).collect::<Vec<_>>())?;
        let mut transactions = Vec::new();
        for block in &blocks {
            told.lock()
                .unwrap()
                .block(number(&block["number"]), hash(&block["hash"]));
            transactions.extend(block["transactions"].as_array().unwrap().iter().map(hash));
        }
        let receipts = rpc.ask_all(&receipts_of(transactions.iter()))?;
        for (transaction, receipt) in transactions.into_iter().zip(receipts) {
            assert_eq!(receipt["status"], "0x1", "{transaction} is in a block");
            told.lock().unwrap().receipts.insert(transaction, receipt);
        }
        next = next.max(height + 1);
        thread::sleep(Duration::from_millis(1));
    }
}

/// Starts the node, checks what was told before, loads it, and kills it.
fn round(data: &Path, arguments: &[&str], told: Told, doze: Duration) -> Told {
    let node = Node::start(data, arguments);
    told.check(node.rpc());
    let rpc = node.rpc().clone();
    let before = (told.next_height(), told.accepted.len());
    let told = Mutex::new(told);
    let log = thread::scope(|scope| {
        let sender = scope.spawn(|| send(&rpc, &told));
        let watcher = scope.spawn(|| watch(&rpc, &told));
        wait_for("a new block and a new transaction", || {
            let told = told.lock().unwrap();
            (told.next_height() > before.0 && told.accepted.len() > before.1).then_some(())
        });
        thread::sleep(doze);
        let log = node.kill();
        for ended in [sender.join(), watcher.join()] {
            assert!(
                matches!(ended.unwrap(), Err(Failure::Gone)),
                "until the kill all went well"
            );
        }
        log
    });
    let mut told = told.into_inner().unwrap();
    told.log(&log);
    told
}

/// What `cairn db check` counts: blocks, height, transactions.
fn audit(data: &Path, chain: &str) -> [u64; 3] {
    let data = data.to_str().unwrap();
    let audit = parsed(cairn(&[
        "db",
        "check",
        "--json",
        "--chain",
        chain,
        "--datadir",
        data,
    ]));
    ["blocks", "height", "transactions"].map(|count| audit[count].as_u64().unwrap())
}

#[test]
fn no_kill_loses_what_anybody_was_told() {
    let home = home();
    let data = home.path().join("data");
    let chain = spec_file(home.path());
    let arguments = ["run", "--chain", &chain, "--mine"];
    let mut random = Random::from_environment();
    let mut told = Told::default();
    for count in 1..=ROUNDS {
        told = round(&data, &arguments, told, random.up_to_ms(LONGEST_RUN_MS));
        if random.next().is_multiple_of(2) {
            start_and_kill(&data, &arguments, random.up_to_ms(LONGEST_START_MS));
        }
        if count.is_multiple_of(CHECK_EVERY) {
            let [blocks, height, _] = audit(&data, &chain);
            assert_eq!(blocks, height + 1);
            assert!(blocks >= told.next_height());
        }
    }
    let node = Node::start(&data, &arguments);
    told.check(node.rpc());
    wait_for("every transaction that was taken", || {
        let receipts = node.rpc().ask_all(&receipts_of(told.waiting())).unwrap();
        receipts
            .iter()
            .all(|receipt| receipt["status"] == "0x1")
            .then_some(())
    });
    node.stop();
    let [_, _, transactions] = audit(&data, &chain);
    assert!(transactions >= told.accepted.len() as u64);
    println!("{} blocks, {transactions} transactions", told.blocks.len());

    let node = Node::start(&data, &["run", "--chain", &chain]);
    told.check(node.rpc());
    let received = node.rpc().balance(SHOP, "latest");
    assert_eq!(received, U256::from(transactions), "each was mined once");
    node.stop();
}

/// The first start, which makes the database, may end at any moment too.
#[test]
fn a_database_that_was_being_made_when_the_kill_came_is_made_again() {
    let mut random = Random::from_environment();
    for _ in 0..10 {
        let home = home();
        start_and_kill(home.path(), &["dev"], random.up_to_ms(LONGEST_START_MS));
        let node = Node::start(home.path(), &["dev"]);
        let client = node.rpc().call("web3_clientVersion", json!([]));
        assert!(text(&client).starts_with("cairn/"));
        node.stop();
        assert_eq!(audit(home.path(), "dev"), [1, 0, 0]);
    }
}
