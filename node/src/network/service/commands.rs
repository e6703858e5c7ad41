//! What the operator wants, and whom to dial.

use std::collections::BTreeSet;

use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot;

use super::address::{self, Place};
use super::behaviour::HELLO;
use super::gossip::protocol;
use super::handle::{Command, NodeInfo, PeerInfo};
use super::outputs::printable;
use super::sessions::{Leaving, Session};
use super::task::Task;
use super::{start, why};
use crate::clock;
use crate::core::Now;

/// Why a peer is left that the operator removed.
pub(super) const REMOVED: &str = "the operator removed it";

impl Task {
    /// An answer that nobody waits for any more is dropped.
    pub(super) fn command(&mut self, command: Command) {
        match command {
            Command::Info { reply } => drop(reply.send(self.info())),
            Command::Peers { reply } => drop(reply.send(self.peers())),
            Command::AddPeer { address, reply } => drop(reply.send(self.add_peer(&address))),
            Command::RemovePeer { peer, reply } => drop(reply.send(self.remove_peer(&peer))),
            Command::Bans { reply } => {
                let bans = &self.swarm.behaviour().gate.bans;
                drop(reply.send(bans.list(clock::now().ms)));
            }
            Command::Unban { subject, reply } => drop(reply.send(self.unban(&subject))),
            Command::OnlyPeers { peers, reply } => drop(reply.send(self.only_peers(peers))),
            Command::Why { address, reply } => self.why(&address, reply),
        }
    }

    fn info(&self) -> NodeInfo {
        let gate = &self.swarm.behaviour().gate;
        let only = gate.only.as_ref();
        let genesis = self.parts.spec.genesis_hash();
        let exchange = protocol(genesis, "exchange");
        let protocols = [HELLO.to_owned(), exchange].into_iter();
        NodeInfo {
            id: self.swarm.local_peer_id().to_string(),
            client: self.parts.client.clone(),
            addresses: start::addresses(&self.swarm),
            protocols: protocols.chain(self.topics.names()).collect(),
            max_peers: self.config.max_peers,
            only_peers: only.map(|only| only.iter().map(PeerId::to_string).collect()),
        }
    }

    fn peers(&mut self) -> Vec<PeerInfo> {
        let views = self.network.peers(clock::time());
        let info = |view: crate::network::PeerView| {
            let session = self.sessions.of(view.peer)?;
            let status = session.ready.as_ref()?;
            Some(PeerInfo {
                id: session.id.to_string(),
                address: session
                    .address()
                    .map_or_else(String::new, whole(&session.id)),
                inbound: session.is_inbound(),
                client: printable(&status.client),
                protocol: status.protocol,
                head: view.head,
                number: view.number,
                work: view.work,
                points: view.points,
                since_ms: session.since_ms,
                ping_ms: session.ping_ms,
            })
        };
        views.into_iter().filter_map(info).collect()
    }

    fn add_peer(&mut self, text: &str) -> Result<(), String> {
        let place = address::parse(text)?;
        if self.is_ours(&place) {
            return Err(why::OURSELVES.to_owned());
        }
        if let Some(peer) = &place.peer {
            self.book.named(peer);
        }
        self.dialer.keep(place)?;
        self.dial_due(clock::now());
        Ok(())
    }

    fn remove_peer(&mut self, text: &str) -> Result<bool, String> {
        let (peer, place) = match address::peer_id(text) {
            Ok(peer) => (Some(peer), None),
            Err(error) => {
                let place = address::parse(text).map_err(|_| error)?;
                let session = self.sessions.at(&place.address);
                let peer = session.map(|session| session.id);
                (peer.or_else(|| self.book.at(&place.address)), Some(place))
            }
        };
        let is_it =
            |kept: &Place| Some(kept) == place.as_ref() || (peer.is_some() && kept.peer == peer);
        let mut known = self.dialer.forget(is_it, peer.as_ref());
        if let Some(peer) = peer {
            known |= self.book.remove(peer);
            known |= self.leave(&peer, REMOVED);
            // Also ends a dial that is under way. It is not connected if this fails.
            let _ = self.swarm.disconnect_peer_id(peer);
            if let Some(kademlia) = self.swarm.behaviour_mut().kademlia.as_mut() {
                kademlia.remove_peer(&peer);
            }
        }
        Ok(known)
    }

    /// Ends the connection with a peer; whether there was one.
    pub(super) fn leave(&mut self, peer: &PeerId, why: &str) -> bool {
        let Some(session) = self.sessions.get_mut(peer) else {
            return false;
        };
        session.leaving = Some(Leaving {
            why: why.to_owned(),
            close_ms: 0,
        });
        self.tell(&format!("leaving {peer}: {why}"));
        self.last_words
            .remember(clock::now().ms, *peer, why.to_owned());
        self.swarm.disconnect_peer_id(*peer).is_ok()
    }

    fn unban(&mut self, subject: &str) -> Result<bool, String> {
        let subject = address::banned(subject)?;
        let bans = &mut self.swarm.behaviour_mut().gate.bans;
        Ok(bans.lift(clock::now().ms, &subject))
    }

