//! Senders' accounts at the tip, for the mempool.

use alloy_primitives::{Address, Bytes, KECCAK256_EMPTY};
use cairn_vm::{State, delegation};

use crate::mempool::{AccountCode, Accounts, SenderState};
use crate::state::{Account, Pending, account_key};
use crate::store::{Column, Reader, StoreError};

/// Reads accounts from the flat state.
pub(super) struct TipAccounts<'a>(&'a dyn Reader);

impl<'a> TipAccounts<'a> {
    pub(super) fn new(reader: &'a dyn Reader) -> Self {
        Self(reader)
    }
}

impl Accounts for TipAccounts<'_> {
    type Error = StoreError;

    fn sender_state(&self, address: Address) -> Result<SenderState, StoreError> {
        let stored = self
            .0
            .get(Column::Accounts, account_key(address).as_slice())?;
        let account = match stored {
            Some(bytes) => Account::decode(&bytes)?,
            None => return Ok(SenderState::default()),
        };
        let code = if account.code_hash == KECCAK256_EMPTY {
            AccountCode::None
        } else {
            kind(&Pending::default().over(self.0).code(account.code_hash)?)
        };
        Ok(SenderState {
            nonce: account.nonce,
            balance: account.balance,
            code,
        })
    }
}

fn kind(code: &Bytes) -> AccountCode {
    match delegation::delegate(code) {
        Some(_) => AccountCode::Delegation,
        None => AccountCode::Contract,
    }
}
