//! Nodes find each other, and what one knows the other learns.

use std::time::Duration;

use cairn_node::mining::Mode;
use cairn_node::network::service::{Link, NetworkConfig};

use super::nodes::{Running, dev, home, loopback, quiet, wait_for};

/// Two nodes, one of which called the other.
async fn pair_over(quic: bool) {
    let (one, two) = (home(), home());
    let (a, b) = (
        Running::start(one.path()).await,
        Running::start(two.path()).await,
    );
    let address = if quic {
        a.quic().await
    } else {
        a.address.clone()
    };
    b.network
        .add_peer(address.clone())
        .await
        .expect("an address");
    let (seen_by_b, seen_by_a) = (b.only_peer().await, a.only_peer().await);
    assert_eq!(seen_by_b.address, address);
    assert_eq!((seen_by_b.id, seen_by_a.id), (a.id().await, b.id().await));
    assert!(seen_by_a.inbound && !seen_by_b.inbound);
    assert_eq!(seen_by_a.head, seen_by_b.head);
    assert_eq!(b.why(address).await, "it is connected");
    wait_for("the count", async || {
        (a.network.peer_count() == 1).then_some(())
    })
    .await;
    a.stop().await;
    b.alone().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_connect_over_tcp() {
    pair_over(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_connect_over_quic() {
    pair_over(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_travel_also_over_a_bad_line() {
    let (one, two, three) = (home(), home(), home());
    let mut config = quiet(one.path(), dev(), NetworkConfig::new(loopback()));
    config.mode = Mode::Interval(Duration::from_secs(1));
    let miner = Running::with(config).await;
    let mut network = NetworkConfig::new(loopback());
    network.peers = vec![miner.address.clone()];
    network.link = Link {
        latency_ms: 50,
        loss_percent: 30,
    };
    let far = Running::on(two.path(), dev(), network).await;
    wait_for("three blocks", async || {
        (far.network.sync_status().current >= 3).then_some(())
    })
    .await;
    let mut network = NetworkConfig::new(loopback());
    network.peers = vec![far.address.clone()];
    let late = Running::on(three.path(), dev(), network).await;
    let height = far.network.sync_status().current;
    wait_for("all blocks of before, and new ones", async || {
        (late.network.sync_status().current > height).then_some(())
    })
    .await;
    for node in [miner, far, late] {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_call_each_other_at_once_are_connected() {
    let homes = [home(), home()];
    let (a, b) = (
        Running::start(homes[0].path()).await,
        Running::start(homes[1].path()).await,
    );
    let (to_b, to_a) = tokio::join!(
        a.network.add_peer(b.address.clone()),
        b.network.add_peer(a.address.clone())
    );
    to_b.and(to_a).unwrap();
    assert_eq!(a.only_peer().await.id, b.id().await);
    assert_eq!(b.only_peer().await.id, a.id().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_restarts_is_found_again() {
    let (one, two) = (home(), home());
    let a = Running::start(one.path()).await;
    let mut network = NetworkConfig::new(loopback());
    network.peers = vec![a.address.clone()];
    let b = Running::on(two.path(), dev(), network).await;
    b.only_peer().await;
    let (id, address) = (a.id().await, a.address.clone());
    a.stop().await;
    b.alone().await;
    let socket = address.split('/').nth(4).unwrap();
    let listen = format!("127.0.0.1:{socket}").parse().unwrap();
    let a = Running::on(one.path(), dev(), NetworkConfig::new(listen)).await;
    assert_eq!(a.id().await, id);
    assert_eq!(b.only_peer().await.id, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_book_finds_a_peer_that_nobody_names() {
    let (one, two) = (home(), home());
    let (a, b) = (
        Running::start(one.path()).await,
        Running::start(two.path()).await,
    );
    b.network.add_peer(a.address.clone()).await.unwrap();
    b.only_peer().await;
    b.stop().await;
    let b = Running::start(two.path()).await;
    assert_eq!(b.only_peer().await.id, a.id().await);
    assert!(b.network.remove_peer(a.id().await).await.unwrap());
    b.alone().await;
    assert!(!b.network.remove_peer(a.id().await).await.unwrap());
}
