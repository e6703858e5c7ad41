//! Why a transaction in the pool is not mined yet.
//!
//! "My transaction stays pending" is what users of private chains ask most. The
//! answer is in the queue of the sender: the first obstacle on the way from the
//! account's nonce to the transaction.

use alloy_primitives::{Address, B256, U256};
use thiserror::Error;

use super::Mempool;
use super::order::Price;
use super::sender::{Obstacle, Place};

/// What a transaction in the pool is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// For a block: nothing else stands in its way.
    Ready {
        /// What it pays the miner at the present base fee, in wei per gas.
        tip: u128,
    },
    /// For something that only its sender, or a lower base fee, can change.
    Waiting(Waiting),
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ready { tip } => {
                write!(
                    f,
                    "ready: it can be in the next block and pays a tip of {tip} wei per gas"
                )
            }
            Self::Waiting(waiting) => waiting.fmt(f),
        }
    }
}

/// Why a transaction cannot be in the next block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Waiting {
    /// A nonce before it is missing.
    #[error(
        "nonce gap: it has nonce {got}, but nonce {missing} of {sender} is missing; send that one first"
    )]
    NonceGap {
        /// The sender.
        sender: Address,
        /// Nonce of the transaction.
        got: u64,
        /// The first nonce that is missing.
        missing: u64,
    },
    /// It, or one before it, does not pay the base fee.
    #[error(
        "max fee below base fee: nonce {nonce} of {sender} offers {got} wei per gas, the next block asks for {expected}; wait, or replace that transaction with a higher max fee"
    )]
    BaseFee {
        /// The sender.
        sender: Address,
        /// Nonce of the transaction that does not pay: this one, or one before it.
        nonce: u64,
        /// Max fee of that transaction.
        got: u128,
        /// Base fee of the next block.
        expected: u64,
    },
    /// The sender cannot pay for it and everything before it any more.
    #[error(
        "insufficient funds: {sender} has {got} wei, its transactions up to nonce {nonce} can cost {expected} wei"
    )]
    Funds {
        /// The sender.
        sender: Address,
        /// The first nonce that cannot be paid for: this one, or one before it.
        nonce: u64,
        /// Balance of the account.
        got: U256,
        /// The most that the transactions up to that nonce can cost.
        expected: U256,
    },
    /// The sender is delegated (EIP-7702) and has an earlier transaction.
    #[error(
        "delegated sender: {sender} is delegated (EIP-7702), so its transactions are mined one at a time; this one has nonce {got}, nonce {expected} comes first"
    )]
    Delegated {
        /// The sender.
        sender: Address,
        /// Nonce of the transaction.
        got: u64,
        /// Nonce of the account.
        expected: u64,
    },
}

impl Mempool {
    /// Why the transaction is not mined yet; None if it is not in the pool.
    pub fn why(&self, hash: B256) -> Option<Status> {
        let (sender, nonce) = *self.by_hash.get(&hash)?;
        let queue = self.senders.get(&sender)?;
        let base_fee = self.tip.base_fee;
        let mut place = Place::first(&queue.state);
        let mut tip = 0;
        for (&at, entry) in queue.entries.range(..=nonce) {
            if let Some(obstacle) = place.obstacle(&queue.state, at, entry.cost) {
                let (got, account) = (queue.state.balance, queue.state.nonce);
                return Some(Status::Waiting(match obstacle {
                    Obstacle::Gap { missing } => Waiting::NonceGap {
                        sender,
                        got: nonce,
                        missing,
                    },
                    Obstacle::Delegated => Waiting::Delegated {
                        sender,
                        got: nonce,
                        expected: account,
                    },
                    Obstacle::Funds { needed } => Waiting::Funds {
                        sender,
                        nonce: at,
                        got,
                        expected: needed,
                    },
                }));
            }
            match Price::of(&entry.transaction, base_fee) {
                Price::Tip(of_this) => tip = of_this,
                Price::BelowBaseFee { max_fee: got } => {
                    let waiting = Waiting::BaseFee {
                        sender,
                        nonce: at,
                        got,
                        expected: base_fee,
                    };
                    return Some(Status::Waiting(waiting));
                }
            }
            place.step(at, entry.cost, entry.rank);
        }
        Some(Status::Ready { tip })
    }
}

#[cfg(test)]
mod tests {
    use super::super::AccountCode;
    use super::super::testing::{Bench, draft, native};
    use super::*;

    fn why(bench: &Bench, hash: B256) -> String {
        bench.pool.why(hash).unwrap().to_string()
    }

    #[test]
    fn what_is_ready_says_what_it_pays() {
        let mut bench = Bench::new();
        let hash = bench.enter(&draft(0).fees(12, 5).by(0));
        assert_eq!(bench.pool.why(hash), Some(Status::Ready { tip: 2 }));
        assert_eq!(
            why(&bench, hash),
            "ready: it can be in the next block and pays a tip of 2 wei per gas"
        );
        assert_eq!(bench.pool.why(B256::ZERO), None);
    }

    #[test]
    fn a_gap_is_named_by_its_first_missing_nonce() {
        let mut bench = Bench::new();
        let sender = native(0);
        bench.enter(&draft(0).by(0));
        bench.enter(&draft(2).by(0));
        let hash = bench.enter(&draft(5).by(0));
        let waiting = Waiting::NonceGap {
            sender,
            got: 5,
            missing: 1,
        };
        assert_eq!(bench.pool.why(hash), Some(Status::Waiting(waiting)));
        assert_eq!(
            why(&bench, hash),
            format!(
                "nonce gap: it has nonce 5, but nonce 1 of {sender} is missing; send that one first"
            )
        );
    }

    #[test]
    fn a_low_max_fee_is_named_also_when_it_is_that_of_an_earlier_nonce() {
        let mut bench = Bench::new();
        let sender = native(0);
        let first = bench.enter(&draft(0).fees(9, 0).by(0));
        let second = bench.enter(&draft(1).by(0));
        let waiting = Waiting::BaseFee {
            sender,
            nonce: 0,
            got: 9,
            expected: 10,
        };
        assert_eq!(bench.pool.why(first), Some(Status::Waiting(waiting)));
        assert_eq!(bench.pool.why(second), Some(Status::Waiting(waiting)));
    }

    #[test]
    fn a_delegation_is_named() {
        let mut bench = Bench::new();
        let sender = native(0);
        bench.enter(&draft(0).by(0));
        let second = bench.enter(&draft(1).by(0));
        bench.set(sender, |account| account.code = AccountCode::Delegation);
        let waiting = Waiting::Delegated {
            sender,
            got: 1,
            expected: 0,
        };
        assert_eq!(bench.pool.why(second), Some(Status::Waiting(waiting)));
    }
}
