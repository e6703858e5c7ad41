//! News: blocks and transactions as they come about.

mod blocks;
mod transactions;

pub(super) use blocks::Blocks;
pub(super) use transactions::Transactions;