    fn only_peers(&mut self, peers: Option<Vec<String>>) -> Result<(), String> {
        let only = match peers {
            None => None,
            Some(peers) => {
                let ids = peers.iter().map(|text| address::peer_id(text));
                Some(ids.collect::<Result<BTreeSet<_>, _>>()?)
            }
        };
        let allowed = |peer: &PeerId| only.as_ref().is_none_or(|only| only.contains(peer));
        let others = self.sessions.iter().map(|session| session.id);
        let others: Vec<_> = others.filter(|peer| !allowed(peer)).collect();
        self.swarm.behaviour_mut().gate.only = only;
        for peer in others {
            self.leave(&peer, "it is not among the peers that the operator allows");
        }
        Ok(())
    }

    fn why(&mut self, text: &str, reply: oneshot::Sender<Result<String, String>>) {
        let place = match self.known_or_place(text) {
            Ok(place) => place,
            // Who has gone does not want to know any more.
            Err(answer) => return drop(reply.send(answer)),
        };
        let options = dial_options(place.peer, vec![place.address], PeerCondition::Always);
        let connection = options.connection_id();
        self.questions.ask(clock::now().ms, connection, reply);
        if let Err(error) = self.swarm.dial(options) {
            self.not_reached(connection, place.peer, &error);
        }
    }

    /// Where to dial, or else the answer.
    fn known_or_place(&self, text: &str) -> Result<Place, Result<String, String>> {
        let place = address::parse(text).map_err(Err)?;
        if let Some(sentence) = self.known_why(&place) {
            return Err(Ok(sentence));
        }
        match self.questions.has_room() {
            true => Ok(place),
            false => Err(Err(
                "too many such questions are open; ask again later".to_owned()
            )),
        }
    }

    /// Whether we are there ourselves.
    fn is_ours(&self, place: &Place) -> bool {
        place.peer.as_ref() == Some(self.swarm.local_peer_id())
            || self.swarm.listeners().any(|own| *own == place.address)
    }

    /// What can be told without dialing.
    fn known_why(&self, place: &Place) -> Option<String> {
        let gate = &self.swarm.behaviour().gate;
        let (peer, address) = (place.peer.as_ref(), &place.address);
        if self.is_ours(place) {
            return Some(why::OURSELVES.to_owned());
        }
        let session = match peer {
            Some(peer) => self.sessions.get(peer),
            None => self.sessions.at(address),
        };
        if let Some(sentence) = session.and_then(Session::sentence) {
            return Some(sentence);
        }
        if peer.is_some_and(|peer| self.book.is_removed(peer)) {
            return Some(format!("{REMOVED}; `cairn peer add` takes it back"));
        }
        let refused = gate.objection(peer, address).or_else(|| gate.is_full());
        refused.map(|refused| format!("this node refuses it: {refused}"))
    }

    /// Dials whoever is due.
    pub(super) fn dial_due(&mut self, now: Now) {
        let gate = &self.swarm.behaviour().gate;
        if gate.is_full().is_some() {
            return;
        }
        let outbound = gate.outbound();
        let (sessions, own) = (&self.sessions, *self.swarm.local_peer_id());
        // So also of whom we refuse, and of ourselves.
        let is_connected = |place: &Place, found: Option<&PeerId>| {
            let known = [place.peer.as_ref(), found].into_iter().flatten();
            let mut known = known.filter(|peer| {
                let refused = gate.objection(Some(peer), &place.address).is_some();
                refused || **peer == own || sessions.get(peer).is_some()
            });
            known.next().is_some() || sessions.at(&place.address).is_some()
        };
        let dials = self.dialer.due(now.ms, &outbound, &self.book, is_connected);
        for dial in dials {
            let condition = PeerCondition::DisconnectedAndNotDialing;
            let options = dial_options(dial.peer, dial.addresses.clone(), condition);
            let connection = options.connection_id();
            self.dialer.begun(&dial, connection);
            if let Err(error) = self.swarm.dial(options) {
                self.not_reached(connection, dial.peer, &error);
            }
        }
    }
}

/// An address with the peer id at its end.
fn whole(peer: &PeerId) -> impl Fn(&Multiaddr) -> String {
    move |address| format!("{address}/p2p/{peer}")
}

/// From a port of its own: the one that we listen on cannot be used twice towards one peer.
fn dial_options(
    peer: Option<PeerId>,
    mut addresses: Vec<Multiaddr>,
    condition: PeerCondition,
) -> DialOpts {
    match (peer, addresses.pop()) {
        (None, Some(address)) => DialOpts::unknown_peer_id()
            .address(address)
            .allocate_new_port()
            .build(),
        (None, None) => DialOpts::unknown_peer_id()
            .address(Multiaddr::empty())
            .build(),
        (Some(peer), last) => {
            addresses.extend(last);
            DialOpts::peer_id(peer)
                .condition(condition)
                .addresses(addresses)
                .allocate_new_port()
                .build()
        }
    }
}
