//! Gossip: two topics, and how messages on them travel.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use alloy_primitives::{B256, keccak256};
use libp2p::gossipsub::{
    Behaviour, Config, ConfigBuilder, IdentTopic, IdentityTransform, Message, MessageAuthenticity,
    MessageId, PeerScoreParams, PeerScoreThresholds, TopicHash, TopicScoreParams, ValidationMode,
    WhitelistSubscriptionFilter,
};

use crate::network::Topic;

/// The longest message: announcements take 5 bytes for each transaction, so this is a
/// block of 200,000; no transaction is longer than 128 KiB.
const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// How long a message is known again: longer than any message needs to get everywhere.
/// `useless` bounds what is kept of those that come as fast as the line takes them.
const KNOWN_FOR: Duration = Duration::from_secs(30);

/// How often gossip looks after its mesh, and ages what it holds.
const HEARTBEAT: Duration = Duration::from_millis(700);

/// Heartbeats for which a message waits for its verdict at most: as long as it is known again,
/// since nobody could send it once more before. `heard` lets go of the bytes much earlier.
const HELD_FOR: usize = (KNOWN_FOR.as_millis() / HEARTBEAT.as_millis() + 2) as usize;

/// Messages that wait to be sent to one peer; a slow one misses what does not fit.
const QUEUE: usize = 1_024;

/// Messages that a peer is told of at once, and that it is asked for between two heartbeats. Each
/// takes 34 bytes. A receiver refuses more than 16 KiB, together with the stream, and speaks no
/// gossip any more with whom that happened five times; libp2p itself would send 5,000. What is
/// left out was sent to most peers anyway, and another one tells of another part.
const MAX_IDS: usize = 400;

/// How long a peer has to send what we asked it for, before it counts as a promise broken. A slow
/// line needs more than libp2p's three seconds for as many messages as can be asked for at once.
/// Longer would keep us from asking others meanwhile.
const PROMISE: Duration = Duration::from_secs(15);

pub(super) type Gossip = Behaviour<IdentityTransform, WhitelistSubscriptionFilter>;

/// The two topics of a chain.
#[derive(Debug, Clone)]
pub(super) struct Topics {
    blocks: IdentTopic,
    transactions: IdentTopic,
}

impl Topics {
    pub(super) fn new(genesis: B256) -> Self {
        let topic = |name| IdentTopic::new(protocol(genesis, name));
        Self {
            blocks: topic("blocks"),
            transactions: topic("transactions"),
        }
    }

    pub(super) fn hash(&self, topic: Topic) -> TopicHash {
        match topic {
            Topic::Blocks => self.blocks.hash(),
            Topic::Transactions => self.transactions.hash(),
        }
    }

    pub(super) fn which(&self, hash: &TopicHash) -> Option<Topic> {
        [Topic::Blocks, Topic::Transactions]
            .into_iter()
            .find(|topic| self.hash(*topic) == *hash)
    }

    pub(super) fn names(&self) -> [String; 2] {
        [self.blocks.to_string(), self.transactions.to_string()]
    }
}

/// The name of a protocol or topic of one chain, version 1.
pub(super) fn protocol(genesis: B256, name: &str) -> String {
    let digits = alloy_primitives::hex::encode(&genesis[..4]);
    format!("/cairn/{digits}/{name}/1")
}

fn config() -> Result<Config, String> {
    ConfigBuilder::default()
        .validate_messages()
        // Messages are content, not letters: an anonymous one has no author to check.
        .validation_mode(ValidationMode::Anonymous)
        .message_id_fn(message_id)
        .max_transmit_size(MAX_MESSAGE_BYTES)
        .duplicate_cache_time(KNOWN_FOR)
        .heartbeat_initial_delay(Duration::from_millis(200))
        .heartbeat_interval(HEARTBEAT)
        .history_length(HELD_FOR)
        .flood_publish(true)
        .connection_handler_queue_len(QUEUE)
        .max_control_messages_sent(MAX_IDS)
        .iwant_followup_time(PROMISE)
        .build()
        .map_err(|error| error.to_string())
}

/// Subscribed to both topics.
pub(super) fn behaviour(topics: &Topics) -> Result<Gossip, String> {
    let both = HashSet::from([topics.blocks.hash(), topics.transactions.hash()]);
    let filter = WhitelistSubscriptionFilter(both);
    let anonymous = MessageAuthenticity::Anonymous;
    let mut gossip = Behaviour::new_with_subscription_filter(anonymous, config()?, filter)?;
    gossip.with_peer_score(score(topics), thresholds())?;
    for topic in [&topics.blocks, &topics.transactions] {
        gossip.subscribe(topic).map_err(|error| error.to_string())?;
    }
    Ok(gossip)
}

