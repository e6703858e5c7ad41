//! The bounds of the pool, and who has to go when they are reached.

use alloy_primitives::B256;

use super::Mempool;
use super::order::{Key, Rank};
use super::refusal::{DropReason, Refusal};

/// The longest envelope that is taken, in bytes. Holds the largest contract deployment (49,152
/// bytes of init code) twice over, and keeps gossip messages small.
pub const MAX_TRANSACTION_BYTES: usize = 128 * 1024;

/// Bounds on everything that a stranger controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Transactions in the pool. Enough for some full blocks of transfers, and few
    /// enough to put into order within milliseconds.
    pub max_count: usize,
    /// Bytes of all envelopes in the pool. Decoded they take about twice as much memory.
    pub max_bytes: usize,
    /// Bytes of one envelope.
    pub max_transaction_bytes: usize,
    /// Transactions of one sender: a bound on what one account can take back at once
    /// by spending its balance otherwise.
    pub per_sender: usize,
    /// How far a nonce may lie beyond the account's.
    pub nonce_gap: u64,
    /// By how many percent a replacement raises both fees: the price of gossiping
    /// the same nonce once more.
    pub replacement_percent: u64,
    /// How long a transaction that cannot be executed is kept, in milliseconds.
    pub waiting_lifetime_ms: u64,
    /// The lowest base fee that the chain can have, in wei per gas (a field of its spec).
    pub base_fee_floor: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_count: 10_240,
            max_bytes: 64 * 1024 * 1024,
            max_transaction_bytes: MAX_TRANSACTION_BYTES,
            per_sender: 64,
            nonce_gap: 64,
            replacement_percent: 10,
            waiting_lifetime_ms: 3 * 60 * 60 * 1000,
            base_fee_floor: 0,
        }
    }
}

/// What a newcomer adds to the pool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Newcomer {
    /// Its place in the order of eviction.
    pub(super) rank: Rank,
    /// Length of its envelope.
    pub(super) bytes: usize,
    /// The entry of its own sender that leaves for it in any case, and that entry's length.
    pub(super) displaced: Option<(Key, usize)>,
}

impl Mempool {
    /// The further entries that have to go so that `newcomer` fits, cheapest first. Each is
    /// worth strictly less than the newcomer, otherwise the newcomer is refused.
    ///
    /// Nothing is changed here, so that a refusal costs nobody his place. As a
    /// sender's entries are ranked downward by nonce ([`Rank`]), taking the
    /// cheapest ones never leaves a gap in front of an entry that stays.
    pub(super) fn make_room(&self, newcomer: &Newcomer) -> Result<Vec<Key>, Refusal> {
        let (displaced_count, displaced_bytes) = match newcomer.displaced {
            Some((_, bytes)) => (1, bytes),
            None => (0, 0),
        };
        let mut count = (self.by_hash.len() + 1).saturating_sub(displaced_count);
        let mut bytes = (self.bytes + newcomer.bytes).saturating_sub(displaced_bytes);
        let mut leaving = Vec::new();
        let mut cheapest = self.order.iter();
        while count > self.limits.max_count || bytes > self.limits.max_bytes {
            let Some(key) = cheapest.next() else {
                // Alone in the pool and still too large: the limits are smaller than
                // one transaction.
                return Err(Refusal::Oversized {
                    got: newcomer.bytes,
                    expected: self.limits.max_bytes,
                });
            };
            if newcomer
                .displaced
                .is_some_and(|(displaced, _)| displaced == *key)
            {
                continue;
            }
            if key.rank >= newcomer.rank {
                let (got, expected) = (newcomer.rank.worth(), key.rank.worth());
                return Err(Refusal::PoolFull { got, expected });
            }
            count -= 1;
            bytes = bytes.saturating_sub(self.entry(key).bytes());
            leaving.push(*key);
        }
        Ok(leaving)
    }

    /// Brings the pool back within its count and bytes, cheapest first.
    pub(super) fn shrink_to_limits(&mut self) -> Vec<(B256, DropReason)> {
        let mut dropped = Vec::new();
        while self.by_hash.len() > self.limits.max_count || self.bytes > self.limits.max_bytes {
            let Some(key) = self.order.first().copied() else {
                break;
            };
            let entry = self.take(key.sender, key.nonce());
            dropped.push((
                entry.transaction.hash(),
                DropReason::PoolFull {
                    got: key.rank.worth(),
                },
            ));
        }
        dropped
    }

