//! Bad peers, for real: the program `cairn`, mining, with one honest neighbor, and strangers
//! who do what they can to it.
//!
//! ```text
//!                    ┌── honest node: has every block, is never lost or banned
//! cairn run --mine ──┤
//!    ▲               └── strangers: bytes, streams, messages, floods     (this process)
//!    └── JSON-RPC: blocks, peers, bans
//! ```
//!
//! | module | is |
//! |---|---|
//! | [`node`] | a running `cairn`: its RPC, its memory, its log, its end |
//! | [`stage`] | a node under attack and its neighbor, and what must hold for them |
//! | [`stranger`] | somebody who speaks libp2p, and says whatever a test wants |
//! | [`users`] | accounts and their payments |
//! | [`sockets`] | attacks by those who never get as far as a message |
//! | [`frames`] | frames that are no messages, statuses that are no good |
//! | [`floods`] | too many questions, answers that nobody reads, every place taken |
//! | [`blocks`] | junk blocks, and blocks whose transactions are withheld |
//! | [`transactions`] | ten times what the pool holds, invalid ones, and no end of them |
//! | [`together`] | all of this at once |
//!
//! An attack goes on until the node has mined under it and the neighbor has what was mined.
//! Nothing here measures time: deadlines are far off and only end what hangs. All sockets are on
//! loopback, where the gate counts no addresses: strangers may take all places.
//!
//! The modules are marked as tests so that clippy lets their helpers unwrap.

#[cfg(test)]
mod blocks;
#[cfg(test)]
mod floods;
#[cfg(test)]
mod frames;
#[cfg(test)]
mod node;
#[cfg(test)]
#[path = "../support/raw.rs"]
mod raw;
#[cfg(test)]
mod sockets;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod stranger;
#[cfg(test)]
mod together;
#[cfg(test)]
mod transactions;
#[cfg(test)]
mod users;
#[cfg(test)]
#[path = "../support/wait.rs"]
mod wait;
