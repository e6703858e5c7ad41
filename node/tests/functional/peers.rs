//! `cairn peer`: nodes that run are asked about their peers, and told whom to talk to.

use serde_json::json;

use crate::harness::{Ended, Node, Running, cairn, cairn_command, home, parsed, text, wait_for};

/// Runs `cairn peer`, where a variable names a proxy that nobody answers at.
fn peer(node: &Node, arguments: &[&str]) -> Ended {
    let home = home();
    let mut command = cairn_command(home.path(), &[&["peer"], arguments].concat());
    command.env("CAIRN_RPC", node.address());
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(variable, "http://127.0.0.1:1");
    }
    Running::start(&mut command).wait()
}

#[test]
fn a_node_is_told_whom_to_talk_to() {
    let homes = [home(), home()];
    let [one, two] = homes
        .each_ref()
        .map(|home| Node::start(home.path(), &["dev", "--p2p", "127.0.0.1:0"]));
    let info = two.rpc().call("admin_nodeInfo", json!([]));
    let address = text(&info["enode"]);
    assert_eq!(info["addresses"][0], address);
    let listener = &info["ports"]["listener"];
    assert_eq!(info["listenAddr"], format!("127.0.0.1:{listener}"));
    assert_eq!(info["ip"], "127.0.0.1");

    assert_eq!(peer(&one, &["list"]).success(), "no peers are connected");
    let nobody = "/ip4/127.0.0.1/tcp/1";
    let added = peer(&one, &["add", nobody]).success();
    let next = format!("`cairn peer why {nobody} --rpc http://{}`", one.address());
    assert!(added.contains(&next), "{added}");
    let connected = format!("connected with {address}");
    wait_for("a peer", || {
        let added = peer(&one, &["add", address]).success();
        (added == connected).then_some(())
    });
    let list = peer(&one, &["list"]).success();
    let line = format!("{address}  outbound  height 0  ");
    assert!(list.starts_with(&line), "{list}");
    let calling = peer(&two, &["list"]).success();
    assert!(calling.contains("  inbound  height 0  "), "{calling}");
    let listed = parsed(peer(&one, &["list", "--json"]));
    assert_eq!(listed[0]["network"]["remoteAddress"], info["listenAddr"]);
    assert_eq!(listed[0]["network"]["inbound"], false);
    let why = peer(&one, &["why", address]).success();
    assert_eq!(why, "it is connected");
    let left = peer(&one, &["remove", address]).success();
    assert_eq!(left, format!("left {address}"));

    assert_eq!(peer(&one, &["bans"]).success(), "nobody is banned");
    assert_eq!(parsed(peer(&one, &["bans", "--json"])), json!([]));
    let unbanned = peer(&one, &["unban", "192.168.1.7"]).success();
    assert_eq!(unbanned, "192.168.1.7 was not banned");
    for wrong in ["add", "why", "remove", "unban"] {
        peer(&one, &[wrong, "192.168.1.7:30303"]).misused("192.168.1.7:30303");
    }
    one.stop();
    two.stop();
}

#[test]
fn what_cannot_be_asked_is_explained() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    peer(&node, &["list"]).failed(1, "this node has no network");
    let nobody = cairn(&["peer", "list", "--rpc", "127.0.0.1:1"]);
    nobody.failed(1, "no node answers at http://127.0.0.1:1: ");
    let wrong = cairn(&["peer", "list", "--rpc", "ws://127.0.0.1:8545"]);
    wrong.misused("write the URL of a node, for example http://127.0.0.1:8545");
    node.stop();
}

#[test]
fn dev_has_peers_only_where_it_listens() {
    for option in [
        &["--peer", "/ip4/127.0.0.1/tcp/1"][..],
        &["--only-peers"],
        &["--max-peers", "3"],
    ] {
        let ended = cairn(&[&["dev"], option].concat());
        ended.misused("add --p2p HOST:PORT");
        ended.misused(option[0]);
    }
}