    /// Removes what could not be executed for longer than
    /// [`Limits::waiting_lifetime_ms`]. Such entries are first in the order of
    /// eviction, so that only they are visited.
    pub(super) fn expire(&mut self, now_ms: u64) -> Vec<(B256, DropReason)> {
        let expected_ms = self.limits.waiting_lifetime_ms;
        let waiting = self
            .order
            .iter()
            .take_while(|key| !key.rank.worth().executable);
        let expired: Vec<(Key, u64)> = waiting
            .map(|key| (*key, now_ms.saturating_sub(self.entry(key).since_ms)))
            .filter(|(_, got_ms)| *got_ms > expected_ms)
            .collect();
        let mut dropped = Vec::new();
        for (key, got_ms) in expired {
            let entry = self.take(key.sender, key.nonce());
            self.rerank(key.sender, now_ms);
            dropped.push((
                entry.transaction.hash(),
                DropReason::Expired {
                    got_ms,
                    expected_ms,
                },
            ));
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, TIP, draft, native, reasons};
    use super::super::{Admitted, Price, Tip, Worth};
    use super::*;

    fn bench_for(max_count: usize) -> Bench {
        Bench::with_limits(Limits {
            max_count,
            ..Limits::default()
        })
    }

    fn tip(tip: u128) -> Worth {
        Worth {
            executable: true,
            price: Price::Tip(tip),
        }
    }

    fn evicting(hash: B256) -> Result<Admitted, Refusal> {
        Ok(Admitted {
            replaced: None,
            evicted: vec![hash],
        })
    }

    #[test]
    fn a_newcomer_must_pay_more_than_the_cheapest() {
        let mut bench = bench_for(2);
        bench.enter(&draft(0).fees(20, 7).by(0));
        let cheapest = bench.enter(&draft(0).fees(20, 5).by(1));
        let refused = bench.admit(&draft(0).fees(20, 5).by(2)).unwrap_err();
        assert_eq!(
            refused,
            Refusal::PoolFull {
                got: tip(5),
                expected: tip(5)
            }
        );
        assert_eq!(
            refused.to_string(),
            "txpool is full: pays a tip of 5 wei per gas, needs more than a tip of 5 wei per gas"
        );
        assert_eq!(bench.admit(&draft(0).fees(20, 6).by(2)), evicting(cheapest));
    }

    #[test]
    fn what_counts_is_the_tip_at_the_present_base_fee() {
        let mut bench = bench_for(2);
        let generous = bench.enter(&draft(0).fees(11, 9).by(0));
        bench.enter(&draft(0).fees(20, 2).by(1));
        // The first pays only 1 above the base fee of 10.
        assert_eq!(bench.admit(&draft(0).fees(20, 3).by(2)), evicting(generous));
    }

    #[test]
    fn what_waits_goes_first_and_then_what_is_below_the_base_fee() {
        let mut bench = bench_for(3);
        let gapped = bench.enter(&draft(1).fees(90, 80).by(0));
        let below = bench.enter(&draft(0).fees(9, 9).by(1));
        bench.enter(&draft(0).fees(20, 1).by(2));
        assert_eq!(bench.admit(&draft(0).fees(20, 2).by(3)), evicting(gapped));
        assert_eq!(bench.admit(&draft(0).fees(20, 2).by(4)), evicting(below));
        let got = Worth {
            executable: false,
            price: Price::Tip(80),
        };
        let refused = bench.admit(&draft(1).fees(90, 80).by(0));
        assert_eq!(
            refused,
            Err(Refusal::PoolFull {
                got,
                expected: tip(1)
            })
        );
    }

    #[test]
    fn the_last_nonce_of_a_sender_goes_first() {
        let mut bench = bench_for(3);
        bench.enter(&draft(0).fees(20, 1).by(0));
        bench.enter(&draft(1).fees(20, 9).by(0));
        let last = bench.enter(&draft(2).fees(20, 9).by(0));
        assert_eq!(bench.admit(&draft(0).fees(20, 2).by(1)), evicting(last));
        assert_eq!(bench.pool.next_nonce(native(0)), Some(2));
    }

    #[test]
    fn promises_behind_a_worthless_transaction_hold_no_place() {
        let mut bench = bench_for(2);
        bench.enter(&draft(0).fees(1, 0).by(0));
        let promise = bench.enter(&draft(1).fees(90, 80).by(0));
        assert_eq!(bench.admit(&draft(0).fees(20, 1).by(1)), evicting(promise));
    }

    #[test]
    fn bytes_are_bounded_and_nobody_leaves_for_a_refusal() {
        let small = |n| draft(0).fees(20, u128::from(n)).by(n);
        let one = small(1).envelope().len();
        let mut bench = Bench::with_limits(Limits {
            max_bytes: 3 * one,
            ..Limits::default()
        });
        let [first, second, third] = [1, 2, 3].map(|n| bench.enter(&small(n)));
        // Two of the three would have to go, but the second pays as much.
        let large = draft(0).input(one / 2).fees(20, 2).by(4);
        assert!(large.envelope().len() > one && large.envelope().len() <= 3 * one);
        let refused = bench.admit(&large);
        assert_eq!(
            refused,
            Err(Refusal::PoolFull {
                got: tip(2),
                expected: tip(2)
            })
        );
        assert_eq!(bench.best(), [third, second, first]);
        let better = draft(0).input(one / 2).fees(20, 3).by(4);
        let evicted = bench.admit(&better).unwrap().evicted;
        assert!(evicted.starts_with(&[first, second]), "cheapest first");
    }

    #[test]
    fn a_replacement_needs_no_room_but_for_its_greater_size() {
        let mut bench = bench_for(1);
        let old = bench.enter(&draft(0).by(0));
        let admitted = bench.admit(&draft(0).fees(30, 10).by(0));
        assert_eq!(
            admitted,
            Ok(Admitted {
                replaced: Some(old),
                evicted: vec![]
            })
        );
    }

    #[test]
    fn a_larger_replacement_makes_others_leave_and_not_itself() {
        let (first, second) = (draft(0).fees(20, 1).by(0), draft(0).fees(20, 3).by(1));
        let max_bytes = first.envelope().len() + second.envelope().len();
        let mut bench = Bench::with_limits(Limits {
            max_bytes,
            ..Limits::default()
        });
        let (replaced, other) = (bench.enter(&first), bench.enter(&second));
        let larger = draft(0).fees(30, 2).input(20).by(0);
        let refused = bench.admit(&larger);
        assert_eq!(
            refused,
            Err(Refusal::PoolFull {
                got: tip(2),
                expected: tip(3)
            })
        );
        let better = draft(0).fees(30, 4).input(20).by(0);
        let admitted = Admitted {
            replaced: Some(replaced),
            evicted: vec![other],
        };
        assert_eq!(bench.admit(&better), Ok(admitted));
    }

    #[test]
    fn what_stays_when_a_predecessor_expires_is_worth_more() {
        let limits = Limits {
            waiting_lifetime_ms: 500,
            max_count: 2,
            ..Limits::default()
        };
        let mut bench = Bench::with_limits(limits);
        let cheap = bench.enter(&draft(1).fees(20, 1).by(0));
        bench.now_ms += 400;
        bench.enter(&draft(2).fees(20, 9).by(0));
        bench.now_ms += 200;
        assert_eq!(bench.move_to(TIP, &[], &[], &[]).dropped[0].0, cheap);
        let other = bench.enter(&draft(1).fees(20, 5).by(1));
        assert_eq!(bench.admit(&draft(0).fees(20, 1).by(2)), evicting(other));
    }

    #[test]
    fn a_pool_smaller_than_a_transaction_stays_empty() {
        let transaction = draft(0).by(0);
        let got = transaction.envelope().len();
        let mut bench = Bench::with_limits(Limits {
            max_bytes: got - 1,
            ..Limits::default()
        });
        let refused = bench.admit(&transaction);
        assert_eq!(
            refused,
            Err(Refusal::Oversized {
                got,
                expected: got - 1
            })
        );
    }

    #[test]
    fn returned_transactions_push_out_the_cheapest() {
        let mut bench = bench_for(1);
        let cheap = bench.enter(&draft(0).fees(20, 1).by(0));
        let returned = draft(0).fees(20, 2).by(1);
        let changes = bench.move_to(TIP, &[], std::slice::from_ref(&returned), &[native(1)]);
        assert_eq!(changes.added, [returned.hash()]);
        let too_cheap = draft(0).fees(20, 1).by(2);
        let unlucky = bench.move_to(TIP, &[], std::slice::from_ref(&too_cheap), &[native(2)]);
        assert!(unlucky.added.is_empty());
        assert_eq!(unlucky.dropped[0].0, too_cheap.hash());
        assert_eq!(
            reasons(&changes)[&cheap],
            DropReason::PoolFull { got: tip(1) }
        );
    }

    #[test]
    fn the_order_follows_the_base_fee() {
        let mut bench = bench_for(2);
        let steady = bench.enter(&draft(0).fees(90, 2).by(0));
        let falling = bench.enter(&draft(0).fees(20, 9).by(1));
        bench.move_to(
            Tip {
                base_fee: 19,
                ..TIP
            },
            &[],
            &[],
            &[],
        );
        assert_eq!(bench.best(), [steady, falling]);
        assert_eq!(bench.admit(&draft(0).fees(90, 3).by(2)), evicting(falling));
    }

    #[test]
    fn what_waits_too_long_is_dropped() {
        let limits = Limits {
            waiting_lifetime_ms: 500,
            ..Limits::default()
        };
        let mut bench = Bench::with_limits(limits);
        let ready = bench.enter(&draft(0).by(0));
        let gapped = bench.enter(&draft(1).by(1));
        bench.now_ms += 500;
        assert!(bench.move_to(TIP, &[], &[], &[]).dropped.is_empty());
        bench.now_ms += 1;
        let reason = DropReason::Expired {
            got_ms: 501,
            expected_ms: 500,
        };
        assert_eq!(
            bench.move_to(TIP, &[], &[], &[]).dropped,
            [(gapped, reason)]
        );
        assert_eq!(bench.best(), [ready]);
    }

    #[test]
    fn waiting_counts_from_when_it_began() {
        let limits = Limits {
            waiting_lifetime_ms: 500,
            ..Limits::default()
        };
        let mut bench = Bench::with_limits(limits);
        let first = bench.enter(&draft(0).by(0));
        let second = bench.enter(&draft(1).by(0));
        bench.now_ms += 1_000;
        assert!(bench.pool.remove(bench.now_ms, first).is_some());
        bench.now_ms += 500;
        assert!(bench.move_to(TIP, &[], &[], &[]).dropped.is_empty());
        assert!(bench.pool.contains(second));
    }
}
