//! What can be wrong when a node starts.

use std::net::{TcpListener, UdpSocket};

use cairn_node::network::service::NetworkConfig;
use cairn_node::node::Node;

use super::nodes::{Running, dev, home, loopback, quiet};

async fn refusal(change: impl FnOnce(&mut NetworkConfig, &std::path::Path)) -> String {
    let home = home();
    let mut network = NetworkConfig::new(loopback());
    change(&mut network, home.path());
    match Node::start(quiet(home.path(), dev(), network)).await {
        Ok(_) => panic!("the node starts"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_told() {
    let tcp = TcpListener::bind(loopback()).unwrap();
    let udp = UdpSocket::bind(loopback()).unwrap();
    for taken in [tcp.local_addr().unwrap(), udp.local_addr().unwrap()] {
        let error = refusal(|network, _| network.listen = taken).await;
        assert!(
            error.contains(&taken.to_string()) && error.contains("--p2p"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_port_will_do_if_nobody_chose_it() {
    let taken = TcpListener::bind(loopback()).unwrap();
    let home = home();
    let mut network = NetworkConfig::new(taken.local_addr().unwrap());
    network.any_port = true;
    let node = Running::on(home.path(), dev(), network).await;
    let port = taken.local_addr().unwrap().port();
    assert!(
        !node.address.contains(&format!("/tcp/{port}/")),
        "{}",
        node.address
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_key_is_told() {
    let error = refusal(|_, home| std::fs::write(home.join("node.key"), "beef").unwrap()).await;
    assert!(
        error.contains("node.key") && error.contains("64 hexadecimal digits"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_cannot_be_is_told() {
    let error = refusal(|network, _| network.peers = vec!["somewhere".into()]).await;
    assert!(
        error.contains("somewhere") && error.contains("one looks like this"),
        "{error}"
    );
    let error = refusal(|network, _| {
        network.peers = vec!["/ip4/127.0.0.1/tcp/1".into()];
        network.only_peers = true;
    })
    .await;
    assert!(error.contains("/p2p/"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_lists_begin_anew() {
    let home = home();
    for name in ["peers.json", "bans.json"] {
        std::fs::write(home.path().join(name), "[{").unwrap();
    }
    let node = Running::start(home.path()).await;
    assert!(node.bans().await.is_empty());
    node.stop().await;
    assert!(home.path().join("peers.damaged").exists());
    assert!(home.path().join("bans.damaged").exists());
}
