//! Attacks by those who never get as far as a message.

use std::net::SocketAddr;

use futures::future::join_all;
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use super::stage::{Offender, Stage, Target};
use super::stranger::{Habits, Stranger, nothing};
use super::wait::PATIENCE;

/// Connections of a flood.
const CONNECTIONS: usize = 2_000;

/// Those that are opened at the same time: fewer than one process may have files open.
const AT_ONCE: usize = 500;

/// Connections that say half a word. More than may be under way at a time.
const HALF_WORDS: usize = 64;

fn socket(target: &Target) -> SocketAddr {
    let address: Multiaddr = target.address.parse().unwrap();
    let parts: Vec<_> = address.iter().collect();
    let [Protocol::Ip4(ip), Protocol::Tcp(port), ..] = parts[..] else {
        panic!("not what a node on loopback has: {address}");
    };
    SocketAddr::from((ip, port))
}

/// Calls; the node may have hung up before this returns.
async fn call(target: &Target) -> TcpStream {
    TcpStream::connect(socket(target)).await.unwrap()
}

/// Waits until the node hangs up.
async fn hung_up(mut stream: TcpStream) {
    let mut heard = Vec::new();
    let reading = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut heard));
    // An end is an end, in whatever way.
    let _ = reading.await.expect("the node hangs up");
}

/// Bytes that mean nothing, to both ports.
pub async fn garbage(target: Target) -> Vec<Offender> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut noise = vec![0; 64 << 10];
    for _ in 0..100 {
        rng.fill_bytes(&mut noise);
        let mut stream = call(&target).await;
        // The node has seen enough before all is sent.
        let _ = stream.write_all(&noise).await;
        hung_up(stream).await;
    }
    let here = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for length in 0..1_200 {
        rng.fill_bytes(&mut noise[..length]);
        here.send_to(&noise[..length], socket(&target))
            .await
            .unwrap();
    }
    Vec::new()
}

/// Half a word, and then nothing: the node does not wait for ever.
pub async fn half_words(target: Target) -> Vec<Offender> {
    let opened = join_all((0..HALF_WORDS).map(|_| call(&target))).await;
    let waiting = opened.into_iter().map(|mut stream| async {
        // It may have been refused.
        let _ = stream.write_all(b"\x13/multistre").await;
        hung_up(stream).await;
    });
    join_all(waiting).await;
    Vec::new()
}

/// Many connections that stand, and say nothing.
pub async fn opened(target: Target) -> Vec<Offender> {
    let mut standing = Vec::new();
    for _ in 0..CONNECTIONS / AT_ONCE {
        // Those before it are left.
        standing = join_all((0..AT_ONCE).map(|_| call(&target))).await;
    }
    join_all(standing.into_iter().map(hung_up)).await;
    Vec::new()
}

/// Many connections, one after the other.
pub async fn opened_and_closed(target: Target) -> Vec<Offender> {
    for _ in 0..CONNECTIONS {
        drop(call(&target).await);
    }
    Vec::new()
}

/// After this, somebody new still finds a place.
fn and_others_get_in(stage: Stage) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let habits = Habits::default();
    runtime.block_on(Stranger::settled(&stage.target, habits, nothing));
    stage.ends_well();
}

#[test]
fn garbage_does_nothing() {
    let stage = Stage::new();
    stage.withstands(garbage);
    and_others_get_in(stage);
}

#[test]
fn half_a_word_keeps_no_place() {
    let stage = Stage::new();
    stage.withstands(half_words);
    and_others_get_in(stage);
}

#[test]
fn two_thousand_connections_do_nothing() {
    let stage = Stage::new();
    stage.withstands(opened);
    stage.withstands(opened_and_closed);
    and_others_get_in(stage);
}
