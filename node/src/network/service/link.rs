//! A bad line on purpose: what peers send comes late, and some gossip is lost. For private
//! networks on one machine, where nobody can ask the system for it.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::random::Random;
use crate::network::Input;

/// Inputs that are on their way. Beyond this gossip is lost.
const MAX_UNDER_WAY: usize = 16_384;

/// How bad the line is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Link {
    /// How long what a peer sends takes in addition, in milliseconds.
    pub latency_ms: u64,
    /// Share of gossip messages that are lost.
    pub loss_percent: u8,
}

impl Link {
    /// Whether it is as good as it is without us.
    pub fn is_plain(self) -> bool {
        self == Self::default()
    }
}

/// What is on its way.
#[derive(Debug)]
pub(super) struct Line {
    link: Link,
    random: Random,
    under_way: VecDeque<(Instant, Input)>,
}

/// What becomes of an input.
#[derive(Debug)]
pub(super) enum Passage {
    /// It is there.
    Arrived(Input),
    /// It comes later.
    UnderWay,
    /// It will not come.
    Lost(Input),
}

impl Line {
    pub(super) fn new(link: Link, random: Random) -> Self {
        Self {
            link,
            random,
            under_way: VecDeque::new(),
        }
    }

    /// Sends something a peer said over the line.
    pub(super) fn send(&mut self, now: Instant, input: Input) -> Passage {
        if self.link.is_plain() {
            return Passage::Arrived(input);
        }
        let is_gossip = matches!(input, Input::Gossip { .. });
        let is_full = self.under_way.len() >= MAX_UNDER_WAY;
        if is_gossip && (is_full || self.random.percent(self.link.loss_percent)) {
            return Passage::Lost(input);
        }
        let due = now + Duration::from_millis(self.link.latency_ms);
        self.under_way.push_back((due, input));
        Passage::UnderWay
    }

    /// When the next input arrives.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.under_way.front().map(|(due, _)| *due)
    }

    /// An input that has arrived.
    pub(super) fn arrived(&mut self, now: Instant) -> Option<Input> {
        let (_, input) = self.under_way.pop_front_if(|(due, _)| *due <= now)?;
        Some(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{GossipId, Peer, Topic};

    fn gossip(id: u64) -> Input {
        Input::Gossip {
            peer: Peer(0),
            id: GossipId(id),
            topic: Topic::Blocks,
            bytes: Vec::new(),
        }
    }

    fn line(latency_ms: u64, loss_percent: u8) -> Line {
        let link = Link {
            latency_ms,
            loss_percent,
        };
        Line::new(link, Random::new(3))
    }

    #[test]
    fn what_is_sent_arrives_later_and_in_order() {
        let now = Instant::now();
        let mut line = line(50, 0);
        for id in 0..3 {
            assert!(matches!(line.send(now, gossip(id)), Passage::UnderWay));
        }
        let due = line.next_due().unwrap();
        assert_eq!(due, now + Duration::from_millis(50));
        assert!(line.arrived(now).is_none());
        for id in 0..3 {
            let arrived = line.arrived(due);
            assert!(matches!(arrived, Some(Input::Gossip { id: GossipId(got), .. }) if got == id));
        }
        assert!(line.arrived(due).is_none());
    }

    #[test]
    fn only_gossip_is_lost() {
        let now = Instant::now();
        let mut line = line(0, 100);
        assert!(matches!(line.send(now, gossip(0)), Passage::Lost(_)));
        assert!(matches!(line.send(now, Input::Tick), Passage::UnderWay));
        let mut plain = Line::new(Link::default(), Random::new(3));
        assert!(matches!(plain.send(now, gossip(0)), Passage::Arrived(_)));
    }
}
