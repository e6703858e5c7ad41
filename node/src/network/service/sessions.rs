//! The peers that are connected, from the transport's side.

use std::collections::{BTreeMap, HashMap};

use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};

use crate::network::{Peer, Status};

/// Pings in a row without an answer after which a peer is gone.
const MAX_SILENT_PINGS: u32 = 2;

/// One connection.
#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    address: Multiaddr,
    inbound: bool,
}

/// A peer from its first connection to its last.
#[derive(Debug)]
pub(super) struct Session {
    pub peer: Peer,
    pub id: PeerId,
    connections: Vec<Connection>,
    pub since_ms: u64,
    /// What it said when it turned out to fit.
    pub ready: Option<Status>,
    pub ping_ms: Option<u64>,
    silent_pings: u32,
    /// Why it is left, once that is decided, and when its connections are closed at the latest.
    pub leaving: Option<Leaving>,
}

/// How a session ends.
#[derive(Debug, Clone)]
pub(super) struct Leaving {
    pub why: String,
    pub close_ms: u64,
}

impl Session {
    /// The address of its oldest connection.
    pub(super) fn address(&self) -> Option<&Multiaddr> {
        self.connections.first().map(|first| &first.address)
    }

    /// Whether it called us first.
    pub(super) fn is_inbound(&self) -> bool {
        self.connections.first().is_some_and(|first| first.inbound)
    }

    /// Whether it is on our chain and stays.
    pub(super) fn is_ready(&self) -> bool {
        self.ready.is_some() && self.leaving.is_none()
    }

    /// What is to say about it, once that is known.
    pub(super) fn sentence(&self) -> Option<String> {
        match &self.leaving {
            Some(leaving) => Some(leaving.why.clone()),
            None => self.ready.is_some().then(|| "it is connected".to_owned()),
        }
    }

    /// Takes in how a ping went; `false` if the peer does not answer any more.
    pub(super) fn pinged(&mut self, ping_ms: Option<u64>) -> bool {
        match ping_ms {
            Some(_) => {
                self.ping_ms = ping_ms;
                self.silent_pings = 0;
            }
            None => self.silent_pings += 1,
        }
        self.silent_pings < MAX_SILENT_PINGS
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_id: HashMap<PeerId, Session>,
    by_peer: BTreeMap<Peer, PeerId>,
    next: u64,
}

impl Sessions {
    /// Takes in a connection; the peer's number if it is its first.
    pub(super) fn opened(
        &mut self,
        now_ms: u64,
        id: PeerId,
        connection: ConnectionId,
        address: Multiaddr,
        inbound: bool,
    ) -> Option<Peer> {
        let connection = Connection {
            id: connection,
            address,
            inbound,
        };
        if let Some(session) = self.by_id.get_mut(&id) {
            session.connections.push(connection);
            return None;
        }
        let peer = Peer(self.next);
        self.next += 1;
        self.by_peer.insert(peer, id);
        let session = Session {
            peer,
            id,
            connections: vec![connection],
            since_ms: now_ms,
            ready: None,
            ping_ms: None,
            silent_pings: 0,
            leaving: None,
        };
        self.by_id.insert(id, session);
        Some(peer)
    }

    /// Takes in the end of a connection; the session if it was its last.
    pub(super) fn closed(&mut self, id: &PeerId, connection: ConnectionId) -> Option<Session> {
        let session = self.by_id.get_mut(id)?;
        session.connections.retain(|other| other.id != connection);
        if !session.connections.is_empty() {
            return None;
        }
        self.by_peer.remove(&session.peer);
        self.by_id.remove(id)
    }

    /// The session with a peer.
    pub(super) fn get(&self, id: &PeerId) -> Option<&Session> {
        self.by_id.get(id)
    }

    /// The session with a peer.
    pub(super) fn get_mut(&mut self, id: &PeerId) -> Option<&mut Session> {
        self.by_id.get_mut(id)
    }

    /// The session with this number.
    pub(super) fn of(&mut self, peer: Peer) -> Option<&mut Session> {
        let id = self.by_peer.get(&peer)?;
        self.by_id.get_mut(id)
    }

    /// The number of a peer.
    pub(super) fn number(&self, id: &PeerId) -> Option<Peer> {
        self.by_id.get(id).map(|session| session.peer)
    }

    /// All of them, in the order in which they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Session> {
        self.by_peer.values().filter_map(|id| self.by_id.get(id))
    }

    /// Whether there is a connection to this address.
    pub(super) fn at(&self, address: &Multiaddr) -> Option<&Session> {
        self.iter().find(|session| {
            let mut connections = session.connections.iter();
            connections.any(|other| !other.inbound && other.address == *address)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_lasts_from_the_first_connection_to_the_last() {
        let address =
            |port: u16| -> Multiaddr { format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap() };
        let connection = ConnectionId::new_unchecked;
        let id = PeerId::random();
        let mut sessions = Sessions::default();
        let opened = sessions.opened(1, id, connection(1), address(1), false);
        let peer = opened.unwrap();
        assert_eq!(
            sessions.opened(2, id, connection(2), address(2), true),
            None
        );
        assert_eq!(sessions.number(&id), Some(peer));
        assert!(sessions.at(&address(1)).is_some());
        assert!(
            sessions.at(&address(2)).is_none(),
            "that is a port it called from"
        );
        assert!(sessions.closed(&id, connection(1)).is_none());
        assert!(sessions.closed(&id, connection(2)).is_some());
        assert!(sessions.of(peer).is_none());
        let again = sessions.opened(3, id, connection(3), address(1), true);
        assert_ne!(again.unwrap(), peer, "a number is never given twice");
    }

    #[test]
    fn a_peer_that_answers_no_ping_is_gone() {
        let mut sessions = Sessions::default();
        let id = PeerId::random();
        let address = Multiaddr::empty();
        sessions.opened(0, id, ConnectionId::new_unchecked(1), address, true);
        let session = sessions.get_mut(&id).unwrap();
        assert!(session.pinged(None));
        assert!(session.pinged(Some(3)));
        assert!(session.pinged(None));
        assert!(!session.pinged(None));
        assert_eq!(session.ping_ms, Some(3));
    }
}
