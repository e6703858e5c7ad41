//! What happens on the wires.

use libp2p::core::ConnectedPoint;
use libp2p::request_response::{
    Event as ExchangeEvent, InboundFailure, Message, OutboundFailure, OutboundRequestId,
};
use libp2p::swarm::{ConnectionError, ConnectionId, DialError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, gossipsub, identify, kad, mdns, ping};

use super::address::{ip, is_public, split};
use super::behaviour::BehaviourEvent;
use super::codec::Received;
use super::commands::REMOVED;
use super::sessions::{Answers, Leaving, Session};
use super::task::{Asked, Task};
use super::why;
use crate::clock;
use crate::network::{Fault, InboundId, Input, Request, Response, Status};

/// Addresses that one peer can tell us of itself at a time.
const MAX_TOLD: usize = 8;

type HelloEvent = ExchangeEvent<Received<Status>, Received<Status>>;
type RequestEvent = ExchangeEvent<Received<Request>, Received<Response>>;

impl Task {
    pub(super) fn event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.behaviour(event),
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => self.opened(peer_id, connection_id, &endpoint),
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                cause,
                ..
            } => self.closed(peer_id, connection_id, cause.as_ref()),
            SwarmEvent::OutgoingConnectionError {
                connection_id,
                peer_id,
                error,
            } => self.not_reached(connection_id, peer_id, &error),
            SwarmEvent::IncomingConnectionError {
                send_back_addr,
                error,
                ..
            } => tracing::debug!("a call from {send_back_addr} fails: {error}"),
            SwarmEvent::ListenerClosed { reason, .. } => {
                tracing::error!("peers are not listened for any more: {reason:?}");
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::debug!("a call could not be taken: {error}");
            }
            _ => {}
        }
    }

    fn behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Hello(event) => self.hello_event(event),
            BehaviourEvent::Exchange(event) => self.exchange_event(event),
            BehaviourEvent::Gossip(event) => self.gossip_event(event),
            BehaviourEvent::Identify(event) => self.identify_event(event),
            BehaviourEvent::Ping(event) => self.ping_event(&event),
            BehaviourEvent::Kademlia(event) => self.kademlia_event(event),
            BehaviourEvent::Mdns(event) => self.mdns_event(event),
            BehaviourEvent::Gate(never) => match never {},
        }
    }

    fn opened(&mut self, id: PeerId, connection: ConnectionId, endpoint: &ConnectedPoint) {
        let now_ms = clock::now().ms;
        let inbound = endpoint.is_listener();
        let address = split(endpoint.get_remote_address().clone()).address;
        let is_enough = !inbound && self.sessions.is_settled(now_ms, &id);
        if self.dialer.is_named(connection) {
            self.book.named(&id);
        }
        self.questions.reached(connection, id);
        self.dialer.ended(now_ms, connection, Some(id));
        let opened = self
            .sessions
            .opened(now_ms, id, connection, address, inbound);
        let is_first = opened.is_some();
        if let Some(peer) = opened {
            self.inputs.push_back(Input::Connected { peer });
        } else if let Some(sentence) = self.sessions.get(&id).and_then(Session::sentence) {
            self.questions.settled(&id, &sentence);
        }
        // A dial to its address alone could not be given up, and Kademlia may dial it. It may call.
        let is_removed = !inbound && self.book.is_removed(&id);
        if is_removed && is_first {
            self.leave(&id, REMOVED);
        } else if is_enough || is_removed {
            // Of an old one the other side would think that we have lost it.
            let _ = self.swarm.close_connection(connection);
        }
    }

    /// Leaves peers that have lost a connection and called again. Gossip says only over the first
    /// one what it wants to hear, so the new one alone would stay without; they call once more, and
    /// both sides begin anew.
    pub(super) fn begin_anew(&mut self, now_ms: u64) {
        for id in self.sessions.anew(now_ms) {
            self.leave(&id, "it has lost the connection, and calls again");
        }
    }

    fn closed(&mut self, id: PeerId, connection: ConnectionId, cause: Option<&ConnectionError>) {
        let Some(session) = self.sessions.closed(&id, connection) else {
            return;
        };
        let peer = session.peer;
        self.inputs.push_back(Input::Disconnected { peer });
        let gone = match cause {
            None | Some(ConnectionError::KeepAliveTimeout) => "it closed the connection".to_owned(),
            Some(ConnectionError::IO(error)) => why::broken(error),
        };
        match session.leaving {
            Some(Leaving { why, .. }) => self.questions.settled(&id, &why),
            None if session.ready.is_some() => {
                self.tell(&format!("lost {id}: {gone}"));
                self.last_words.remember(clock::now().ms, id, gone);
            }
            None => {
                let sentence = format!(
                    "{gone} before it said who it is: it may have banned this node, may talk to chosen peers only, or have no place left; its own log tells"
                );
                tracing::debug!("{id}: {sentence}");
                self.questions.settled(&id, &sentence);
                self.book.failed(clock::now().ms, &id);
                self.last_words.remember(clock::now().ms, id, sentence);
            }
        }
    }

    pub(super) fn not_reached(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        error: &DialError,
    ) {
        let now_ms = clock::now().ms;
        let mut sentence = why::dial(error, peer.as_ref());
        let word = peer.and_then(|peer| self.last_words.of(&peer));
        if let (DialError::Transport(_), Some(word)) = (error, word) {
            sentence += &format!("; the last time it was connected: {word}");
        }
        self.questions.failed(connection, &sentence);
        if let Some(address) = self.dialer.ended(now_ms, connection, None) {
            self.warn(&format!(
                "a named peer at {address} is not reached: {sentence}; it is tried again"
            ));
        }
        if let Some(peer) = peer {
            tracing::debug!("{peer} cannot be called: {sentence}");
            if why::is_its_failure(error) {
                self.book.failed(now_ms, &peer);
            }
        }
    }

    fn hello_event(&mut self, event: HelloEvent) {
        match event {
            ExchangeEvent::Message {
                peer: id, message, ..
            } => match message {
                Message::Request {
                    request, channel, ..
                } => self.asked(id, request, Asked::Hello(channel)),
                Message::Response {
                    request_id,
                    response,
                } => self.welcomed(request_id, response),
            },
            ExchangeEvent::OutboundFailure {
                peer: id,
                request_id,
                error,
                ..
            } => {
                if let OutboundFailure::UnsupportedProtocols = error {
                    self.speaks_other_protocol(id);
                }
                self.not_welcomed(request_id);
            }
            ExchangeEvent::InboundFailure { .. } | ExchangeEvent::ResponseSent { .. } => {}
        }
    }

    /// A peer asks who we are, and says who it is.
    fn asked(&mut self, id: PeerId, status: Received<Status>, asked: Asked) {
        let Some(peer) = self.sessions.number(&id) else {
            return;
        };
        match status {
            Ok(status) => {
                let id = self.keep_asked(asked);
                self.said(Input::Hello { peer, id, status });
            }
            Err(fault) => self.fault(id, fault),
        }
    }

    fn keep_asked(&mut self, asked: Asked) -> InboundId {
        let id = InboundId(self.next_asked);
        self.next_asked += 1;
        self.asked.insert(id, asked);
        id
    }

    fn welcomed(&mut self, request: OutboundRequestId, status: Received<Status>) {
        let Some(peer) = self.hellos.remove(&request) else {
            return;
        };
        match status {
            Ok(status) => self.said(Input::Welcome {
                peer,
                status: Some(status),
            }),
            Err(fault) => self.inputs.push_back(Input::Fault { peer, fault }),
        }
    }

    fn not_welcomed(&mut self, request: OutboundRequestId) {
        if let Some(peer) = self.hellos.remove(&request) {
            let status = None;
            self.inputs.push_back(Input::Welcome { peer, status });
        }
    }

    /// It does not know the first word of Cairn's protocol.
    fn speaks_other_protocol(&mut self, id: PeerId) {
        let now_ms = clock::now().ms;
        let why = format!(
            "it does not speak Cairn's protocol {}",
            super::behaviour::HELLO
        );
        self.part(id, &why, now_ms);
        self.book.failed(now_ms, &id);
    }

    pub(super) fn fault(&mut self, id: PeerId, fault: Fault) {
        if let Some(peer) = self.sessions.number(&id) {
            self.inputs.push_back(Input::Fault { peer, fault });
        }
    }

    fn exchange_event(&mut self, event: RequestEvent) {
        match event {
            ExchangeEvent::Message {
                peer: id, message, ..
            } => match message {
                Message::Request {
                    request_id,
                    request,
                    channel,
                } => match (self.sessions.number(&id), request) {
                    (Some(peer), Ok(request)) => {
                        let id = self.keep_asked(Asked::Exchange {
                            peer,
                            id: request_id,
                            channel,
                        });
                        self.said(Input::Request { peer, id, request });
                    }
                    (Some(peer), Err(fault)) => self.inputs.push_back(Input::Fault { peer, fault }),
                    (None, _) => {}
                },
                Message::Response {
                    request_id,
                    response,
                } => self.answered(request_id, response),
            },
            ExchangeEvent::OutboundFailure {
                request_id, error, ..
            } => {
                tracing::debug!("a request is not answered: {error}");
                self.not_answered(request_id);
            }
            ExchangeEvent::InboundFailure {
                request_id, error, ..
            } => {
                if !matches!(error, InboundFailure::ResponseOmission) {
                    tracing::debug!("an answer does not arrive: {error}");
                }
                self.answer_left(request_id);
            }
            ExchangeEvent::ResponseSent { request_id, .. } => self.answer_left(request_id),
        }
    }

    fn answered(&mut self, request: OutboundRequestId, response: Received<Response>) {
        let Some((peer, id)) = self.requests.remove(&request) else {
            return;
        };
        match response {
            Ok(response) => self.said(Input::Response {
                peer,
                id,
                response: Some(response),
            }),
            Err(fault) => {
                self.inputs.push_back(Input::Fault { peer, fault });
                let response = None;
                self.inputs
                    .push_back(Input::Response { peer, id, response });
            }
        }
    }

    fn not_answered(&mut self, request: OutboundRequestId) {
        if let Some((peer, id)) = self.requests.remove(&request) {
            let response = None;
            self.inputs
                .push_back(Input::Response { peer, id, response });
        }
    }

    fn answer_left(&mut self, request: libp2p::request_response::InboundRequestId) {
        if let Some(peer) = self.underway.remove(request) {
            self.inputs.push_back(Input::Served { peer });
        }
    }

    fn gossip_event(&mut self, event: gossipsub::Event) {
        let gossipsub::Event::Message {
            propagation_source,
            message_id,
            message,
        } = event
        else {
            return;
        };
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        let id = self
            .hearsay
            .hear(gossip, message_id, propagation_source, &message);
        let peer = self.sessions.number(&propagation_source);
        let topic = self.topics.which(&message.topic);
        match (peer, topic) {
            (Some(peer), Some(topic)) => self.said(Input::Gossip {
                peer,
                id,
                topic,
                bytes: message.data,
            }),
            _ => self.verdict(id, crate::network::Verdict::Ignore),
        }
    }

    fn ping_event(&mut self, event: &ping::Event) {
        let Some(session) = self.sessions.get_mut(&event.peer) else {
            return;
        };
        let ping_ms = match &event.result {
            Ok(time) => Some(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            // Whoever knows no ping answers other questions.
            Err(ping::Failure::Unsupported) => return,
            // No answer, or none to the wish to ping again, which libp2p tells as `Other`.
            Err(_) => None,
        };
        match session.pinged(event.connection, ping_ms) {
            Answers::Elsewhere => {
                tracing::debug!("{}: one of its connections is dead", event.peer);
                // It has ended by itself if this fails.
                let _ = self.swarm.close_connection(event.connection);
            }
            Answers::Nowhere if session.leaving.is_none() => {
                let why = "it does not answer any more".to_owned();
                session.leaving = Some(Leaving {
                    why: why.clone(),
                    close_ms: 0,
                });
                self.tell(&format!("lost {}: {why}", event.peer));
                self.last_words.remember(clock::now().ms, event.peer, why);
            }
            Answers::Here | Answers::Nowhere => {}
        }
    }

    /// Where a peer says it can be called. What it says counts only for the place that it calls
    /// from, so that nobody fills our book with others' addresses.
    fn identify_event(&mut self, event: identify::Event) {
        let identify::Event::Received { peer_id, info, .. } = event else {
            return;
        };
        let session = self.sessions.get_mut(&peer_id);
        let Some(session) = session.filter(|session| session.is_ready()) else {
            return;
        };
        let Some(from) = session.address().and_then(ip) else {
            return;
        };
        if !session.tells.take(clock::now().ms) {
            return;
        }
        let told = info.listen_addrs.into_iter().take(MAX_TOLD);
        let told = told.map(|address| split(address).address);
        let told = told.filter(|address| ip(address) == Some(from));
        let told = told.filter(|address| self.may_learn(&peer_id, address));
        let told: Vec<_> = told.collect();
        let told = self.book.told(peer_id, told);
        // Kademlia has no bound of its own for the addresses of one peer.
        if let Some(kademlia) = self.swarm.behaviour_mut().kademlia.as_mut() {
            for address in told.news {
                kademlia.add_address(&peer_id, address);
            }
            for address in told.gone {
                kademlia.remove_address(&peer_id, &address);
            }
        }
    }

    fn may_learn(&self, id: &PeerId, address: &Multiaddr) -> bool {
        id != self.swarm.local_peer_id() && (!self.is_public || is_public(address))
    }

    /// Takes in where a peer can be called.
    fn learn(&mut self, id: PeerId, address: Multiaddr) {
        // Kademlia has no bound of its own for the addresses of one peer.
        if self.may_learn(&id, &address)
            && self.book.learn(id, address.clone())
            && let Some(kademlia) = self.swarm.behaviour_mut().kademlia.as_mut()
        {
            kademlia.add_address(&id, address);
        }
    }

    fn kademlia_event(&mut self, event: kad::Event) {
        if let kad::Event::RoutingUpdated {
            peer, addresses, ..
        } = event
        {
            for address in addresses.iter().take(MAX_TOLD) {
                if is_public(address) {
                    self.book.learn(peer, split(address.clone()).address);
                }
            }
        }
    }

    fn mdns_event(&mut self, event: mdns::Event) {
        if let mdns::Event::Discovered(found) = event {
            for (peer, address) in found {
                self.learn(peer, split(address).address);
            }
        }
    }
}
