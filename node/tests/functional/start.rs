//! What a node refuses to start with: one sentence that says what to do, and the data as it was.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use alloy_primitives::Address;
use cairn_genesis::ChainSpec;
use cairn_node::store::schema::{SCHEMA_VERSION, meta};
use cairn_node::store::{Batch, Column, Durability, Rocks, Store};
use serde_json::{Value, json};

use crate::harness::{Node, Transfer, cairn, home, native, snapshot};

const SHOP: Address = Address::repeat_byte(0xbb);

/// Makes a directory with one block of `dev`.
fn made(data: &Path) {
    let node = Node::start(data, &["dev"]);
    node.rpc()
        .send_and_mine(&native(0).pay(Transfer::new(SHOP, 1, 0)));
    node.stop();
}

/// The block is there and nothing is wrong.
fn is_whole(data: &Path) {
    let data = data.to_str().unwrap();
    let checked = cairn(&["db", "check", "--chain", "dev", "--datadir", data]).success();
    assert!(
        checked.starts_with("ok: 2 blocks up to height 1, 1 transactions"),
        "{checked}"
    );
}

/// Starts a node that refuses for this reason and changes no file.
#[track_caller]
fn refuses_untouched(data: &Path, arguments: &[&str], words: &str) {
    let before = snapshot(data);
    Node::refuses(data, arguments).failed(1, words);
    assert_eq!(snapshot(data), before, "a refusal changes nothing");
}

#[test]
fn a_second_process_does_not_share_the_directory() {
    let home = home();
    let data = home.path().to_str().unwrap();
    let node = Node::start(home.path(), &["dev"]);
    let words = format!("{data} is in use by another process; stop that one first");
    refuses_untouched(home.path(), &["dev"], &words);
    refuses_untouched(home.path(), &["run", "--chain", "devnet"], &words);
    for command in ["check", "stats"] {
        cairn(&["db", command, "--chain", "dev", "--datadir", data]).failed(1, &words);
    }
    let payment = native(0).pay(Transfer::new(SHOP, 1, 0));
    assert_eq!(
        node.rpc().send_and_mine(&payment)["status"],
        "0x1",
        "the first one goes on"
    );
    node.stop();
    is_whole(home.path());
}

#[test]
fn a_directory_of_another_chain_is_left_alone() {
    let home = home();
    made(home.path());
    let [ours, other] = ["dev", "devnet"].map(|name| ChainSpec::builtin(name).unwrap());
    let words = format!(
        "holds chain {} (`dev`), not {} (`devnet`); start it with --chain dev, or",
        ours.genesis_hash(),
        other.genesis_hash()
    );
    let before = snapshot(home.path());
    for chain in ["devnet", "testnet"] {
        refuses_untouched(home.path(), &["run", "--chain", chain], "--datadir");
    }
    let data = home.path().to_str().unwrap();
    cairn(&["db", "check", "--chain", "devnet", "--datadir", data]).failed(1, &words);
    cairn(&["db", "stats", "--datadir", data]).failed(1, &words);
    assert_eq!(snapshot(home.path()), before);
    is_whole(home.path());
}

/// Writes another schema version into the database.
fn set_schema(data: &Path, version: u32) {
    let store = Rocks::open(data, ChainSpec::builtin("dev").unwrap().genesis_hash()).unwrap();
    let mut batch = Batch::default();
    batch.put(Column::Meta, meta::SCHEMA, version.to_be_bytes());
    store.write(batch, Durability::Synced).unwrap();
}

#[test]
fn a_directory_of_a_later_version_is_left_alone() {
    let home = home();
    made(home.path());
    set_schema(home.path(), SCHEMA_VERSION + 1);
    let words = format!(
        "has schema {}, this version of Cairn reads schema {SCHEMA_VERSION}; use the newer version",
        SCHEMA_VERSION + 1
    );
    refuses_untouched(home.path(), &["dev"], &words);
    let data = home.path().to_str().unwrap();
    let before = snapshot(home.path());
    cairn(&["db", "check", "--chain", "dev", "--datadir", data]).failed(1, &words);
    assert_eq!(snapshot(home.path()), before);
}

