//! What RPC needs from the rest of the node, and nothing else of it.
//!
//! Reads go to the store's snapshots and to two shared copies ([`PoolMirror`],
//! [`MiningStatus`]) that the node keeps up to date. To the core goes only what changes
//! something, and the one question that its mempool alone can answer, each as a
//! [`CoreRequest`] with a place for the answer.

use std::sync::Arc;

use alloy_primitives::{Address, B256};
use cairn_genesis::{ChainSpec, VerifiedTransaction};
use parking_lot::RwLock;
use tokio::sync::{mpsc, oneshot, watch};

use super::accounts::DevAccounts;
use super::error::RpcError;
use super::pool_mirror::PoolMirror;
use crate::mempool::{Refusal, Status};
use crate::network::service::NetworkHandle;
use crate::store::Store;

/// Requests that may wait for the core before further callers wait for room.
const CORE_QUEUE: usize = 1024;

/// Tells the time: seconds since 1970, on the node's clock.
pub type ClockS = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The parts of a node that answer requests.
#[derive(Clone)]
pub struct RpcContext {
    /// The database; every request reads one snapshot of it.
    pub store: Arc<dyn Store>,
    /// The rules of the chain.
    pub spec: Arc<ChainSpec>,
    /// Hash of the genesis block.
    pub genesis_hash: B256,
    /// The mempool as RPC sees it.
    pub pool: Arc<PoolMirror>,
    /// The way to the core.
    pub core: CoreHandle,
    /// What the miner is doing.
    pub mining: Arc<MiningStatus>,
    /// The way to the network, if the node takes part in one.
    pub network: Option<NetworkHandle>,
    /// Hash of the tip; changes after the tip's commit. Wakes those who wait for a receipt.
    pub head: watch::Receiver<B256>,
    /// Unlocked accounts; on development chains only.
    pub dev: Option<DevAccounts>,
    /// The node's clock.
    pub now_s: ClockS,
    /// What `web3_clientVersion` answers, such as `cairn/0.1.0/linux-x86_64`.
    pub client_version: String,
}

/// What a request asks of the core, each with the place for its answer. An answer whose
/// asker has gone is dropped by the sender of the answer.
#[derive(Debug)]
pub enum CoreRequest {
    /// Take a transaction into the pool.
    Submit {
        /// The transaction; its signature and stateless rules are checked.
        transaction: VerifiedTransaction,
        /// Taken, or why not.
        reply: oneshot::Sender<Result<(), SubmitError>>,
    },
    /// Treat a block and what builds on it as invalid, by the operator's will.
    Invalidate {
        /// The block.
        hash: B256,
        /// Done (the tip has moved if it had to), or a sentence saying why not.
        reply: oneshot::Sender<Result<(), String>>,
    },
    /// Take back an [`CoreRequest::Invalidate`].
    Reconsider {
        /// The block.
        hash: B256,
        /// Done, or a sentence saying why not.
        reply: oneshot::Sender<Result<(), String>>,
    },
    /// Say what a transaction in the pool waits for.
    Why {
        /// The transaction.
        hash: B256,
        /// What it waits for; `None` if it is not in the pool.
        reply: oneshot::Sender<Option<Status>>,
    },
}

/// Why the core did not take a transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// A rule of the pool speaks against it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Our own failure, which says nothing about the transaction.
    #[error("{0}")]
    Ours(String),
}

impl From<SubmitError> for RpcError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refusal) => Self::refused(refusal.to_string()),
            SubmitError::Ours(reason) => Self::Internal(reason),
        }
    }
}

/// The sending side of the way to the core. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CoreHandle {
    requests: mpsc::Sender<CoreRequest>,
}

impl CoreHandle {
    /// A handle, and the end from which the core takes requests.
    pub fn channel() -> (Self, mpsc::Receiver<CoreRequest>) {
        let (requests, receiver) = mpsc::channel(CORE_QUEUE);
        (Self { requests }, receiver)
    }

    /// Hands a transaction to the pool and returns its hash.
    ///
    /// # Errors
    /// Why the pool refused it, or that the core has stopped.
    pub async fn submit_transaction(
        &self,
        transaction: VerifiedTransaction,
    ) -> Result<B256, RpcError> {
        let hash = transaction.hash();
        self.ask(|reply| CoreRequest::Submit { transaction, reply })
            .await??;
        Ok(hash)
    }

    /// Marks a block as invalid.
    ///
    /// # Errors
    /// Why that cannot be done, or that the core has stopped.
    pub async fn invalidate_block(&self, hash: B256) -> Result<(), RpcError> {
        let answer = self
            .ask(|reply| CoreRequest::Invalidate { hash, reply })
            .await?;
        answer.map_err(RpcError::Refused)
    }

    /// Takes the mark back.
    ///
    /// # Errors
    /// Why that cannot be done, or that the core has stopped.
    pub async fn reconsider_block(&self, hash: B256) -> Result<(), RpcError> {
        let answer = self
            .ask(|reply| CoreRequest::Reconsider { hash, reply })
            .await?;
        answer.map_err(RpcError::Refused)
    }

    /// What a transaction in the pool waits for; `None` if it is not there.
    ///
    /// # Errors
    /// That the core has stopped.
    pub async fn why(&self, hash: B256) -> Result<Option<Status>, RpcError> {
        self.ask(|reply| CoreRequest::Why { hash, reply }).await
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> CoreRequest,
    ) -> Result<T, RpcError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.requests.send(request(reply)).await;
        sent.map_err(|_| RpcError::Stopping)?;
        answer.await.map_err(|_| RpcError::Stopping)
    }
}

/// What the miner is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mining {
    /// Whether it looks for a block now.
    pub active: bool,
    /// Seconds until it may: the tip is dated too far ahead of the clock. `None` if that does
    /// not hinder it.
    pub wait_s: Option<u64>,
    /// The mining mode: `continuous`, `on-transaction`, `interval` or `off`.
    pub mode: &'static str,
    /// Threads of the in-process miner.
    pub threads: usize,
    /// Its measured speed.
    pub hashes_per_second: u64,
    /// Who gets the reward; `None` if nobody was named.
    pub beneficiary: Option<Address>,
}

/// A shared copy of [`Mining`].
#[derive(Debug)]
pub struct MiningStatus(RwLock<Mining>);

impl MiningStatus {
    /// A copy that starts with `mining`.
    pub fn new(mining: Mining) -> Self {
        Self(RwLock::new(mining))
    }

    /// The present state.
    pub fn get(&self) -> Mining {
        self.0.read().clone()
    }

    /// Changes it.
    pub fn update(&self, change: impl FnOnce(&mut Mining)) {
        change(&mut self.0.write());
    }
}
