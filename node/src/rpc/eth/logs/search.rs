//! Going through blocks for logs, within limits.
//!
//! One request gets at most 10,000 logs with 16 MiB of data, and has at most 256 MiB read for
//! it: a million blooms, or the receipts of some ten thousand ordinary blocks. (Each alternative
//! of the filter counts as a byte more of each bloom: so long it takes to compare.) A range that
//! takes more is searched as far as the limits allow; how far is part of the answer. A
//! single block is always searched whole, since nobody could ask for less of it.

use alloy_primitives::{B256, Bytes, keccak256};
use alloy_rpc_types_eth::Log;

use super::LogFilter;
use super::mask::Mask;
use crate::chain::{ChainView, HeaderRecord, ReceiptRecord};
use crate::rpc::error::RpcError;
use crate::rpc::eth::lookup;

/// Logs of one answer: Infura's number, which indexers are made for. About 7 MB of JSON
/// beside the data.
const MAX_LOGS: usize = 10_000;
/// Bytes of data in the logs of one answer; twice that in JSON.
const MAX_DATA_BYTES: usize = 16 << 20;
/// Bytes read for one answer: what a disk gives in a second or less.
const MAX_READ_BYTES: usize = 256 << 20;

/// Key and bloom of a block.
const BLOOM_BYTES: usize = 8 + 256;
/// What it takes to look for the receipts of a block, in bytes that could be read meanwhile.
const BLOCK_BYTES: usize = 4096;
/// What a log takes beside its topics and data, roughly.
const LOG_BYTES: usize = 32;

/// What an answer takes of its limits. Searches for one answer share it.
#[derive(Debug, Default)]
pub struct Taken {
    logs: usize,
    data_bytes: usize,
    read_bytes: usize,
}

impl Taken {
    /// Counts logs that were found; which limit they go beyond. Only the first ones of an answer
    /// may: nobody could ask for less than their block.
    fn add(&mut self, logs: &[Log]) -> Option<String> {
        let is_first = self.logs == 0;
        self.logs += logs.len();
        let data = logs.iter().map(|log| log.inner.data.data.len());
        self.data_bytes += data.sum::<usize>();
        match is_first {
            true => None,
            false => self.over(),
        }
    }

    fn over(&self) -> Option<String> {
        if self.logs > MAX_LOGS {
            return Some(format!("query returned more than {MAX_LOGS} results"));
        }
        let data = "query returned more than 16 MiB of data";
        (self.data_bytes > MAX_DATA_BYTES).then(|| data.into())
    }
}

/// What a search came to.
#[derive(Debug, Default)]
pub struct Found {
    /// The logs, in the order of the chain.
    pub logs: Vec<Log>,
    /// The last block that was searched.
    pub searched_to: u64,
    /// Why it was not the last one of the range, in words for the error.
    pub stopped: Option<String>,
}

/// Searches the blocks `first` to `last` of the best chain. Unless something was taken before, at
/// least one block that may have such logs is searched.
pub fn search(
    view: &ChainView<'_>,
    filter: &LogFilter,
    first: u64,
    last: u64,
    taken: &mut Taken,
) -> Result<Found, RpcError> {
    let mask = Mask::new(filter);
    let bloom_bytes = BLOOM_BYTES + mask.alternatives();
    let mut found = Found {
        searched_to: last,
        ..Found::default()
    };
    for entry in view.blooms(first)? {
        let (number, bloom) = entry?;
        if number > last {
            break;
        }
        taken.read_bytes += bloom_bytes;
        if mask.may_match(&bloom) {
            let logs = of_height(view, filter, number, &mut taken.read_bytes)?;
            if let Some(stopped) = taken.add(&logs) {
                found.searched_to = number.saturating_sub(1);
                found.stopped = Some(stopped);
                return Ok(found);
            }
            found.logs.extend(logs);
        }
        if taken.read_bytes > MAX_READ_BYTES && number < last {
            found.searched_to = number;
            found.stopped = Some(format!(
                "query has more than {} MiB of blooms and receipts to read: name an address or topic, or ask for fewer blocks",
                MAX_READ_BYTES >> 20
            ));
            return Ok(found);
        }
    }
    Ok(found)
}

fn of_height(
    view: &ChainView<'_>,
    filter: &LogFilter,
    number: u64,
    read_bytes: &mut usize,
) -> Result<Vec<Log>, RpcError> {
    let block = lookup::by_number(view, number)?;
    let block = block.ok_or_else(|| lookup::gap(number))?;
    let receipts = view.receipts_once(&block)?.unwrap_or_default();
    *read_bytes += BLOCK_BYTES + receipts.iter().map(size).sum::<usize>();
    matching(view, &block, receipts, filter, false)
}

fn size(record: &ReceiptRecord) -> usize {
    let logs = record.receipt.logs.iter();
    let size = |log: &alloy_primitives::Log| {
        LOG_BYTES + log.topics().len() * B256::len_bytes() + log.data.data.len()
    };
    logs.map(size).sum()
}

