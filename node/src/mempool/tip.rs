//! What a new tip does to the pool.
//!
//! Blocks were connected, and before that perhaps others disconnected. Only senders
//! with something in the pool whose accounts changed are looked at again, so that
//! the work follows the size of the change, not that of the pool.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use cairn_genesis::VerifiedTransaction;

use super::admission::check_code_and_nonce;
use super::order::Rank;
use super::refusal::{DropReason, Refusal};
use super::sender::{AccountCode, Accounts, Entry, SenderState};
use super::{Mempool, Tip};

/// How the chain got from the tip that the pool knows to the present one.
#[derive(Debug, Clone)]
pub struct TipChange<'a> {
    /// The present tip.
    pub tip: Tip,
    /// Hashes of the transactions in connected blocks.
    pub mined: &'a [B256],
    /// The transactions of disconnected blocks, in any order; those that are mined
    /// again may be among them.
    pub returned: Vec<VerifiedTransaction>,
    /// Every sender in the pool whose account's nonce, balance or code is not what it was
    /// at the old tip; others do no harm.
    pub changed: &'a [Address],
}

/// What a new tip did to the pool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Transactions that came back from disconnected blocks.
    pub added: Vec<B256>,
    /// Transactions that left the pool or did not come back, each with the reason.
    /// None of them is among `added`.
    pub dropped: Vec<(B256, DropReason)>,
}

impl Mempool {
    /// Follows the chain to a new tip at time `now_ms`.
    ///
    /// Transactions of disconnected blocks come back without the bounds on one
    /// sender's number and nonce gap, which a long branch may well exceed, and
    /// without asking for funds, which may come back as well; the bounds of the
    /// whole pool hold.
    ///
    /// # Errors
    /// Passes on that an account could not be read; then the pool is as it was, and
    /// the call can be made again.
    pub fn tip_changed<A: Accounts>(
        &mut self,
        now_ms: u64,
        change: TipChange<'_>,
        accounts: &A,
    ) -> Result<Changes, A::Error> {
        let touched = self.read_touched(&change, accounts)?;
        let mut changes = Changes::default();
        self.remove_mined(change.mined, &mut changes);
        for (sender, state) in &touched {
            self.settle(*sender, *state, &mut changes);
        }
        self.take_back(now_ms, &change, &touched, &mut changes);
        self.move_to(now_ms, change.tip, &touched);
        changes.dropped.extend(self.expire(now_ms));
        changes.dropped.extend(self.shrink_to_limits());
        changes.added.retain(|hash| self.contains(*hash));
        Ok(changes)
    }

    /// Accounts of those who have something in the pool or get it back, as far as
    /// they changed.
    fn read_touched<A: Accounts>(
        &self,
        change: &TipChange<'_>,
        accounts: &A,
    ) -> Result<BTreeMap<Address, SenderState>, A::Error> {
        let changed = change
            .changed
            .iter()
            .copied()
            .filter(|address| self.senders.contains_key(address));
        let mined = change
            .mined
            .iter()
            .filter_map(|hash| self.by_hash.get(hash))
            .map(|(sender, _)| *sender);
        let returned = change
            .returned
            .iter()
            .map(|transaction| transaction.sender());
        let touched: BTreeSet<Address> = changed.chain(mined).chain(returned).collect();
        touched
            .into_iter()
            .map(|sender| Ok((sender, accounts.sender_state(sender)?)))
            .collect()
    }

    fn remove_mined(&mut self, mined: &[B256], changes: &mut Changes) {
        for hash in mined {
            if self.take_by_hash(*hash).is_some() {
                changes.dropped.push((*hash, DropReason::Mined));
            }
        }
    }

    /// Removes what a sender's new account state rules out for good. What has become
    /// too expensive stays and waits: the funds may well come back.
    fn settle(&mut self, sender: Address, state: SenderState, changes: &mut Changes) {
        let Some(queue) = self.senders.get_mut(&sender) else {
            return;
        };
        queue.state = state;
        let is_contract = state.code == AccountCode::Contract;
        let ruled_out = queue
            .entries
            .keys()
            .copied()
            .take_while(|nonce| is_contract || *nonce < state.nonce);
        for got in ruled_out.collect::<Vec<u64>>() {
            let reason = if is_contract {
                DropReason::Refused(Refusal::SenderIsContract { sender })
            } else {
                DropReason::NonceUsed {
                    sender,
                    got,
                    expected: state.nonce,
                }
            };
            changes
                .dropped
                .push((self.take(sender, got).transaction.hash(), reason));
        }
    }

