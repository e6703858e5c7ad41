//! What every method gets: the node's parts, and what RPC itself remembers.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use alloy_primitives::B256;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::context::RpcContext;
use super::error::RpcError;
use super::eth::{CALL_TIMEOUT, Filters};
use super::machines::Machines;
use crate::chain::ChainView;

/// Heavy requests at once, per processor: one computes while another waits for the disk.
const HEAVY_PER_PROCESSOR: usize = 2;

/// The receiver of all methods.
pub struct Api {
    /// The node's parts.
    pub node: RpcContext,
    /// The priority fee suggested at a tip (its hash): the same for everybody who asks.
    pub suggested_tip: Mutex<Option<(B256, u128)>>,
    /// Held by the one request that is choosing a nonce and sending.
    pub sending: tokio::sync::Mutex<()>,
    /// What runs code.
    pub machines: Machines,
    /// How long a request may run calls.
    pub call_timeout: Duration,
    /// Filters that were made and are polled.
    pub filters: Filters,
    heavy: Arc<Semaphore>,
}

impl Api {
    /// Methods over `node`.
    pub fn new(node: RpcContext) -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self {
            node,
            suggested_tip: Mutex::new(None),
            sending: tokio::sync::Mutex::new(()),
            machines: Machines::new(processors),
            call_timeout: CALL_TIMEOUT,
            filters: Filters::default(),
            heavy: Arc::new(Semaphore::new(
                processors.saturating_mul(HEAVY_PER_PROCESSOR),
            )),
        }
    }

    /// The chain as of now. A request opens one view and reads all it needs from it, so
    /// that no block changes its answer midway.
    pub fn view(&self) -> Result<ChainView<'_>, RpcError> {
        Ok(ChainView::open(self.node.store.as_ref())?)
    }

    /// Runs `work`, which computes or reads a lot, on a thread for that, when one of the
    /// few places for such work is free.
    pub async fn compute<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, RpcError> + Send + 'static,
    ) -> Result<T, RpcError> {
        let permit = Arc::clone(&self.heavy).acquire_owned().await;
        let permit = permit.map_err(|_| RpcError::Stopping)?;
        let api = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            // Held by the work itself: it goes on when the asker hangs up.
            let _permit = permit;
            work(&api)
        });
        let done = done.await;
        done.unwrap_or_else(|error| Err(RpcError::Internal(error.to_string())))
    }
}