/// Searches one block of the best chain, whatever is in it.
pub fn of_block(
    view: &ChainView<'_>,
    block: &HeaderRecord,
    filter: &LogFilter,
) -> Result<Vec<Log>, RpcError> {
    let receipts = view.receipts_once(block)?.unwrap_or_default();
    matching(view, block, receipts, filter, false)
}

/// Logs of blocks that have left the best chain.
#[derive(Debug, Default)]
pub struct Removed {
    /// The logs.
    pub logs: Vec<Log>,
    /// How many of the blocks they are of.
    pub blocks: usize,
}

/// The logs of `blocks` that have left the best chain, from the top downward, the last log
/// first, as they are undone; within the same limits. At least one block is gone through, and
/// one that is no longer kept has none.
pub fn removed(
    view: &ChainView<'_>,
    blocks: &[&HeaderRecord],
    filter: &LogFilter,
    taken: &mut Taken,
) -> Result<Removed, RpcError> {
    let mut removed = Removed::default();
    for block in blocks {
        let receipts = view.receipts_once(block)?.unwrap_or_default();
        taken.read_bytes += BLOCK_BYTES + receipts.iter().map(size).sum::<usize>();
        let logs = matching(view, block, receipts, filter, true)?;
        let is_over = taken.add(&logs).is_some() || taken.read_bytes > MAX_READ_BYTES;
        if is_over && removed.blocks > 0 {
            break;
        }
        removed.logs.extend(logs.into_iter().rev());
        removed.blocks += 1;
    }
    Ok(removed)
}

fn matching(
    view: &ChainView<'_>,
    block: &HeaderRecord,
    receipts: Vec<ReceiptRecord>,
    filter: &LogFilter,
    removed: bool,
) -> Result<Vec<Log>, RpcError> {
    let mut found = Vec::new();
    let mut log_index = 0_u64;
    for (transaction_index, record) in (0_u64..).zip(receipts) {
        for inner in record.receipt.logs {
            if filter.matches(&inner) {
                found.push(Log {
                    inner,
                    block_hash: Some(block.hash),
                    block_number: Some(block.number()),
                    block_timestamp: Some(block.header.timestamp),
                    transaction_hash: None,
                    transaction_index: Some(transaction_index),
                    log_index: Some(log_index),
                    removed,
                });
            }
            log_index += 1;
        }
    }
    name_transactions(view, block, &mut found)?;
    Ok(found)
}

/// Only where something was found is the body read, and only what is named is hashed.
fn name_transactions(
    view: &ChainView<'_>,
    block: &HeaderRecord,
    logs: &mut [Log],
) -> Result<(), RpcError> {
    if logs.is_empty() {
        return Ok(());
    }
    let envelopes = view.envelopes(block.number(), block.hash)?;
    let mut last: Option<(u64, B256)> = None;
    for log in logs {
        let index = log.transaction_index.unwrap_or_default();
        let hash = match last {
            Some((known, hash)) if known == index => hash,
            _ => keccak256(envelope(&envelopes, index)?),
        };
        last = Some((index, hash));
        log.transaction_hash = Some(hash);
    }
    Ok(())
}

fn envelope(envelopes: &[Bytes], index: u64) -> Result<&Bytes, RpcError> {
    let at = usize::try_from(index).unwrap_or(usize::MAX);
    let missing = || RpcError::Internal(format!("a block has no transaction {index}"));
    envelopes.get(at).ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cairn_genesis::ChainSpec;
    use serde_json::json;

    use super::*;
    use crate::chain::Chain;
    use crate::rpc::eth::logs::LogQuery;
    use crate::store::{Batch, Column, Durability, Memory, Store, keys};

    /// Blocks with logs, none of which is looked for.
    const BLOCKS: u64 = 70_000;

    fn topics(range: std::ops::Range<usize>) -> Vec<B256> {
        range
            .map(|id| B256::from(alloy_primitives::U256::from(id)))
            .collect()
    }

    #[test]
    fn what_is_compared_counts_as_read() {
        let store = Arc::new(Memory::default());
        let spec = Arc::new(ChainSpec::builtin("dev").unwrap().clone());
        Chain::open(store.clone(), spec).unwrap();
        let mut batch = Batch::default();
        for number in 1..=BLOCKS {
            batch.put(Column::Blooms, keys::height(number), vec![0; 256]);
        }
        store.write(batch, Durability::Buffered).unwrap();
        let view = ChainView::open(&*store).unwrap();
        let searched_to = |alternatives| {
            let json = json!({"topics": vec![topics(0..alternatives); 4]});
            let filter = serde_json::from_value::<LogQuery>(json).unwrap().filter();
            let mut taken = Taken::default();
            search(&view, &filter.unwrap(), 1, BLOCKS, &mut taken)
                .unwrap()
                .searched_to
        };
        assert_eq!(searched_to(10), BLOCKS);
        let affordable = MAX_READ_BYTES / (BLOOM_BYTES + 4_000) + 1;
        assert_eq!(searched_to(1_000), affordable as u64);
    }
}
