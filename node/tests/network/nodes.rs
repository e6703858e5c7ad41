//! Nodes in this process, and waiting for what they do.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::Address;
use cairn_genesis::ChainSpec;
use cairn_miner::Share;
use cairn_node::mining::Mode;
use cairn_node::network::service::{BanInfo, NetworkConfig, NetworkHandle, NodeInfo, PeerInfo};
use cairn_node::node::{Node, NodeConfig, NodeError};
use cairn_node::rpc::RpcConfig;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long something may take that takes a moment: only what hangs takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Any port of this machine.
pub fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// The rules of `dev`.
pub fn dev() -> Arc<ChainSpec> {
    Arc::new(ChainSpec::builtin("dev").expect("a built-in chain").clone())
}

/// A directory that is removed at the end.
pub fn home() -> TempDir {
    tempfile::tempdir().expect("a temporary directory can be made")
}

/// What a node is started with that does not mine.
pub fn quiet(home: &Path, spec: Arc<ChainSpec>, network: NetworkConfig) -> NodeConfig {
    NodeConfig {
        spec,
        datadir: home.to_owned(),
        mode: Mode::Off,
        beneficiary: Some(Address::repeat_byte(1)),
        threads: NonZeroUsize::MIN,
        share: Share::from_percent(100).expect("all of the time"),
        rpc: RpcConfig::new(loopback()),
        network: Some(network),
    }
}

/// A node that runs until it is stopped or dropped.
pub struct Running {
    pub network: NetworkHandle,
    /// Its multiaddress, over TCP.
    pub address: String,
    stop: oneshot::Sender<()>,
    end: JoinHandle<Result<(), NodeError>>,
}

impl Running {
    /// Starts a node on any port, on the chain `dev`.
    pub async fn start(home: &Path) -> Self {
        Self::on(home, dev(), NetworkConfig::new(loopback())).await
    }

    /// Starts a node that does not mine.
    pub async fn on(home: &Path, spec: Arc<ChainSpec>, network: NetworkConfig) -> Self {
        Self::with(quiet(home, spec, network)).await
    }

    /// Starts a node.
    pub async fn with(config: NodeConfig) -> Self {
        let node = Node::start(config).await.expect("the node starts");
        let network = node.network().expect("it has a network").clone();
        let address = node.network_address().expect("it has a network").to_owned();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move { drop(stopped.await) };
        let end = tokio::spawn(node.run(stopped));
        Self {
            network,
            address,
            stop,
            end,
        }
    }

    /// Its peer id.
    pub async fn id(&self) -> String {
        self.info().await.id
    }

    /// What it says of itself.
    pub async fn info(&self) -> NodeInfo {
        self.network.info().await.expect("the node runs")
    }

    /// Its peers.
    pub async fn peers(&self) -> Vec<PeerInfo> {
        self.network.peers().await.expect("the node runs")
    }

    /// Whom it has banned.
    pub async fn bans(&self) -> Vec<BanInfo> {
        self.network.bans().await.expect("the node runs")
    }

    /// Why it is not connected with the node at this address.
    pub async fn why(&self, address: String) -> String {
        self.network.why(address).await.expect("an address")
    }

    /// Its multiaddress, over QUIC.
    pub async fn quic(&self) -> String {
        let addresses = self.info().await.addresses;
        let mut quic = addresses
            .iter()
            .filter(|address| address.contains("/quic-v1/"));
        quic.next().expect("it listens over QUIC").clone()
    }

    /// Its only peer, once it has one.
    pub async fn only_peer(&self) -> PeerInfo {
        wait_for("a peer", async || {
            let peers = self.peers().await;
            assert!(peers.len() <= 1, "{peers:?}");
            peers.into_iter().next()
        })
        .await
    }

    /// Waits until it has nobody.
    pub async fn alone(&self) {
        wait_for("the end of all connections", async || {
            let peers = self.peers().await;
            peers.is_empty().then_some(())
        })
        .await;
    }

    /// Stops it in good order.
    pub async fn stop(self) {
        self.stop.send(()).expect("the node runs");
        let ended = self.end.await.expect("no panic");
        ended.expect("no failure");
    }
}

/// Looks until there is something to see.
pub async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
