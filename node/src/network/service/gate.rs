//! Who may connect: limits, bans and the list of `--only-peers`, asked before and after
//! each connection has shown whose it is.
//!
//! One behaviour for all of it, so that a refusal has one type and one sentence. Peers are
//! counted, not connections: two nodes that dial each other at the same moment have two.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::convert::Infallible;
use std::net::IpAddr;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::behaviour::{ConnectionEstablished, DialFailure, ListenFailure};
use libp2p::swarm::{
    ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use super::address::{foreign_ip, is_quic};
use super::bans::Bans;
use crate::clock;

/// Connections of one address that is not this machine's own: a household or an office may
/// have several nodes, and one attacker cannot take all places.
const MAX_PER_IP: usize = 8;

/// Connections that have not yet shown whose they are, over TCP; and as many over QUIC, whose
/// first packet can bear any address: who fills the places of QUIC takes none of TCP. Each costs
/// a handshake, and some kilobytes until that ends, after ten seconds at the latest.
const MAX_PENDING_INBOUND: usize = 256;

/// The same of one address that is not this machine's own. Connections that stand are counted
/// apart, so that packets with a peer's address do not keep it out.
const MAX_PENDING_PER_IP: usize = 4;

/// Dials of ours that have not yet shown to whom they lead.
const MAX_PENDING_OUTBOUND: usize = 32;

/// Connections of one peer: two that dial each other at the same moment have two, and one that
/// has lost both calls again.
const MAX_PER_PEER: usize = 3;

/// Places that are kept for peers that we choose: whoever fills all others does not decide
/// alone what we see. At most a quarter of all.
const RESERVED_OUTBOUND: usize = 8;

/// Why a connection may not be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// Its peer or address is banned.
    #[error("banned {}: {reason}", until(*until_ms))]
    Banned {
        /// What it did.
        reason: String,
        /// Until when.
        until_ms: u64,
    },
    /// There is a list, and it is not on it.
    #[error("not among the peers of --only-peers")]
    NotListed,
    /// No place is left.
    #[error("all {max} places for peers are taken (--max-peers)")]
    Full {
        /// How many there are.
        max: usize,
    },
    /// Its address has enough connections.
    #[error("{MAX_PER_IP} connections with that IP address stand already")]
    SameIp,
    /// It has enough connections.
    #[error("{MAX_PER_PEER} connections with that peer stand already")]
    SamePeer,
    /// Too many handshakes are under way.
    #[error("too many connections are being set up at this moment")]
    Busy,
}

/// Until when a ban lasts, for people.
pub(super) fn until(until_ms: u64) -> String {
    let left_s = until_ms.saturating_sub(clock::now().ms) / 1000;
    format!("for another {} min {} s", left_s / 60, left_s % 60)
}

#[derive(Debug, Clone, Copy)]
struct Place {
    peer: PeerId,
    ip: Option<IpAddr>,
    inbound: bool,
}

/// A connection that has not yet shown whose it is.
#[derive(Debug, Clone, Copy)]
struct Pending {
    ip: Option<IpAddr>,
    is_quic: bool,
}

/// The behaviour.
pub(super) struct Gate {
    max_peers: usize,
    pub bans: Bans,
    /// Whom alone we talk to.
    pub only: Option<BTreeSet<PeerId>>,
    pending_inbound: HashMap<ConnectionId, Pending>,
    pending_outbound: HashSet<ConnectionId>,
    places: HashMap<ConnectionId, Place>,
}

impl Gate {
    pub(super) fn new(max_peers: usize, bans: Bans, only: Option<BTreeSet<PeerId>>) -> Self {
        Self {
            max_peers,
            bans,
            only,
            pending_inbound: HashMap::new(),
            pending_outbound: HashSet::new(),
            places: HashMap::new(),
        }
    }

