//! A disk that fails while peers are served.

use std::path::Path;
use std::sync::Arc;

use cairn_node::chain::HeaderRecord;
use cairn_node::core::{Core, Now};
use cairn_node::network::service::{self, NetworkConfig, Parts, Service};
use cairn_node::rpc::PoolMirror;
use cairn_node::store::{Memory, Store, StoreError};

use super::nodes::{dev, home, loopback};

/// A network with this store, of a node that stands at this tip and has no core.
async fn start(home: &Path, store: Arc<dyn Store>, tip: Arc<HeaderRecord>) -> Service {
    let config = NetworkConfig::new(loopback());
    let reserved = service::reserve(&config).expect("a free port");
    let parts = Parts {
        spec: dev(),
        store,
        pool: Arc::new(PoolMirror::default()),
        tip,
        datadir: home.to_owned(),
        client: "test".to_owned(),
        core: Box::new(|_| true),
    };
    let started = service::start(config, reserved, parts).await;
    started.expect("a network on loopback")
}

/// It is no reason to leave peers without answers, and go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_while_a_peer_is_served_ends_the_network() {
    let (one, two) = (home(), home());
    let sound: Arc<dyn Store> = Arc::new(Memory::default());
    let spec = dev();
    let now = Now {
        ms: spec.genesis_time * 1000,
    };
    let (core, _) = Core::open(Arc::clone(&sound), spec, now).unwrap();
    let (tip, emptied) = (Arc::clone(core.tip()), Arc::new(Memory::default()));
    let bad = start(one.path(), emptied, Arc::clone(&tip)).await;
    let good = start(two.path(), sound, tip).await;
    let called = good.handle.add_peer(bad.address.clone()).await;
    called.expect("an address");
    let ended = bad.task.await.expect("no panic");
    assert!(matches!(ended, Err(StoreError::Corrupt(_))), "{ended:?}");
    assert!(good.handle.info().await.is_ok(), "nobody else is harmed");
}