#[test]
fn a_taken_port_is_named() {
    let home = home();
    made(home.path());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let words = format!("the RPC address {address} is already in use");
    let arguments = ["dev", "--rpc", &address];
    let refused = Node::refuses(home.path(), &arguments);
    refused.failed(1, &words);
    refused.failed(1, "--rpc HOST:PORT");
    is_whole(home.path());

    drop(taken);
    let node = Node::start(home.path(), &arguments);
    assert_eq!(node.address(), address);
    let second = tempfile::tempdir().unwrap();
    let untouched = second.path().join("data");
    Node::refuses(&untouched, &arguments).failed(1, &words);
    assert!(!untouched.exists(), "the port comes first");
    assert_eq!(node.rpc().height(), 1, "the first one goes on");
    node.stop();
}

#[test]
fn mining_needs_a_receiver() {
    let home = home();
    let arguments = ["run", "--chain", "testnet", "--mine"];
    refuses_untouched(home.path(), &arguments, "add --mine-to ADDRESS");
    // Without mining nobody has to be named, and nobody is made up.
    let node = Node::start(home.path(), &arguments[..3]);
    node.rpc().refused(
        "eth_coinbase",
        json!([]),
        -32000,
        "etherbase must be explicitly specified",
    );
    node.stop();
}

/// `dev`'s spec with a change, in a file; its path.
fn changed_spec(directory: &Path, change: impl Fn(&mut Value)) -> String {
    let mut spec = serde_json::from_str(&ChainSpec::builtin("dev").unwrap().to_json()).unwrap();
    change(&mut spec);
    let path = directory.join("spec.json");
    fs::write(&path, spec.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_spec_that_is_wrong_is_refused_with_the_key_at_fault() {
    let home = home();
    let data = home.path().join("data");
    let refuses = |change: &dyn Fn(&mut Value), words: &str| {
        let file = changed_spec(home.path(), change);
        let refused = Node::refuses(&data, &["run", "--chain", &file]);
        refused.failed(1, words);
        refused.failed(1, &file);
    };
    refuses(
        &|spec| spec["block_time"] = json!(5),
        "unknown field `block_time`",
    );
    refuses(&|spec| spec["difficulty"] = json!({"easy": 1}), "easy");
    refuses(&|spec| spec["gas_limit"] = json!(20_999), "`gas_limit`");
    refuses(&|spec| spec["name"] = json!("My Chain"), "`name`");
    refuses(
        &|spec| drop(spec.as_object_mut().unwrap().remove("spacing")),
        "missing field `spacing`",
    );
    refuses(&|spec| *spec = json!([]), "is not valid");

    let not_json = home.path().join("spec.json");
    fs::write(&not_json, "{\"name\": ").unwrap();
    let not_json = not_json.to_str().unwrap();
    Node::refuses(&data, &["run", "--chain", not_json]).failed(1, "line 1");
    let nowhere = Node::refuses(&data, &["run", "--chain", "mainnet"]);
    nowhere.failed(
        1,
        "there is no chain `mainnet`: the built-in ones are dev, devnet, testnet",
    );
    Node::refuses(&data, &["run", "--chain", home.path().to_str().unwrap()])
        .failed(1, "it is a directory");
    assert!(!data.exists(), "nothing was made");
}

#[test]
fn a_wrong_command_line_ends_with_2_and_touches_nothing() {
    let home = home();
    let data = home.path().join("data");
    for (arguments, words) in [
        (
            &["run", "--mine=always"][..],
            "unknown mining mode `always`",
        ),
        (&["run", "--mine=interval:0"], "an interval of `0` seconds"),
        (&["run", "--mine", "--mine-to", "0x12"], "--mine-to"),
        (&["run", "--threads", "0"], "from 1 to 1024"),
        (&["run", "--mine", "--threads", "100000"], "from 1 to 1024"),
        (&["run", "--mine-share", "101"], "from 1 to 100"),
        (&["run", "--rpc", "8545"], "--rpc"),
        (&["run", "--log-format", "xml"], "human, json"),
        (&["run", "--log", "cairn=loud"], "is no filter"),
        (
            &["run", "--log", "inof"],
            "`inof` is no level: the levels are",
        ),
        (&["run", "--peer", "somebody"], "one looks like this: /ip4/"),
        (&["dev", "--block-time", "0"], "--block-time"),
        (
            &["dev", "--chain", "devnet"],
            "unexpected argument '--chain'",
        ),
    ] {
        cairn(&[arguments, &["--datadir", data.to_str().unwrap()]].concat()).misused(words);
    }
    assert!(!data.exists());
}
