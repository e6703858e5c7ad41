//! What goes from node to node: connections, messages with all that befalls them, gossip.

use alloy_primitives::{B256, keccak256};
use cairn_node::network::check;
use cairn_node::network::limits::BAN_MS;
use cairn_node::network::serve::AtHand;
use cairn_node::network::{
    Fault, Goodbye, GossipId, InboundId, Input, Output, Peer, Request, Topic, Verdict,
};
use rand::Rng;

use super::checks;
use super::lies::{self, Lie};
use super::wire::{Message, Question, Read};
use super::work::Job;
use super::world::{Happening, World};

/// How long the two ends of a connection that was left because of an invalid chain do not call
/// each other: as a real node, which waits longer after each call that was no good.
const LEFT_MS: u64 = 10_000;

/// A connection.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    /// Who, and as whom the one knows the other.
    ends: [(usize, Peer); 2],
}

impl Link {
    /// The other end, and as whom it is known there.
    fn other(&self, node: usize) -> (usize, Peer) {
        let [a, b] = self.ends;
        if a.0 == node { (b.0, b.1) } else { (a.0, a.1) }
    }

    /// As whom `node` knows the other end.
    fn peer_at(&self, node: usize) -> Peer {
        let [a, b] = self.ends;
        if a.0 == node { a.1 } else { b.1 }
    }
}

impl World {
    /// Connects those who should be and are not, and breaks what a partition breaks.
    pub(super) fn dial(&mut self) {
        for (id, link) in self.links.clone() {
            let [(a, _), (b, _)] = link.ends;
            if self.parted(a, b).is_some_and(|breaks| breaks) {
                self.close(id);
            }
        }
        for (a, b) in self.scenario.links.clone() {
            let connected = self.nodes[a]
                .links
                .values()
                .any(|id| self.links[id].other(a).0 == b);
            let up = self.nodes[a].running.is_some() && self.nodes[b].running.is_some();
            let banned = |x: usize, y: usize| {
                self.nodes[x]
                    .banned
                    .get(&y)
                    .is_some_and(|until_ms| *until_ms > self.now_ms)
            };
            if up && !connected && self.parted(a, b).is_none() && !banned(a, b) && !banned(b, a) {
                self.connect(a, b);
            }
        }
    }

    /// Whether a partition stands between two nodes, and if so whether it breaks links.
    fn parted(&self, a: usize, b: usize) -> Option<bool> {
        let now_ms = self.now_ms;
        let partitions = self.scenario.partitions.iter();
        let mut current = partitions.filter(|p| p.from_ms <= now_ms && now_ms < p.to_ms);
        current.find(|p| p.side[a] != p.side[b]).map(|p| p.breaks)
    }

    fn connect(&mut self, a: usize, b: usize) {
        self.next_link += 1;
        let id = self.next_link;
        let (peer_at_a, peer_at_b) = (Peer(self.nodes[a].number()), Peer(self.nodes[b].number()));
        let link = Link {
            ends: [(a, peer_at_a), (b, peer_at_b)],
        };
        self.links.insert(id, link);
        self.nodes[a].links.insert(peer_at_a, id);
        self.nodes[b].links.insert(peer_at_b, id);
        self.input(a, Input::Connected { peer: peer_at_a });
        self.input(b, Input::Connected { peer: peer_at_b });
    }

    pub(super) fn close(&mut self, id: u64) {
        if let Some(link) = self.links.remove(&id) {
            for (node, peer) in link.ends {
                if self.nodes[node].links.remove(&peer).is_some() {
                    self.after(0, Happening::Lost { node, peer });
                }
            }
        }
    }

