//! What a request for logs asks for.

use alloy_primitives::{Address, B256, Log};
use alloy_rpc_types_eth::BlockNumberOrTag;
use serde::Deserialize;

use crate::rpc::error::RpcError;

/// Topics of a log at most.
const MAX_TOPICS: usize = 4;
/// Addresses, and alternatives for one topic; geth's limit.
const MAX_ALTERNATIVES: usize = 1000;

/// The parameter as it comes. Fields that nobody knows are ignored, as geth ignores them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogQuery {
    block_hash: Option<B256>,
    from_block: Option<BlockNumberOrTag>,
    to_block: Option<BlockNumberOrTag>,
    address: Option<Addresses>,
    topics: Option<Vec<Option<Topics>>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "'address' must be an address or a list of addresses"
)]
enum Addresses {
    One(Address),
    Any(Vec<Address>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "each of 'topics' must be null, 32 bytes, or a list of those"
)]
enum Topics {
    One(B256),
    Any(Vec<Option<B256>>),
}

/// Which blocks are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// The one with this hash.
    Block(B256),
    /// Those of the best chain from one to the other.
    Range {
        /// First block.
        from: BlockNumberOrTag,
        /// Last block.
        to: BlockNumberOrTag,
    },
}

/// Which logs are meant. An empty list stands for all there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Who logged: one of these.
    addresses: Alternatives<Address>,
    /// What stands at each topic's place; a log must have as many topics.
    topics: Vec<Alternatives<B256>>,
}

/// Sorted, each once.
type Alternatives<T> = Vec<T>;

impl LogQuery {
    /// Which blocks are meant: the tip if nothing else is said.
    ///
    /// # Errors
    /// For a hash beside a range, and for logs that are not mined yet.
    pub fn span(&self) -> Result<Span, RpcError> {
        if let Some(hash) = self.block_hash {
            return match (self.from_block, self.to_block) {
                (None, None) => Ok(Span::Block(hash)),
                _ => Err(RpcError::params(
                    "cannot specify both blockHash and fromBlock/toBlock, choose one or the other",
                )),
            };
        }
        let from = self.from_block.unwrap_or_default();
        let to = self.to_block.unwrap_or_default();
        if from.is_pending() || to.is_pending() {
            return Err(RpcError::params("pending logs are not supported"));
        }
        Ok(Span::Range { from, to })
    }

    /// Which logs are meant.
    ///
    /// # Errors
    /// If there are too many alternatives.
    pub fn filter(&self) -> Result<LogFilter, RpcError> {
        let topics = self.topics.as_deref().unwrap_or_default();
        if topics.len() > MAX_TOPICS {
            return Err(RpcError::params("exceed max topics: a log has at most 4"));
        }
        let addresses = match &self.address {
            None => Vec::new(),
            Some(Addresses::One(address)) => vec![*address],
            Some(Addresses::Any(addresses)) => addresses.clone(),
        };
        let topics = topics.iter().map(|topic| alternatives(at_place(topic)));
        Ok(LogFilter {
            addresses: alternatives(addresses)?,
            topics: topics.collect::<Result<_, _>>()?,
        })
    }
}

/// `null` among alternatives makes the place a wildcard, as alone.
fn at_place(topic: &Option<Topics>) -> Vec<B256> {
    match topic {
        None => Vec::new(),
        Some(Topics::One(topic)) => vec![*topic],
        Some(Topics::Any(topics)) => {
            let all: Option<Vec<B256>> = topics.iter().copied().collect();
            all.unwrap_or_default()
        }
    }
}

