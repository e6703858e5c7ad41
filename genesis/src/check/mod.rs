//! The validity of blocks, split by what a check may see.
//!
//! | module | sees | yields |
//! |---|---|---|
//! | [`alone`] | the block | [`SealedHeader`](alone::SealedHeader), [`VerifiedBlock`](alone::VerifiedBlock) |
//! | [`after_parent`] | also its parent's header | [`Linked`](after_parent::Linked) |
//! | [`after_execution`] | also what execution gave | nothing: the block may be committed |
//!
//! Failures of three kinds are never mixed: [`InvalidBlock`](error::InvalidBlock) (for everybody,
//! forever), [`BlockFault::Mutated`](error::BlockFault) (this body is not the block's, another may
//! be), [`NotYet`](error::NotYet) (ask again later).

pub mod after_execution;
pub mod after_parent;
pub mod alone;
pub(crate) mod error;
