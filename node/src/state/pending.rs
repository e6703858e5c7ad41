//! Changes of blocks that are connected or undone but not committed yet.

use std::collections::{BTreeMap, HashMap};

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles};
use cairn_vm::{AccountInfo, Diff, State};

use super::trie::{self, TrieUpdate};
use super::{Account, Changes, account_key, slot_key};
use crate::store::{Batch, Column, Reader, StoreError, keys};

mod leaves;

use leaves::{AccountTrie, StorageTrie};

/// An overlay over the flat state and the trie of the store. Blocks are executed
/// and undone on it; one batch then carries all of it to the store.
#[derive(Debug, Default)]
pub struct Pending {
    accounts: BTreeMap<B256, Option<Account>>,
    storage: BTreeMap<(B256, B256), U256>,
    code: HashMap<B256, Bytes>,
    nodes: HashMap<Vec<u8>, Option<Vec<u8>>>,
    canonical: HashMap<u64, B256>,
}

/// The state that an overlay and the store below it make together.
#[derive(Clone, Copy)]
pub struct Layered<'a> {
    pending: &'a Pending,
    reader: &'a dyn Reader,
}

/// Before-images of one block while it is executed.
#[derive(Debug, Default)]
pub struct BlockChanges {
    accounts: BTreeMap<B256, Option<Account>>,
    storage: BTreeMap<(B256, B256), U256>,
}

impl BlockChanges {
    /// The before-images in the order of their keys.
    pub fn into_changes(self) -> Changes {
        Changes {
            accounts: self.accounts.into_iter().collect(),
            storage: self.storage.into_iter().collect(),
        }
    }
}

impl Pending {
    /// The state with this overlay on top of `reader`.
    pub fn over<'a>(&'a self, reader: &'a dyn Reader) -> Layered<'a> {
        Layered {
            pending: self,
            reader,
        }
    }

    /// Says which block stands at `number` on the branch being connected. What is undone need
    /// not be unsaid: a block asks for those below it, and each of these is on its branch.
    pub fn set_canonical(&mut self, number: u64, hash: B256) {
        self.canonical.insert(number, hash);
    }

    /// Takes over what a transaction changed, and keeps the before-images of what
    /// the block had not touched yet.
    pub fn apply(
        &mut self,
        reader: &dyn Reader,
        diff: Diff,
        block: &mut BlockChanges,
    ) -> Result<(), StoreError> {
        for change in diff.accounts {
            let key = account_key(change.address);
            let root = match change.before {
                Some(before) if before.has_storage => {
                    let account = self.over(reader).account_by_key(key)?;
                    account.map_or(EMPTY_ROOT_HASH, |account| account.storage_root)
                }
                _ => EMPTY_ROOT_HASH,
            };
            let before = change.before.map(|info| with_root(info, root));
            block.accounts.entry(key).or_insert(before);
            for slot in change.storage {
                let key = (key, slot_key(slot.slot));
                block.storage.entry(key).or_insert(slot.before);
                self.storage.insert(key, slot.after);
            }
            if let Some(code) = change.code {
                self.code.insert(keccak256(&code), code);
            }
            let after = change.after.map(|info| with_root(info, root));
            self.accounts.insert(key, after);
        }
        Ok(())
    }

    /// Credits `amount` to `address` outside any transaction.
    pub fn credit(
        &mut self,
        reader: &dyn Reader,
        address: Address,
        amount: U256,
        block: &mut BlockChanges,
    ) -> Result<(), StoreError> {
        if amount.is_zero() {
            return Ok(());
        }
        let key = account_key(address);
        let before = self.over(reader).account_by_key(key)?;
        block.accounts.entry(key).or_insert(before);
        let mut account = before.unwrap_or_default();
        account.balance = account
            .balance
            .checked_add(amount)
            .expect("the supply of a chain is far below 2^256");
        self.accounts.insert(key, Some(account));
        Ok(())
    }

