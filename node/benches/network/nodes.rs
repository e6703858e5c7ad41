//! Real nodes in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256};
use cairn_genesis::ChainSpec;
use cairn_miner::Share;
use cairn_node::mining::Mode;
use cairn_node::network::service::NetworkConfig;
use cairn_node::node::{Node, NodeConfig};
use cairn_node::rpc::RpcConfig;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// Does not mine.
pub const IDLE: (Mode, u8) = (Mode::Off, 100);

/// A node that runs until it is stopped.
pub struct Running {
    /// Where peers reach it.
    pub address: String,
    /// Where its RPC listens.
    pub rpc: String,
    /// Its tip.
    pub head: watch::Receiver<B256>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    /// Starts a node on the database in `datadir`, connected with `peers`, which mines in this
    /// mode with this percentage of one thread.
    pub async fn start(
        spec: &Arc<ChainSpec>,
        datadir: &Path,
        peers: &[String],
        (mode, percent): (Mode, u8),
    ) -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut network = NetworkConfig::new(loopback);
        network.mdns = false;
        network.peers = peers.to_vec();
        let node = Node::start(NodeConfig {
            spec: Arc::clone(spec),
            datadir: datadir.to_path_buf(),
            mode,
            beneficiary: Some(Address::repeat_byte(1)),
            threads: NonZeroUsize::MIN,
            share: Share::from_percent(percent).expect("a percentage"),
            rpc: RpcConfig::new(loopback),
            network: Some(network),
        })
        .await
        .expect("the node starts");
        let (stop, stopped) = oneshot::channel::<()>();
        Self {
            address: node.network_address().expect("a network").to_owned(),
            rpc: format!("http://{}", node.rpc_address()),
            head: node.head(),
            stop,
            task: tokio::spawn(async move {
                let stop = async { drop(stopped.await) };
                node.run(stop).await.expect("a clean end");
            }),
        }
    }

    /// Waits until its tip is this block.
    pub async fn reaches(&mut self, head: B256) {
        let reached = self.head.wait_for(|tip| *tip == head);
        let reached = tokio::time::timeout(Duration::from_secs(300), reached).await;
        drop(reached.expect("it gets there").expect("it runs"));
    }

    /// Stops it.
    pub async fn stop(self) {
        drop(self.stop);
        self.task.await.expect("no panic");
    }
}
