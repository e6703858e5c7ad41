//! The leaves of the tries: the flat state of overlay and store, merged.

use alloy_primitives::{B256, U256};
use alloy_trie::Nibbles;

use super::super::trie::{Leaf, LeafReader, TrieSource};
use super::{Account, Layered, decode_word, node_key};
use crate::store::{Column, Cursor, StoreError};

/// The trie of all accounts.
pub(super) struct AccountTrie<'a>(Layered<'a>);

/// The trie of one account's storage.
pub(super) struct StorageTrie<'a> {
    state: Layered<'a>,
    account: B256,
}

impl<'a> AccountTrie<'a> {
    pub(super) fn new(state: Layered<'a>) -> Self {
        Self(state)
    }
}

impl<'a> StorageTrie<'a> {
    pub(super) fn new(state: Layered<'a>, account: B256) -> Self {
        Self { state, account }
    }
}

impl TrieSource for AccountTrie<'_> {
    fn inner(&self, path: &Nibbles) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.node(&node_key(None, path))
    }

    fn leaves(&self) -> Box<dyn LeafReader + '_> {
        Box::new(AccountLeaves {
            state: self.0,
            cursor: self.0.reader.cursor(Column::Accounts),
        })
    }
}

impl TrieSource for StorageTrie<'_> {
    fn inner(&self, path: &Nibbles) -> Result<Option<Vec<u8>>, StoreError> {
        self.state.node(&node_key(Some(self.account), path))
    }

    fn leaves(&self) -> Box<dyn LeafReader + '_> {
        Box::new(StorageLeaves {
            state: self.state,
            account: self.account,
            cursor: self.state.reader.cursor(Column::Storage),
        })
    }
}

struct AccountLeaves<'a> {
    state: Layered<'a>,
    cursor: Box<dyn Cursor + 'a>,
}

impl LeafReader for AccountLeaves<'_> {
    fn below(&mut self, prefix: &Nibbles) -> Result<Vec<Leaf>, StoreError> {
        let pending = self.state.pending.accounts.range(first_key(prefix)..);
        let pending = pending
            .take_while(|(key, _)| has_prefix(key, prefix))
            .map(|(key, account)| (*key, account.map(|account| account.leaf())));
        merge(prefix, &[], pending, &mut *self.cursor, |bytes| {
            Ok(Account::decode(bytes)?.leaf())
        })
    }
}

struct StorageLeaves<'a> {
    state: Layered<'a>,
    account: B256,
    cursor: Box<dyn Cursor + 'a>,
}

impl LeafReader for StorageLeaves<'_> {
    fn below(&mut self, prefix: &Nibbles) -> Result<Vec<Leaf>, StoreError> {
        let account = self.account;
        let pending = &self.state.pending.storage;
        let pending = pending
            .range((account, first_key(prefix))..)
            .take_while(|((owner, slot), _)| *owner == account && has_prefix(slot, prefix))
            .map(|((_, slot), value)| (*slot, (!value.is_zero()).then(|| word_leaf(*value))));
        merge(
            prefix,
            account.as_slice(),
            pending,
            &mut *self.cursor,
            |bytes| Ok(word_leaf(decode_word(bytes)?)),
        )
    }
}

/// Leaves below `prefix` from the store, whose keys begin with `base`, and from the
/// overlay, which wins (`None`: deleted). Both come in ascending order.
fn merge(
    prefix: &Nibbles,
    base: &[u8],
    pending: impl Iterator<Item = (B256, Option<Vec<u8>>)>,
    cursor: &mut dyn Cursor,
    leaf: impl Fn(&[u8]) -> Result<Vec<u8>, StoreError>,
) -> Result<Vec<Leaf>, StoreError> {
    let mut leaves = Vec::with_capacity(super::super::trie::BUCKET_MAX);
    let mut pending = pending.peekable();
    cursor.seek(&[base, first_key(prefix).as_slice()].concat())?;
    loop {
        let stored = cursor.entry().and_then(|(key, value)| {
            let key = B256::try_from(key.strip_prefix(base)?).ok()?;
            has_prefix(&key, prefix).then_some((key, value))
        });
        let stored_key = stored.map(|(key, _)| key);
        let next = match (stored, pending.peek()) {
            (None, None) => return Ok(leaves),
            (Some((key, value)), None) => Some((key, Some(leaf(value)?))),
            (Some((key, value)), Some((newer, _))) if key < *newer => {
                Some((key, Some(leaf(value)?)))
            }
            (_, Some(_)) => pending.next(),
        };
        let Some((key, value)) = next else {
            return Ok(leaves);
        };
        if stored_key == Some(key) {
            cursor.advance()?;
        }
        leaves.extend(value.map(|value| Leaf { key, value }));
    }
}

fn word_leaf(value: U256) -> Vec<u8> {
    alloy_rlp::encode(value)
}

/// The lowest key below `prefix`.
fn first_key(prefix: &Nibbles) -> B256 {
    let mut key = B256::ZERO;
    prefix.pack_to(&mut key[..prefix.len().div_ceil(2)]);
    key
}

fn has_prefix(key: &B256, prefix: &Nibbles) -> bool {
    let whole = prefix.len() / 2;
    let first = first_key(prefix);
    key[..whole] == first[..whole]
        && (prefix.len().is_multiple_of(2) || key[whole] >> 4 == first[whole] >> 4)
}