    /// Writes one storage slot outside any transaction; the account exists.
    pub fn write_slot(
        &mut self,
        reader: &dyn Reader,
        address: Address,
        slot: U256,
        value: U256,
        block: &mut BlockChanges,
    ) -> Result<(), StoreError> {
        let key = account_key(address);
        let Some(account) = self.over(reader).account_by_key(key)? else {
            return Ok(());
        };
        block.accounts.entry(key).or_insert(Some(account));
        self.accounts.insert(key, Some(account));
        let key = (key, slot_key(slot));
        let before = self.over(reader).slot_by_key(key)?;
        block.storage.entry(key).or_insert(before);
        self.storage.insert(key, value);
        Ok(())
    }

    /// Puts the accounts of a genesis block in place.
    pub fn insert_account(&mut self, address: Address, account: Account, code: Bytes) -> B256 {
        let key = account_key(address);
        if !code.is_empty() {
            self.code.insert(account.code_hash, code);
        }
        self.accounts.insert(key, Some(account));
        key
    }

    /// Puts one word of a genesis account in place.
    pub fn insert_slot(&mut self, account: B256, slot: B256, value: U256) -> (B256, B256) {
        let key = (account, keccak256(slot));
        self.storage.insert(key, value);
        key
    }

    /// Puts back what stood before a block; [`Pending::update_root`] with the same
    /// changes then gives the parent's root.
    pub fn undo(&mut self, changes: &Changes) {
        self.accounts.extend(changes.accounts.iter().copied());
        self.storage.extend(changes.storage.iter().copied());
    }

    /// Brings the tries up to date with the keys in `touched` and returns the state
    /// root.
    pub fn update_root(
        &mut self,
        reader: &dyn Reader,
        accounts: &[B256],
        slots: &[(B256, B256)],
    ) -> Result<B256, StoreError> {
        for group in slots.chunk_by(|a, b| a.0 == b.0) {
            let account = group[0].0;
            let keys: Vec<_> = group.iter().map(|(_, slot)| *slot).collect();
            let trie = StorageTrie::new(self.over(reader), account);
            let update = trie::update(&trie, &keys)?;
            let root = self.store_nodes(Some(account), update);
            if let Some(mut record) = self.over(reader).account_by_key(account)? {
                record.storage_root = root;
                self.accounts.insert(account, Some(record));
            }
        }
        let update = trie::update(&AccountTrie::new(self.over(reader)), accounts)?;
        Ok(self.store_nodes(None, update))
    }

    /// The same for what one block changed.
    pub fn root_after(
        &mut self,
        reader: &dyn Reader,
        block: &BlockChanges,
    ) -> Result<B256, StoreError> {
        let accounts: Vec<_> = block.accounts.keys().copied().collect();
        let slots: Vec<_> = block.storage.keys().copied().collect();
        self.update_root(reader, &accounts, &slots)
    }

    /// Adds everything to `batch`.
    pub fn write_to(&self, batch: &mut Batch) {
        for (key, account) in &self.accounts {
            match account {
                Some(account) => batch.put(Column::Accounts, key, account.encode()),
                None => batch.delete(Column::Accounts, key),
            }
        }
        for ((account, slot), value) in &self.storage {
            let key = keys::slot(*account, *slot);
            match value.is_zero() {
                true => batch.delete(Column::Storage, key),
                false => batch.put(Column::Storage, key, value.to_be_bytes_trimmed_vec()),
            }
        }
        for (hash, code) in &self.code {
            batch.put(Column::Code, hash, code.to_vec());
        }
        for (key, node) in &self.nodes {
            match node {
                Some(node) => batch.put(Column::Trie, key, node.clone()),
                None => batch.delete(Column::Trie, key),
            }
        }
    }

    /// Roughly the bytes that [`Pending::write_to`] would write.
    pub fn size_bytes(&self) -> usize {
        const ACCOUNT: usize = 64;
        const SLOT: usize = 96;
        const NODE: usize = 560;
        self.accounts.len() * ACCOUNT
            + self.storage.len() * SLOT
            + self.nodes.len() * NODE
            + self.code.values().map(|code| code.len()).sum::<usize>()
    }

