//! What a bloom says about a filter: "no", or "perhaps".

use alloy_primitives::{Bloom, keccak256};

use super::LogFilter;

/// Bits of a bloom.
const BLOOM_BITS: u16 = 2048;

/// For each restriction of a filter, the bits of its alternatives. Hashing is done once, not
/// for each block.
#[derive(Debug)]
pub struct Mask(Vec<Vec<Bits>>);

/// The three bits that an address or topic sets (yellow paper, 4.3.1).
type Bits = [u16; 3];

impl Mask {
    /// The mask of a filter.
    pub fn new(filter: &LogFilter) -> Self {
        let restrictions = filter.restrictions();
        let bits = restrictions.map(|any| any.into_iter().map(bits).collect());
        Self(bits.collect())
    }

    /// How many addresses and topics a bloom is compared with at most.
    pub fn alternatives(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    /// Whether a block with this bloom may have a log that is meant.
    pub fn may_match(&self, bloom: &Bloom) -> bool {
        let has = |bits: &Bits| bits.iter().all(|bit| is_set(bloom, *bit));
        self.0.iter().all(|any| any.iter().any(has))
    }
}

/// "the low order 11 bits of each of the first three pairs of bytes in a Keccak-256 hash".
fn bits(bytes: &[u8]) -> Bits {
    let hash = keccak256(bytes);
    [0, 2, 4].map(|at| u16::from_be_bytes([hash[at], hash[at + 1]]) % BLOOM_BITS)
}

/// Bit 0 is the lowest of the last byte.
fn is_set(bloom: &Bloom, bit: u16) -> bool {
    let byte = bloom.len() - 1 - usize::from(bit / 8);
    bloom[byte] >> (bit % 8) & 1 == 1
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256, Bytes, Log, logs_bloom};
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::LogQuery;
    use super::*;

    fn log(from: u8, topics: &[u8]) -> Log {
        let topics = topics.iter().map(|byte| B256::repeat_byte(*byte)).collect();
        Log::new_unchecked(Address::repeat_byte(from), topics, Bytes::new())
    }

    fn filter(from: &[u8], topics: &[Vec<u8>]) -> LogFilter {
        let addresses: Vec<_> = from
            .iter()
            .map(|byte| Address::repeat_byte(*byte))
            .collect();
        let place = |any: &Vec<u8>| any.iter().map(|byte| B256::repeat_byte(*byte)).collect();
        let topics: Vec<Vec<B256>> = topics.iter().map(place).collect();
        let json = json!({"address": addresses, "topics": topics});
        serde_json::from_value::<LogQuery>(json)
            .unwrap()
            .filter()
            .unwrap()
    }

    #[test]
    fn a_bloom_denies_what_is_not_in_it() {
        let bloom = logs_bloom(&[log(1, &[2]), log(3, &[4])]);
        let may_match =
            |from: &[u8], topics: &[Vec<u8>]| Mask::new(&filter(from, topics)).may_match(&bloom);
        assert!(may_match(&[], &[]));
        assert!(may_match(&[1], &[vec![2]]) && may_match(&[9, 3], &[vec![4, 9]]));
        assert!(
            may_match(&[1], &[vec![4]]),
            "they are there, if not in one log"
        );
        assert!(!may_match(&[9], &[]) && !may_match(&[1], &[vec![9]]));
        assert!(!may_match(&[], &[vec![2], vec![9]]));
        assert!(!Mask::new(&filter(&[1], &[])).may_match(&Bloom::ZERO));
    }

    #[test]
    fn every_alternative_counts() {
        let alternatives =
            |from: &[u8], topics: &[Vec<u8>]| Mask::new(&filter(from, topics)).alternatives();
        assert_eq!(alternatives(&[], &[vec![], vec![]]), 0);
        assert_eq!(alternatives(&[1, 2], &[vec![], vec![3], vec![4, 5]]), 5);
    }

    proptest! {
        /// No block is passed over that has a log that is meant.
        #[test]
        fn no_match_is_denied(
            logs in prop::collection::vec((0..4u8, prop::collection::vec(0..4u8, 0..=4)), 0..5),
            from in prop::collection::vec(0..4u8, 0..3),
            topics in prop::collection::vec(prop::collection::vec(0..4u8, 0..3), 0..=4),
        ) {
            let logs: Vec<_> = logs.iter().map(|(from, topics)| log(*from, topics)).collect();
            let filter = filter(&from, &topics);
            if logs.iter().any(|log| filter.matches(log)) {
                prop_assert!(Mask::new(&filter).may_match(&logs_bloom(&logs)));
            }
        }
    }
}
