//! The chain under test: takes blocks, and is held to what must hold after each.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::B256;
use cairn_genesis::{ChainSpec, VerifiedBlock};

use super::forge::Forge;
use crate::chain::{Accepted, BlockError, Chain, Moved, audit, view};
use crate::store::{Column, Memory, Reader, StoreError, keys};

/// Columns that the best chain alone decides, whatever was seen on the way to it. (The
/// trie's root is in the header; which inner nodes are stored depends on the way.)
const OF_THE_BEST_CHAIN: [Column; 10] = [
    Column::Receipts,
    Column::Blooms,
    Column::Canonical,
    Column::TxIndex,
    Column::Accounts,
    Column::Storage,
    Column::Changes,
    Column::AccountHistory,
    Column::StorageHistory,
    Column::Meta,
];

/// A chain, its store, and the line of blocks that its moves told of.
pub(crate) struct Follower {
    pub(crate) chain: Chain,
    pub(crate) store: Arc<Memory>,
    pub(crate) now_s: u64,
    line: Vec<B256>,
}

impl Follower {
    /// With an empty store.
    pub(crate) fn new(spec: &Arc<ChainSpec>) -> Self {
        Self::on(Memory::default(), spec).unwrap()
    }

    /// With a store in which there is something already.
    pub(crate) fn on(store: Memory, spec: &Arc<ChainSpec>) -> Result<Self, StoreError> {
        let store = Arc::new(store);
        let chain = Chain::open(store.clone(), Arc::clone(spec))?;
        Ok(Self::with(chain, store))
    }

    /// With a chain that is open.
    pub(crate) fn with(chain: Chain, store: Arc<Memory>) -> Self {
        let numbers = 0..=chain.tip().number();
        let hash = |number| view::canonical_hash(&*store, number).unwrap().unwrap();
        Self {
            now_s: chain.spec().genesis_time + 1_000_000,
            line: numbers.map(hash).collect(),
            chain,
            store,
        }
    }

    /// The same after the end of the process: what was in memory only is gone.
    pub(crate) fn reopened(&self) -> Self {
        Self::on(self.store.copy(), self.chain.spec()).unwrap()
    }

    /// The tip's hash.
    pub(crate) fn tip(&self) -> B256 {
        self.chain.tip().hash
    }

    /// Gives a block to the chain.
    pub(crate) fn give(&mut self, block: &VerifiedBlock) -> Result<Accepted, BlockError> {
        let mut moves = Vec::new();
        let work = self.chain.tip().work;
        let result = self.chain.accept(self.now_s, block.clone(), &mut moves);
        let (last, moved) = (*self.line.last().unwrap(), !moves.is_empty());
        if !matches!(result, Err(BlockError::Ours(_))) {
            // R-FORK-2: "The tip moves only to a chain of strictly more work."
            assert_eq!(moved, self.chain.tip().work > work);
            assert_eq!(moved, self.tip() != last);
        }
        self.follow(moves);
        result
    }

    /// Gives blocks, each of which has to end up as said.
    pub(crate) fn give_all(&mut self, blocks: &[VerifiedBlock], accepted: Accepted) {
        for block in blocks {
            assert_eq!(
                self.give(block),
                Ok(accepted),
                "block {}",
                block.header().number
            );
        }
    }

    /// Gives the time to the chain.
    pub(crate) fn tick(&mut self, now_s: u64) {
        self.now_s = now_s;
        let mut moves = Vec::new();
        self.chain.accept_due(now_s, &mut moves).unwrap();
        self.follow(moves);
    }

    /// Follows moves of the tip, which have to fit together.
    pub(crate) fn follow(&mut self, moves: impl IntoIterator<Item = Moved>) {
        for moved in moves {
            assert_eq!(Some(&moved.from.hash), self.line.last());
            for record in &moved.disconnected {
                assert_eq!(self.line.pop(), Some(record.hash));
            }
            for record in &moved.connected {
                assert_eq!(self.line.last(), Some(&record.header.parent_hash));
                self.line.push(record.hash);
            }
            assert_eq!(self.line.last(), Some(&moved.to.hash));
        }
    }

    /// Hashes of the blocks that are marked invalid, in order.
    pub(crate) fn marked(&self) -> Vec<B256> {
        marked(&*self.store)
    }

    /// Whether the block is in the store.
    pub(crate) fn knows(&self, block: &VerifiedBlock) -> bool {
        let header = view::find_header(&*self.store, block.hash()).unwrap();
        header.is_some()
    }

    /// Hashes of the blocks off the best chain, in order of their heights.
    pub(crate) fn side(&self) -> Vec<B256> {
        let entries = column(&*self.store, Column::Side).into_keys();
        entries
            .map(|key| keys::parse_block(&key).unwrap().1)
            .collect()
    }

    /// Everything in the store agrees with itself, and with what the forge got by
    /// executing the same branch from genesis.
    pub(crate) fn check(&self, forge: &Forge) {
        assert_eq!(self.line.last(), Some(&self.tip()));
        check_store(&self.store, forge);
    }
}

/// See [`Follower::check`].
pub(crate) fn check_store(store: &Memory, forge: &Forge) {
    audit::audit(store, &forge.spec, |_| ()).unwrap();
    let tip = view::tip(store).unwrap().unwrap();
    let expected = forge.store(tip.hash);
    for of_best in OF_THE_BEST_CHAIN {
        let (got, expected) = (column(store, of_best), column(expected, of_best));
        assert_eq!(got, expected, "column {}", of_best.name());
    }
    let side = column(store, Column::Side);
    let mut once_executed = column(store, Column::SideReceipts).into_keys();
    assert!(once_executed.all(|key| side.contains_key(&key)));
    for number in 0..=tip.number() {
        let hash = view::canonical_hash(store, number).unwrap().unwrap();
        let header = |store: &dyn Reader| view::header(store, hash).unwrap();
        assert_eq!(header(store), header(expected));
    }
}

/// All keys and values of a column.
pub(crate) fn column(reader: &dyn Reader, column: Column) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut entries = BTreeMap::new();
    let mut cursor = reader.cursor(column);
    cursor.seek(&[]).unwrap();
    while let Some((key, value)) = cursor.entry() {
        entries.insert(key.to_vec(), value.to_vec());
        cursor.advance().unwrap();
    }
    entries
}

/// See [`Follower::marked`].
pub(crate) fn marked(store: &dyn Reader) -> Vec<B256> {
    let marks = column(store, Column::Invalid).into_keys();
    marks.map(|key| B256::from_slice(&key)).collect()
}
