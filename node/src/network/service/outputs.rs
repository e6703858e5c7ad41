//! What the machine wants done.

use std::panic;

use libp2p::PeerId;
use libp2p::gossipsub::PublishError;
use tokio::time::Instant;

use super::ToCore;
use super::address::foreign_ip;
use super::serving::{Place, Read};
use super::sessions::Leaving;
use super::task::{Asked, Task};
use super::useless::Loudest;
use crate::clock;
use crate::network::limits::BAN_MS;
use crate::network::{
    Fault, Goodbye, GossipId, InboundId, Input, Output, Peer, Request, RequestId, Response, Status,
    Topic, Verdict,
};
use crate::store::StoreError;

/// How long a connection stands after the decision to end it, so that the other side gets our
/// status and can say itself why we do not fit.
const FAREWELL_MS: u64 = 1_000;

impl Task {
    pub(super) fn output(&mut self, output: Output) {
        match output {
            Output::Hello { peer, status } => self.hello(peer, status),
            Output::Welcome { id, status } => self.welcome(id, status),
            Output::Request { peer, id, request } => self.request(peer, id, request),
            Output::Serve {
                id,
                request,
                at_hand,
                ..
            } => self.serving.begin(id, request, at_hand),
            Output::Refuse { id } => drop(self.asked.remove(&id)),
            Output::Publish { topic, bytes } => self.publish(topic, bytes),
            Output::Verdict { id, verdict, .. } => self.verdict(id, verdict),
            Output::Ready { peer, status } => self.ready(peer, status),
            Output::Disconnect { peer, why } => self.disconnect(peer, &why),
            Output::Ban { peer, fault } => self.ban(peer, &fault),
            Output::Check(check) => self.checks.begin(check),
            Output::Admit { token, transaction } => {
                self.to_core(ToCore::Admit { token, transaction });
            }
            Output::Import {
                blocks,
                proven_work,
            } => self.to_core(ToCore::Import {
                blocks,
                proven_work,
            }),
        }
    }

    fn to_core(&self, message: ToCore) {
        if !(self.parts.core)(message) {
            tracing::debug!("the core has ended");
        }
    }

    fn hello(&mut self, peer: Peer, status: Status) {
        let Some(session) = self.sessions.of(peer) else {
            return;
        };
        let hello = &mut self.swarm.behaviour_mut().hello;
        let id = hello.send_request(&session.id, Ok(status));
        self.hellos.insert(id, peer);
    }

    fn welcome(&mut self, id: InboundId, status: Status) {
        if let Some(Asked::Hello(channel)) = self.asked.remove(&id) {
            let hello = &mut self.swarm.behaviour_mut().hello;
            // Who has gone in the meantime gets no answer.
            let _ = hello.send_response(channel, Ok(status));
        }
    }

    fn request(&mut self, peer: Peer, id: RequestId, request: Request) {
        let Some(session) = self.sessions.of(peer) else {
            let response = None;
            return self
                .inputs
                .push_back(Input::Response { peer, id, response });
        };
        let exchange = &mut self.swarm.behaviour_mut().exchange;
        let sent = exchange.send_request(&session.id, Ok(request));
        self.requests.insert(sent, (peer, id));
    }

