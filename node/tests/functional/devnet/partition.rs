//! A network that falls in two, and is one again.
//!
//! ```text
//!            ┌─ … pays Alice …      nodes 1, 3, 4; node 1 mines
//!  genesis ──┤                                                       both payments: same payer, same nonce
//!            └─ … pays Bob …        nodes 2, 5; node 2 mines
//! ```

use alloy_primitives::{Address, B256, U256};
use serde_json::{Value, json};

use super::network::{Devnet, namespaces_can_be_had};
use crate::harness::{Rpc, Transfer, block_at, hash, secp256k1, wait_for, wei};

/// Chain id of `devnet`.
const DEVNET: u64 = 31338;

/// Coins that a block of `devnet` creates, in wei.
const SUBSIDY: u64 = 2_000_000_000_000_000_000;

const ALICE: Address = Address::repeat_byte(0xaa);
const BOB: Address = Address::repeat_byte(0xbb);
const VALUE: u64 = 1_000;

/// The payments, one on each side.
struct DoubleSpend {
    to_alice: B256,
    to_bob: B256,
}

#[test]
fn a_partition_on_loopback_heals() {
    let (devnet, up) = Devnet::up(&["--nodes", "5", "--miners", "2", "--loopback"]);
    assert_eq!(up.stderr, "", "nobody hoped for namespaces");
    assert_eq!(devnet.status()["wires"], "loopback");
    falls_in_two_and_heals(devnet);
}

/// Where there can be no namespaces, the fallback has to say so; what it can do, the test on
/// loopback shows.
#[test]
fn a_partition_between_namespaces_heals() {
    if namespaces_can_be_had() {
        let (devnet, up) = Devnet::up(&["--nodes", "5", "--miners", "2"]);
        assert_eq!(up.stderr, "", "there is nothing to complain about");
        assert_eq!(devnet.status()["wires"], "namespaces");
        falls_in_two_and_heals(devnet);
    } else {
        let (devnet, up) = Devnet::up(&["--nodes", "2"]);
        assert!(up.stderr.starts_with("No network namespaces: "), "{up:?}");
        assert_eq!(devnet.status()["wires"], "loopback");
        devnet.down();
    }
}

fn falls_in_two_and_heals(devnet: Devnet) {
    devnet.connected(&[4; 5]);
    assert_eq!(
        devnet.each("mines"),
        [true, true, false, false, false],
        "miners come first"
    );
    let spend = spend_twice(&devnet);
    crash_within_the_partition(&devnet, &spend);

    devnet.run("heal.sh", &[]).success();
    let decided = one_of(&devnet.rpcs(), &spend);
    assert_eq!(devnet.each("state"), ["running"; 5]);
    one_ledger(&devnet.rpcs(), decided);
    loser_knows_why(&devnet, &spend, decided);

    devnet.run("restart.sh", &["6"]).success();
    devnet.connected(&[5; 6]);
    let nodes = devnet.rpcs();
    assert_eq!(one_of(&nodes, &spend), decided, "node 6 has the chain");
    one_ledger(&nodes, decided);
    devnet.down();
}

/// Parts the network and pays on both sides, until both payments are mined.
fn spend_twice(devnet: &Devnet) -> DoubleSpend {
    devnet.run("partition.sh", &["1,3,4", "2,5"]).success();
    assert_eq!(devnet.each("state"), ["partitioned"; 5]);
    assert_eq!(devnet.each("group"), [1, 2, 1, 1, 2]);
    let pay = |to| {
        secp256k1(0).pay(Transfer {
            chain_id: DEVNET,
            ..Transfer::new(to, VALUE, 0)
        })
    };
    let spend = DoubleSpend {
        to_alice: devnet.rpc(3).send(&pay(ALICE)),
        to_bob: devnet.rpc(5).send(&pay(BOB)),
    };
    devnet.rpc(4).mined(spend.to_alice);
    devnet.rpc(2).mined(spend.to_bob);
    spend
}

/// A node that is killed comes back on its side, with what it knew, and hears nothing from
/// beyond.
fn crash_within_the_partition(devnet: &Devnet, spend: &DoubleSpend) {
    let node = devnet.rpc(3);
    let known = node.mined(spend.to_alice);
    devnet.run("kill.sh", &["3"]).success();
    assert_eq!(devnet.nodes()[2]["state"], "stopped");
    devnet.run("restart.sh", &["3"]).success();
    let node = devnet.rpc(3);
    assert_eq!(node.receipt(spend.to_alice), known);
    let mined = node.height() + 1;
    wait_for("a block from the own side", || {
        (node.height() > mined).then_some(())
    });
    for node in [1, 3, 4] {
        assert_eq!(devnet.rpc(node).receipt(spend.to_bob), Value::Null);
    }
    for node in [2, 5] {
        assert_eq!(devnet.rpc(node).receipt(spend.to_alice), Value::Null);
    }
}

/// Waits until all nodes know the same one of the payments, and nobody the other one, not even
/// as one that waits; gives who was paid.
fn one_of(nodes: &[Rpc], spend: &DoubleSpend) -> Address {
    wait_for("a decision about the double spend", || {
        let alone = |mined, gone| {
            nodes.iter().all(|node| {
                !node.receipt(mined).is_null()
                    && node
                        .call("eth_getTransactionByHash", json!([gone]))
                        .is_null()
            })
        };
        if alone(spend.to_alice, spend.to_bob) {
            Some(ALICE)
        } else {
            alone(spend.to_bob, spend.to_alice).then_some(BOB)
        }
    })
}

/// Whoever saw the payment that is undone can tell what became of it.
fn loser_knows_why(devnet: &Devnet, spend: &DoubleSpend, paid: Address) {
    let (node, undone) = match paid == ALICE {
        true => (5, spend.to_bob),
        false => (4, spend.to_alice),
    };
    let why = devnet.rpc(node).call("cairn_why", json!([undone]));
    assert_eq!(
        (&why["status"], &why["reason"]),
        (&json!("gone"), &json!("nonce_used"))
    );
}

/// Compares balances and supply at one block that all nodes have.
fn one_ledger(nodes: &[Rpc], paid: Address) {
    let (height, block) = wait_for("one head", || {
        let lowest = nodes.iter().map(Rpc::height).min()?;
        let blocks: Option<Vec<_>> = nodes.iter().map(|node| block_hash(node, lowest)).collect();
        let blocks = blocks?;
        let same = blocks.iter().all(|block| *block == blocks[0]);
        same.then_some((lowest, blocks[0]))
    });
    let payer = secp256k1(0).address;
    let ledger = |node: &Rpc| {
        let balance = |address| node.call("eth_getBalance", json!([address, {"blockHash": block}]));
        let supply = node.call("cairn_supply", json!([block_at(height)]));
        ([ALICE, BOB, payer].map(balance), supply)
    };
    let (balances, supply) = ledger(&nodes[0]);
    for node in nodes {
        assert_eq!(ledger(node), (balances.clone(), supply.clone()));
    }
    for (who, balance) in [ALICE, BOB].iter().zip(&balances) {
        let due = if *who == paid { VALUE } else { 0 };
        assert_eq!(wei(balance), U256::from(due), "{who}");
    }
    let at_genesis = nodes[0].call("cairn_supply", json!(["0x0"]));
    let created = wei(&supply["issued"]) - wei(&at_genesis["issued"]);
    assert_eq!(created, U256::from(SUBSIDY) * U256::from(height));
}

fn block_hash(node: &Rpc, height: u64) -> Option<B256> {
    let block = node.block(block_at(height));
    (!block.is_null()).then(|| hash(&block["hash"]))
}
