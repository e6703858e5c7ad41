//! Gossip messages that were heard or said, and what becomes of them.
//!
//! libp2p keeps the bytes of each by the time, however many there are. Here they are counted:
//! those that wait for their verdict, and those that were passed on, which others may still
//! ask for.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use libp2p::PeerId;
use libp2p::gossipsub::{Message, MessageAcceptance, MessageId, PublishError, TopicHash};
use tokio::time::Instant;

use super::gossip::Gossip;
use crate::network::{GossipId, Verdict};

/// Messages that wait for their verdict. The oldest is let go of when there are more.
const MAX_WAITING: usize = 8_192;

/// How long others are given what was passed on, should it have been lost on the way to them:
/// they hear of it for three heartbeats.
const OFFERED_FOR: Duration = Duration::from_millis(3_500);

/// Bytes of all that is offered. Full announcements and transactions of ten seconds take less.
const MAX_OFFERED_BYTES: usize = 32 << 20;

/// A message, as libp2p finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Heard {
    id: MessageId,
    /// Who passed it to us, or we ourselves.
    from: PeerId,
    bytes: usize,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Hearsay {
    /// Their numbers ascend: the first has waited longest.
    waiting: BTreeMap<GossipId, Heard>,
    next: u64,
    offered: VecDeque<(Instant, Heard)>,
    offered_bytes: usize,
}

impl Hearsay {
    /// Takes in a message, and numbers it for its verdict. The one that has to go for it gets
    /// none any more.
    pub(super) fn hear(
        &mut self,
        gossip: &mut Gossip,
        id: MessageId,
        from: PeerId,
        message: &Message,
    ) -> GossipId {
        let number = GossipId(self.next);
        self.next += 1;
        let bytes = message.data.len();
        self.waiting.insert(number, Heard { id, from, bytes });
        if self.waiting.len() > MAX_WAITING
            && let Some((_, oldest)) = self.waiting.pop_first()
        {
            let_go(gossip, &oldest);
        }
        number
    }

    /// Who told a message that waits for its verdict.
    pub(super) fn teller(&self, number: GossipId) -> Option<PeerId> {
        self.waiting.get(&number).map(|heard| heard.from)
    }

    /// Does with a message what the verdict over it says; `false` if it should be passed on, and
    /// it is too late for that.
    pub(super) fn judge(
        &mut self,
        gossip: &mut Gossip,
        now: Instant,
        number: GossipId,
        verdict: Verdict,
    ) -> bool {
        let Some(heard) = self.waiting.remove(&number) else {
            return verdict != Verdict::Accept;
        };
        let acceptance = match verdict {
            Verdict::Accept => MessageAcceptance::Accept,
            Verdict::Ignore => MessageAcceptance::Ignore,
            Verdict::Reject => MessageAcceptance::Reject,
        };
        let (id, from) = (&heard.id, &heard.from);
        let found = gossip.report_message_validation_result(id, from, acceptance);
        if verdict != Verdict::Accept {
            return true;
        }
        if found {
            self.offer(gossip, now, heard);
        }
        found
    }

    /// Says something to everybody.
    pub(super) fn say(
        &mut self,
        gossip: &mut Gossip,
        now: Instant,
        own: PeerId,
        topic: TopicHash,
        data: Vec<u8>,
    ) -> Result<(), PublishError> {
        let bytes = data.len();
        let id = gossip.publish(topic, data)?;
        let from = own;
        self.offer(gossip, now, Heard { id, from, bytes });
        Ok(())
    }

    fn offer(&mut self, gossip: &mut Gossip, now: Instant, heard: Heard) {
        self.offered_bytes += heard.bytes;
        self.offered.push_back((now, heard));
        self.age(gossip, now);
    }

    /// Lets go of what has been offered for long enough.
    pub(super) fn age(&mut self, gossip: &mut Gossip, now: Instant) {
        let is_over = |bytes: usize, since: Instant| {
            bytes > MAX_OFFERED_BYTES || now.duration_since(since) >= OFFERED_FOR
        };
        while let Some((_, heard)) = self
            .offered
            .pop_front_if(|(since, _)| is_over(self.offered_bytes, *since))
        {
            self.offered_bytes -= heard.bytes;
            let_go(gossip, &heard);
        }
    }
}

