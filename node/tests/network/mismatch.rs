//! Nodes of different chains say which field differs, on both sides.

use std::sync::Arc;

use cairn_genesis::ChainSpec;
use cairn_node::network::service::NetworkConfig;

use super::nodes::{Running, dev, home, loopback, wait_for};

async fn sentences(change: impl FnOnce(&mut ChainSpec)) -> (String, String) {
    let (one, two) = (home(), home());
    let mut other = ChainSpec::clone(&dev());
    change(&mut other);
    let a = Running::start(one.path()).await;
    let b = Running::on(two.path(), Arc::new(other), NetworkConfig::new(loopback())).await;
    let of_b = b.why(a.address.clone()).await;
    let of_a = a.why(b.address.clone()).await;
    assert!(a.peers().await.is_empty());
    assert!(b.bans().await.is_empty(), "that is no fault");
    (of_a, of_b)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_rule_is_named_with_both_values() {
    let gas_limit = dev().gas_limit;
    let (of_a, of_b) = sentences(|spec| spec.gas_limit += 1).await;
    let ours = format!("its gas_limit is {}, ours is {gas_limit}", gas_limit + 1);
    let theirs = format!("its gas_limit is {gas_limit}, ours is {}", gas_limit + 1);
    assert!(of_a.contains(&ours), "{of_a}");
    assert!(of_b.contains(&theirs), "{of_b}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_chain_id_is_named_with_both_values() {
    let (of_a, of_b) = sentences(|spec| spec.chain_id = 7).await;
    assert!(of_a.contains("its chain id is 7, ours is 31337"), "{of_a}");
    assert!(of_b.contains("its chain id is 31337, ours is 7"), "{of_b}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_told_also_if_it_only_was_called() {
    let (one, two) = (home(), home());
    let mut other = ChainSpec::clone(&dev());
    other.chain_id = 7;
    let a = Running::start(one.path()).await;
    let mut network = NetworkConfig::new(loopback());
    network.peers = vec![a.address.clone()];
    let b = Running::on(two.path(), Arc::new(other), network).await;
    let nowhere = format!("/ip4/127.0.0.1/tcp/1/p2p/{}", b.id().await);
    wait_for("a word on the caller", async || {
        let sentence = a.why(nowhere.clone()).await;
        sentence
            .contains("its chain id is 7, ours is 31337")
            .then_some(())
    })
    .await;
}
