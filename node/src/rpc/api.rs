//! What every method gets: the node's parts, and what RPC itself remembers.

use alloy_primitives::B256;
use parking_lot::Mutex;

use super::context::RpcContext;
use super::error::RpcError;
use crate::chain::ChainView;

/// The receiver of all methods.
pub struct Api {
    /// The node's parts.
    pub node: RpcContext,
    /// The priority fee suggested at a tip (its hash): the same for everybody who asks.
    pub suggested_tip: Mutex<Option<(B256, u128)>>,
    /// Held by the one request that is choosing a nonce and sending.
    pub sending: tokio::sync::Mutex<()>,
}

impl Api {
    /// Methods over `node`.
    pub fn new(node: RpcContext) -> Self {
        Self {
            node,
            suggested_tip: Mutex::new(None),
            sending: tokio::sync::Mutex::new(()),
        }
    }

    /// The chain as of now. A request opens one view and reads all it needs from it, so
    /// that no block changes its answer midway.
    pub fn view(&self) -> Result<ChainView<'_>, RpcError> {
        Ok(ChainView::open(self.node.store.as_ref())?)
    }
}