    fn store_nodes(&mut self, account: Option<B256>, update: TrieUpdate) -> B256 {
        for (path, node) in update.writes {
            self.nodes.insert(node_key(account, &path), node);
        }
        update.root
    }
}

impl Layered<'_> {
    /// The account with this state key.
    pub fn account_by_key(&self, key: B256) -> Result<Option<Account>, StoreError> {
        if let Some(account) = self.pending.accounts.get(&key) {
            return Ok(*account);
        }
        let stored = self.reader.get(Column::Accounts, key.as_slice())?;
        stored.map(|bytes| Account::decode(&bytes)).transpose()
    }

    /// The word with this state key; zero where there is none.
    pub fn slot_by_key(&self, (account, slot): (B256, B256)) -> Result<U256, StoreError> {
        if let Some(value) = self.pending.storage.get(&(account, slot)) {
            return Ok(*value);
        }
        let stored = self
            .reader
            .get(Column::Storage, &keys::slot(account, slot))?;
        stored.map_or(Ok(U256::ZERO), |bytes| decode_word(&bytes))
    }

    fn node(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.pending.nodes.get(key) {
            Some(node) => Ok(node.clone()),
            None => self.reader.get(Column::Trie, key),
        }
    }
}

impl State for Layered<'_> {
    type Error = StoreError;

    fn account(&self, address: Address) -> Result<Option<AccountInfo>, StoreError> {
        let account = self.account_by_key(account_key(address))?;
        Ok(account.map(|account| account.info()))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StoreError> {
        self.slot_by_key((account_key(address), slot_key(slot)))
    }

    fn code(&self, hash: B256) -> Result<Bytes, StoreError> {
        match self.pending.code.get(&hash) {
            Some(code) => Ok(code.clone()),
            None => stored_code(self.reader, hash),
        }
    }

    fn block_hash(&self, number: u64) -> Result<B256, StoreError> {
        match self.pending.canonical.get(&number) {
            Some(hash) => Ok(*hash),
            None => stored_block_hash(self.reader, number),
        }
    }
}

/// The code with this hash.
pub(super) fn stored_code(reader: &dyn Reader, hash: B256) -> Result<Bytes, StoreError> {
    if hash == KECCAK256_EMPTY {
        return Ok(Bytes::new());
    }
    let code = reader.get(Column::Code, hash.as_slice())?;
    code.map(Bytes::from)
        .ok_or_else(|| StoreError::corrupt(format!("the code with hash {hash} is missing")))
}

/// The hash of the canonical block at `number`, which is below the block that asks.
pub(super) fn stored_block_hash(reader: &dyn Reader, number: u64) -> Result<B256, StoreError> {
    let hash = reader.get(Column::Canonical, &keys::height(number))?;
    let hash =
        hash.ok_or_else(|| StoreError::corrupt(format!("no canonical block at {number}")))?;
    keys::parse_hash(&hash)
}

/// Reads a word of [`Column::Storage`].
pub(super) fn decode_word(bytes: &[u8]) -> Result<U256, StoreError> {
    U256::try_from_be_slice(bytes)
        .ok_or_else(|| StoreError::corrupt("a storage word has more than 32 bytes"))
}

fn with_root(info: AccountInfo, storage_root: B256) -> Account {
    Account {
        nonce: info.nonce,
        balance: info.balance,
        code_hash: info.code_hash,
        storage_root,
    }
}

/// `0 ‖ path` in the account trie, `1 ‖ account ‖ path` in a storage trie; one
/// byte for each nibble of the path.
fn node_key(account: Option<B256>, path: &Nibbles) -> Vec<u8> {
    let path = path.to_vec();
    match account {
        None => [&[0], path.as_slice()].concat(),
        Some(account) => [&[1], account.as_slice(), path.as_slice()].concat(),
    }
}
