//! What a node said, and whether it still says so after whatever happened to it.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use serde_json::{Value, json};

use super::rpc::{Rpc, block_at, hash};

/// All that the node said so far, by RPC or in its log.
#[derive(Default)]
pub struct Told {
    /// By height.
    pub blocks: BTreeMap<u64, B256>,
    /// By transaction.
    pub receipts: BTreeMap<B256, Value>,
    /// Transactions that were taken.
    pub accepted: BTreeSet<B256>,
}

impl Told {
    /// A block that was shown.
    pub fn block(&mut self, number: u64, hash: B256) {
        let before = self.blocks.insert(number, hash);
        assert!(
            before.is_none_or(|before| before == hash),
            "block {number} became another"
        );
    }

    /// Blocks that the log showed, which may break off within a line.
    pub fn log(&mut self, log: &str) {
        for line in log.lines() {
            let line: Value = serde_json::from_str(line).unwrap_or_default();
            if let Some(number) = line["block.number"].as_u64() {
                self.block(number, hash(&line["block.hash"]));
            }
        }
    }

    /// One above the highest block that was shown.
    pub fn next_height(&self) -> u64 {
        self.blocks
            .last_key_value()
            .map_or(0, |(height, _)| height + 1)
    }

    /// Transactions that were taken and whose receipts were not seen yet.
    pub fn waiting(&self) -> impl Iterator<Item = &B256> {
        let mined = |hash: &&B256| !self.receipts.contains_key(*hash);
        self.accepted.iter().filter(mined)
    }

    /// Asks a node that was started again whether everything is still so.
    #[track_caller]
    pub fn check(&self, rpc: &Rpc) {
        let header = |height: &u64| ("eth_getHeaderByNumber", json!([block_at(*height)]));
        let headers = rpc
            .ask_all(&self.blocks.keys().map(header).collect::<Vec<_>>())
            .unwrap();
        for ((height, told), header) in self.blocks.iter().zip(headers) {
            assert_eq!(header["hash"], json!(told), "block {height} was shown");
        }
        let receipts = rpc.ask_all(&receipts_of(self.receipts.keys())).unwrap();
        for ((transaction, told), receipt) in self.receipts.iter().zip(receipts) {
            assert_eq!(receipt, *told, "the receipt of {transaction} was shown");
        }
        let look = |hash: &B256| ("eth_getTransactionByHash", json!([hash]));
        let found = rpc
            .ask_all(&self.waiting().map(look).collect::<Vec<_>>())
            .unwrap();
        for (transaction, found) in self.waiting().zip(found) {
            assert!(
                !found.is_null(),
                "{transaction} was taken, and is neither mined nor pending"
            );
        }
    }
}

/// Questions for receipts.
pub fn receipts_of<'a>(hashes: impl Iterator<Item = &'a B256>) -> Vec<(&'static str, Value)> {
    let receipt = |hash| ("eth_getTransactionReceipt", json!([hash]));
    hashes.map(receipt).collect()
}
