//! The only form of a transaction that pools and blocks hold.

use std::{borrow::Borrow, ops::Deref, sync::Arc};

use alloy_primitives::Address;

use super::{Transaction, TransactionError, gas, signature};

/// A transaction whose signature and stateless rules have been checked for one chain. Cloning it
/// copies a pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedTransaction(Arc<Inner>);

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    transaction: Transaction,
    sender: Address,
    authorities: Vec<Option<Address>>,
}

impl VerifiedTransaction {
    /// Checks everything about a transaction that no state is needed for. The signature comes last:
    /// it costs fifty times as much as the rest.
    ///
    /// # Errors
    /// If it breaks a rule; such a transaction can never become valid on this chain.
    pub fn new(transaction: Transaction, chain_id: u64) -> Result<Self, TransactionError> {
        check_fields(&transaction, chain_id)?;
        gas::check(&transaction)?;
        let sender = signature::sender(&transaction)?;
        Ok(Self::trusted(transaction, sender, chain_id))
    }

    /// A transaction that passed [`VerifiedTransaction::new`] for this chain before, sent by
    /// `sender`: whoever calls this vouches for both, as a node's own store does for what it
    /// executed. Nothing is checked, and of signatures only those of authorizations are looked
    /// at.
    pub fn trusted(transaction: Transaction, sender: Address, chain_id: u64) -> Self {
        let authority = |authorization| signature::authority(authorization, chain_id);
        let authorities = transaction.authorizations().iter().map(authority).collect();
        Self(Arc::new(Inner {
            transaction,
            sender,
            authorities,
        }))
    }

    /// Who signed, and pays.
    pub fn sender(&self) -> Address {
        self.0.sender
    }

    /// For each authorization the account that it delegates, or `None` if it must be skipped.
    /// Whether the account's nonce is the authorization's is for execution to check.
    pub fn authorities(&self) -> &[Option<Address>] {
        &self.0.authorities
    }
}

fn check_fields(transaction: &Transaction, chain_id: u64) -> Result<(), TransactionError> {
    // R-TX-7: "chain_id is the chain's."
    if transaction.chain_id() != chain_id {
        return Err(TransactionError::ChainId {
            expected: chain_id,
            got: transaction.chain_id(),
        });
    }
    // R-TX-8: "nonce < 2^64 − 1."
    if transaction.nonce() == u64::MAX {
        return Err(TransactionError::NonceTooHigh);
    }
    // R-TX-12: "max_priority_fee ≤ max_fee."
    let (priority, max) = (transaction.max_priority_fee(), transaction.max_fee());
    if priority > max {
        return Err(TransactionError::PriorityFeeAboveMaxFee { priority, max });
    }
    // R-TX-13: "0x04 has a recipient and carries one authorization or more." (The recipient is
    // seen to by the decoder.)
    if transaction.tx_type() == 0x04 && transaction.authorizations().is_empty() {
        return Err(TransactionError::NoAuthorizations);
    }
    Ok(())
}

impl Deref for VerifiedTransaction {
    type Target = Transaction;

    fn deref(&self) -> &Transaction {
        &self.0.transaction
    }
}

impl AsRef<Transaction> for VerifiedTransaction {
    fn as_ref(&self) -> &Transaction {
        self
    }
}

impl Borrow<Transaction> for VerifiedTransaction {
    fn borrow(&self) -> &Transaction {
        self
    }
}
