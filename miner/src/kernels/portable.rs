//! The kernel for every processor: one nonce at a time through `sha2`'s compression function, which uses
//! SHA instructions where there are any.
//!
//! A hash takes two compressions instead of three: the first 64 bytes are the same for every nonce.

use crate::search::{INITIAL_STATE, Search};
use sha2::block_api::compress256;
use std::ops::RangeInclusive;

/// Bits in 80 bytes, and in the 32 bytes of the inner hash: the lengths that end the padding.
const HEADER_BITS: u16 = 80 * 8;
const DIGEST_BITS: u16 = 32 * 8;

/// The lowest nonce of the range that meets the target.
pub(super) fn find(search: &Search, nonces: RangeInclusive<u32>) -> Option<u32> {
    let mut inner = padded(16, HEADER_BITS);
    inner[..12].copy_from_slice(&search.tail);
    let mut outer = padded(32, DIGEST_BITS);
    let top = search.target[0];
    for nonce in nonces {
        inner[12..16].copy_from_slice(&nonce.to_le_bytes());
        let digest = hash(&search.midstate, &inner, &mut outer);
        // Nearly every hash fails by its most significant word alone.
        if digest[7].swap_bytes() <= top && search.is_met_by(&digest) {
            return Some(nonce);
        }
    }
    None
}

/// SHA-256d from the midstate: `inner` is the header's second block, `outer` the inner hash's only one.
#[inline]
fn hash(midstate: &[u32; 8], inner: &[u8; 64], outer: &mut [u8; 64]) -> [u32; 8] {
    let mut state = *midstate;
    compress256(&mut state, std::slice::from_ref(inner));
    for (bytes, word) in outer.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    let mut digest = INITIAL_STATE;
    compress256(&mut digest, std::slice::from_ref(outer));
    digest
}

/// A last block whose message part has `len` bytes, with its padding.
fn padded(len: usize, message_bits: u16) -> [u8; 64] {
    let mut block = [0; 64];
    block[len] = 0x80;
    block[62..].copy_from_slice(&message_bits.to_be_bytes());
    block
}
