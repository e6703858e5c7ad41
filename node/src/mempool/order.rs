//! The two orders of the pool: who is evicted first, and who is mined first.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::btree_map::Values;
use std::fmt;
use std::iter::Take;

use alloy_primitives::Address;
use cairn_genesis::{Transaction, VerifiedTransaction};

use super::Mempool;
use super::sender::Entry;

/// What a transaction pays, seen from a base fee; the greater, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Price {
    /// Its max fee does not reach the base fee: nothing until the base fee falls.
    BelowBaseFee {
        /// The max fee, in wei per gas.
        max_fee: u128,
    },
    /// What the miner gets, in wei per gas.
    Tip(u128),
}

impl Price {
    /// The price of `transaction` in a block with `base_fee`.
    pub(super) fn of(transaction: &Transaction, base_fee: u64) -> Self {
        match transaction.effective_tip(base_fee) {
            Some(tip) => Self::Tip(tip),
            None => Self::BelowBaseFee {
                max_fee: transaction.max_fee(),
            },
        }
    }
}

/// What a transaction is worth to a miner now; the greater, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Worth {
    /// No nonce is missing before it, and the sender can pay for it and for all before it.
    pub executable: bool,
    /// The lowest price among it and its predecessors of the same sender: a
    /// transaction cannot be had without those.
    pub price: Price,
}

impl fmt::Display for Worth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.price {
            Price::Tip(tip) => write!(f, "a tip of {tip} wei per gas")?,
            Price::BelowBaseFee { max_fee } => {
                write!(
                    f,
                    "a max fee of {max_fee} wei per gas, which is below the base fee"
                )?;
            }
        }
        if self.executable {
            Ok(())
        } else {
            f.write_str(" (but cannot be executed yet)")
        }
    }
}

/// Place of a transaction in the order of eviction, the lowest first.
///
/// Along the nonces of one sender it never rises, because each part of it is the
/// worst one so far. So whatever is evicted, a sender's last nonce goes first and
/// no gap arises; and a chain that starts with a worthless transaction cannot hold
/// its place by what its later ones promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    executable: bool,
    price: Price,
    /// Admission number of the latest so far: of equals, the later one goes first.
    latest: Reverse<u64>,
}

impl Rank {
    /// The rank of a sender's first transaction cannot be better than this.
    pub(super) const BEST: Self = Self {
        executable: true,
        price: Price::Tip(u128::MAX),
        latest: Reverse(0),
    };

    /// The rank of the transaction that follows one with rank `self`.
    pub(super) fn followed_by(self, executable: bool, price: Price, sequence: u64) -> Self {
        Self {
            executable: self.executable && executable,
            price: self.price.min(price),
            latest: self.latest.min(Reverse(sequence)),
        }
    }

    /// The part of the rank that users are told.
    pub(super) fn worth(&self) -> Worth {
        Worth {
            executable: self.executable,
            price: self.price,
        }
    }
}

/// An entry of the eviction index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) rank: Rank,
    /// Of one sender's entries with equal rank, the last nonce goes first.
    nonce: Reverse<u64>,
    pub(super) sender: Address,
}

impl Key {
    /// The key of the entry of `sender` with `nonce`, which has `rank`.
    pub(super) fn new(rank: Rank, sender: Address, nonce: u64) -> Self {
        Self {
            rank,
            nonce: Reverse(nonce),
            sender,
        }
    }

    /// Nonce of the transaction.
    pub(super) fn nonce(&self) -> u64 {
        self.nonce.0
    }
}

/// Transactions that a block with a given base fee could hold now: the highest tip
/// first, nonces of a sender in order, of equal tips the earlier admitted first.
///
/// Made by [`Mempool::best`] in O(senders); each step takes O(log senders).
#[derive(Debug)]
pub struct Best<'a> {
    base_fee: u64,
    heads: BinaryHeap<Head<'a>>,
    /// What follows the transaction yielded last; enters the heap at the next step.
    followers: Option<Run<'a>>,
}

/// The executable transactions of one sender, in nonce order.
type Run<'a> = Take<Values<'a, u64, Entry>>;

impl<'a> Best<'a> {
    pub(super) fn new(pool: &'a Mempool, base_fee: u64) -> Self {
        let runs = pool.senders.values().map(|sender| sender.executable());
        let heads = runs.filter_map(|run| Head::of(run, base_fee)).collect();
        Self {
            base_fee,
            heads,
            followers: None,
        }
    }

