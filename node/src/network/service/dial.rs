//! Whom to dial, and when: peers that the operator named, and some of the address book.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};

use super::address::{Place, foreign_ip};
use super::book::{Book, Due};
use super::random::Random;

/// Peers that can be named.
const MAX_KEPT: usize = 256;

/// Peers that we keep ourselves connected to by our own choice.
pub(super) const OUTBOUND: usize = 8;

/// The same at one address that is not this machine's own: who has one cannot have all of our
/// choice.
const MAX_PER_IP: usize = 2;

/// Dials of the address book that begin in one round.
const MAX_DIALS: usize = 4;

/// Time until a named peer is dialed again after one failure, twice as much after each
/// further one.
const FIRST_WAIT_MS: u64 = 1_000;

/// The failure in a row that the operator is told of: before it, the peer may only be starting.
const TOLD_FAILURE: u32 = 3;

/// The longest such time: how long it takes at most until two nodes find each other after
/// their line is whole again.
const LONGEST_WAIT_MS: u64 = 30_000;

/// A peer that the operator wants to be connected with.
#[derive(Debug)]
struct Kept {
    place: Place,
    /// Who was found there last.
    found: Option<PeerId>,
    /// Of dials in a row.
    failures: u32,
    next_ms: u64,
    dialing: Option<ConnectionId>,
}

/// A peer of the address book that is being dialed.
#[derive(Debug)]
struct Chosen {
    peer: PeerId,
    ips: BTreeSet<IpAddr>,
}

/// All that is to be dialed.
#[derive(Debug)]
pub(super) struct Dialer {
    kept: Vec<Kept>,
    chosen: HashMap<ConnectionId, Chosen>,
    random: Random,
}

/// A dial to be made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dial {
    pub peer: Option<PeerId>,
    pub addresses: Vec<Multiaddr>,
    /// Its place among the named ones.
    kept: Option<usize>,
}

impl Dialer {
    pub(super) fn new(random: Random) -> Self {
        Self {
            kept: Vec::new(),
            chosen: HashMap::new(),
            random,
        }
    }

    /// Keeps a connection to this place from now on.
    pub(super) fn keep(&mut self, place: Place) -> Result<(), String> {
        if let Some(kept) = self.kept.iter_mut().find(|kept| kept.place == place) {
            kept.next_ms = 0;
            kept.failures = 0;
            return Ok(());
        }
        if self.kept.len() >= MAX_KEPT {
            return Err(format!(
                "{MAX_KEPT} peers are named already: remove one first"
            ));
        }
        self.kept.push(Kept {
            place,
            found: None,
            failures: 0,
            next_ms: 0,
            dialing: None,
        });
        Ok(())
    }

    /// Forgets the places of a peer; whether there were any.
    pub(super) fn forget(&mut self, which: impl Fn(&Place) -> bool, peer: Option<&PeerId>) -> bool {
        let before = self.kept.len();
        let is_it =
            |kept: &Kept| which(&kept.place) || (peer.is_some() && kept.found.as_ref() == peer);
        self.kept.retain(|kept| !is_it(kept));
        self.kept.len() != before
    }

    /// What is to be dialed now. Connected by our own choice are peers at these addresses, or on
    /// this machine.
    pub(super) fn due(
        &mut self,
        now_ms: u64,
        outbound: &[Option<IpAddr>],
        book: &Book,
        is_connected: impl Fn(&Place, Option<&PeerId>) -> bool,
    ) -> Vec<Dial> {
        let mut dials = Vec::new();
        for (index, kept) in self.kept.iter_mut().enumerate() {
            if kept.dialing.is_some() || is_connected(&kept.place, kept.found.as_ref()) {
                continue;
            }
            // A clock that was set back is no reason to wait longer.
            let wait_ms = kept.next_ms.saturating_sub(now_ms);
            if wait_ms == 0 || wait_ms > LONGEST_WAIT_MS {
                dials.push(Dial {
                    peer: kept.place.peer,
                    addresses: vec![kept.place.address.clone()],
                    kept: Some(index),
                });
            }
        }
        let wanted = OUTBOUND.saturating_sub(outbound.len() + self.chosen.len() + dials.len());
        if wanted > 0 {
            let due = self.due_of_book(now_ms, book, is_connected);
            let chosen = self.chosen.values().flat_map(|chosen| &chosen.ips);
            let taken = outbound.iter().flatten().chain(chosen);
            let taken = taken.copied().collect();
            dials.extend(self.choose(wanted.min(MAX_DIALS), due, taken));
        }
        dials
    }