    /// Why this peer at this address may not connect now, whoever dials.
    pub(super) fn objection(&self, peer: Option<&PeerId>, address: &Multiaddr) -> Option<Refused> {
        let ban = self.bans.find(clock::now().ms, peer, foreign_ip(address));
        if let Some(ban) = ban {
            return Some(Refused::Banned {
                reason: ban.reason.clone(),
                until_ms: ban.until_ms,
            });
        }
        let listed = |only: &BTreeSet<PeerId>| peer.is_none_or(|peer| only.contains(peer));
        (!self.only.as_ref().is_none_or(listed)).then_some(Refused::NotListed)
    }

    /// Why there is no place for one more peer that we dial.
    pub(super) fn is_full(&self) -> Option<Refused> {
        let max = self.max_peers;
        (self.peers(|_| true) >= max).then_some(Refused::Full { max })
    }

    /// Where each peer is that we dialed, unless that is this machine.
    pub(super) fn outbound(&self) -> Vec<Option<IpAddr>> {
        let places = self.places.values().filter(|place| !place.inbound);
        let peers: HashMap<_, _> = places.map(|place| (place.peer, place.ip)).collect();
        peers.into_values().collect()
    }

    fn peers(&self, which: impl Fn(&Place) -> bool) -> usize {
        let places = self.places.values().filter(|place| which(place));
        places.map(|place| place.peer).collect::<HashSet<_>>().len()
    }

    fn of_ip(&self, ip: Option<IpAddr>) -> usize {
        match ip {
            None => 0,
            ip => self.places.values().filter(|place| place.ip == ip).count(),
        }
    }

    fn pending_inbound(&mut self, id: ConnectionId, remote: &Multiaddr) -> Result<(), Refused> {
        if let Some(refused) = self.objection(None, remote) {
            return Err(refused);
        }
        let (ip, is_quic) = (foreign_ip(remote), is_quic(remote));
        if self.of_ip(ip) >= MAX_PER_IP {
            return Err(Refused::SameIp);
        }
        let pending = self.pending_inbound.values();
        let alike = pending.filter(|other| other.is_quic == is_quic);
        let same_ip = alike.clone().filter(|other| ip.is_some() && other.ip == ip);
        if alike.count() >= MAX_PENDING_INBOUND || same_ip.count() >= MAX_PENDING_PER_IP {
            return Err(Refused::Busy);
        }
        self.pending_inbound.insert(id, Pending { ip, is_quic });
        Ok(())
    }

