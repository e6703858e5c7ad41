//! Headers and blocks in JSON: Ethereum's fields, and those of the seal.

use alloy_consensus::EMPTY_OMMER_ROOT_HASH;
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, FixedBytes, U64, U256, keccak256};
use alloy_rpc_types_eth::Block;
use cairn_genesis::{Header, Seal, Target, sealing_bytes};
use serde::Serialize;

use super::RpcTransaction;
use crate::chain::HeaderRecord;

/// A block with its transactions, whole or as hashes.
pub type RpcBlock = Block<RpcTransaction, RpcHeader>;

/// A header. The first fields are those of an Ethereum block from before the merge; the
/// last three are ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RpcHeader {
    /// Height.
    pub number: U64,
    /// Block hash, in display order (leading zeros first); `null` while pending.
    pub hash: Option<B256>,
    /// Hash of the parent.
    pub parent_hash: B256,
    /// Hash of the empty list: there are no uncles.
    pub sha3_uncles: B256,
    /// Who gets subsidy and priority fees.
    pub miner: Address,
    /// Root of the state after the block.
    pub state_root: B256,
    /// Root of the transactions.
    pub transactions_root: B256,
    /// Root of the receipts.
    pub receipts_root: B256,
    /// Union of the receipts' blooms.
    pub logs_bloom: Bloom,
    /// Work of this block: the hashes it took on average.
    pub difficulty: U256,
    /// Work of the branch up to this block.
    pub total_difficulty: U256,
    /// Most gas that the block may use.
    pub gas_limit: U64,
    /// Gas used.
    pub gas_used: U64,
    /// Seconds since 1970.
    pub timestamp: U64,
    /// The miner's free bytes, at most 32.
    pub extra_data: Bytes,
    /// What PREVRANDAO gives: `keccak256(parentHash)`.
    pub mix_hash: B256,
    /// The seal's nonce, zero-extended; `null` while pending.
    pub nonce: Option<B64>,
    /// Wei per gas that are burned.
    pub base_fee_per_gas: U64,
    /// Length of the encoded block, in bytes.
    pub size: U64,
    /// Compact target.
    pub bits: U64,
    /// The 80 bytes whose SHA-256d is the hash; `null` while pending.
    pub pow_header: Option<Bytes>,
    /// What the miner varied; `null` while pending.
    pub seal: Option<RpcSeal>,
}

/// The seal of a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RpcSeal {
    /// Block version, with the bits that BIP 320 lets miners roll.
    pub version: U64,
    /// Seconds since 1970; up to 600 after the header's timestamp.
    pub time: U64,
    /// Nonce of the 80 bytes.
    pub nonce: U64,
    /// The coinbase's free bytes.
    pub extranonce: FixedBytes<12>,
}

/// The JSON of a stored header. A block that was not executed here (off the best chain)
/// has no receipts; its bloom is all ones.
pub fn header(record: &HeaderRecord, bloom: Option<Bloom>) -> RpcHeader {
    let HeaderRecord { header, seal, .. } = record;
    RpcHeader {
        hash: Some(record.hash),
        logs_bloom: bloom.unwrap_or(ANYTHING),
        total_difficulty: record.work,
        nonce: Some(B64::from(u64::from(seal.nonce).to_be_bytes())),
        size: U64::from(record.size_bytes),
        pow_header: Some(Bytes::copy_from_slice(&sealing_bytes(header, seal))),
        seal: Some(RpcSeal::new(seal)),
        ..unsealed(header)
    }
}

/// A bloom filter answers "perhaps" or "no"; this one never says "no", which is the truth
/// about logs that are not known.
const ANYTHING: Bloom = Bloom::repeat_byte(0xff);

/// The JSON of a header that nobody has sealed yet, on top of `parent`.
pub fn pending_header(header: &Header, parent: &HeaderRecord) -> RpcHeader {
    let unsealed = unsealed(header);
    RpcHeader {
        total_difficulty: parent.work.saturating_add(unsealed.difficulty),
        ..unsealed
    }
}

fn unsealed(header: &Header) -> RpcHeader {
    RpcHeader {
        number: U64::from(header.number),
        hash: None,
        parent_hash: header.parent_hash,
        sha3_uncles: EMPTY_OMMER_ROOT_HASH,
        miner: header.beneficiary,
        state_root: header.state_root,
        transactions_root: header.transactions_root,
        receipts_root: header.receipts_root,
        logs_bloom: Bloom::ZERO,
        difficulty: work(header.bits),
        total_difficulty: U256::ZERO,
        gas_limit: U64::from(header.gas_limit),
        gas_used: U64::from(header.gas_used),
        timestamp: U64::from(header.timestamp),
        extra_data: header.extra.clone(),
        mix_hash: keccak256(header.parent_hash),
        nonce: None,
        base_fee_per_gas: U64::from(header.base_fee),
        size: U64::ZERO,
        bits: U64::from(header.bits),
        pow_header: None,
        seal: None,
    }
}

/// Hashes that a block with these bits takes on average; none for bits that stand for no
/// target, which no stored header has.
fn work(bits: u32) -> U256 {
    Target::from_bits(bits)
        .map(|target| target.work())
        .unwrap_or_default()
}

impl RpcSeal {
    fn new(seal: &Seal) -> Self {
        Self {
            version: U64::from(seal.version),
            time: U64::from(seal.time),
            nonce: U64::from(seal.nonce),
            extranonce: FixedBytes(seal.extranonce),
        }
    }
}