fn alternatives<T: Ord>(mut all: Vec<T>) -> Result<Alternatives<T>, RpcError> {
    if all.len() > MAX_ALTERNATIVES {
        return Err(RpcError::params(format!(
            "exceed max addresses or topics per search position: got {}, at most {MAX_ALTERNATIVES} are taken",
            all.len()
        )));
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

impl LogFilter {
    /// Whether the log is one of those that are meant.
    pub fn matches(&self, log: &Log) -> bool {
        let topics = log.topics();
        allows(&self.addresses, &log.address)
            && topics.len() >= self.topics.len()
            && self
                .topics
                .iter()
                .zip(topics)
                .all(|(allowed, topic)| allows(allowed, topic))
    }

    /// The lists of alternatives that restrict anything, as the bytes that a bloom is made of.
    pub fn restrictions(&self) -> impl Iterator<Item = Vec<&[u8]>> {
        let addresses = self.addresses.iter().map(|address| address.as_slice());
        let topics = self.topics.iter();
        let topics = topics.map(|topics| topics.iter().map(|topic| topic.as_slice()).collect());
        let all = std::iter::once(addresses.collect::<Vec<_>>()).chain(topics);
        all.filter(|alternatives| !alternatives.is_empty())
    }
}

fn allows<T: Ord>(alternatives: &Alternatives<T>, one: &T) -> bool {
    alternatives.is_empty() || alternatives.binary_search(one).is_ok()
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Bytes;
    use serde_json::{Value, json};

    use super::*;

    fn query(json: Value) -> LogQuery {
        serde_json::from_value(json).unwrap()
    }

    fn filter(json: Value) -> LogFilter {
        query(json).filter().unwrap()
    }

    fn address(byte: u8) -> Address {
        Address::repeat_byte(byte)
    }

    fn topic(byte: u8) -> B256 {
        B256::repeat_byte(byte)
    }

    fn log(from: u8, topics: &[u8]) -> Log {
        let topics = topics.iter().map(|byte| topic(*byte)).collect();
        Log::new_unchecked(address(from), topics, Bytes::new())
    }

    #[test]
    fn addresses_are_alternatives() {
        let one = filter(json!({"address": address(1)}));
        assert!(one.matches(&log(1, &[])) && !one.matches(&log(2, &[])));
        let two = filter(json!({"address": [address(3), address(1), address(3)]}));
        let matching = [1, 2, 3].map(|from| two.matches(&log(from, &[7])));
        assert_eq!(matching, [true, false, true]);
        for anybody in [json!({}), json!({"address": []}), json!({"address": null})] {
            assert!(filter(anybody).matches(&log(9, &[])));
        }
    }

    #[test]
    fn topics_are_matched_place_by_place() {
        let either = filter(json!({"topics": [topic(1), null, [topic(2), topic(3)]]}));
        for (topics, matches) in [
            (&[1, 9, 2][..], true),
            (&[1, 9, 3, 8], true),
            (&[1, 9, 4], false),
            (&[2, 9, 2], false),
            (&[1, 9], false),
        ] {
            assert_eq!(either.matches(&log(5, topics)), matches, "{topics:?}");
        }
        for wild in [
            json!([null, []]),
            json!([[], null]),
            json!([[topic(1), null], null]),
        ] {
            let wild = filter(json!({ "topics": wild }));
            assert!(wild.matches(&log(5, &[4, 4])));
            assert!(!wild.matches(&log(5, &[4])), "there must be two topics");
        }
    }

    #[test]
    fn blocks_are_the_tip_unless_they_are_said() {
        let latest = BlockNumberOrTag::Latest;
        let span = |json| query(json).span().unwrap();
        assert_eq!(
            span(json!({})),
            Span::Range {
                from: latest,
                to: latest
            }
        );
        let hash = json!({"blockHash": topic(1), "fromBlock": null});
        assert_eq!(span(hash), Span::Block(topic(1)));
        let range = json!({"fromBlock": "earliest", "toBlock": "0x10"});
        let (from, to) = (BlockNumberOrTag::Earliest, BlockNumberOrTag::Number(16));
        assert_eq!(span(range), Span::Range { from, to });
    }

    #[test]
    fn contradictions_are_named() {
        for (json, words) in [
            (
                json!({"blockHash": topic(1), "toBlock": "0x1"}),
                "cannot specify both",
            ),
            (
                json!({"toBlock": "pending"}),
                "pending logs are not supported",
            ),
        ] {
            let error = query(json).span().unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
        let many = vec![topic(1); MAX_ALTERNATIVES + 1];
        for (json, words) in [
            (
                json!({"topics": [null, null, null, null, null]}),
                "exceed max topics",
            ),
            (json!({"topics": [many]}), "exceed max addresses or topics"),
        ] {
            let error = query(json).filter().unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
        for (json, words) in [
            (json!({"address": 5}), "'address' must be"),
            (json!({"topics": [5]}), "each of 'topics' must be"),
        ] {
            let error = serde_json::from_value::<LogQuery>(json)
                .unwrap_err()
                .to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }
}
