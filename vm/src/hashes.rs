//! Hashes of 64 bytes, remembered.
//!
//! Solidity finds the slot of a mapping's entry by hashing key and position, 64 bytes, and does so again at
//! every access: a transfer of a token reads and writes the same two entries. One hash costs as much as a
//! hundred additions, a look into this table a few.

use alloy_primitives::{B256, keccak256};

/// Hashes that are remembered; a power of two.
const ENTRIES: usize = 1024;

/// The bytes of one entry's input.
type Input = [u8; 64];

/// A table in which a newcomer takes the place of whoever has it.
#[derive(Debug)]
pub(crate) struct Hashes {
    /// Empty until the first hash is asked for.
    entries: Vec<(Input, B256)>,
}

impl Hashes {
    pub fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    /// keccak-256 of `bytes`.
    #[inline]
    pub fn keccak(&mut self, bytes: &[u8]) -> B256 {
        match bytes.try_into() {
            Ok(input) => self.of(input),
            Err(_) => keccak256(bytes),
        }
    }

    fn of(&mut self, input: &Input) -> B256 {
        if self.entries.is_empty() {
            let zeros = [0; 64];
            self.entries = vec![(zeros, keccak256(zeros)); ENTRIES];
        }
        let entry = &mut self.entries[place(input)];
        if entry.0 != *input {
            *entry = (*input, keccak256(input));
        }
        entry.1
    }
}

/// Where an input belongs. An odd multiplier spreads keys that count up over the table.
fn place(input: &Input) -> usize {
    let words = input
        .as_chunks::<8>()
        .0
        .iter()
        .map(|word| u64::from_le_bytes(*word));
    let mixed = words.fold(0_u64, |mixed, word| {
        (mixed.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    (mixed >> 32) as usize % ENTRIES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembered_or_not_a_hash_is_right() {
        let mut hashes = Hashes::new();
        for round in 0..3_u8 {
            for index in 0..u16::MAX / 16 {
                let mut input = [0; 64];
                input[30..32].copy_from_slice(&index.to_be_bytes());
                input[63] = round % 2;
                assert_eq!(hashes.keccak(&input), keccak256(input));
            }
        }
        for len in [0, 1, 32, 63, 65, 128] {
            assert_eq!(hashes.keccak(&vec![7; len]), keccak256(vec![7; len]));
        }
    }
}
