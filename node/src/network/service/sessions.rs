//! The peers that are connected, from the transport's side.

use std::collections::{BTreeMap, HashMap};

use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};

use crate::network::bucket::Bucket;
use crate::network::{Peer, Status};

/// Pings in a row without an answer after which a connection is dead.
const MAX_SILENT_PINGS: u32 = 2;

/// The age from which a connection is known to both sides, where it is alive. Two nodes that dial
/// each other at the same moment have their second one earlier: a handshake ends in 10 seconds.
const SETTLED_MS: u64 = 15_000;

/// How long a call must last to count: who looked for somebody else at our address hangs up
/// before.
const LASTING_MS: u64 = 2_000;

/// How often a peer may say where it can be called, on average and at once. Honest ones do every
/// five minutes and when it changes; each time the address book is searched.
const TELLS_PER_S: u64 = 1;
const TELL_BURST: u64 = 8;

/// One connection.
#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    address: Multiaddr,
    inbound: bool,
    since_ms: u64,
    silent_pings: u32,
    /// Whether it is a call of a peer with which another one had stood for long: the peer does not
    /// know of that one any more, as after a restart or with a new address.
    is_anew: bool,
}

/// Where a peer answers, after a ping over one of its connections.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// Over that one, as far as is known.
    Here,
    /// Not any more over that one, but over another.
    Elsewhere,
    /// Over none.
    Nowhere,
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
    /// How often it may say where it can be called.
    pub tells: Bucket,
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

    /// Takes in how a ping went. Each connection counts for itself: one that is alive says
    /// nothing of another.
    pub(super) fn pinged(&mut self, connection: ConnectionId, ping_ms: Option<u64>) -> Answers {
        let mut connections = self.connections.iter_mut();
        let Some(pinged) = connections.find(|other| other.id == connection) else {
            return Answers::Here;
        };
        pinged.silent_pings = match ping_ms {
            Some(_) => 0,
            None => pinged.silent_pings + 1,
        };
        let is_dead = pinged.is_dead();
        self.ping_ms = ping_ms.or(self.ping_ms);
        match is_dead {
            false => Answers::Here,
            true if self.connections.iter().all(Connection::is_dead) => Answers::Nowhere,
            true => Answers::Elsewhere,
        }
    }
}

impl Connection {
    fn is_dead(&self) -> bool {
        self.silent_pings >= MAX_SILENT_PINGS
    }

    fn has_stood(&self, now_ms: u64, for_ms: u64) -> bool {
        now_ms.saturating_sub(self.since_ms) >= for_ms
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
            since_ms: now_ms,
            silent_pings: 0,
            is_anew: inbound && self.is_settled(now_ms, &id),
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
            tells: Bucket::new(now_ms, TELL_BURST, TELLS_PER_S),
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

    /// Whether a connection with a peer has stood for long.
    pub(super) fn is_settled(&self, now_ms: u64, id: &PeerId) -> bool {
        let session = self.by_id.get(id);
        let mut connections = session.into_iter().flat_map(|session| &session.connections);
        connections.any(|connection| connection.has_stood(now_ms, SETTLED_MS))
    }

    /// Peers that have lost a connection and called again, and are not left yet.
    pub(super) fn anew(&self, now_ms: u64) -> Vec<PeerId> {
        let is_anew = |call: &Connection| call.is_anew && call.has_stood(now_ms, LASTING_MS);
        let stay = self.iter().filter(|session| session.leaving.is_none());
        let anew = stay.filter(|session| session.connections.iter().any(is_anew));
        anew.map(|session| session.id).collect()
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

    /// A call of this peer.
    fn call(sessions: &mut Sessions, now_ms: u64, id: PeerId, connection: ConnectionId) {
        sessions.opened(now_ms, id, connection, Multiaddr::empty(), true);
    }

    #[test]
    fn a_peer_that_answers_no_ping_is_gone() {
        let (mut sessions, id) = (Sessions::default(), PeerId::random());
        let connection = ConnectionId::new_unchecked(1);
        call(&mut sessions, 0, id, connection);
        let session = sessions.get_mut(&id).unwrap();
        assert_eq!(session.pinged(connection, None), Answers::Here);
        assert_eq!(session.pinged(connection, Some(3)), Answers::Here);
        assert_eq!(session.pinged(connection, None), Answers::Here);
        assert_eq!(session.pinged(connection, None), Answers::Nowhere);
        assert_eq!(session.ping_ms, Some(3));
    }

    #[test]
    fn a_connection_that_is_alive_does_not_keep_a_dead_one() {
        let (mut sessions, id) = (Sessions::default(), PeerId::random());
        let [dead, alive] = [1, 2].map(ConnectionId::new_unchecked);
        call(&mut sessions, 0, id, dead);
        call(&mut sessions, 0, id, alive);
        let session = sessions.get_mut(&id).unwrap();
        for answers in [Answers::Here, Answers::Elsewhere] {
            assert_eq!(session.pinged(dead, None), answers);
            assert_eq!(session.pinged(alive, Some(3)), Answers::Here);
        }
        // Closing takes a moment, and the other one can die meanwhile.
        assert_eq!(session.pinged(alive, None), Answers::Here);
        assert_eq!(session.pinged(alive, None), Answers::Nowhere);
        sessions.closed(&id, dead);
        let session = sessions.get_mut(&id).unwrap();
        assert_eq!(session.pinged(dead, None), Answers::Here, "too late");
        assert_eq!(session.pinged(alive, None), Answers::Nowhere);
    }

    #[test]
    fn who_calls_although_it_is_connected_has_lost_that_connection() {
        let (mut sessions, id) = (Sessions::default(), PeerId::random());
        let [old, new] = [1, 2].map(ConnectionId::new_unchecked);
        sessions.opened(1_000, id, old, Multiaddr::empty(), false);
        assert!(sessions.anew(99_000).is_empty());
        call(&mut sessions, 16_000, id, new);
        assert!(sessions.anew(17_999).is_empty(), "it may hang up");
        assert_eq!(sessions.anew(18_000), [id]);
        sessions.closed(&id, old);
        assert_eq!(sessions.anew(18_000), [id], "too late to do without");
        sessions.closed(&id, new);
        assert!(sessions.anew(99_000).is_empty());
    }

    #[test]
    fn who_dials_at_the_same_moment_as_we_do_has_lost_nothing() {
        let (mut sessions, id) = (Sessions::default(), PeerId::random());
        let [ours, its] = [1, 2].map(ConnectionId::new_unchecked);
        sessions.opened(1_000, id, ours, Multiaddr::empty(), false);
        assert!(!sessions.is_settled(15_999, &id));
        call(&mut sessions, 15_999, id, its);
        assert!(sessions.anew(99_000).is_empty());
        assert!(sessions.is_settled(16_000, &id));
        assert!(!sessions.is_settled(16_000, &PeerId::random()));
        assert!(!sessions.is_settled(500, &id), "a clock was set back");
    }

    #[test]
    fn our_own_dials_are_no_sign_of_a_loss() {
        let (mut sessions, id) = (Sessions::default(), PeerId::random());
        let [its, ours] = [1, 2].map(ConnectionId::new_unchecked);
        call(&mut sessions, 0, id, its);
        sessions.opened(50_000, id, ours, Multiaddr::empty(), false);
        assert!(sessions.anew(99_000).is_empty());
    }
}
