//! The rules for one transaction that wants to enter the pool.
//!
//! What can be seen from the transaction alone comes first, then what its sender's
//! account and queue say, last whether there is room. Nothing changes until all
//! rules are passed.

use alloy_primitives::{B256, U256};
use cairn_genesis::VerifiedTransaction;

use super::Mempool;
use super::delegation::authorizations;
use super::limit::Newcomer;
use super::order::{Key, Rank};
use super::refusal::{AdmitError, Fee, Refusal};
use super::sender::{AccountCode, Accounts, Entry, Sender, SenderState, highest_cost};

/// The most transactions that an account may have in the pool when another
/// transaction delegates it.
const MAX_OF_AUTHORITY: usize = 1;

/// What became of the transactions in the pool when a new one entered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Admitted {
    /// The transaction with the same sender and nonce that it replaced.
    pub replaced: Option<B256>,
    /// Those that had to make room for it, cheapest first.
    pub evicted: Vec<B256>,
}

impl Mempool {
    /// Takes `transaction` into the pool at time `now_ms`, or says why not; then the
    /// pool is as it was.
    ///
    /// The account of its sender is read if he has nothing in the pool yet, at the
    /// tip of the last [`Mempool::tip_changed`].
    ///
    /// # Errors
    /// [`AdmitError::Refused`] names the rule and the numbers;
    /// [`AdmitError::Accounts`] passes on that the account could not be read.
    pub fn admit<A: Accounts>(
        &mut self,
        now_ms: u64,
        transaction: VerifiedTransaction,
        accounts: &A,
    ) -> Result<Admitted, AdmitError<A::Error>> {
        self.check_alone(&transaction)?;
        let sender = transaction.sender();
        let state = match self.senders.get(&sender) {
            Some(queue) => queue.state,
            None => accounts
                .sender_state(sender)
                .map_err(AdmitError::Accounts)?,
        };
        self.check_account(&transaction, &state)?;
        self.check_queue(&transaction, &state)?;
        self.check_authorities(&transaction)?;
        Ok(self.enter(now_ms, transaction, state)?)
    }

    /// What the transaction itself and the chain's bounds say.
    pub(super) fn check_alone(&self, transaction: &VerifiedTransaction) -> Result<(), Refusal> {
        let hash = transaction.hash();
        if self.contains(hash) {
            return Err(Refusal::AlreadyKnown { hash });
        }
        let (got, expected) = (
            transaction.envelope().len(),
            self.limits.max_transaction_bytes,
        );
        if got > expected {
            return Err(Refusal::Oversized { got, expected });
        }
        let (got, expected) = (transaction.gas_limit(), self.tip.gas_limit);
        if got > expected {
            return Err(Refusal::GasLimit { got, expected });
        }
        let (got, expected) = (transaction.max_fee(), self.limits.base_fee_floor);
        if got < u128::from(expected) {
            return Err(Refusal::Underpriced { got, expected });
        }
        Ok(())
    }

    /// What the account says.
    fn check_account(
        &self,
        transaction: &VerifiedTransaction,
        state: &SenderState,
    ) -> Result<(), Refusal> {
        check_code_and_nonce(transaction, state)?;
        let (sender, got) = (transaction.sender(), transaction.nonce());
        let account = state.nonce;
        let delegated =
            state.code == AccountCode::Delegation || self.delegations.is_promised(sender, account);
        if delegated && got != account {
            return Err(Refusal::Delegated {
                sender,
                got,
                expected: account,
            });
        }
        let expected = account.saturating_add(self.limits.nonce_gap);
        if got > expected {
            return Err(Refusal::NonceTooHigh {
                sender,
                got,
                expected,
                account,
            });
        }
        Ok(())
    }

    /// What the sender's transactions in the pool say.
    fn check_queue(
        &self,
        transaction: &VerifiedTransaction,
        state: &SenderState,
    ) -> Result<(), Refusal> {
        let (sender, nonce) = (transaction.sender(), transaction.nonce());
        let cost = highest_cost(transaction);
        let Some(queue) = self.senders.get(&sender) else {
            return Sender::new(*state).check_funds(sender, nonce, cost);
        };
        if let Some(present) = queue.entries.get(&nonce) {
            self.check_replacement(transaction, &present.transaction)?;
        }
        self.check_count(queue, transaction)?;
        queue.check_funds(sender, nonce, cost)
    }