/// What a message says, and where: the same from everybody who passes it on.
fn message_id(message: &Message) -> MessageId {
    let mut preimage = message.topic.as_str().as_bytes().to_vec();
    preimage.push(0);
    preimage.extend(&message.data);
    MessageId::new(keccak256(preimage).as_slice())
}

/// Only what a peer does wrong lowers its score. Delivering little does not: on a quiet
/// network, or at the far end of a slow line, that is all an honest peer can do. IP addresses
/// are counted by the gate.
fn score(topics: &Topics) -> PeerScoreParams {
    let topic = |invalid_weight| TopicScoreParams {
        topic_weight: 1.0,
        time_in_mesh_weight: 0.01,
        time_in_mesh_quantum: Duration::from_secs(1),
        time_in_mesh_cap: 300.0,
        first_message_deliveries_weight: 0.1,
        first_message_deliveries_decay: 0.9,
        first_message_deliveries_cap: 100.0,
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        invalid_message_deliveries_weight: invalid_weight,
        invalid_message_deliveries_decay: 0.97,
        ..TopicScoreParams::default()
    };
    PeerScoreParams {
        topics: HashMap::from([
            (topics.blocks.hash(), topic(-50.0)),
            (topics.transactions.hash(), topic(-10.0)),
        ]),
        topic_score_cap: 20.0,
        app_specific_weight: 0.0,
        ip_colocation_factor_weight: 0.0,
        // Mostly promises that are broken, which an honest peer does by whole batches: what waits
        // for its line for a second is not sent any more. One batch costs nothing. Whoever goes on
        // breaking all of them is not asked any more after some 15 seconds (4,400 of them, a tenth
        // of which is forgiven each second), but is still listened to and told what is our own.
        behaviour_penalty_weight: -2.5e-6,
        behaviour_penalty_threshold: MAX_IDS as f64,
        behaviour_penalty_decay: 0.9,
        // Also of peers that did nothing wrong: one that calls under ever new names
        // must not fill the memory with them.
        retain_score: Duration::from_secs(30),
        slow_peer_weight: 0.0,
        ..PeerScoreParams::default()
    }
}

fn thresholds() -> PeerScoreThresholds {
    PeerScoreThresholds {
        gossip_threshold: -40.0,
        publish_threshold: -80.0,
        graylist_threshold: -160.0,
        accept_px_threshold: 100.0,
        opportunistic_graft_threshold: 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_and_protocols_carry_the_genesis_hash() {
        let genesis = B256::repeat_byte(0xab);
        let topics = Topics::new(genesis);
        let names = ["/cairn/abababab/blocks/1", "/cairn/abababab/transactions/1"];
        assert_eq!(topics.names(), names);
        for topic in [Topic::Blocks, Topic::Transactions] {
            assert_eq!(topics.which(&topics.hash(topic)), Some(topic));
        }
        assert_eq!(
            Topics::new(B256::ZERO).which(&topics.hash(Topic::Blocks)),
            None
        );
        behaviour(&topics).unwrap();
    }

    /// The length of a field of a protobuf message: its tag, how long it is, and what is in it.
    fn field(content_bytes: usize) -> usize {
        let digits = usize::BITS - content_bytes.leading_zeros();
        1 + digits.div_ceil(7).max(1) as usize + content_bytes
    }

    #[test]
    fn as_many_ids_as_are_sent_at_once_are_taken_by_the_receiver() {
        let topics = Topics::new(B256::ZERO);
        let message = Message {
            source: None,
            sequence_number: None,
            topic: topics.hash(Topic::Transactions),
            data: vec![7; 300],
        };
        let config = config().unwrap();
        let id_bytes = field(message_id(&message).0.len());
        assert_eq!(id_bytes, 34);
        // An IHAVE, which names the topic, in a control message, in an RPC.
        let ids_bytes = config.max_control_messages_sent() * id_bytes;
        let ihave_bytes = field(field(message.topic.as_str().len()) + ids_bytes);
        assert!(field(ihave_bytes) <= config.max_control_message_size());
    }

    #[test]
    fn broken_promises_cost_a_peer_no_more_than_being_asked() {
        let (score, thresholds) = (score(&Topics::new(B256::ZERO)), thresholds());
        let cost = |broken: f64| {
            let excess = (broken - score.behaviour_penalty_threshold).max(0.0);
            score.behaviour_penalty_weight * excess * excess
        };
        let batch = MAX_IDS as f64;
        assert!(cost(batch) > thresholds.gossip_threshold / 2.0);
        // All that it can be asked for, for ever.
        assert_eq!(score.decay_interval, Duration::from_secs(1));
        let per_s = batch / HEARTBEAT.as_secs_f64();
        let most = per_s / (1.0 - score.behaviour_penalty_decay);
        assert!(cost(most) < thresholds.gossip_threshold);
        assert!(cost(most) > thresholds.publish_threshold);
    }
}