    fn due_of_book(
        &self,
        now_ms: u64,
        book: &Book,
        is_connected: impl Fn(&Place, Option<&PeerId>) -> bool,
    ) -> Vec<Due> {
        let nowhere = |peer| Place {
            address: Multiaddr::empty(),
            peer: Some(peer),
        };
        let is_ours = |peer: &PeerId| {
            let mut kept = self.kept.iter();
            let mut chosen = self.chosen.values();
            kept.any(|kept| kept.place.peer.as_ref() == Some(peer))
                || chosen.any(|chosen| chosen.peer == *peer)
        };
        let mut due = book.due(now_ms);
        due.retain(|due| !is_ours(&due.peer) && !is_connected(&nowhere(due.peer), Some(&due.peer)));
        due
    }

    /// Some of those that are due, at most so many at one address together with those that are
    /// taken.
    fn choose(&mut self, wanted: usize, mut due: Vec<Due>, mut taken: Vec<IpAddr>) -> Vec<Dial> {
        let mut dials = Vec::new();
        while dials.len() < wanted
            && let Some(Due {
                peer,
                mut addresses,
                ..
            }) = self.pick(&mut due)
        {
            addresses.retain(|address| has_room(&taken, address));
            if addresses.is_empty() {
                continue;
            }
            // A peer counts once at each, however many transports it has there.
            taken.extend(ips(&addresses));
            dials.push(Dial {
                peer: Some(peer),
                addresses,
                kept: None,
            });
        }
        dials
    }

    /// Takes one of those that are due. In half of the cases it is one that was reached before, if
    /// there is any: those that somebody has only told us of can be as many as he likes.
    fn pick(&mut self, due: &mut Vec<Due>) -> Option<Due> {
        let reached = (0..due.len()).filter(|index| due[*index].was_reached);
        let reached: Vec<usize> = match self.random.percent(50) {
            true => reached.collect(),
            false => Vec::new(),
        };
        let index = match reached.len() {
            0 => self.random.below(due.len()),
            count => reached[self.random.below(count)],
        };
        (index < due.len()).then(|| due.swap_remove(index))
    }

    /// Takes in that a dial has begun.
    pub(super) fn begun(&mut self, dial: &Dial, connection: ConnectionId) {
        if let Some(kept) = dial.kept.and_then(|index| self.kept.get_mut(index)) {
            kept.dialing = Some(connection);
        } else if let Some(peer) = dial.peer {
            let ips = ips(&dial.addresses);
            self.chosen.insert(connection, Chosen { peer, ips });
        }
    }

    /// Whether a dial goes to a place that the operator names, still.
    pub(super) fn is_named(&self, connection: ConnectionId) -> bool {
        let mut kept = self.kept.iter();
        kept.any(|kept| kept.dialing == Some(connection))
    }

    /// Takes in that a dial has led to somebody, or to nobody. Returns the address of a named
    /// peer that the operator should know not to be reached.
    pub(super) fn ended(
        &mut self,
        now_ms: u64,
        connection: ConnectionId,
        found: Option<PeerId>,
    ) -> Option<Multiaddr> {
        self.chosen.remove(&connection);
        let dialing = Some(connection);
        let kept = self.kept.iter_mut().find(|kept| kept.dialing == dialing)?;
        kept.dialing = None;
        kept.wait(now_ms, &mut self.random);
        if found.is_some() {
            kept.found = found;
            return None;
        }
        (kept.failures == TOLD_FAILURE).then(|| kept.place.address.clone())
    }

