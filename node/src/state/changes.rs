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
            account: account
                .map(|account| account.encode())
                .unwrap_or_default()
                .into(),
        });
        let storage = self
            .storage
            .iter()
            .map(|((account, slot), value)| SlotBefore {
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
    use alloy_primitives::hex;

    use super::*;

    #[test]
    fn bytes_on_disk_are_pinned() {
        let key = B256::repeat_byte;
        let plain = Account {
            nonce: 7,
            balance: U256::from(1_000_000),
            ..Account::default()
        };
        let contract = Account {
            nonce: 1,
            balance: U256::ZERO,
            code_hash: key(5),
            storage_root: key(6),
        };
        let changes = Changes {
            accounts: vec![
                (key(1), None),
                (key(2), Some(Account::default())),
                (key(3), Some(plain)),
                (key(4), Some(contract)),
            ],
            storage: vec![
                ((key(2), key(9)), U256::ZERO),
                ((key(2), key(10)), U256::from(256)),
            ],
        };
        let bytes = hex!(
            "f9016df8dde2a0010101010101010101010101010101010101010101010101010101010101010180e5a00202"
            "02020202020202020202020202020202020202020202020202020202020283c28080e8a00303030303030303"
            "03030303030303030303030303030303030303030303030386c507830f4240f869a004040404040404040404"
            "04040404040404040404040404040404040404040404b846f8440180a0050505050505050505050505050505"
            "0505050505050505050505050505050505a00606060606060606060606060606060606060606060606060606"
            "060606060606f88cf843a00202020202020202020202020202020202020202020202020202020202020202a0"
            "090909090909090909090909090909090909090909090909090909090909090980f845a00202020202020202"
            "020202020202020202020202020202020202020202020202a00a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"
            "0a0a0a0a0a0a0a0a0a0a0a0a0a820100"
        );
        assert_eq!(changes.encode(), bytes);
        assert_eq!(Changes::decode(&bytes), Ok(changes));
    }

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
