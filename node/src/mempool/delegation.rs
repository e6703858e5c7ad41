//! Accounts that a transaction in the pool would delegate (EIP-7702).
//!
//! Whoever is delegated can lose his balance in anybody's transaction, and with it
//! everything that he has in the pool. A delegated sender is therefore held to one
//! transaction; and one who is about to be delegated likewise, or the rule would be
//! evaded by sending first and delegating afterwards.
//!
//! An authorization works only while the account has the nonce that it names. Those
//! below the account's nonce are spent and bind nobody: otherwise anyone could
//! publish an old authorization again to slow its signer down.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use cairn_genesis::VerifiedTransaction;

/// The authorizations of all transactions in the pool.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Delegations {
    /// Authority, nonce that the authorization names, transaction that carries it.
    promised: BTreeSet<(Address, u64, B256)>,
}

impl Delegations {
    /// Takes note of a transaction that enters the pool.
    pub(super) fn add(&mut self, transaction: &VerifiedTransaction) {
        let hash = transaction.hash();
        self.promised
            .extend(authorizations(transaction).map(|(authority, nonce)| (authority, nonce, hash)));
    }

    /// Forgets a transaction that leaves the pool.
    pub(super) fn remove(&mut self, transaction: &VerifiedTransaction) {
        let hash = transaction.hash();
        for (authority, nonce) in authorizations(transaction) {
            self.promised.remove(&(authority, nonce, hash));
        }
    }

    /// Whether a transaction in the pool could delegate `account`, which has `nonce`.
    pub(super) fn is_promised(&self, account: Address, nonce: u64) -> bool {
        let from_nonce_on =
            (account, nonce, B256::ZERO)..=(account, u64::MAX, B256::repeat_byte(0xff));
        self.promised.range(from_nonce_on).next().is_some()
    }
}

/// Authority and nonce of each authorization whose signature is good.
pub(super) fn authorizations(
    transaction: &VerifiedTransaction,
) -> impl Iterator<Item = (Address, u64)> {
    let signed = transaction.authorizations().iter();
    signed
        .zip(transaction.authorities())
        .filter_map(|(authorization, authority)| {
            authority.map(|authority| (authority, authorization.nonce))
        })
}
