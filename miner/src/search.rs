//! One header, prepared for trying many nonces.

use crate::kernels;
use sha2::block_api::compress256;
use std::ops::RangeInclusive;

/// SHA-256's initial state (FIPS 180-4, 5.3.3).
pub(crate) const INITIAL_STATE: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Where the nonce stands in the 80 bytes; the bytes before it fill 64 + 12.
const NONCE_OFFSET: usize = 76;

/// A header and a target, with everything computed that does not depend on the nonce.
#[derive(Clone, Debug)]
pub struct Search {
    /// SHA-256's state after the first 64 bytes.
    pub(crate) midstate: [u32; 8],
    /// Bytes 64 to 75: end of the merkle root, time, bits.
    pub(crate) tail: [u8; 12],
    /// The target, most significant word first.
    pub(crate) target: [u32; 8],
}

impl Search {
    /// Prepares a search. The nonce within `header` does not matter; `target` is a big-endian number.
    pub fn new(header: &[u8; 80], target: &[u8; 32]) -> Self {
        let mut midstate = INITIAL_STATE;
        let (first, _) = header
            .split_first_chunk::<64>()
            .expect("80 bytes are more than 64");
        compress256(&mut midstate, &[*first]);
        let mut tail = [0; 12];
        tail.copy_from_slice(&header[64..NONCE_OFFSET]);
        let mut words = [0; 8];
        for (word, bytes) in words.iter_mut().zip(target.as_chunks::<4>().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        Self {
            midstate,
            tail,
            target: words,
        }
    }

    /// The lowest nonce of the range whose hash does not exceed the target.
    pub fn find(&self, nonces: RangeInclusive<u32>) -> Option<u32> {
        kernels::find(self, nonces)
    }

    /// Whether a hash, as the state that SHA-256 ends in, does not exceed the target. The first word of
    /// the number is the last of the state: block hashes are little-endian.
    pub(crate) fn is_met_by(&self, digest: &[u32; 8]) -> bool {
        let number = digest.iter().rev().map(|word| word.swap_bytes());
        number.le(self.target.iter().copied())
    }
}

/// Tries nonces in ascending order and returns the first with which SHA-256d of `header` does not exceed
/// `target` (a big-endian number; the hash counts as a little-endian one).
pub fn scan(header: &[u8; 80], target: &[u8; 32], nonces: RangeInclusive<u32>) -> Option<u32> {
    Search::new(header, target).find(nonces)
}
