//! Pending transactions on disk, so that a restart keeps them.

use alloy_primitives::B256;
use cairn_genesis::{Transaction, VerifiedTransaction};

use super::{Core, Now};
use crate::chain::verify;
use crate::core::accounts::TipAccounts;
use crate::mempool::{AdmitError, Gone};
use crate::store::{Batch, Column, Durability, StoreError};

impl Core {
    /// Writes down what came into the pool and what left it.
    pub(super) fn journal(
        &self,
        added: &[VerifiedTransaction],
        removed: &[(B256, Gone)],
    ) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        for (hash, _) in removed {
            batch.delete(Column::Pool, *hash);
        }
        for transaction in added {
            let envelope = transaction.envelope().to_vec();
            batch.put(Column::Pool, transaction.hash(), envelope);
        }
        match batch.is_empty() {
            true => Ok(()),
            // A power cut may cost the last transactions, which their senders still
            // have; the end of the process costs none.
            false => self.chain.store().write(batch, Durability::Buffered),
        }
    }

    /// Takes the journal back into the pool; what no longer fits is dropped from it.
    pub(super) fn reload_pool(&mut self, now: Now) -> Result<Vec<VerifiedTransaction>, StoreError> {
        let store = self.chain.store().clone();
        let mut stored = Vec::new();
        let mut batch = Batch::default();
        let mut cursor = store.cursor(Column::Pool);
        cursor.seek(&[])?;
        while let Some((key, envelope)) = cursor.entry() {
            match Transaction::decode(envelope) {
                Ok(transaction) => stored.push(transaction),
                Err(_) => batch.delete(Column::Pool, key),
            }
            cursor.advance()?;
        }
        let mut transactions = verify::transactions(self.chain.spec(), stored);
        transactions.sort_by_key(|transaction| (transaction.sender(), transaction.nonce()));
        let accounts = TipAccounts::new(&*store);
        let mut added = Vec::new();
        for transaction in transactions {
            match self.pool.admit(now.ms, transaction.clone(), &accounts) {
                Ok(_) => added.push(transaction),
                Err(AdmitError::Refused(_)) => batch.delete(Column::Pool, transaction.hash()),
                Err(AdmitError::Accounts(error)) => return Err(error),
            }
        }
        if !batch.is_empty() {
            store.write(batch, Durability::Buffered)?;
        }
        Ok(added)
    }
}
