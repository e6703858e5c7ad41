//! What outlives the process: the pool, and the state at every height. And how it ends.

use std::net::TcpListener;
use std::path::Path;

use alloy_primitives::{Address, B256, U256, address};
use serde_json::{Value, json};

use crate::harness::{
    Account, Node, Rpc, Running, Transfer, block_at, cairn, cairn_command, hash, home, native,
    number, secp256k1, wait_for, wei,
};

const MINES: [&str; 4] = ["run", "--chain", "dev", "--mine=on-transaction"];
const IDLE: [&str; 4] = ["run", "--chain", "dev", "--mine=off"];

const SHOP: Address = Address::repeat_byte(0xbb);

/// EIP-2935: the slots of this contract are the hashes of the last blocks.
const HISTORY: Address = address!("0000F90827F1C53a10cb7A02335B175320002935");

fn pool(rpc: &Rpc) -> Value {
    rpc.call("txpool_content", json!([]))
}

fn status(rpc: &Rpc) -> (u64, u64) {
    let status = rpc.call("txpool_status", json!([]));
    (number(&status["pending"]), number(&status["queued"]))
}

fn send(rpc: &Rpc, account: &Account, nonces: impl IntoIterator<Item = u64>) -> Vec<B256> {
    let each = nonces.into_iter();
    each.map(|nonce| rpc.send(&account.pay(Transfer::new(SHOP, 1, nonce))))
        .collect()
}

/// Starts on what is there, checks that the pool is `expected`, and hands the node over.
fn with_pool(data: &Path, expected: &Value) -> Node {
    let node = Node::start(data, &IDLE);
    assert_eq!(pool(node.rpc()), *expected);
    node
}

#[test]
fn transactions_wait_through_restarts_and_kills_until_they_are_mined() {
    let home = home();
    let node = Node::start(home.path(), &IDLE);
    let mut waiting = send(node.rpc(), &native(0), 0..3);
    waiting.extend(send(node.rpc(), &secp256k1(0), 0..2));
    let queued = send(node.rpc(), &native(0), [5, 6]);
    assert_eq!(status(node.rpc()), (5, 2));
    let told = pool(node.rpc());
    node.stop();

    with_pool(home.path(), &told).kill();
    with_pool(home.path(), &told).stop_by("INT");
    let node = with_pool(home.path(), &told);
    let late = node
        .rpc()
        .send(&secp256k1(1).pay(Transfer::new(SHOP, 1, 0)));
    waiting.push(late);
    let told = pool(node.rpc());
    node.kill();
    with_pool(home.path(), &told).stop();

    let node = Node::start(home.path(), &MINES);
    for one in waiting {
        assert_eq!(node.rpc().mined(one)["status"], "0x1");
    }
    assert_eq!(status(node.rpc()), (0, 2), "those beyond the gap wait on");
    node.kill();

    let node = Node::start(home.path(), &MINES);
    assert_eq!(status(node.rpc()), (0, 2));
    send(node.rpc(), &native(0), 3..5);
    for one in queued {
        node.rpc().mined(one);
    }
    assert_eq!(status(node.rpc()), (0, 0));
    assert_eq!(node.rpc().nonce(native(0).address, "latest"), 7);
    node.stop();
}

/// What one height looks like: block, balances, nonce, and the parent's hash in EIP-2935's slot.
fn state_at(rpc: &Rpc, height: u64) -> Value {
    let at = block_at(height);
    let parent_slot = block_at(height.saturating_sub(1));
    json!({
        "block": rpc.block(at.as_str()),
        "payer": rpc.balance(native(0).address, at.as_str()),
        "shop": rpc.balance(SHOP, at.as_str()),
        "nonce": rpc.nonce(native(0).address, at.as_str()),
        "parent": rpc.call("eth_getStorageAt", json!([HISTORY, parent_slot, at])),
        "supply": rpc.call("cairn_supply", json!([at])),
    })
}

#[test]
fn the_state_at_every_height_stays_right() {
    const HEIGHT: u64 = 20;
    let home = home();
    let node = Node::start(home.path(), &MINES);
    let mut told = vec![state_at(node.rpc(), 0)];
    for nonce in 0..HEIGHT {
        let payment = native(0).pay(Transfer::new(SHOP, 1, nonce));
        node.rpc().send_and_mine(&payment);
        // Taken at the tip, where the flat state answers; below, history has to agree.
        told.push(state_at(node.rpc(), nonce + 1));
    }
    for (height, then) in (0..=HEIGHT).zip(&told) {
        assert_eq!(state_at(node.rpc(), height), *then);
        assert_eq!(then["nonce"], json!(height));
        assert_eq!(wei(&then["shop"]), U256::from(height));
    }
    for pair in told.windows(2) {
        assert_eq!(hash(&pair[1]["parent"]), hash(&pair[0]["block"]["hash"]));
        assert_ne!(pair[1]["block"]["stateRoot"], pair[0]["block"]["stateRoot"]);
    }
    node.kill();
    let node = Node::start(home.path(), &IDLE);
    assert_eq!(node.rpc().height(), HEIGHT);
    for (height, then) in (0..=HEIGHT).zip(&told) {
        assert_eq!(state_at(node.rpc(), height), *then, "after a kill");
    }
    node.stop();
    let data = home.path().to_str().unwrap();
    let checked = cairn(&["db", "check", "--chain", "dev", "--datadir", data]).success();
    assert!(
        checked.starts_with("ok: 21 blocks up to height 20, 20 transactions"),
        "{checked}"
    );
}

/// Whoever read the log has gone: `cairn run | head`.
#[test]
fn a_node_goes_on_when_nobody_reads_its_log() {
    let home = home();
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let arguments = [
        "run", "--chain", "devnet", "--mine", "--no-p2p", "--rpc", &free,
    ];
    for log_format in ["human", "json"] {
        let mut command = cairn_command(home.path(), &arguments);
        command.args(["--log-format", log_format]);
        let mut node = Running::start_unheard(&mut command);
        let rpc = Rpc::new(&free);
        let mut height = || {
            assert!(node.status().is_none(), "the node goes on");
            rpc.ask("eth_blockNumber", json!([]))
                .ok()
                .map(|height| number(&height))
        };
        let start = wait_for("a node that serves", &mut height);
        wait_for("blocks", || height().filter(|height| *height > start + 1));
        node.signal("TERM");
        assert_eq!(node.wait().code, Some(0));
    }
}

/// `stop_by` checks exit code 0 and a silent stderr.
#[test]
fn signals_stop_a_mining_node_in_good_order() {
    let home = home();
    let mut height = 0;
    for signal in ["TERM", "INT"] {
        let node = Node::start(home.path(), &["run", "--chain", "devnet", "--mine"]);
        assert!(node.rpc().height() >= height);
        wait_for("a block", || (node.rpc().height() > height).then_some(()));
        height = node.rpc().height();
        node.stop_by(signal);
    }
    let data = home.path().to_str().unwrap();
    let checked = cairn(&["db", "check", "--chain", "devnet", "--datadir", data]);
    assert!(checked.success().starts_with("ok: "));
}
