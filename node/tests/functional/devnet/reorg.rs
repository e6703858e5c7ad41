//! Payments under load, and a reorganization on demand.

use serde_json::json;

use super::network::Devnet;
use crate::harness::{Rpc, number, secp256k1, wait_for};

/// Payments a second, and for how long.
const LOAD: [&str; 4] = ["--tps", "20", "--seconds", "3"];
const PAYMENTS: u64 = 60;

/// Accounts that pay.
const ACCOUNTS: usize = 10;

/// Blocks to be undone.
const DEPTH: u64 = 2;

#[test]
fn what_is_undone_is_mined_again() {
    let (devnet, _) = Devnet::up(&["--nodes", "3"]);
    let load = devnet.run("load.sh", &LOAD).success();
    let taken = format!("{PAYMENTS} taken, 0 refused");
    assert!(load.contains(&taken), "{load}");
    all_paid(&devnet.rpcs());

    let depth = DEPTH.to_string();
    let shown = devnet.run("reorg.sh", &["--depth", &depth]).success();
    assert!(
        shown.contains("all nodes have one history again"),
        "{shown}"
    );
    assert!(longest_lost_branch(&devnet.rpc(1)) >= DEPTH, "{shown}");
    all_paid(&devnet.rpcs());
    assert_eq!(devnet.each("state"), ["running"; 3]);
    assert_eq!(
        devnet.each("mines"),
        [true, false, false],
        "everybody mines who did before"
    );

    going_on(&devnet);
    devnet.down();
}

/// Every payment is mined, as every node sees it.
fn all_paid(nodes: &[Rpc]) {
    let paid = |node: &Rpc| -> u64 {
        let nonce = |index| node.nonce(secp256k1(index).address, "latest");
        (0..ACCOUNTS).map(nonce).sum()
    };
    wait_for("all payments on all nodes", || {
        nodes
            .iter()
            .all(|node| paid(node) == PAYMENTS)
            .then_some(())
    });
}

/// Of the branches that left the chain, the blocks of the longest.
fn longest_lost_branch(node: &Rpc) -> u64 {
    let tips = node.call("cairn_chainTips", json!([]));
    let tips = tips.as_array().unwrap();
    let lost = tips.iter().filter(|tip| tip["status"] == "valid-fork");
    lost.map(|tip| number(&tip["branchLength"]))
        .max()
        .unwrap_or(0)
}

/// `up.sh` knows a devnet that runs, and one that was put away.
fn going_on(devnet: &Devnet) {
    let again = devnet.run("up.sh", &["--nodes", "3"]).success();
    assert!(again.contains("runs already"), "{again}");
    let other = devnet.run("up.sh", &["--nodes", "4"]);
    other.failed(1, "was made by: up.sh --nodes 3");

    let height = devnet.rpc(1).height();
    devnet.run("down.sh", &["--keep"]).success();
    assert_eq!(devnet.each("state"), ["stopped"; 3]);
    // Where the programs are makes no other network of it.
    devnet.run("up.sh", &devnet.programs()).success();
    assert!(devnet.rpc(1).height() >= height, "blocks are lost");
    devnet.connected(&[2; 3]);
}
