//! One line per block for whoever watches.

use alloy_primitives::{B256, U256};

use crate::chain::{BlockError, HeaderRecord, Moved};
use crate::core::Now;

/// Blocks of one move that get a line of their own.
const MAX_LINES: usize = 10;

/// Least time between two lines about one wait.
const BETWEEN_WAIT_LINES_MS: u64 = 60_000;

/// Waits up to this long are as it should be: a young chain on a fast machine pauses for a second
/// again and again until its difficulty has risen.
const SHORT_WAIT_S: u64 = 2;

/// Reports a change of the tip. A node that has not mined yet has no hash rate.
pub(super) fn moved(moved: &Moved, hashes_per_second: Option<f64>) {
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
        block(record, hashes_per_second.map(|rate| rate as u64));
    }
}

/// Reports that the node's own block was refused, which is a defect.
pub(super) fn own_block_refused(hash: B256, error: &BlockError) {
    tracing::error!(%hash, %error, "the block that was mined here is refused");
}

/// Reports that mining waits for the clock, once a minute at most: of long waits, and of short ones.
#[derive(Debug, Default)]
pub(super) struct WaitLines {
    last_long_ms: Option<u64>,
    last_short_ms: Option<u64>,
}

impl WaitLines {
    /// Reports a wait of so many seconds.
    pub(super) fn report(&mut self, now: Now, wait_s: u64) {
        if !self.is_due(now, wait_s) {
            return;
        }
        if wait_s > SHORT_WAIT_S {
            tracing::warn!(
                "mining waits {wait_s} s: the tip is dated too far ahead of this machine's clock; if the clock is slow, set it right, else there is nothing to do: mining goes on by itself"
            );
        } else {
            tracing::info!(
                "mining pauses now and then: blocks are found faster than the clock lets them be dated, until the difficulty has caught up"
            );
        }
    }

    /// A clock that was set is no reason to be silent for longer.
    fn is_due(&mut self, now: Now, wait_s: u64) -> bool {
        let is_news = |last_ms: u64| now.ms.abs_diff(last_ms) >= BETWEEN_WAIT_LINES_MS;
        let last_ms = match wait_s > SHORT_WAIT_S {
            true => &mut self.last_long_ms,
            false => &mut self.last_short_ms,
        };
        let is_due = last_ms.is_none_or(is_news);
        if is_due {
            *last_ms = Some(now.ms);
        }
        is_due
    }
}

fn block(record: &HeaderRecord, hashes_per_second: Option<u64>) {
    let rate = hashes_per_second.map(|rate| format!("{}H/s", scaled(u128::from(rate))));
    let rate = rate.map(|rate| format!("{rate:>9}  ")).unwrap_or_default();
    let difficulty = difficulty(record.header.bits);
    tracing::info!(
        block.number = record.number(),
        block.hash = %record.hash,
        block.txs = record.tx_count,
        block.gas_used = record.header.gas_used,
        block.difficulty = %difficulty,
        block.hashes_per_second = hashes_per_second,
        "block {:>6}  {}  {:>4} txs  {rate}difficulty {}",
        record.number(),
        short(record.hash),
        record.tx_count,
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
    fn a_long_wait_is_told_once_a_minute() {
        let mut lines = WaitLines::default();
        let mut told = |ms: u64, wait_s| lines.is_due(Now { ms }, wait_s);
        assert!(told(1_000_000, SHORT_WAIT_S));
        assert!(told(1_000_200, 3_600), "a long one is another matter");
        assert!(!told(1_000_300, SHORT_WAIT_S));
        assert!(!told(1_000_400, 3_600));
        assert!(!told(1_060_199, 3_541));
        assert!(told(1_060_200, 3_540));
        assert!(told(500_000, 4_100), "the clock was set back");
    }

    #[test]
    fn numbers_are_scaled_for_people() {
        assert_eq!(scaled(0), "0 ");
        assert_eq!(scaled(999), "999 ");
        assert_eq!(scaled(65_537), "65.5 k");
        assert_eq!(scaled(6_540_000), "6.5 M");
        assert_eq!(scaled(u128::MAX).chars().last(), Some('P'));
    }
}
