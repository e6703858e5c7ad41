//! The search against known headers and against SHA-256d by `sha2`'s ordinary interface.

#![cfg(test)]

use cairn_miner::scan;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// Target of difficulty 1 (bits 1d00ffff).
const DIFFICULTY_1: [u8; 32] = {
    let mut target = [0; 32];
    target[4] = 0xff;
    target[5] = 0xff;
    target
};

/// Bitcoin's genesis header.
const GENESIS: &str = "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd\
                       7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c";

/// The header of Bitcoin's block 1.
const BLOCK_1: &str = "010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000982051fd\
                       1e4ba744bbbe680e1fee14677ba1a3c3540bf7b1cdb606e857233e0e61bc6649ffff001d01e36299";

fn header(hex: &str) -> [u8; 80] {
    let byte = |i: usize| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap();
    std::array::from_fn(byte)
}

/// SHA-256d as a big-endian number.
fn number(header: &[u8; 80], nonce: u32) -> [u8; 32] {
    let mut header = *header;
    header[76..].copy_from_slice(&nonce.to_le_bytes());
    let mut hash: [u8; 32] = Sha256::digest(Sha256::digest(header)).into();
    hash.reverse();
    hash
}

fn naive(header: &[u8; 80], target: &[u8; 32], first: u32, last: u32) -> Option<u32> {
    (first..=last).find(|nonce| number(header, *nonce) <= *target)
}

#[test]
fn bitcoins_first_nonces_are_found() {
    for (hex, nonce) in [(GENESIS, 2_083_236_893), (BLOCK_1, 2_573_394_689)] {
        let header = header(hex);
        assert_eq!(header[76..], u32::to_le_bytes(nonce));
        assert_eq!(
            scan(&header, &DIFFICULTY_1, nonce - 50_000..=nonce + 50_000),
            Some(nonce)
        );
        assert_eq!(
            scan(&header, &DIFFICULTY_1, nonce - 50_000..=nonce - 1),
            None
        );
        assert_eq!(
            scan(&header, &DIFFICULTY_1, nonce + 1..=nonce + 50_000),
            None
        );
    }
}

#[test]
fn a_hash_equal_to_the_target_meets_it() {
    let header = header(GENESIS);
    let nonce = 2_083_236_893;
    let exact = number(&header, nonce);
    assert_eq!(scan(&header, &exact, nonce..=nonce), Some(nonce));
    let mut below = exact;
    below[31] -= 1;
    assert_eq!(scan(&header, &below, nonce..=nonce), None);
}

#[test]
fn the_ends_of_the_range_are_tried() {
    let any = [0xff; 32];
    assert_eq!(scan(&[7; 80], &any, 0..=u32::MAX), Some(0));
    assert_eq!(scan(&[7; 80], &any, u32::MAX..=u32::MAX), Some(u32::MAX));
    let last = number(&[7; 80], u32::MAX);
    let lowest = naive(&[7; 80], &last, u32::MAX - 2, u32::MAX);
    assert_eq!(scan(&[7; 80], &last, u32::MAX - 2..=u32::MAX), lowest);
    assert!(lowest.is_some());
}

#[test]
fn an_empty_range_has_no_nonce() {
    #[expect(
        clippy::reversed_empty_ranges,
        reason = "the empty range is what is tested"
    )]
    let empty = 5..=4;
    assert_eq!(scan(&[7; 80], &[0xff; 32], empty), None);
}

#[test]
fn repeated_scans_list_every_nonce() {
    let (header, mut target) = ([0x33; 80], [0xff; 32]);
    target[0] = 0x03;
    let last = 20_000;
    let mut found = Vec::new();
    let mut next = 0;
    while let Some(nonce) = scan(&header, &target, next..=last) {
        found.push(nonce);
        next = nonce + 1;
    }
    let all: Vec<u32> = (0..=last)
        .filter(|nonce| number(&header, *nonce) <= target)
        .collect();
    assert_eq!(found, all);
    assert!(all.len() > 100);
}

proptest! {
    #[test]
    fn scan_agrees_with_plain_hashing(
        head in any::<[u8; 32]>(),
        middle in any::<[u8; 32]>(),
        tail in any::<[u8; 16]>(),
        top in any::<u32>(),
        zero_bits in 4_u32..14,
        first in any::<u32>(),
        count in 0_u32..2_000,
    ) {
        let header: [u8; 80] = [&head[..], &middle, &tail].concat().try_into().unwrap();
        let mut target = [0x5a; 32];
        target[..4].copy_from_slice(&(top >> zero_bits).to_be_bytes());
        let last = first.saturating_add(count);
        prop_assert_eq!(scan(&header, &target, first..=last), naive(&header, &target, first, last));
    }
}
