//! Gossip: two topics, and messages that wait for their verdict.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use alloy_primitives::{B256, keccak256};
use libp2p::PeerId;
use libp2p::gossipsub::{
    Behaviour, ConfigBuilder, IdentTopic, IdentityTransform, Message, MessageAuthenticity,
    MessageId, PeerScoreParams, PeerScoreThresholds, TopicHash, TopicScoreParams, ValidationMode,
    WhitelistSubscriptionFilter,
};

use crate::network::{GossipId, Topic};

/// The longest message: announcements take 5 bytes for each transaction, so this is a
/// block of 200,000; no transaction is longer than 128 KiB.
const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// Messages that wait for their verdict. The oldest is let go of when there are more.
const MAX_WAITING: usize = 8_192;

/// How long a message is known again. Longer than any message needs to get everywhere; and
/// the only bound on what is kept of those that come as fast as the line takes them, about
/// 200 bytes of each.
const KNOWN_FOR: Duration = Duration::from_secs(30);

/// Messages that wait to be sent to one peer; a slow one misses what does not fit.
const QUEUE: usize = 1_024;

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

/// Subscribed to both topics.
pub(super) fn behaviour(topics: &Topics) -> Result<Gossip, String> {
    let config = ConfigBuilder::default()
        .validate_messages()
        // Messages are content, not letters: an anonymous one has no author to check.
        .validation_mode(ValidationMode::Anonymous)
        .message_id_fn(message_id)
        .max_transmit_size(MAX_MESSAGE_BYTES)
        .duplicate_cache_time(KNOWN_FOR)
        .heartbeat_initial_delay(Duration::from_millis(200))
        .heartbeat_interval(Duration::from_millis(700))
        .flood_publish(true)
        .connection_handler_queue_len(QUEUE)
        .build()
        .map_err(|error| error.to_string())?;
    let both = HashSet::from([topics.blocks.hash(), topics.transactions.hash()]);
    let filter = WhitelistSubscriptionFilter(both);
    let mut gossip =
        Behaviour::new_with_subscription_filter(MessageAuthenticity::Anonymous, config, filter)?;
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
        behaviour_penalty_weight: -1.0,
        behaviour_penalty_threshold: 6.0,
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

/// Messages that wait for their verdict.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    all: HashMap<GossipId, (MessageId, PeerId)>,
    order: VecDeque<GossipId>,
    next: u64,
}

impl Waiting {
    /// Takes in a message; the one that has to go for it gets no verdict any more.
    pub(super) fn insert(
        &mut self,
        message: MessageId,
        from: PeerId,
    ) -> (GossipId, Option<(MessageId, PeerId)>) {
        let id = GossipId(self.next);
        self.next += 1;
        self.all.insert(id, (message, from));
        self.order.push_back(id);
        let oldest = (self.order.len() > MAX_WAITING).then(|| self.order.pop_front());
        let gone = oldest.flatten().and_then(|oldest| self.all.remove(&oldest));
        (id, gone)
    }

    /// Takes out a message for its verdict.
    pub(super) fn take(&mut self, id: GossipId) -> Option<(MessageId, PeerId)> {
        let taken = self.all.remove(&id);
        // The numbers ascend, so that those that are done with are at the front sooner or later.
        while self
            .order
            .front()
            .is_some_and(|front| !self.all.contains_key(front))
        {
            self.order.pop_front();
        }
        taken
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

    #[test]
    fn what_waits_has_a_bound_and_a_verdict_comes_once() {
        let mut waiting = Waiting::default();
        let peer = PeerId::random();
        let message = |number: usize| MessageId::new(&number.to_be_bytes());
        let (first, gone) = waiting.insert(message(0), peer);
        assert_eq!(gone, None);
        assert_eq!(waiting.take(first), Some((message(0), peer)));
        assert_eq!(waiting.take(first), None);
        let ids: Vec<_> = (0..MAX_WAITING)
            .map(|number| waiting.insert(message(number), peer).0)
            .collect();
        let (_, gone) = waiting.insert(message(MAX_WAITING), peer);
        assert_eq!(gone, Some((message(0), peer)));
        assert_eq!(waiting.take(ids[0]), None);
        for id in &ids[1..] {
            assert!(waiting.take(*id).is_some());
        }
        assert_eq!((waiting.all.len(), waiting.order.len()), (1, 1));
    }
}
