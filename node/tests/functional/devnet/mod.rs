//! Private networks as `genesis/devnet` makes them: the scripts, run as a user runs them, with
//! real nodes on real wires.
//!
//! - [`partition`]: two histories, a double spend, a crash, a latecomer; on loopback, and between
//!   network namespaces where these can be had;
//! - [`reorg`]: payments under load, and a reorganization on demand;
//! - [`usage`]: what the scripts say of themselves, and of what they cannot do;
//! - [`neighbors`]: several devnets on one machine, and several names of one;
//! - [`interrupted`]: what a script leaves that is interrupted;
//! - [`network`]: a devnet in a directory of its own.

mod interrupted;
mod neighbors;
mod network;
mod partition;
mod reorg;
mod usage;