    /// Puts back what disconnected blocks held and the present chain does not.
    fn take_back(
        &mut self,
        now_ms: u64,
        change: &TipChange<'_>,
        touched: &BTreeMap<Address, SenderState>,
        changes: &mut Changes,
    ) {
        if change.returned.is_empty() {
            return;
        }
        let mined: BTreeSet<&B256> = change.mined.iter().collect();
        for transaction in &change.returned {
            let hash = transaction.hash();
            let state = touched
                .get(&transaction.sender())
                .copied()
                .unwrap_or_default();
            if mined.contains(&hash) || self.contains(hash) {
                continue;
            }
            if let Err(refusal) = self.check_returned(transaction, &state) {
                changes.dropped.push((hash, reason_of(refusal)));
                continue;
            }
            // Any rank serves until all are back and ranked once: ranking at each step
            // would take quadratic time for a long branch of one sender.
            let entry = Entry::new(transaction.clone(), self.next_sequence, now_ms, Rank::BEST);
            self.next_sequence += 1;
            if let Some(replaced) = self.put(entry, state) {
                let reason = DropReason::Replaced { by: hash };
                changes.dropped.push((replaced.transaction.hash(), reason));
            }
            changes.added.push(hash);
        }
    }

    fn check_returned(
        &self,
        transaction: &VerifiedTransaction,
        state: &SenderState,
    ) -> Result<(), Refusal> {
        self.check_alone(transaction)?;
        check_code_and_nonce(transaction, state)?;
        match self.get_by_nonce(transaction.sender(), transaction.nonce()) {
            Some(present) => self.check_replacement(transaction, present),
            None => Ok(()),
        }
    }

    /// Ranks everything that the new tip may have moved.
    fn move_to(&mut self, now_ms: u64, tip: Tip, touched: &BTreeMap<Address, SenderState>) {
        let prices_changed = self.tip.base_fee != tip.base_fee;
        self.tip = tip;
        if prices_changed {
            return self.rerank_all(now_ms);
        }
        for sender in touched.keys() {
            self.rerank(*sender, now_ms);
        }
    }
}