    /// "Replacement raises both fees by at least 10 %", rounded up, and by at least 1 wei:
    /// otherwise a chain without fees could be flooded with replacements.
    pub(super) fn check_replacement(
        &self,
        transaction: &VerifiedTransaction,
        present: &VerifiedTransaction,
    ) -> Result<(), Refusal> {
        let least = |fee: u128| {
            let percent = U256::from(100) + U256::from(self.limits.replacement_percent);
            let raised = (U256::from(fee) * percent).div_ceil(U256::from(100));
            raised.max(U256::from(fee) + U256::ONE)
        };
        let fees = [
            (Fee::Max, transaction.max_fee(), present.max_fee()),
            (
                Fee::MaxPriority,
                transaction.max_priority_fee(),
                present.max_priority_fee(),
            ),
        ];
        for (fee, got, old) in fees {
            let expected = least(old);
            if U256::from(got) < expected {
                let replaced = present.hash();
                return Err(Refusal::ReplacementUnderpriced {
                    fee,
                    got,
                    expected,
                    replaced,
                });
            }
        }
        Ok(())
    }

    /// "At most 64 per sender". A lower nonce than the last one is always taken: the
    /// last one makes room for it, so that a sender can fill the gap before a full queue.
    fn check_count(
        &self,
        queue: &Sender,
        transaction: &VerifiedTransaction,
    ) -> Result<(), Refusal> {
        let (got, expected) = (queue.entries.len(), self.limits.per_sender);
        let last = queue.entries.last_key_value().map(|(nonce, _)| *nonce);
        if got >= expected && last < Some(transaction.nonce()) {
            return Err(Refusal::AccountLimit {
                sender: transaction.sender(),
                got,
                expected,
            });
        }
        Ok(())
    }

    /// "At most one pending for a delegated sender", seen from the transaction that delegates.
    fn check_authorities(&self, transaction: &VerifiedTransaction) -> Result<(), Refusal> {
        for (authority, nonce) in authorizations(transaction) {
            let Some(queue) = self.senders.get(&authority) else {
                continue;
            };
            let (got, expected) = (queue.entries.len(), MAX_OF_AUTHORITY);
            if nonce >= queue.state.nonce && got > expected {
                return Err(Refusal::AuthorityReserved {
                    authority,
                    got,
                    expected,
                });
            }
        }
        Ok(())
    }

    /// Makes room and puts the transaction into its place.
    fn enter(
        &mut self,
        now_ms: u64,
        transaction: VerifiedTransaction,
        state: SenderState,
    ) -> Result<Admitted, Refusal> {
        let (sender, nonce) = (transaction.sender(), transaction.nonce());
        let (rank, bytes) = (
            self.rank_of(&transaction, &state),
            transaction.envelope().len(),
        );
        let displaced = self.displaced_by(&transaction);
        let leaving = self.make_room(&Newcomer {
            rank,
            bytes,
            displaced,
        })?;

        let own_last = displaced
            .map(|(key, _)| key)
            .filter(|key| key.nonce() != nonce);
        let mut admitted = Admitted::default();
        for key in own_last.into_iter().chain(leaving) {
            admitted
                .evicted
                .push(self.take(key.sender, key.nonce()).transaction.hash());
        }
        let entry = Entry::new(transaction, self.next_sequence, now_ms, rank);
        self.next_sequence += 1;
        admitted.replaced = self.put(entry, state).map(|old| old.transaction.hash());
        self.rerank(sender, now_ms);
        Ok(admitted)
    }

    /// The place in the order of eviction that `transaction` would get if it entered now.
    fn rank_of(&self, transaction: &VerifiedTransaction, state: &SenderState) -> Rank {
        let (sequence, base_fee) = (self.next_sequence, self.tip.base_fee);
        match self.senders.get(&transaction.sender()) {
            Some(queue) => queue.rank_of_newcomer(transaction, sequence, base_fee),
            None => Sender::new(*state).rank_of_newcomer(transaction, sequence, base_fee),
        }
    }

    /// The one entry of the same sender that leaves for `transaction`, with its
    /// length: the one with the same nonce, or the last one of a full queue.
    fn displaced_by(&self, transaction: &VerifiedTransaction) -> Option<(Key, usize)> {
        let queue = self.senders.get(&transaction.sender())?;
        let last_of_full = || {
            let full = queue.entries.len() >= self.limits.per_sender;
            queue.entries.values().next_back().filter(|_| full)
        };
        let entry = queue
            .entries
            .get(&transaction.nonce())
            .or_else(last_of_full)?;
        Some((entry.key(), entry.bytes()))
    }
}

/// "EIP-3607: transactions from senders with deployed code are rejected", and a nonce is used once.
pub(super) fn check_code_and_nonce(
    transaction: &VerifiedTransaction,
    state: &SenderState,
) -> Result<(), Refusal> {
    let sender = transaction.sender();
    if state.code == AccountCode::Contract {
        return Err(Refusal::SenderIsContract { sender });
    }
    let (got, expected) = (transaction.nonce(), state.nonce);
    if got < expected {
        return Err(Refusal::NonceTooLow {
            sender,
            got,
            expected,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
