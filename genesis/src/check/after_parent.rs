//! What can be checked of a header once its parent's is known.

use alloy_primitives::{B256, U256};

use super::{
    alone::SealedHeader,
    error::{InvalidBlock, NotYet},
};
use crate::{
    header::Header,
    spec::{ChainSpec, ParentTimes},
};

/// What must be known of the parent.
#[derive(Debug, Clone, Copy)]
pub struct Parent<'a> {
    /// Its hash, in display order.
    pub hash: B256,
    /// Its header.
    pub header: &'a Header,
    /// Time skipped up to and including it, in seconds (R-DIF-5).
    pub skipped: u64,
    /// Work of the chain that ends in it.
    pub work: U256,
}

/// What a header adds to its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Linked {
    /// Work of the chain that ends in this block.
    pub work: U256,
    /// Time skipped up to and including this block, in seconds.
    pub skipped: u64,
}

/// Checks a header against its parent's.
///
/// # Errors
/// If a rule is broken.
pub fn header(
    spec: &ChainSpec,
    parent: &Parent<'_>,
    child: &SealedHeader,
) -> Result<Linked, InvalidBlock> {
    let header = child.header();
    check_place(parent, header)?;
    let skipped = check_difficulty(spec, parent, header)?;
    // R-FEE-1: "base_fee is the one that the parent makes it."
    let (expected, got) = (spec.next_base_fee(parent.header), header.base_fee);
    if got != expected {
        return Err(InvalidBlock::BaseFee { expected, got });
    }
    Ok(Linked {
        // 2^31 blocks of less than 2^224 work each would be needed to overflow; a fixed target may
        // be harder, but then its blocks do not exist.
        work: parent.work.saturating_add(child.work()),
        skipped,
    })
}

fn check_place(parent: &Parent<'_>, header: &Header) -> Result<(), InvalidBlock> {
    // R-HDR-1: "parent_hash is the hash of the parent, in display order."
    if header.parent_hash != parent.hash {
        return Err(InvalidBlock::ParentHash {
            expected: parent.hash,
            got: header.parent_hash,
        });
    }
    // R-HDR-2: "number = parent.number + 1."
    let expected = parent.header.number.saturating_add(1);
    if header.number != expected {
        return Err(InvalidBlock::Number {
            expected,
            got: header.number,
        });
    }
    // R-HDR-3: "timestamp ≥ parent.timestamp + 1."
    let earliest = parent.header.timestamp.saturating_add(1);
    if header.timestamp < earliest {
        return Err(InvalidBlock::TimestampTooEarly {
            earliest,
            got: header.timestamp,
        });
    }
    Ok(())
}

fn check_difficulty(
    spec: &ChainSpec,
    parent: &Parent<'_>,
    header: &Header,
) -> Result<u64, InvalidBlock> {
    let times = ParentTimes {
        number: parent.header.number,
        timestamp: parent.header.timestamp,
        skipped: parent.skipped,
    };
    let next = spec.next_bits(&times, header.timestamp);
    // R-DIF-3: "bits is a function of parent and timestamp alone; no other value is valid."
    if header.bits != next.bits {
        return Err(InvalidBlock::Difficulty {
            expected: next.bits,
            got: header.bits,
        });
    }
    Ok(next.skipped)
}

/// Whether the block lies too far in the future to be accepted at `now_s` (seconds since 1970).
/// "Not yet" is never "invalid".
pub fn not_yet(spec: &ChainSpec, header: &Header, now_s: u64) -> Option<NotYet> {
    // R-HDR-7: "timestamp > now + max_future_drift is not yet valid."
    let latest = now_s.saturating_add(spec.max_future_drift?);
    (header.timestamp > latest).then_some(NotYet {
        timestamp: header.timestamp,
        latest,
    })
}