/// Has libp2p forget the bytes. Who sent them is not blamed, and that they are known stays.
fn let_go(gossip: &mut Gossip, heard: &Heard) {
    let ignore = MessageAcceptance::Ignore;
    gossip.report_message_validation_result(&heard.id, &heard.from, ignore);
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use alloy_primitives::B256;
    use futures::StreamExt;
    use libp2p::gossipsub::Event;
    use libp2p::identity::Keypair;
    use libp2p::swarm::{self, SwarmEvent};
    use libp2p::{Multiaddr, Swarm};

    use super::*;
    use crate::network::Topic;
    use crate::network::service::gossip::{Topics, behaviour};
    use crate::network::service::transport;

    fn topics() -> Topics {
        Topics::new(B256::ZERO)
    }

    fn alone() -> Gossip {
        behaviour(&topics()).unwrap()
    }

    fn message(number: usize) -> (MessageId, Message) {
        let data = number.to_be_bytes().to_vec();
        let message = Message {
            source: None,
            sequence_number: None,
            topic: topics().hash(Topic::Blocks),
            data: data.clone(),
        };
        (MessageId::new(&data), message)
    }

    #[test]
    fn a_slow_verdict_is_not_lost_to_many_quick_ones() {
        let (mut gossip, mut hearsay) = (alone(), Hearsay::default());
        let (peer, now) = (PeerId::random(), Instant::now());
        let hear = |hearsay: &mut Hearsay, gossip: &mut Gossip, number| {
            let (id, message) = message(number);
            hearsay.hear(gossip, id, peer, &message)
        };
        let slow = hear(&mut hearsay, &mut gossip, 0);
        for number in 1..2 * MAX_WAITING {
            let quick = hear(&mut hearsay, &mut gossip, number);
            hearsay.judge(&mut gossip, now, quick, Verdict::Ignore);
        }
        assert_eq!(hearsay.waiting.len(), 1);
        for number in 0..MAX_WAITING {
            assert!(hearsay.waiting.contains_key(&slow));
            hear(&mut hearsay, &mut gossip, number);
        }
        assert!(!hearsay.waiting.contains_key(&slow));
        assert_eq!(hearsay.waiting.len(), MAX_WAITING);
        assert!(!hearsay.judge(&mut gossip, now, slow, Verdict::Accept));
    }

    #[test]
    fn what_is_offered_has_a_bound() {
        const HALF: usize = MAX_OFFERED_BYTES / 2;
        let (mut gossip, mut hearsay) = (alone(), Hearsay::default());
        let now = Instant::now();
        let mut offer = |hearsay: &mut Hearsay, now, bytes| {
            let (id, from) = (MessageId::new(&[]), PeerId::random());
            hearsay.offer(&mut gossip, now, Heard { id, from, bytes });
        };
        offer(&mut hearsay, now, HALF);
        offer(&mut hearsay, now, HALF);
        assert_eq!(hearsay.offered.len(), 2);
        offer(&mut hearsay, now, 1);
        assert_eq!(
            (hearsay.offered.len(), hearsay.offered_bytes),
            (2, HALF + 1)
        );
        offer(&mut hearsay, now + OFFERED_FOR, 1);
        assert_eq!((hearsay.offered.len(), hearsay.offered_bytes), (1, 1));
    }

    fn node() -> Swarm<Gossip> {
        let key = Keypair::generate_ed25519();
        let transport = transport::build(&key).unwrap();
        let config = swarm::Config::with_tokio_executor()
            .with_idle_connection_timeout(Duration::from_secs(600));
        Swarm::new(transport, alone(), key.public().to_peer_id(), config)
    }

    async fn listens(node: &mut Swarm<Gossip>) -> Multiaddr {
        node.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap())
            .unwrap();
        loop {
            if let SwarmEvent::NewListenAddr { address, .. } = node.select_next_some().await {
                return address;
            }
        }
    }

    async fn heard(node: &mut Swarm<Gossip>) -> (MessageId, PeerId, Message) {
        loop {
            if let SwarmEvent::Behaviour(Event::Message {
                propagation_source,
                message_id,
                message,
            }) = node.select_next_some().await
            {
                return (message_id, propagation_source, message);
            }
        }
    }

    /// Lives, and looks at it several times a second, as the task does: heartbeats may stay away
    /// where nothing happens.
    async fn lives(node: &mut Swarm<Gossip>) -> Infallible {
        loop {
            let event = node.select_next_some();
            let _ = tokio::time::timeout(Duration::from_millis(100), event).await;
        }
    }

    /// Nobody else can send it to the third: for the second one it is known.
    #[tokio::test]
    async fn a_verdict_that_takes_its_time_passes_a_message_on() {
        let [mut first, mut slow, mut last] = [node(), node(), node()];
        let address = listens(&mut slow).await;
        first.dial(address.clone()).unwrap();
        last.dial(address).unwrap();
        tokio::spawn(async move {
            loop {
                first.select_next_some().await;
                // Until somebody listens.
                let topic = topics().hash(Topic::Blocks);
                let _ = first.behaviour_mut().publish(topic, "news");
            }
        });
        let hearing = tokio::spawn(async move { heard(&mut last).await });
        let mut hearsay = Hearsay::default();
        let (id, from, message) = heard(&mut slow).await;
        let number = hearsay.hear(slow.behaviour_mut(), id, from, &message);
        // Longer than libp2p would keep it by itself.
        let thinking = tokio::time::sleep(Duration::from_secs(5));
        tokio::select! {
            () = thinking => {}
            never = lives(&mut slow) => match never {},
        }
        let now = Instant::now();
        assert!(hearsay.judge(slow.behaviour_mut(), now, number, Verdict::Accept));
        let (_, _, got) = tokio::select! {
            heard = hearing => heard.unwrap(),
            never = lives(&mut slow) => match never {},
        };
        assert_eq!(got.data, message.data);
    }
}