    /// Takes in that a peer turned out to be on our chain.
    pub(super) fn fits(&mut self, peer: &PeerId) {
        for kept in self.kept.iter_mut().filter(|kept| kept.is(peer)) {
            kept.failures = 0;
        }
    }
}

fn ips(addresses: &[Multiaddr]) -> BTreeSet<IpAddr> {
    addresses.iter().filter_map(foreign_ip).collect()
}

fn has_room(taken: &[IpAddr], address: &Multiaddr) -> bool {
    foreign_ip(address).is_none_or(|ip| {
        let same = taken.iter().filter(|other| **other == ip);
        same.count() < MAX_PER_IP
    })
}

impl Kept {
    fn is(&self, peer: &PeerId) -> bool {
        self.place.peer.as_ref() == Some(peer) || self.found.as_ref() == Some(peer)
    }

    /// Also after a connection: if that breaks at once, the next dial waits as after a failure.
    fn wait(&mut self, now_ms: u64, random: &mut Random) {
        let doubled = FIRST_WAIT_MS << self.failures.min(10);
        let wait_ms = doubled.min(LONGEST_WAIT_MS);
        // Nodes that lost each other at the same moment do not all dial at the same moment.
        let jitter_ms = random.below(wait_ms as usize / 2) as u64;
        self.next_ms = now_ms + wait_ms - jitter_ms;
        self.failures = self.failures.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(port: u16, peer: Option<PeerId>) -> Place {
        let address = format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap();
        Place { address, peer }
    }

    fn dialer() -> Dialer {
        Dialer::new(Random::new(7))
    }

    #[test]
    fn a_named_peer_is_dialed_again_after_longer_and_longer_waits() {
        let mut dialer = dialer();
        let book = Book::default();
        dialer.keep(place(1, None)).unwrap();
        let mut now_ms = 1_000;
        for round in 0..12 {
            let dials = dialer.due(now_ms, &[], &book, |_, _| false);
            assert_eq!(dials.len(), 1, "round {round}");
            let connection = ConnectionId::new_unchecked(round);
            dialer.begun(&dials[0], connection);
            assert!(dialer.due(now_ms, &[], &book, |_, _| false).is_empty());
            let told = dialer.ended(now_ms, connection, None);
            assert_eq!(told.is_some(), round == 2, "once, and not at once: {round}");
            let wait_ms = dialer.kept[0].next_ms - now_ms;
            let most_ms = (FIRST_WAIT_MS << round).min(LONGEST_WAIT_MS);
            assert!(wait_ms > most_ms / 2 - 1 && wait_ms <= most_ms, "{wait_ms}");
            now_ms += wait_ms;
        }
        dialer.keep(place(1, None)).unwrap();
        assert_eq!(dialer.due(0, &[], &book, |_, _| false).len(), 1);
        assert!(dialer.due(0, &[], &book, |_, _| true).is_empty());
    }

    #[test]
    fn the_book_fills_what_is_missing() {
        let mut dialer = dialer();
        let mut book = Book::default();
        let peers: Vec<_> = (0..20).map(|_| PeerId::random()).collect();
        for (port, peer) in (1..).zip(&peers) {
            book.learn(*peer, place(port, None).address);
        }
        let count = |dialer: &mut Dialer, outbound| {
            let here = vec![None; outbound];
            dialer.due(0, &here, &book, |_, _| false).len()
        };
        assert_eq!(count(&mut dialer, 0), MAX_DIALS);
        assert_eq!(count(&mut dialer, OUTBOUND - 1), 1);
        assert_eq!(count(&mut dialer, OUTBOUND), 0);
        let all = dialer.due(0, &[], &book, |_, peer| peer != Some(&peers[3]));
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].peer, Some(peers[3]));
    }

    #[test]
    fn named_peers_have_a_bound_and_can_be_forgotten() {
        let mut dialer = dialer();
        let peer = PeerId::random();
        for port in 1..MAX_KEPT as u16 {
            dialer.keep(place(port, None)).unwrap();
        }
        dialer.keep(place(9, Some(peer))).unwrap();
        assert!(dialer.keep(place(9_999, None)).is_err());
        let connection = ConnectionId::new_unchecked(1);
        let dials = dialer.due(0, &[], &Book::default(), |_, _| false);
        dialer.begun(dials.last().unwrap(), connection);
        assert!(dialer.is_named(connection));
        let is_peer = |place: &Place| place.peer == Some(peer);
        assert!(dialer.forget(is_peer, Some(&peer)));
        assert!(!dialer.forget(is_peer, Some(&peer)));
        assert!(!dialer.is_named(connection), "the dial still goes on");
    }

    /// A peer at this address of the Internet.
    fn due(last: u8, was_reached: bool) -> Due {
        let at =
            |rest: &str| -> Multiaddr { format!("/ip4/203.0.113.{last}/{rest}").parse().unwrap() };
        Due {
            peer: PeerId::random(),
            addresses: vec![at("tcp/1"), at("udp/1/quic-v1")],
            was_reached,
        }
    }

    #[test]
    fn not_all_that_we_choose_are_at_one_address() {
        let ip = |last| IpAddr::from([203, 0, 113, last]);
        let mut all: Vec<_> = (0..9).map(|_| due(1, true)).collect();
        let count = |taken| dialer().choose(OUTBOUND, all.clone(), taken).len();
        assert_eq!(count(vec![]), MAX_PER_IP);
        assert_eq!(count(vec![ip(1), ip(2)]), MAX_PER_IP - 1);
        assert_eq!(count(vec![ip(1); MAX_PER_IP]), 0);
        all.push(due(2, false));
        assert_eq!(dialer().choose(OUTBOUND, all, vec![]).len(), MAX_PER_IP + 1);
    }

    #[test]
    fn those_that_were_reached_are_not_lost_among_those_that_were_told() {
        let mut dialer = dialer();
        let mut all: Vec<_> = (0..200).map(|number| due(number, false)).collect();
        all.push(due(200, true));
        let good = all[200].peer;
        let chosen = (0..1_000).map(|_| dialer.choose(1, all.clone(), Vec::new()));
        let count = chosen.filter(|dials| dials[0].peer == Some(good)).count();
        assert!((400..600).contains(&count), "{count}");
    }

    #[test]
    fn dials_that_are_under_way_are_counted() {
        let (mut dialer, mut book) = (dialer(), Book::default());
        for port in 1..=20 {
            book.learn(PeerId::random(), place(port, None).address);
        }
        let mut connections = (1..).map(ConnectionId::new_unchecked);
        let mut dial = |dialer: &mut Dialer| {
            let dials = dialer.due(0, &[], &book, |_, _| false);
            let begun = dials.iter().zip(connections.by_ref());
            begun.for_each(|(dial, connection)| dialer.begun(dial, connection));
            dials
        };
        let mut dials = dial(&mut dialer);
        dials.extend(dial(&mut dialer));
        let peers: BTreeSet<_> = dials.iter().filter_map(|dial| dial.peer).collect();
        assert_eq!(peers.len(), OUTBOUND, "nobody twice");
        assert!(dial(&mut dialer).is_empty());
        dialer.ended(0, ConnectionId::new_unchecked(3), None);
        assert_eq!(dial(&mut dialer).len(), 1);
    }

    #[test]
    fn dials_that_are_under_way_take_the_room_of_their_address() {
        let (mut dialer, mut book) = (dialer(), Book::default());
        for due in (0..3).map(|_| due(1, true)) {
            book.reached(0, due.peer, due.addresses[0].clone());
        }
        let dials = dialer.due(0, &[], &book, |_, _| false);
        assert_eq!(dials.len(), MAX_PER_IP);
        dialer.begun(&dials[0], ConnectionId::new_unchecked(1));
        let dials = dialer.due(0, &[], &book, |_, _| false);
        assert_eq!(dials.len(), MAX_PER_IP - 1);
    }
}
