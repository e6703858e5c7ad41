//! What the answers look like in JSON.
//!
//! Ethereum's own shapes come from `alloy-rpc-types-eth` where they can say what a block of
//! ours is (receipts, logs, fee history, the frame of a block, all requests). Header and
//! transaction are our own: a pending header has no hash, ours carry a seal, and a
//! transaction may be signed with Ed25519. Every quantity is a `U64`, `U128` or `U256`,
//! which are written as minimal hex.

mod block;
mod receipt;
mod transaction;

pub use block::{RpcBlock, RpcHeader, RpcSeal, header, pending_header};
pub use receipt::{ReceiptBody, RpcReceipt, receipts};
pub use transaction::{Place, RpcTransaction, address_called};