    /// Leaves out the rest of the sender whose transaction was yielded last: that
    /// transaction is not going into the block, so its followers cannot either.
    pub fn skip_sender(&mut self) {
        self.followers = None;
    }
}

impl<'a> Iterator for Best<'a> {
    type Item = &'a VerifiedTransaction;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(run) = self.followers.take() {
            self.heads.extend(Head::of(run, self.base_fee));
        }
        let head = self.heads.pop()?;
        self.followers = Some(head.followers);
        Some(&head.entry.transaction)
    }
}

/// The next transaction of one sender.
#[derive(Debug)]
struct Head<'a> {
    tip: u128,
    entry: &'a Entry,
    followers: Run<'a>,
}

impl<'a> Head<'a> {
    /// None at the end of the run, or where a max fee does not reach the base fee.
    fn of(mut run: Run<'a>, base_fee: u64) -> Option<Self> {
        let entry = run.next()?;
        let tip = entry.transaction.effective_tip(base_fee)?;
        Some(Self {
            tip,
            entry,
            followers: run,
        })
    }

    fn key(&self) -> (u128, Reverse<u64>) {
        (self.tip, Reverse(self.entry.sequence))
    }
}

impl Ord for Head<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Head<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Head<'_> {}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, draft};
    use super::*;

    #[test]
    fn the_highest_tip_comes_first_and_nonces_in_order() {
        let mut bench = Bench::new();
        let poor_first = bench.enter(&draft(0).fees(50, 1).by(0));
        let rich_second = bench.enter(&draft(1).fees(50, 9).by(0));
        let middle = bench.enter(&draft(0).fees(50, 5).by(1));
        assert_eq!(bench.best(), [middle, poor_first, rich_second]);
    }

    #[test]
    fn of_equal_tips_the_earlier_comes_first() {
        let mut bench = Bench::new();
        let hashes = [3, 1, 2].map(|n| bench.enter(&draft(0).by(n)));
        assert_eq!(bench.best(), hashes);
    }

    #[test]
    fn a_sender_ends_where_the_base_fee_is_not_paid() {
        let mut bench = Bench::new();
        let first = bench.enter(&draft(0).fees(20, 1).by(0));
        let second = bench.enter(&draft(1).fees(11, 1).by(0));
        let third = bench.enter(&draft(2).fees(20, 1).by(0));
        let at = |base_fee| -> Vec<_> { bench.pool.best(base_fee).map(|tx| tx.hash()).collect() };
        assert_eq!(at(11), [first, second, third]);
        assert_eq!(at(12), [first]);
        assert!(at(21).is_empty());
    }

    #[test]
    fn a_sender_can_be_skipped() {
        let mut bench = Bench::new();
        let skipped = bench.enter(&draft(0).fees(50, 9).by(0));
        bench.enter(&draft(1).fees(50, 9).by(0));
        let other = bench.enter(&draft(0).fees(50, 5).by(1));
        let mut best = bench.pool.best(10);
        assert_eq!(best.next().map(|tx| tx.hash()), Some(skipped));
        best.skip_sender();
        assert_eq!(best.next().map(|tx| tx.hash()), Some(other));
        assert_eq!(best.next(), None);
    }

    #[test]
    fn ranks_never_rise_along_a_queue() {
        let first = Rank::BEST.followed_by(true, Price::Tip(5), 7);
        let better = first.followed_by(true, Price::Tip(9), 3);
        assert_eq!(better, first);
        assert!(first.followed_by(true, Price::BelowBaseFee { max_fee: 99 }, 3) < first);
        assert!(first.followed_by(false, Price::Tip(9), 3) < first);
        assert!(first.followed_by(true, Price::Tip(9), 8) < first);
    }

    #[test]
    fn worth_is_said_in_words() {
        let price = Price::BelowBaseFee { max_fee: 3 };
        assert_eq!(
            Worth {
                executable: false,
                price
            }
            .to_string(),
            "a max fee of 3 wei per gas, which is below the base fee (but cannot be executed yet)"
        );
        assert_eq!(
            Worth {
                executable: true,
                price: Price::Tip(3)
            }
            .to_string(),
            "a tip of 3 wei per gas"
        );
    }
}
