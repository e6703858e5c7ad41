//! The composition: starts store, core, miner, network and RPC, and stops them.
//!
//! One thread runs the core (`core_loop`); network and RPC server run on tokio. What
//! fails at start is one sentence; what fails later stops the node.

mod core_loop;
mod dev;
mod report;
mod requests;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use alloy_primitives::{Address, B256};
use cairn_genesis::ChainSpec;
use cairn_miner::{Miner, Share};
use tokio::sync::{oneshot, watch};

use crate::clock;
use crate::core::Core;
use crate::mining::{Driver, Mode};
use crate::network::service::{
    self as network, CoreSender, NetworkConfig, NetworkError, NetworkHandle, Parts, Service,
};
use crate::rpc::{
    CoreHandle, Mining, MiningStatus, PoolMirror, RpcConfig, RpcContext, RpcListener, RpcServer,
    ServeError,
};
use crate::store::{Rocks, Store, StoreError};
use core_loop::{CoreLoop, Input};
pub use dev::{DevAccount, dev_accounts, is_development, native_account};

/// What a node is started with.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// The rules of the chain.
    pub spec: Arc<ChainSpec>,
    /// Where the database lies.
    pub datadir: PathBuf,
    /// When to mine.
    pub mode: Mode,
    /// Who gets the reward; needed to mine.
    pub beneficiary: Option<Address>,
    /// Threads of the miner.
    pub threads: NonZeroUsize,
    /// The part of the time in which they compute.
    pub share: Share,
    /// Where RPC listens.
    pub rpc: RpcConfig,
    /// How it takes part in the network, if it does.
    pub network: Option<NetworkConfig>,
}

/// Why a node did not start or went down.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The RPC server.
    #[error(transparent)]
    Rpc(#[from] ServeError),
    /// The network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The miner.
    #[error("the miner cannot start: {0}")]
    Miner(#[from] cairn_miner::StartError),
    /// Mining without a receiver.
    #[error("mining needs someone to pay: add --mine-to ADDRESS (`cairn-wallet new` makes one)")]
    NoBeneficiary,
    /// The system gave no thread.
    #[error("the core's thread cannot start: {0}")]
    Thread(std::io::Error),
    /// A defect in Cairn.
    #[error(
        "a part of the node stopped because of a bug; the database is safe: please report the lines above"
    )]
    Bug,
}

/// A running node.
pub struct Node {
    rpc: RpcServer,
    inputs: mpsc::Sender<Input>,
    core: JoinHandle<Result<(), StoreError>>,
    stopped: oneshot::Receiver<()>,
    start_height: u64,
    network: Option<Service>,
    head: watch::Receiver<B256>,
}

impl Node {
    /// Starts a node; it serves when this returns.
    ///
    /// # Errors
    /// The first part that cannot start.
    pub async fn start(config: NodeConfig) -> Result<Self, NodeError> {
        let beneficiary = match (config.mode, config.beneficiary) {
            (Mode::Off, beneficiary) => beneficiary.unwrap_or_default(),
            (_, Some(beneficiary)) => beneficiary,
            (_, None) => return Err(NodeError::NoBeneficiary),
        };
        // First of all: it costs nothing, and where another node listens nothing is touched.
        let listener = RpcListener::bind(config.rpc).await?;
        let reserved = config.network.as_ref().map(network::reserve).transpose()?;
        let genesis = config.spec.genesis_hash();
        let store: Arc<dyn Store> = Arc::new(Rocks::open(&config.datadir, genesis)?);
        let now = clock::now();
        let (core, actions) = Core::open(Arc::clone(&store), Arc::clone(&config.spec), now)?;

        let (inputs, received) = mpsc::channel();
        let pool = Arc::new(PoolMirror::default());
        let network = match config.network.zip(reserved) {
            None => None,
            Some((network, reserved)) => {
                let parts = Parts {
                    spec: Arc::clone(&config.spec),
                    store: Arc::clone(&store),
                    pool: Arc::clone(&pool),
                    tip: Arc::clone(core.tip()),
                    datadir: config.datadir.clone(),
                    client: client_version(),
                    core: to_core(inputs.clone()),
                };
                Some(network::start(network, reserved, parts).await?)
            }
        };
        let events = inputs.clone();
        let miner_options = cairn_miner::Options {
            threads: config.threads,
            share: config.share,
        };
        // The loop may have ended before the miner's last report: nobody minds.
        let miner = Miner::start(miner_options, move |event| {
            let _ = events.send(Input::Miner(event));
        })?;
        let driver = Driver::new(config.mode, miner, session(), now);
        let mining = Arc::new(MiningStatus::new(Mining {
            active: false,
            wait_s: None,
            mode: config.mode.name(),
            threads: config.threads.get(),
            hashes_per_second: 0,
            beneficiary: config.beneficiary,
        }));
        let start_height = core.tip().number();
        let (head, head_receiver) = watch::channel(core.tip().hash);
        let (handle, requests) = CoreHandle::channel();
        let context = RpcContext {
            store,
            genesis_hash: genesis,
            pool: Arc::clone(&pool),
            core: handle,
            mining: Arc::clone(&mining),
            network: network.as_ref().map(|network| network.handle.clone()),
            head: head_receiver.clone(),
            dev: dev::unlocked(&config.spec),
            now_s: Arc::new(|| clock::now().s()),
            client_version: client_version(),
            spec: Arc::clone(&config.spec),
        };
        let rpc = listener.serve(context)?;

        tokio::spawn(requests::forward(requests, inputs.clone()));
        let to_network = network.as_ref().map(|network| network.inputs.clone());
        let mut core_loop =
            CoreLoop::new(core, driver, beneficiary, pool, mining, head, to_network);
        core_loop.carry_out(actions);
        let (stopping, stopped) = oneshot::channel();
        let core = std::thread::Builder::new()
            .name("core".into())
            .spawn(move || {
                // Dropped at the end, also by a panic: the receiver then wakes.
                let _stopping = stopping;
                core_loop.run(&received)
            })
            .map_err(NodeError::Thread)?;
        Ok(Self {
            rpc,
            inputs,
            core,
            stopped,
            start_height,
            network,
            head: head_receiver,
        })
    }

