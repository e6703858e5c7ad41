//! What only a whole process shows: how it ends, and what it says of a clock that is slow.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use alloy_primitives::{Address, address};
use cairn_genesis::ChainSpec;
use serde_json::{Value, json};

use crate::harness::{
    Failure, Node, Rpc, Running, Transfer, home, native, node_command, number, text, wait_for,
};

const SHOP: Address = address!("00000000000000000000000000000000000005b0");

/// Starts a node to which signals are sent one by one; also gives `HOST:PORT` of its RPC.
fn start(data: &Path, arguments: &[&str]) -> (Running, String) {
    let process = Running::start(&mut node_command(data, arguments));
    let address = wait_for("a node that serves", || {
        process.find_line(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            line["rpc"].as_str().map(str::to_owned)
        })
    });
    (process, address)
}

/// Its receipt would come after a transaction that nobody has. Blocks come all the while.
#[test]
fn a_request_that_waits_is_answered_when_the_node_stops() {
    let home = home();
    let node = Node::start(home.path(), &["run", "--chain", "dev", "--mine"]);
    let beyond_a_gap = native(0).pay(Transfer::new(SHOP, 1, 5));
    let (rpc, params) = (
        node.rpc().clone(),
        json!([beyond_a_gap.envelope(), 120_000]),
    );
    let waiting = thread::spawn(move || rpc.ask("eth_sendRawTransactionSync", params));
    wait_for("the transaction in the pool", || {
        let status = node.rpc().call("txpool_status", json!([]));
        (status["queued"] == "0x1").then_some(())
    });
    assert_eq!(node.rpc().call("eth_mining", json!([])), true);
    node.stop();
    match waiting.join().unwrap() {
        Err(Failure::Refused { code: 4, message }) => {
            assert!(
                message.contains("was accepted, but the node is shutting down"),
                "{message}"
            );
        }
        other => panic!("no word about the end: {other:?}"),
    }
    // It was journaled, and waits on.
    let node = Node::start(home.path(), &["run", "--chain", "dev"]);
    let status = node.rpc().call("txpool_status", json!([]));
    assert_eq!(status, json!({"pending": "0x0", "queued": "0x1"}));
}

/// A client that does not send the rest of its request keeps the server for as long as that is
/// allowed. Whoever insists does not wait for it.
#[test]
fn a_second_interrupt_ends_the_process() {
    let home = home();
    let (mut process, address) = start(home.path(), &["dev"]);
    let mut client = TcpStream::connect(&address).unwrap();
    let half = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Content-Length: 100\r\n\r\n{";
    client.write_all(half.as_bytes()).unwrap();
    wait_for("an answer behind it", || {
        Rpc::new(&address).ask("eth_chainId", json!([])).ok()
    });
    let status = wait_for("the end", || {
        process.signal("INT");
        process.status()
    });
    assert_eq!(status.code(), Some(130));
    Node::start(home.path(), &["dev"]).stop();
}

/// The chain begins in an hour.
#[test]
fn mining_that_waits_for_the_clock_is_told() {
    let home = home();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut spec = ChainSpec::builtin("devnet").unwrap().clone();
    spec.name = "early".into();
    spec.genesis_time = now.as_secs() + 3_600;
    let path = home.path().join("early.json");
    fs::write(&path, spec.to_json()).unwrap();
    let chain = path.to_str().unwrap();
    let node = Node::start(home.path(), &["run", "--chain", chain, "--mine"]);
    let rpc = node.rpc();
    let mining = wait_for("a miner that waits", || {
        let mining = rpc.call("cairn_nodeInfo", json!([]))["mining"].clone();
        (!mining["waitSeconds"].is_null()).then_some(mining)
    });
    // Block 1 is dated a second after genesis, and may be 15 ahead of the clock.
    let wait_s = number(&mining["waitSeconds"]);
    assert!((2_000..=3_586).contains(&wait_s), "{mining}");
    assert_eq!(mining["mode"], "continuous");
    assert_eq!(mining["active"], false);
    assert_eq!(rpc.call("eth_mining", json!([])), false);
    let payment = Transfer {
        chain_id: spec.chain_id,
        ..Transfer::new(SHOP, 1, 0)
    };
    let why = rpc.call("cairn_why", json!([rpc.send(&native(0).pay(payment))]));
    assert_eq!(
        (&why["status"], &why["reason"]),
        (&json!("ready"), &json!("clock"))
    );
    let log = node.kill();
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let warnings: Vec<_> = lines.filter(|line| line["level"] == "WARN").collect();
    let warning = text(&warnings[0]["message"]);
    assert!(warning.starts_with("mining waits 35"), "{warning}");
    assert!(
        warning.contains("if the clock is slow, set it right"),
        "{warning}"
    );
}
