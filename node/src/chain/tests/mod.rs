//! The chain on the in-memory double of the store.
//!
//! [`forge`] mines real blocks on any block, so that branches of every shape can be
//! made beforehand; [`follower`] is the chain under test, which takes them in and is
//! checked after each. What the forge's store says of a block is the oracle: it came
//! about by executing that block's branch from genesis, one block after the other.

mod audits;
mod batches;
mod crashes;
mod execution;
pub(crate) mod follower;
pub(crate) mod forge;
mod forks;
mod formats;
mod history;
mod invalid;
mod limits;
mod logs;
pub(crate) mod people;
mod random;
mod supply;
mod twist;
mod waiting;