    /// Where RPC listens.
    pub fn rpc_address(&self) -> SocketAddr {
        self.rpc.address()
    }

    /// Hash of the tip, and word of each change, after it is on disk.
    pub fn head(&self) -> watch::Receiver<B256> {
        self.head.clone()
    }

    /// The way to the network, if the node takes part in one.
    pub fn network(&self) -> Option<&NetworkHandle> {
        self.network.as_ref().map(|network| &network.handle)
    }

    /// A multiaddress under which a node on this machine reaches this one.
    pub fn network_address(&self) -> Option<&str> {
        self.network.as_ref().map(|network| &*network.address)
    }

    /// Height of the chain when the node started.
    pub fn start_height(&self) -> u64 {
        self.start_height
    }

    /// Runs until `stop` resolves or a part ends by itself, then stops all parts.
    ///
    /// The network goes first, so that the core gets nothing new. The core goes before the server: mining ends with it, and so do requests that wait for a
    /// block, which then get an answer.
    ///
    /// # Errors
    /// Why the core or the network ended by itself.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), NodeError> {
        tokio::select! {
            () = stop => {}
            _ = &mut self.stopped => {}
            () = network_ends(self.network.as_mut()) => {}
        }
        self.rpc.close();
        let network = stop_network(self.network).await;
        // The loop has ended already if nobody receives.
        let _ = self.inputs.send(Input::Stop);
        let core = self.core;
        let ended = tokio::task::spawn_blocking(move || core.join()).await;
        self.rpc.stop().await;
        match ended {
            Ok(Ok(result)) => result?,
            Ok(Err(_)) | Err(_) => return Err(NodeError::Bug),
        }
        network
    }
}

/// The network's way to the core's thread.
fn to_core(inputs: mpsc::Sender<Input>) -> CoreSender {
    Box::new(move |message| inputs.send(Input::Network(message)).is_ok())
}

/// Waits until the network ends by itself.
async fn network_ends(network: Option<&mut Service>) {
    match network {
        // What it ended with is kept for `stop_network`.
        Some(network) => drop(network.ended.changed().await),
        None => std::future::pending().await,
    }
}

/// Stops the network, and says with what it ended.
async fn stop_network(network: Option<Service>) -> Result<(), NodeError> {
    let Some(network) = network else {
        return Ok(());
    };
    // It has ended already if nobody receives.
    let _ = network.stop.send(());
    match network.task.await {
        Ok(result) => Ok(result?),
        Err(_) => Err(NodeError::Bug),
    }
}

/// Name and version of this program, as clients see it.
pub fn client_version() -> String {
    format!(
        "cairn/{}/{}-{}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

/// A number that no other run is likely to have.
fn session() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}
