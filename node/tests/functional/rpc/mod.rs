//! The RPC server as clients meet it, and the methods that no other scenario needs.
//!
//! | module | shows |
//! |---|---|
//! | `server` | HTTP and WebSocket on one port, batches, limits, CORS, errors |
//! | `blocks` | blocks, headers, receipts and transactions by every name; fees |
//! | `calls` | what the node says of itself; calls, estimates, and what it signs |
//! | `pool` | what waits, and why |

mod blocks;
mod calls;
mod pool;
mod server;
