//! What a block changed, with before-images: the only source for undo.

use alloy_primitives::{B256, Bytes, U256};
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};

use super::Account;
use crate::store::StoreError;

/// Every state key that one block changed, and what stood there before it.
///
/// Absent, empty and zero differ: an account that did not exist has `None`, one
/// that existed with nothing in it has `Some`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Accounts before the block, by state key, ascending.
    pub accounts: Vec<(B256, Option<Account>)>,
    /// Words before the block, by account and slot key, ascending; zero: none.
    pub storage: Vec<((B256, B256), U256)>,
}

#[derive(RlpEncodable, RlpDecodable)]
struct Record {
    accounts: Vec<AccountBefore>,
    storage: Vec<SlotBefore>,
}

#[derive(RlpEncodable, RlpDecodable)]
struct AccountBefore {
    key: B256,
    /// Empty: the account did not exist.
    account: Bytes,
}

#[derive(RlpEncodable, RlpDecodable)]
struct SlotBefore {
    account: B256,
    slot: B256,
    value: U256,
}

impl Changes {
    /// The bytes on disk.
    pub fn encode(&self) -> Vec<u8> {
        let accounts = self.accounts.iter().map(|(key, account)| AccountBefore {
            key: *key,
            account: account.map(|account| account.encode()).unwrap_or_default().into(),
        });
        let storage = self.storage.iter().map(|((account, slot), value)| SlotBefore {
            account: *account,
            slot: *slot,
            value: *value,
        });
        let record = Record {
            accounts: accounts.collect(),
            storage: storage.collect(),
        };
        let mut bytes = Vec::with_capacity(record.length());
        record.encode(&mut bytes);
        bytes
    }

    /// Reads what [`Changes::encode`] wrote.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, StoreError> {
        let record = Record::decode(&mut bytes)
            .map_err(|error| StoreError::corrupt(format!("the changes of a block: {error}")))?;
        let accounts = record.accounts.into_iter().map(|before| {
            let account = (!before.account.is_empty()).then(|| Account::decode(&before.account));
            Ok((before.key, account.transpose()?))
        });
        let storage = record
            .storage
            .into_iter()
            .map(|before| ((before.account, before.slot), before.value));
        Ok(Self {
            accounts: accounts.collect::<Result<_, StoreError>>()?,
            storage: storage.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_and_empty_accounts_stay_apart() {
        let changes = Changes {
            accounts: vec![
                (B256::repeat_byte(1), None),
                (B256::repeat_byte(2), Some(Account::default())),
            ],
            storage: vec![((B256::repeat_byte(2), B256::repeat_byte(3)), U256::from(9))],
        };
        assert_eq!(Changes::decode(&changes.encode()).unwrap(), changes);
        assert!(Changes::decode(&[0xc1]).is_err());
    }
}
