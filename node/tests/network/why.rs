//! Why a connection does not come about, for each reason; and the list of those who alone may
//! connect.

use std::io::{Read as _, Write as _};

use cairn_node::network::service::NetworkConfig;

use super::nodes::{Running, dev, home, loopback, wait_for};
use super::stranger;

#[tokio::test(flavor = "multi_thread")]
async fn each_reason_has_its_sentence() {
    let (one, two) = (home(), home());
    let (a, b) = (
        Running::start(one.path()).await,
        Running::start(two.path()).await,
    );
    let why = async |address: String| a.why(address).await;

    let free = std::net::TcpListener::bind(loopback())
        .unwrap()
        .local_addr()
        .unwrap();
    let nobody = why(format!("/ip4/127.0.0.1/tcp/{}", free.port())).await;
    assert!(
        nobody.contains("not reachable") && nobody.contains("refused"),
        "{nobody}"
    );

    let no_node = why(format!("/ip4/127.0.0.1/tcp/{}", a_web_server().port())).await;
    // The latter where it closes before it was told all that a node has to say.
    assert!(
        no_node.contains("does not speak as a node") || no_node.contains("closes the connection"),
        "{no_node}"
    );
    // The latter where nobody can be asked what a name stands for.
    let nameless = why("/dns4/nobody.invalid/tcp/30303".into()).await;
    assert!(
        nameless.contains("no IP address is known for nobody.invalid")
            || nameless.contains("nobody.invalid cannot be looked up"),
        "{nameless}"
    );

    let (place, id) = b.address.split_once("/p2p/").unwrap();
    let other = stranger::key().public().to_peer_id();
    let wrong_id = why(format!("{place}/p2p/{other}")).await;
    assert!(
        wrong_id.contains(&format!("its peer id is {id}, not {other}")),
        "{wrong_id}"
    );

    let own_place = a.address.split_once("/p2p/").unwrap().0.to_owned();
    for own in [a.address.clone(), own_place] {
        assert_eq!(why(own).await, "that address is this node's own");
    }

    let mute = why(stranger::mute().await).await;
    assert!(mute.contains("does not speak Cairn's protocol"), "{mute}");

    let malformed = a.network.why("127.0.0.1:30303".into()).await.unwrap_err();
    assert!(
        malformed.to_string().contains("one looks like this"),
        "{malformed}"
    );
    assert!(a.network.add_peer("nowhere".into()).await.is_err());
    assert!(a.network.add_peer(a.address.clone()).await.is_err());

    assert_eq!(why(b.address.clone()).await, "it is connected");
}

/// Answers as web servers do to what they do not understand.
fn a_web_server() -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind(loopback()).expect("a free port");
    let address = listener.local_addr().expect("it has one");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("somebody calls");
            // Who has gone needs no answer.
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_node_says_so() {
    let homes = [home(), home(), home()];
    let (a, b) = (
        Running::start(homes[0].path()).await,
        Running::start(homes[1].path()).await,
    );
    let mut network = NetworkConfig::new(loopback());
    network.max_peers = 1;
    network.peers = vec![a.address.clone()];
    let full = Running::on(homes[2].path(), dev(), network).await;
    full.only_peer().await;
    let why = full.why(b.address.clone()).await;
    assert!(why.contains("all 1 places"), "{why}");
    let why = b.why(full.address.clone()).await;
    assert!(why.contains("no place left"), "{why}");
    assert_eq!(full.only_peer().await.id, a.id().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_on_the_list_are_talked_to() {
    let homes = [home(), home(), home()];
    let friend = Running::start(homes[0].path()).await;
    let other = Running::start(homes[1].path()).await;
    let mut network = NetworkConfig::new(loopback());
    network.peers = vec![friend.address.clone()];
    network.only_peers = true;
    let node = Running::on(homes[2].path(), dev(), network).await;
    assert_eq!(node.only_peer().await.id, friend.id().await);
    let why = node.why(other.address.clone()).await;
    assert!(why.contains("--only-peers"), "{why}");
    let why = other.why(node.address.clone()).await;
    assert!(why.contains("chosen peers"), "{why}");

    // The list changes while the node runs.
    other.network.add_peer(node.address.clone()).await.unwrap();
    let ids = vec![other.id().await];
    node.network.only_peers(Some(ids.clone())).await.unwrap();
    let other_id = other.id().await;
    wait_for("the other one", async || {
        let peers = node.peers().await;
        (peers.len() == 1 && peers[0].id == other_id).then_some(())
    })
    .await;
    assert_eq!(node.info().await.only_peers, Some(ids));
    assert!(
        node.network
            .only_peers(Some(vec!["me".into()]))
            .await
            .is_err()
    );
    node.network.only_peers(None).await.unwrap();
    wait_for("both", async || {
        (node.peers().await.len() == 2).then_some(())
    })
    .await;
}
