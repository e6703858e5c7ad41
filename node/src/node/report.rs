//! One line per block for whoever watches.

use alloy_primitives::{B256, U256};

use crate::chain::{BlockError, HeaderRecord, Moved};

/// Blocks of one move that get a line of their own.
const MAX_LINES: usize = 10;

/// Reports a change of the tip.
pub(super) fn moved(moved: &Moved, hashes_per_second: u64) {
    if !moved.disconnected.is_empty() {
        tracing::warn!(
            "reorganization: {} block(s) left the chain, {} joined; the tip was {} and is {}",
            moved.disconnected.len(),
            moved.connected.len(),
            short(moved.from.hash),
            short(moved.to.hash),
        );
    }
    let first = moved.connected.len().saturating_sub(MAX_LINES);
    for record in &moved.connected[first..] {
        block(record, hashes_per_second);
    }
}

/// Reports that the node's own block was refused, which is a defect.
pub(super) fn own_block_refused(hash: B256, error: &BlockError) {
    tracing::error!(%hash, %error, "the block that was mined here is refused");
}

fn block(record: &HeaderRecord, hashes_per_second: u64) {
    let difficulty = difficulty(record.header.bits);
    tracing::info!(
        block.number = record.number(),
        block.hash = %record.hash,
        block.txs = record.tx_count,
        block.gas_used = record.header.gas_used,
        block.difficulty = %difficulty,
        block.hashes_per_second = hashes_per_second,
        "block {:>6}  {}  {:>4} txs  {:>9}  difficulty {}",
        record.number(),
        short(record.hash),
        record.tx_count,
        format!("{}H/s", scaled(u128::from(hashes_per_second))),
        scaled(difficulty.saturating_to()),
    );
}

/// Expected hashes for one block.
fn difficulty(bits: u32) -> U256 {
    cairn_genesis::Target::from_bits(bits)
        .map(|target| target.work())
        .unwrap_or_default()
}

/// The first and most telling part of a hash.
fn short(hash: B256) -> String {
    format!("{}…", &hash.to_string()[..18])
}

/// A number with three or four digits and a metric prefix.
fn scaled(value: u128) -> String {
    const PREFIXES: [&str; 6] = ["", "k", "M", "G", "T", "P"];
    let mut scale = 1u128;
    let mut index = 0;
    while value / scale >= 1000 && index + 1 < PREFIXES.len() {
        scale *= 1000;
        index += 1;
    }
    match index {
        0 => format!("{value} "),
        _ => {
            let tenths = value / (scale / 10);
            format!("{}.{} {}", tenths / 10, tenths % 10, PREFIXES[index])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_scaled_for_people() {
        assert_eq!(scaled(0), "0 ");
        assert_eq!(scaled(999), "999 ");
        assert_eq!(scaled(65_537), "65.5 k");
        assert_eq!(scaled(6_540_000), "6.5 M");
        assert_eq!(scaled(u128::MAX).chars().last(), Some('P'));
    }
}
