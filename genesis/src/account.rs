//! Accounts: the ones that exist from the start, and the leaf of the state trie.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::{KECCAK_EMPTY, TrieAccount, root};

/// An account of the genesis block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GenesisAccount {
    /// Balance in wei.
    pub balance: U256,
    /// Number of transactions sent; 1 for a contract (EIP-161).
    pub nonce: u64,
    /// Runtime code, empty for a person's account.
    pub code: Bytes,
    /// Storage; no value is zero.
    pub storage: BTreeMap<B256, B256>,
}

impl GenesisAccount {
    /// Hash of the code.
    pub fn code_hash(&self) -> B256 {
        if self.code.is_empty() {
            KECCAK_EMPTY
        } else {
            keccak256(&self.code)
        }
    }

    /// Root of the storage trie.
    pub fn storage_root(&self) -> B256 {
        let slot = |(key, value): (&B256, &B256)| (*key, U256::from_be_bytes(value.0));
        root::storage_root_unhashed(self.storage.iter().map(slot))
    }
}

/// The leaf of an account in the state trie: `rlp[nonce, balance, storage_root, code_hash]`
/// (R-STA-1).
pub fn account_rlp(nonce: u64, balance: U256, storage_root: B256, code_hash: B256) -> Vec<u8> {
    alloy_rlp::encode(TrieAccount::new(nonce, balance, storage_root, code_hash))
}

/// Root of the state that consists of these accounts (R-STA-1).
pub fn state_root(accounts: &BTreeMap<Address, GenesisAccount>) -> B256 {
    let leaf = |(address, account): (&Address, &GenesisAccount)| {
        let (storage_root, code_hash) = (account.storage_root(), account.code_hash());
        let leaf = TrieAccount::new(account.nonce, account.balance, storage_root, code_hash);
        (*address, leaf)
    };
    root::state_root_unhashed(accounts.iter().map(leaf))
}