    pub(super) fn output(&mut self, node: usize, output: Output) {
        match output {
            Output::Hello { peer, status } => {
                self.send_to(node, peer, Message::Hello(status.encode()));
            }
            Output::Welcome { id, status } => {
                if let Some(question) = self.nodes[node].questions.remove(&id) {
                    self.send(
                        node,
                        question.link,
                        Message::Welcome(Some(status.encode())),
                        None,
                    );
                }
            }
            Output::Request { peer, id, request } => {
                self.send_to(node, peer, Message::Request(id, request.encode()));
            }
            Output::Serve {
                peer,
                id,
                request,
                at_hand,
            } => {
                let epoch = self.nodes[node].epoch;
                let serve = Happening::Serve {
                    node,
                    epoch,
                    peer,
                    id,
                    request,
                    at_hand,
                };
                let wait_ms = self.rng.random_range(0..40);
                self.after(wait_ms, serve);
            }
            Output::Refuse { id } => self.respond(node, id, None, None),
            // What has passed once is not told again, also by the node itself.
            Output::Publish { topic, bytes } => {
                if self.nodes[node].first_sees(self.now_ms, gossip_id(topic, &bytes)) {
                    self.spread(node, topic, bytes, None);
                }
            }
            Output::Verdict { peer, id, verdict } => {
                let message = self.nodes[node].gossip.remove(&id);
                if let (Some((topic, bytes)), Verdict::Accept) = (message, verdict) {
                    self.spread(node, topic, bytes, Some(peer));
                }
            }
            Output::Ready { .. } => {}
            Output::Disconnect { peer, why } => self.leave(node, peer, &why),
            Output::Ban { peer, fault } => self.ban(node, peer, &fault),
            Output::Check(check) => {
                let checked = check::run(&self.spec, check);
                let epoch = self.nodes[node].epoch;
                let wait_ms = self.rng.random_range(0..30);
                self.after(
                    wait_ms,
                    Happening::Checked {
                        node,
                        epoch,
                        checked,
                    },
                );
            }
            Output::Admit { token, transaction } => {
                self.give(node, Job::admit(token, transaction));
            }
            Output::Import {
                blocks,
                proven_work,
            } => self.give(node, Job::import(blocks, proven_work)),
        }
    }

    /// Answers a question, and says so.
    pub(super) fn serve(
        &mut self,
        node: usize,
        peer: Peer,
        id: InboundId,
        request: &Request,
        at_hand: Option<&AtHand>,
    ) {
        let response = self.answer(node, request, at_hand);
        let bytes = response.map(|response| response.encode());
        self.respond(node, id, bytes, Some(request));
        self.input(node, Input::Served { peer });
    }

    fn leave(&mut self, node: usize, peer: Peer, why: &Goodbye) {
        let Some(id) = self.nodes[node].links.get(&peer).copied() else {
            return;
        };
        let other = self.links[&id].other(node).0;
        if self.are_honest(node, other) {
            checks::leaving(self.now_ms, self.scenario.heal_ms, why);
        }
        if let Goodbye::InvalidChain(_) = why {
            self.summary.invalid_chains += 1;
            let left_until_ms = self.now_ms + LEFT_MS;
            self.nodes[node].banned.insert(other, left_until_ms);
        }
        self.close(id);
    }

    fn are_honest(&self, a: usize, b: usize) -> bool {
        self.nodes[a].lie.is_none() && self.nodes[b].lie.is_none()
    }

    fn ban(&mut self, node: usize, peer: Peer, fault: &Fault) {
        let Some(id) = self.nodes[node].links.get(&peer).copied() else {
            return;
        };
        let other = self.links[&id].other(node).0;
        if self.nodes[node].lie.is_none() {
            assert!(
                self.nodes[other].lie.is_some(),
                "honest node {node} bans honest node {other} at {} ms: {fault}",
                self.now_ms
            );
            if let Some(lie) = self.nodes[other].lie {
                *self.summary.bans.entry(lie).or_default() += 1;
            }
        }
        self.nodes[node].banned.insert(other, self.now_ms + BAN_MS);
        self.close(id);
    }