    /// Sends an answer that has been read. While the chain is being reorganized there is none,
    /// and the peer is told so.
    ///
    /// # Errors
    /// Our own failure.
    ///
    /// # Panics
    /// The reader did: a bug ends the node, wherever it shows.
    pub(super) fn served(
        &mut self,
        id: InboundId,
        read: Read,
        place: Place,
    ) -> Result<(), StoreError> {
        let answer = match read {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(StoreError::Reorganizing)) => None,
            Ok(Err(error)) => return Err(error),
            Err(bug) => panic::resume_unwind(bug.into_panic()),
        };
        let Some(Asked::Exchange { peer, id, channel }) = self.asked.remove(&id) else {
            return Ok(());
        };
        let bytes = answer.as_ref().map_or(0, Response::size_bytes);
        let exchange = &mut self.swarm.behaviour_mut().exchange;
        match answer.map(|answer| exchange.send_response(channel, Ok(answer))) {
            Some(Ok(())) => {
                let unread = self.underway.insert(id, peer, bytes);
                if !unread.is_empty() {
                    self.kept_places.push(place);
                }
                unread.into_iter().for_each(|peer| self.unread(peer));
            }
            _ => self.inputs.push_back(Input::Served { peer }),
        }
        Ok(())
    }

    /// Leaves a peer that does not read what it asked for: its answers would take the room of
    /// those of others.
    fn unread(&mut self, peer: Peer) {
        let now_ms = clock::now().ms;
        let Some(session) = self.sessions.of(peer) else {
            return;
        };
        let id = session.id;
        self.part(id, "it does not read our answers", now_ms);
        // Nothing to answer to: it is not connected if this fails.
        let _ = self.swarm.disconnect_peer_id(id);
    }

    fn publish(&mut self, topic: Topic, bytes: Vec<u8>) {
        let (own, topic) = (*self.swarm.local_peer_id(), self.topics.hash(topic));
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        let said = self.hearsay.say(gossip, Instant::now(), own, topic, bytes);
        match said {
            // What was heard already and not passed on, the machine tells peers otherwise.
            Ok(()) | Err(PublishError::Duplicate | PublishError::NoPeersSubscribedToTopic) => {}
            Err(error) => tracing::debug!("a message is not published: {error}"),
        }
    }

    pub(super) fn verdict(&mut self, id: GossipId, verdict: Verdict) {
        let now = Instant::now();
        let teller = self.hearsay.teller(id);
        if let Some(teller) = teller.filter(|_| verdict != Verdict::Accept) {
            self.of_no_use(now, teller);
        }
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        if !self.hearsay.judge(gossip, now, id, verdict) {
            tracing::debug!("a message is found good too late to be passed on");
        }
    }

    /// Takes in that a peer told something of no use; whoever tells too much of it pays.
    fn of_no_use(&mut self, now: Instant, teller: PeerId) {
        let sessions = &self.sessions;
        let stays = |id: &PeerId| {
            let session = sessions.get(id);
            session.is_some_and(|session| session.leaving.is_none())
        };
        match self.useless.count(now, teller, stays) {
            None => {}
            Some(loudest) if loudest.to_blame => self.fault(loudest.id, Fault::Noise),
            Some(Loudest { id, .. }) => {
                self.part(id, &Fault::Noise.to_string(), clock::now().ms);
                // Nothing to answer to: it is not connected if this fails.
                let _ = self.swarm.disconnect_peer_id(id);
            }
        }
    }

    fn ready(&mut self, peer: Peer, status: Status) {
        let now_ms = clock::now().ms;
        let Some(session) = self.sessions.of(peer) else {
            return;
        };
        let (id, address, inbound) = (session.id, session.address().cloned(), session.is_inbound());
        let line = format!(
            "connected with {id} ({}, at block {}), {} over {}",
            printable(&status.client),
            status.number,
            if inbound { "which called" } else { "called" },
            address.as_ref().map_or("", super::address::transport),
        );
        session.ready = Some(status);
        self.tell(&line);
        self.dialer.fits(&id);
        if let Some(address) = address.filter(|_| !inbound) {
            self.book.reached(now_ms, id, address);
        }
        self.questions.settled(&id, "it is connected");
    }

    fn disconnect(&mut self, peer: Peer, why: &Goodbye) {
        let now_ms = clock::now().ms;
        let Some(session) = self.sessions.of(peer) else {
            return;
        };
        let id = session.id;
        self.part(id, &printable(&why.to_string()), now_ms + FAREWELL_MS);
        self.book.failed(now_ms, &id);
    }

    /// Decides that a peer is left, and tells why. Its connections end at that time at the latest.
    pub(super) fn part(&mut self, id: PeerId, why: &str, close_ms: u64) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let address = session.address();
        let place = address.map_or_else(String::new, |address| format!(" at {address}"));
        session.leaving = Some(Leaving {
            why: why.to_owned(),
            close_ms,
        });
        self.questions.settled(&id, why);
        let now_ms = clock::now().ms;
        if self.last_words.remember(now_ms, id, why.to_owned()) {
            self.warn(&format!("leaving {id}{place}: {why}"));
        }
    }

    fn ban(&mut self, peer: Peer, fault: &Fault) {
        let now_ms = clock::now().ms;
        let Some(session) = self.sessions.of(peer) else {
            return;
        };
        let (id, why) = (session.id, printable(&fault.to_string()));
        let ip = session.address().and_then(foreign_ip);
        let sentence = format!("it is banned: {why}");
        session.leaving = Some(Leaving {
            why: sentence.clone(),
            close_ms: now_ms,
        });
        let bans = &mut self.swarm.behaviour_mut().gate.bans;
        bans.add(id, ip, &why, now_ms.saturating_add(BAN_MS));
        self.warn(&format!("banned {id} for {} min: {why}", BAN_MS / 60_000));
        self.questions.settled(&id, &sentence);
        self.last_words.remember(now_ms, id, sentence);
        self.book.forget(&id);
        // Nothing to answer to: it is not connected if this fails.
        let _ = self.swarm.disconnect_peer_id(id);
    }

    /// A line for people. What strangers do can fill a log only so fast.
    pub(super) fn tell(&mut self, line: &str) {
        match self.lines.take(clock::now().ms) {
            true => tracing::info!("{line}"),
            false => tracing::debug!("{line}"),
        }
    }

    /// The same for what the operator may want to do something about.
    pub(super) fn warn(&mut self, line: &str) {
        match self.lines.take(clock::now().ms) {
            true => tracing::warn!("{line}"),
            false => tracing::debug!("{line}"),
        }
    }

    /// Closes what has been left for long enough.
    pub(super) fn close_leaving(&mut self, now_ms: u64) {
        let overdue = self.sessions.iter().filter(|session| {
            let leaving = session.leaving.as_ref();
            // A clock that was set back is no reason to stay.
            leaving.is_some_and(|leaving| {
                leaving.close_ms <= now_ms || leaving.close_ms > now_ms + FAREWELL_MS
            })
        });
        let overdue: Vec<_> = overdue.map(|session| session.id).collect();
        for id in overdue {
            // It has gone by itself if this fails.
            let _ = self.swarm.disconnect_peer_id(id);
        }
    }
}

/// What a stranger says, without what would disturb a terminal.
pub(super) fn printable(text: &str) -> String {
    let show = |letter: char| match letter {
        ' ' => true,
        letter => !letter.is_control() && !letter.is_whitespace(),
    };
    text.chars()
        .map(|letter| if show(letter) { letter } else { '?' })
        .collect()
}
