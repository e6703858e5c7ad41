//! One account as the database holds it.

use alloy_primitives::{B256, KECCAK256_EMPTY, U256};
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};
use alloy_trie::EMPTY_ROOT_HASH;
use cairn_vm::AccountInfo;

use crate::store::StoreError;

/// Nonce, balance, code and storage of one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Transactions sent, or contracts created for a contract.
    pub nonce: u64,
    /// Balance in wei.
    pub balance: U256,
    /// `keccak256(code)`.
    pub code_hash: B256,
    /// Root of the storage trie.
    pub storage_root: B256,
}

/// On disk: `rlp[nonce, balance]`, for the many accounts without code and
/// storage, or `rlp[nonce, balance, code hash, storage root]`.
#[derive(RlpEncodable, RlpDecodable)]
#[rlp(trailing)]
struct Record {
    nonce: u64,
    balance: U256,
    code_hash: Option<B256>,
    storage_root: Option<B256>,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            nonce: 0,
            balance: U256::ZERO,
            code_hash: KECCAK256_EMPTY,
            storage_root: EMPTY_ROOT_HASH,
        }
    }
}

impl Account {
    /// The bytes on disk; never empty.
    pub fn encode(&self) -> Vec<u8> {
        let plain = self.code_hash == KECCAK256_EMPTY && self.storage_root == EMPTY_ROOT_HASH;
        let record = Record {
            nonce: self.nonce,
            balance: self.balance,
            code_hash: (!plain).then_some(self.code_hash),
            storage_root: (!plain).then_some(self.storage_root),
        };
        let mut bytes = Vec::with_capacity(record.length());
        record.encode(&mut bytes);
        bytes
    }

    /// Reads what [`Account::encode`] wrote.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, StoreError> {
        let record = Record::decode(&mut bytes)
            .map_err(|error| StoreError::corrupt(format!("an account: {error}")))?;
        Ok(Self {
            nonce: record.nonce,
            balance: record.balance,
            code_hash: record.code_hash.unwrap_or(KECCAK256_EMPTY),
            storage_root: record.storage_root.unwrap_or(EMPTY_ROOT_HASH),
        })
    }

    /// The value of the account's leaf in the state trie.
    pub fn leaf(&self) -> Vec<u8> {
        cairn_genesis::account_rlp(self.nonce, self.balance, self.storage_root, self.code_hash)
    }

    /// The account as the VM sees it.
    pub fn info(&self) -> AccountInfo {
        AccountInfo {
            nonce: self.nonce,
            balance: self.balance,
            code_hash: self.code_hash,
            has_storage: self.storage_root != EMPTY_ROOT_HASH,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;

    #[test]
    fn bytes_on_disk_are_pinned() {
        let plain = Account {
            nonce: 7,
            balance: U256::from(1_000_000),
            ..Account::default()
        };
        assert_eq!(hex::encode(plain.encode()), "c507830f4240");
        let contract = Account {
            code_hash: B256::repeat_byte(1),
            storage_root: B256::repeat_byte(2),
            ..plain
        };
        let hashes = format!("a0{}a0{}", "01".repeat(32), "02".repeat(32));
        let expected = format!("f84707830f4240{hashes}");
        assert_eq!(hex::encode(contract.encode()), expected);
        for account in [plain, contract, Account::default()] {
            assert_eq!(Account::decode(&account.encode()).unwrap(), account);
        }
        assert!(Account::decode(&[]).is_err());
    }
}
