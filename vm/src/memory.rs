//! The memory of a frame: bytes that are zero until they are written, and grow by words.

use alloy_primitives::U256;

use crate::{gas, word};

/// Bytes that are zeroed ahead of their use, so that a program that grows word by word does not pay for
/// each. Small, since most frames use little.
const AHEAD_BYTES: usize = 1024;

/// What is kept of a memory from one run or transaction to the next, bytes.
pub(crate) const MAX_KEPT_BYTES: usize = 1 << 20;

/// A frame's memory.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// At least `len` bytes; zeros behind them.
    bytes: Vec<u8>,
    /// What the program may see: MSIZE.
    len: usize,
}

/// A range of memory that is there, or is empty; or of other bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    pub start: usize,
    pub len: usize,
}

impl Range {
    /// The range of all of `bytes`.
    pub fn all(bytes: &[u8]) -> Self {
        Self {
            start: 0,
            len: bytes.len(),
        }
    }
}

impl Memory {
    /// Empties it and keeps the allocation, within bounds.
    pub fn reset(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(MAX_KEPT_BYTES);
        self.len = 0;
    }

    /// MSIZE.
    pub fn len(&self) -> usize {
        self.len
    }

    /// All of it.
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Makes `offset + len` bytes available. Returns the range and the gas that the growth costs; `None`
    /// where no gas suffices. The caller has to charge before it grows: see [`Memory::grow`].
    #[inline(always)]
    pub fn plan(&self, offset: U256, len: U256) -> Option<(Range, u64)> {
        let len = word::small(len)?;
        if len == 0 {
            return Some((Range::default(), 0));
        }
        let start = word::small(offset)?;
        let end = start.checked_add(len)?;
        let range = Range {
            start: start as usize,
            len: len as usize,
        };
        if end <= self.len as u64 {
            return Some((range, 0));
        }
        Some((range, self.growth_price(end)?))
    }

    fn growth_price(&self, end: u64) -> Option<u64> {
        Some(gas::memory(end)? - gas::memory(self.len as u64)?)
    }

    /// Grows so that `range` is there.
    #[inline(always)]
    pub fn grow(&mut self, range: Range) {
        let end = range.start + range.len;
        if end > self.len {
            self.grow_to(end);
        }
    }

    #[cold]
    fn grow_to(&mut self, end: usize) {
        self.len = end.next_multiple_of(32);
        if self.len > self.bytes.len() {
            let ahead = self.len.max(AHEAD_BYTES).next_power_of_two();
            self.bytes.resize(ahead.min(self.len + (64 << 10)), 0);
        }
    }

    /// The bytes of a range that is there.
    #[inline(always)]
    pub fn get(&self, range: Range) -> &[u8] {
        &self.bytes[range.start..range.start + range.len]
    }

    #[inline(always)]
    fn get_mut(&mut self, range: Range) -> &mut [u8] {
        &mut self.bytes[range.start..range.start + range.len]
    }

    /// The word at a place that is there.
    #[inline(always)]
    pub fn word(&self, start: usize) -> U256 {
        let bytes = self.bytes[start..].first_chunk::<32>();
        U256::from_be_bytes(*bytes.expect("the caller made the word available"))
    }

    /// Writes a word at a place that is there.
    #[inline(always)]
    pub fn set_word(&mut self, start: usize, value: U256) {
        let bytes = self.bytes[start..].first_chunk_mut::<32>();
        *bytes.expect("the caller made the word available") = value.to_be_bytes();
    }

    /// Writes a byte at a place that is there.
    pub fn set_byte(&mut self, start: usize, value: u8) {
        self.bytes[start] = value;
    }

    /// Fills a range that is there with `data` from `offset` on, and zeros where that ends.
    pub fn copy_from(&mut self, range: Range, data: &[u8], offset: U256) {
        let from = word::saturated(offset).min(data.len() as u64) as usize;
        let data = &data[from..];
        let copied = data.len().min(range.len);
        let target = self.get_mut(range);
        target[..copied].copy_from_slice(&data[..copied]);
        target[copied..].fill(0);
    }

    /// Writes as much of `data` as fits into a range that is there; leaves the rest as it is.
    pub fn write_prefix(&mut self, range: Range, data: &[u8]) {
        let copied = data.len().min(range.len);
        self.get_mut(range)[..copied].copy_from_slice(&data[..copied]);
    }

    /// Copies within the memory; the ranges may overlap.
    pub fn copy_within(&mut self, from: Range, to: usize) {
        self.bytes
            .copy_within(from.start..from.start + from.len, to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown(offset: u64, len: u64) -> (Memory, u64) {
        let mut memory = Memory::default();
        let (range, price) = memory.plan(U256::from(offset), U256::from(len)).unwrap();
        memory.grow(range);
        (memory, price)
    }

    #[test]
    fn it_grows_by_words_and_costs_by_the_yellow_paper() {
        assert_eq!(grown(0, 1).1, 3);
        assert_eq!(grown(0, 1).0.len(), 32);
        assert_eq!(grown(31, 2).1, 6);
        assert_eq!(grown(0, 1 << 20).1, 3 * (1 << 15) + (1 << 30) / 512);
        assert_eq!(grown(u64::MAX, 0), grown(0, 0));
    }

    #[test]
    fn what_no_gas_pays_for_is_refused() {
        let memory = Memory::default();
        for offset in [U256::MAX, U256::from(u64::MAX), U256::from(1_u64 << 33)] {
            assert_eq!(memory.plan(offset, U256::ONE), None);
        }
        assert_eq!(memory.plan(U256::ZERO, U256::MAX), None);
    }

    #[test]
    fn a_reset_memory_is_zero_again() {
        let (mut memory, _) = grown(0, 64);
        memory.set_word(32, U256::MAX);
        memory.reset();
        let (range, _) = memory.plan(U256::ZERO, U256::from(64)).unwrap();
        memory.grow(range);
        assert_eq!(memory.get(range), [0; 64]);
    }

    impl PartialEq for Memory {
        fn eq(&self, other: &Self) -> bool {
            self.as_slice() == other.as_slice()
        }
    }
}