    fn established(&self, peer: &PeerId, remote: &Multiaddr, inbound: bool) -> Result<(), Refused> {
        if let Some(refused) = self.objection(Some(peer), remote) {
            return Err(refused);
        }
        let same = self.places.values().filter(|place| place.peer == *peer);
        match same.count() {
            0 => {}
            count if count < MAX_PER_PEER => return Ok(()),
            _ => return Err(Refused::SamePeer),
        }
        if self.of_ip(foreign_ip(remote)) >= MAX_PER_IP {
            return Err(Refused::SameIp);
        }
        let max = self.max_peers;
        let reserved = RESERVED_OUTBOUND.min(max / 4);
        let inbound_full = inbound && self.peers(|place| place.inbound) >= max - reserved;
        if inbound_full || self.peers(|_| true) >= max {
            return Err(Refused::Full { max });
        }
        Ok(())
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.pending_inbound(id, remote)
            .map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.pending_inbound.remove(&id);
        self.established(&peer, remote, true)
            .map(|()| dummy::ConnectionHandler)
            .map_err(ConnectionDenied::new)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        let objections = addresses
            .iter()
            .map(|address| self.objection(peer.as_ref(), address));
        let objection = objections.min_by_key(Option::is_some).flatten();
        if let Some(refused) = objection {
            return Err(ConnectionDenied::new(refused));
        }
        if self.pending_outbound.len() >= MAX_PENDING_OUTBOUND {
            return Err(ConnectionDenied::new(Refused::Busy));
        }
        self.pending_outbound.insert(id);
        Ok(Vec::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        remote: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.pending_outbound.remove(&id);
        self.established(&peer, remote, false)
            .map(|()| dummy::ConnectionHandler)
            .map_err(ConnectionDenied::new)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            }) => {
                let place = Place {
                    peer: peer_id,
                    ip: foreign_ip(endpoint.get_remote_address()),
                    inbound: endpoint.is_listener(),
                };
                self.places.insert(connection_id, place);
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. }) => {
                self.places.remove(&connection_id);
            }
            FromSwarm::DialFailure(DialFailure { connection_id, .. }) => {
                self.pending_outbound.remove(&connection_id);
            }
            FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) => {
                self.pending_inbound.remove(&connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        Gate::new(64, Bans::default(), None)
    }

    fn tcp(ip: u32) -> Multiaddr {
        let ip = std::net::Ipv4Addr::from(ip);
        format!("/ip4/{ip}/tcp/1").parse().unwrap()
    }

    fn quic(ip: u32) -> Multiaddr {
        let ip = std::net::Ipv4Addr::from(ip);
        format!("/ip4/{ip}/udp/1/quic-v1").parse().unwrap()
    }

    /// Some address of the Internet.
    const FIRST: u32 = 0x5000_0000;

    /// Lets connections call until the gate lets in no more; how many those are.
    fn call(gate: &mut Gate, remotes: impl Iterator<Item = Multiaddr>) -> usize {
        let mut calls = remotes.map(|remote| {
            let id = ConnectionId::new_unchecked(gate.pending_inbound.len());
            gate.pending_inbound(id, &remote)
        });
        calls.position(|call| call == Err(Refused::Busy)).unwrap()
    }

    #[test]
    fn whoever_fills_the_places_of_quic_takes_none_of_tcp() {
        let mut gate = gate();
        assert_eq!(call(&mut gate, (FIRST..).map(quic)), MAX_PENDING_INBOUND);
        assert_eq!(call(&mut gate, (FIRST..).map(tcp)), MAX_PENDING_INBOUND);
        let first = ConnectionId::new_unchecked(0);
        gate.pending_inbound.remove(&first);
        assert_eq!(gate.pending_inbound(first, &quic(FIRST - 1)), Ok(()));
    }

    #[test]
    fn handshakes_in_the_name_of_a_peer_do_not_keep_it_out() {
        let mut gate = gate();
        let forged = std::iter::repeat_with(|| quic(FIRST));
        assert_eq!(call(&mut gate, forged), MAX_PENDING_PER_IP);
        let [other, own] = [100, 101].map(ConnectionId::new_unchecked);
        assert_eq!(gate.pending_inbound(other, &quic(FIRST + 1)), Ok(()));
        assert_eq!(gate.pending_inbound(own, &tcp(FIRST)), Ok(()));
        let peer = PeerId::random();
        assert_eq!(gate.established(&peer, &tcp(FIRST), true), Ok(()));
        assert_eq!(gate.established(&peer, &quic(FIRST), true), Ok(()));
    }

    #[test]
    fn connections_that_stand_have_a_bound_for_each_address() {
        let mut gate = gate();
        for number in 0..MAX_PER_IP {
            let place = Place {
                peer: PeerId::random(),
                ip: foreign_ip(&tcp(FIRST)),
                inbound: true,
            };
            gate.places
                .insert(ConnectionId::new_unchecked(number), place);
        }
        let id = ConnectionId::new_unchecked(MAX_PER_IP);
        assert_eq!(gate.pending_inbound(id, &tcp(FIRST)), Err(Refused::SameIp));
        let established = gate.established(&PeerId::random(), &quic(FIRST), true);
        assert_eq!(established, Err(Refused::SameIp));
        assert_eq!(gate.pending_inbound(id, &tcp(FIRST + 1)), Ok(()));
    }
}