    fn respond(
        &mut self,
        node: usize,
        id: InboundId,
        bytes: Option<Vec<u8>>,
        asked: Option<&Request>,
    ) {
        let Some(Question { link, request }) = self.nodes[node].questions.remove(&id) else {
            return;
        };
        let message = match request {
            Some(request) => Message::Response(request, bytes),
            None => Message::Welcome(None),
        };
        self.send(node, link, message, asked);
    }

    /// Tells all peers but the one that it comes from.
    pub(super) fn spread(&mut self, node: usize, topic: Topic, bytes: Vec<u8>, from: Option<Peer>) {
        let peers: Vec<_> = self.nodes[node].links.keys().copied().collect();
        for peer in peers.into_iter().filter(|peer| Some(*peer) != from) {
            self.send_to(node, peer, Message::Gossip(topic, bytes.clone()));
        }
    }

    fn send_to(&mut self, node: usize, peer: Peer, message: Message) {
        if let Some(link) = self.nodes[node].links.get(&peer) {
            self.send(node, *link, message, None);
        }
    }

    fn send(&mut self, node: usize, id: u64, message: Message, asked: Option<&Request>) {
        let Some(link) = self.links.get(&id).copied() else {
            return;
        };
        let to = link.other(node).0;
        if matches!(message, Message::Hello(_)) && self.are_honest(node, to) {
            self.hellos.count(self.now_ms, node, to);
        }
        let message = match self.nodes[node].lie {
            Some(Lie::InvalidBlocks) => Some(self.nodes[node].claim(message)),
            Some(lie) => lie.twist(&mut self.rng, asked, message),
            None => Some(message),
        };
        let drags = self.nodes[node].lie.is_some_and(|lie| lie.drags(asked));
        let lost = self.parted(node, to).is_some() || self.rng.random_bool(self.scenario.loss);
        let (Some(message), false) = (message, lost) else {
            return;
        };
        let copies = 1 + usize::from(self.rng.random_bool(self.scenario.duplication));
        for _ in 0..copies {
            let (least, most) = self.scenario.delay_ms;
            let wait_ms = match drags {
                // The question may have taken that long.
                true => lies::DRAG_MS - most,
                false => self.rng.random_range(least..=most),
            };
            let message = message.clone();
            self.after(
                wait_ms,
                Happening::Deliver {
                    link: id,
                    to,
                    message,
                },
            );
        }
    }

    pub(super) fn deliver(&mut self, id: u64, to: usize, message: Message) {
        let Some(link) = self.links.get(&id).copied() else {
            return;
        };
        self.summary.messages += 1;
        let line = format!("{:?}{}{to}{message:?}", self.summary.digest, self.now_ms);
        self.summary.digest = keccak256(line);
        let peer = link.peer_at(to);
        let read = match message.read() {
            Ok(read) => read,
            Err(error) => {
                let fault = error.into();
                return self.input(to, Input::Fault { peer, fault });
            }
        };
        let input = match read {
            Read::Hello(status) => {
                let question = Question {
                    link: id,
                    request: None,
                };
                let id = self.nodes[to].question(question);
                Input::Hello { peer, id, status }
            }
            Read::Welcome(status) => Input::Welcome { peer, status },
            Read::Request(number, request) => {
                let question = Question {
                    link: id,
                    request: Some(number),
                };
                let id = self.nodes[to].question(question);
                Input::Request { peer, id, request }
            }
            Read::Response(id, response) => Input::Response { peer, id, response },
            Read::Gossip(topic, bytes) => {
                if !self.nodes[to].first_sees(self.now_ms, gossip_id(topic, &bytes)) {
                    return;
                }
                let id = GossipId(self.nodes[to].number());
                self.nodes[to].gossip.insert(id, (topic, bytes.clone()));
                Input::Gossip {
                    peer,
                    id,
                    topic,
                    bytes,
                }
            }
        };
        self.input(to, input);
    }
}

fn gossip_id(topic: Topic, bytes: &[u8]) -> B256 {
    let tag = match topic {
        Topic::Blocks => 0u8,
        Topic::Transactions => 1,
    };
    keccak256([&[tag], bytes].concat())
}
