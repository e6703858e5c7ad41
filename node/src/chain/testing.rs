//! Records for tests of the parts.

use alloy_primitives::{B256, U256};
use cairn_genesis::{Header, Seal};

use super::record::HeaderRecord;

fn hash(id: u64) -> B256 {
    B256::from(U256::from(id))
}

/// A record at `number` with hash and work `id`, on the block `parent`.
pub(crate) fn record(number: u64, id: u64, parent: u64) -> HeaderRecord {
    let header = Header {
        parent_hash: hash(parent),
        number,
        timestamp: 0,
        bits: 0,
        beneficiary: Default::default(),
        state_root: Default::default(),
        transactions_root: Default::default(),
        receipts_root: Default::default(),
        gas_limit: 0,
        gas_used: 0,
        base_fee: 0,
        extra: Default::default(),
    };
    HeaderRecord {
        hash: hash(id),
        header,
        seal: Seal {
            version: 0,
            time: 0,
            nonce: 0,
            extranonce: [0; 12],
        },
        work: U256::from(id),
        skipped: 0,
        issued: U256::ZERO,
        burned: U256::ZERO,
        size_bytes: 500,
        tx_count: 0,
    }
}
