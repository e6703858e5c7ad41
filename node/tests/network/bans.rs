//! Who breaks the protocol is banned, also after a restart.

use super::nodes::{Running, home, wait_for};
use super::stranger::{is_let_in, key, send_as_hello};

async fn is_banned_for(bytes: Vec<u8>, words: &str) {
    let home = home();
    let node = Running::start(home.path()).await;
    let key = key();
    let id = key.public().to_peer_id().to_string();
    send_as_hello(&key, &node.address, bytes).await;
    let ban = wait_for("the ban", async || node.bans().await.into_iter().next()).await;
    assert_eq!(ban.subject, id, "this machine's address is not banned");
    assert!(ban.reason.contains(words), "{}", ban.reason);
    let address = format!("/ip4/127.0.0.1/tcp/1/p2p/{id}");
    let why = node.why(address.clone()).await;
    assert!(why.contains("banned") && why.contains(words), "{why}");
    node.stop().await;

    let node = Running::start(home.path()).await;
    assert_eq!(node.bans().await, [ban]);
    assert!(!is_let_in(&key, &node.address).await);
    assert_eq!(node.network.unban(id.clone()).await, Ok(true));
    assert_eq!(node.network.unban(id).await, Ok(false));
    assert!(node.bans().await.is_empty());
    let why = node.why(address).await;
    assert!(!why.contains("banned"), "{why}");
    assert!(is_let_in(&key, &node.address).await);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_is_too_long_ends_in_a_ban() {
    is_banned_for(u32::MAX.to_be_bytes().to_vec(), "at most").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_of_rubbish_ends_in_a_ban() {
    is_banned_for(vec![0, 0, 0, 2, 0xc1, 0xff], "does not decode").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_ids_and_addresses_can_be_unbanned() {
    let home = home();
    let node = Running::start(home.path()).await;
    assert!(node.network.unban("everybody".into()).await.is_err());
    assert!(!node.network.unban("203.0.113.9".into()).await.unwrap());
}