/// A nonce that is too low now was used by another transaction: the losing side of a
/// double spend.
fn reason_of(refusal: Refusal) -> DropReason {
    match refusal {
        Refusal::NonceTooLow {
            sender,
            got,
            expected,
        } => DropReason::NonceUsed {
            sender,
            got,
            expected,
        },
        other => DropReason::Refused(other),
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::U256;

    use super::super::testing::{Bench, Broken, DRAFT_COST, TIP, draft, native, reasons};
    use super::super::{Limits, Status, Waiting};
    use super::*;

    #[test]
    fn what_is_mined_leaves() {
        let mut bench = Bench::new();
        let mined = bench.enter(&draft(0).by(0));
        let next = bench.enter(&draft(1).by(0));
        bench.ledger.at(native(0)).nonce = 1;
        let changes = bench.move_to(TIP, &[mined], &[], &[native(0)]);
        assert_eq!(
            changes,
            Changes {
                added: vec![],
                dropped: vec![(mined, DropReason::Mined)]
            }
        );
        assert_eq!(bench.best(), [next]);
    }

    #[test]
    fn the_loser_of_a_double_spend_is_told_why() {
        let mut bench = Bench::new();
        let sender = native(0);
        let loser = bench.enter(&draft(0).by(0));
        let winner = draft(0).value(1).by(0).hash();
        bench.ledger.at(sender).nonce = 1;
        let changes = bench.move_to(TIP, &[winner], &[], &[sender]);
        let reason = DropReason::NonceUsed {
            sender,
            got: 0,
            expected: 1,
        };
        assert_eq!(changes.dropped, [(loser, reason)]);
    }

    #[test]
    fn disconnected_transactions_come_back_in_any_order() {
        let mut bench = Bench::new();
        bench.ledger.at(native(0)).nonce = 2;
        let third = bench.enter(&draft(2).by(0));
        bench.ledger.at(native(0)).nonce = 0;
        let returned = [draft(1).by(0), draft(0).by(0)];
        let changes = bench.move_to(TIP, &[], &returned, &[native(0)]);
        assert_eq!(changes.added, returned.clone().map(|tx| tx.hash()));
        assert_eq!(
            bench.best(),
            [returned[1].hash(), returned[0].hash(), third]
        );
    }

    #[test]
    fn what_is_mined_again_does_not_come_back() {
        let mut bench = Bench::new();
        let transaction = draft(0).by(0);
        bench.ledger.at(native(0)).nonce = 1;
        let changes = bench.move_to(TIP, &[transaction.hash()], &[transaction], &[native(0)]);
        assert_eq!(changes, Changes::default());
        assert!(bench.pool.is_empty());
    }

    #[test]
    fn a_disconnected_double_spend_does_not_come_back() {
        let mut bench = Bench::new();
        let sender = native(0);
        let (loser, winner) = (draft(0).by(0), draft(0).value(1).by(0));
        bench.ledger.at(sender).nonce = 1;
        let changes = bench.move_to(
            TIP,
            &[winner.hash()],
            std::slice::from_ref(&loser),
            &[sender],
        );
        let reason = DropReason::NonceUsed {
            sender,
            got: 0,
            expected: 1,
        };
        assert_eq!(changes.dropped, [(loser.hash(), reason)]);
    }

    #[test]
    fn a_returned_transaction_replaces_only_for_higher_fees() {
        let mut bench = Bench::new();
        let present = bench.enter(&draft(0).by(0));
        let equal = draft(0).value(1).by(0);
        let changes = bench.move_to(TIP, &[], std::slice::from_ref(&equal), &[]);
        assert!(matches!(
            reasons(&changes)[&equal.hash()],
            DropReason::Refused(Refusal::ReplacementUnderpriced { .. })
        ));
        let better = draft(0).fees(40, 20).by(0);
        let changes = bench.move_to(TIP, &[], std::slice::from_ref(&better), &[]);
        assert_eq!(changes.added, [better.hash()]);
        assert_eq!(
            changes.dropped,
            [(present, DropReason::Replaced { by: better.hash() })]
        );
    }

    #[test]
    fn a_long_branch_comes_back_beyond_the_bounds_of_one_sender() {
        let mut bench = Bench::with_limits(Limits {
            per_sender: 2,
            nonce_gap: 2,
            ..Limits::default()
        });
        let returned: Vec<_> = (0..6).map(|nonce| draft(nonce).by(0)).collect();
        bench.move_to(TIP, &[], &returned, &[native(0)]);
        assert_eq!(bench.best().len(), 6);
        assert!(bench.admit(&draft(6).by(0)).is_err());
    }

    #[test]
    fn lost_funds_make_wait_and_not_forget() {
        let mut bench = Bench::new();
        let sender = native(0);
        let first = bench.enter(&draft(0).by(0));
        let second = bench.enter(&draft(1).by(0));
        let got = U256::from(2 * DRAFT_COST - 1);
        assert_eq!(
            bench.set(sender, |account| account.balance = got),
            Changes::default()
        );
        assert_eq!(bench.best(), [first]);
        let expected = U256::from(2 * DRAFT_COST);
        let waiting = Waiting::Funds {
            sender,
            nonce: 1,
            got,
            expected,
        };
        assert_eq!(bench.pool.why(second), Some(Status::Waiting(waiting)));
        bench.set(sender, |account| account.balance = expected);
        assert_eq!(bench.best(), [first, second]);
    }

    #[test]
    fn an_account_that_becomes_a_contract_loses_its_transactions() {
        let mut bench = Bench::new();
        let sender = native(0);
        let hash = bench.enter(&draft(0).by(0));
        let changes = bench.set(sender, |account| account.code = AccountCode::Contract);
        let reason = DropReason::Refused(Refusal::SenderIsContract { sender });
        assert_eq!(changes.dropped, [(hash, reason)]);
    }

    #[test]
    fn a_sender_who_becomes_delegated_keeps_his_queue_but_gets_one_at_a_time() {
        let mut bench = Bench::new();
        let first = bench.enter(&draft(0).by(0));
        let second = bench.enter(&draft(1).by(0));
        bench.set(native(0), |account| account.code = AccountCode::Delegation);
        assert_eq!(bench.best(), [first]);
        bench.set(native(0), |account| account.nonce = 1);
        assert_eq!(bench.best(), [second]);
    }

    #[test]
    fn a_failed_read_changes_nothing_and_can_be_repeated() {
        let mut bench = Bench::new();
        let mined = bench.enter(&draft(0).by(0));
        let tip = Tip {
            number: TIP.number + 1,
            base_fee: 11,
            ..TIP
        };
        let change = TipChange {
            tip,
            mined: &[mined],
            returned: vec![],
            changed: &[native(0)],
        };
        bench.ledger.broken = true;
        assert_eq!(
            bench.pool.tip_changed(0, change.clone(), &bench.ledger),
            Err(Broken)
        );
        assert_eq!((bench.pool.tip(), bench.pool.len()), (TIP, 1));
        bench.ledger.broken = false;
        bench.ledger.at(native(0)).nonce = 1;
        let changes = bench.pool.tip_changed(0, change, &bench.ledger).unwrap();
        assert_eq!(changes.dropped, [(mined, DropReason::Mined)]);
        assert_eq!(bench.pool.tip(), tip);
    }

    #[test]
    fn accounts_without_transactions_are_not_read() {
        let mut bench = Bench::new();
        bench.ledger.broken = true;
        assert_eq!(
            bench.move_to(TIP, &[], &[], &[native(0), native(1)]),
            Changes::default()
        );
    }
}
