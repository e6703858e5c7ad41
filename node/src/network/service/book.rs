//! The address book: where peers were found, and how dialing them went.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use libp2p::{Multiaddr, PeerId};
use serde::{Deserialize, Serialize};

use super::address::{can_be_dialed, foreign_ip};

/// Most peers that are remembered, about 300 bytes each.
const MAX_PEERS: usize = 1_024;

/// Addresses of one peer. A node has one or two networks, and two transports on each.
const MAX_ADDRESSES: usize = 4;

/// Peers at one address that is not this machine's own, of those that were never reached. Ids
/// cost nothing: without a bound, who has one address would fill the book, and be dialed instead
/// of all others. Who was reached stays, so that a household can have more.
const MAX_UNREACHED_PER_IP: usize = 2;

/// Peers that the operator removed and that are remembered for it, until the node ends. Nobody
/// removes so many by hand.
const MAX_REMOVED: usize = 256;

/// How long an address rests after its first failure; twice as long after each further one.
const FIRST_REST_MS: u64 = 10_000;

/// The longest rest.
const LONGEST_REST_MS: u64 = 60 * 60 * 1000;

/// Failures in a row after which a peer is forgotten that was never reached.
const MAX_FAILURES: u32 = 8;

/// One peer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    addresses: Vec<Multiaddr>,
    last_success_ms: Option<u64>,
    last_failure_ms: Option<u64>,
    /// In a row.
    failures: u32,
}

/// All of them, as they lie on disk.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Book {
    /// By peer id.
    peers: BTreeMap<String, Entry>,
    /// Who is not to be found again, the latest last.
    #[serde(skip)]
    removed: VecDeque<PeerId>,
    #[serde(skip)]
    pub dirty: bool,
}

/// A peer that may be dialed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    pub peer: PeerId,
    pub addresses: Vec<Multiaddr>,
    /// Whether it was there once.
    pub was_reached: bool,
}

/// What changed by what a peer said of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub news: Vec<Multiaddr>,
    pub gone: Vec<Multiaddr>,
}

impl Book {
    /// Takes in where a peer is said to be; whether that is news.
    pub(super) fn learn(&mut self, peer: PeerId, address: Multiaddr) -> bool {
        if !self.may_be_at(&peer, &address) {
            return false;
        }
        let entry = self.entry(&peer);
        // What somebody says does not push out where the peer was found.
        let is_news = !entry.addresses.contains(&address) && entry.addresses.len() < MAX_ADDRESSES;
        if is_news {
            entry.addresses.push(address);
            self.dirty = true;
        }
        is_news
    }

    /// Takes in where a peer says itself that it is, in place of all that was said of it. Only
    /// where it was reached last stays.
    pub(super) fn told(&mut self, peer: PeerId, mut addresses: Vec<Multiaddr>) -> Told {
        addresses.retain(|address| self.may_be_at(&peer, address));
        let mut told = Told::default();
        if addresses.is_empty() {
            return told;
        }
        if let Some(entry) = self.peers.get_mut(&peer.to_string()) {
            let found = usize::from(entry.was_reached()).min(entry.addresses.len());
            let said = entry.addresses.split_off(found);
            let said = said.into_iter();
            let (again, gone): (Vec<_>, Vec<_>) = said.partition(|said| addresses.contains(said));
            self.dirty |= !gone.is_empty();
            entry.addresses.extend(again);
            told.gone = gone;
        }
        addresses.retain(|address| self.learn(peer, address.clone()));
        told.news = addresses;
        told
    }

    /// Takes in that a peer was reached at an address, which is now its first.
    pub(super) fn reached(&mut self, now_ms: u64, peer: PeerId, address: Multiaddr) {
        if self.is_removed(&peer) {
            return;
        }
        let entry = self.entry(&peer);
        entry.addresses.retain(|other| *other != address);
        entry.addresses.insert(0, address);
        entry.addresses.truncate(MAX_ADDRESSES);
        entry.last_success_ms = Some(now_ms);
        entry.failures = 0;
        self.dirty = true;
    }

    fn entry(&mut self, peer: &PeerId) -> &mut Entry {
        let peer = peer.to_string();
        if !self.peers.contains_key(&peer) && self.peers.len() >= MAX_PEERS {
            self.forget_worst();
        }
        self.peers.entry(peer).or_default()
    }

    /// Whether it can be remembered that a peer is said to be at an address.
    fn may_be_at(&self, peer: &PeerId, address: &Multiaddr) -> bool {
        can_be_dialed(address) && !self.is_removed(peer) && self.has_room(peer, address)
    }

    /// Whether there are not too many at an address already.
    fn has_room(&self, peer: &PeerId, address: &Multiaddr) -> bool {
        let Some(ip) = foreign_ip(address) else {
            return true;
        };
        let peer = peer.to_string();
        if self.peers.get(&peer).is_some_and(Entry::was_reached) {
            return true;
        }
        let others = self
            .peers
            .iter()
            .filter(|(other, entry)| **other != peer && !entry.was_reached() && entry.is_at(ip));
        others.count() < MAX_UNREACHED_PER_IP
    }

    /// Takes in that a peer was not reached, or did not fit.
    pub(super) fn failed(&mut self, now_ms: u64, peer: &PeerId) {
        let peer = peer.to_string();
        if let Some(entry) = self.peers.get_mut(&peer) {
            entry.failures = entry.failures.saturating_add(1);
            entry.last_failure_ms = Some(now_ms);
            if entry.failures >= MAX_FAILURES && !entry.was_reached() {
                self.peers.remove(&peer);
            }
            self.dirty = true;
        }
    }

    /// Forgets a peer; whether it was known.
    pub(super) fn forget(&mut self, peer: &PeerId) -> bool {
        let known = self.peers.remove(&peer.to_string()).is_some();
        self.dirty |= known;
        known
    }

    /// Forgets a peer, and learns nothing of it until it is named again; whether it was known.
    pub(super) fn remove(&mut self, peer: PeerId) -> bool {
        self.named(&peer);
        self.removed.push_back(peer);
        if self.removed.len() > MAX_REMOVED {
            self.removed.pop_front();
        }
        self.forget(&peer)
    }

    /// Takes in that the operator names a peer.
    pub(super) fn named(&mut self, peer: &PeerId) {
        self.removed.retain(|other| other != peer);
    }

    /// Whether the operator removed a peer, and has not named it since.
    pub(super) fn is_removed(&self, peer: &PeerId) -> bool {
        self.removed.contains(peer)
    }

    /// Who was reached at an address last.
    pub(super) fn at(&self, address: &Multiaddr) -> Option<PeerId> {
        let mut reached = self.peers.iter().filter(|(_, entry)| entry.was_reached());
        let (peer, _) = reached.find(|(_, entry)| entry.addresses.first() == Some(address))?;
        peer.parse().ok()
    }

    /// Peers that may be dialed now.
    pub(super) fn due(&self, now_ms: u64) -> Vec<Due> {
        let due = self.peers.iter().filter(|(_, entry)| entry.is_due(now_ms));
        let due = due.filter_map(|(peer, entry)| {
            Some(Due {
                peer: peer.parse().ok()?,
                addresses: entry.addresses.clone(),
                was_reached: entry.was_reached(),
            })
        });
        due.collect()
    }

    fn forget_worst(&mut self) {
        // Names cost nothing: who was ever reached stays for as long as there are others.
        let worst = self.peers.iter().max_by_key(|(_, entry)| {
            let age = u64::MAX - entry.last_success_ms.unwrap_or(0);
            (!entry.was_reached(), entry.failures, age)
        });
        if let Some(peer) = worst.map(|(peer, _)| peer.clone()) {
            self.peers.remove(&peer);
        }
    }
}

impl Entry {
    fn was_reached(&self) -> bool {
        self.last_success_ms.is_some()
    }

    fn is_at(&self, ip: IpAddr) -> bool {
        let mut ips = self.addresses.iter().filter_map(foreign_ip);
        ips.any(|other| other == ip)
    }

    fn is_due(&self, now_ms: u64) -> bool {
        let Some(last_ms) = self.last_failure_ms.filter(|_| self.failures > 0) else {
            return true;
        };
        let doubled = FIRST_REST_MS.saturating_mul(1 << (self.failures - 1).min(16));
        // A clock that was set back is no reason to rest longer.
        now_ms.abs_diff(last_ms) >= doubled.min(LONGEST_REST_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> Multiaddr {
        format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap()
    }

    #[test]
    fn the_book_survives_the_way_to_disk() {
        let peer = PeerId::random();
        let mut book = Book::default();
        book.learn(peer, address(1));
        book.reached(5, peer, address(2));
        let json = serde_json::to_string(&book).unwrap();
        let read: Book = serde_json::from_str(&json).unwrap();
        let due = Due {
            peer,
            addresses: vec![address(2), address(1)],
            was_reached: true,
        };
        assert_eq!(read.due(0), [due]);
        assert_eq!(read.peers, book.peers);
    }

    #[test]
    fn who_fails_rests_longer_and_longer() {
        let peer = PeerId::random();
        let mut book = Book::default();
        book.reached(0, peer, address(1));
        let mut now_ms = 1_000_000;
        for rest_ms in [FIRST_REST_MS, 2 * FIRST_REST_MS, 4 * FIRST_REST_MS] {
            book.failed(now_ms, &peer);
            assert!(book.due(now_ms + rest_ms - 1).is_empty());
            now_ms += rest_ms;
            assert_eq!(book.due(now_ms).len(), 1);
        }
        book.reached(now_ms, peer, address(1));
        assert_eq!(book.due(now_ms).len(), 1);
    }

    #[test]
    fn the_book_has_a_bound_and_keeps_the_good_ones() {
        let good = PeerId::random();
        let mut book = Book::default();
        book.reached(9, good, address(1));
        book.failed(10, &good);
        for port in 0..2_000 {
            book.learn(PeerId::random(), address(port));
        }
        for port in 2..20 {
            book.learn(good, address(port));
        }
        assert_eq!(book.peers.len(), MAX_PEERS);
        let name = good.to_string();
        assert_eq!(book.peers[&name].addresses.len(), MAX_ADDRESSES);
        let stranger = book.peers.keys().find(|peer| **peer != name).unwrap();
        let stranger: PeerId = stranger.parse().unwrap();
        for _ in 0..MAX_FAILURES {
            book.failed(0, &stranger);
            book.failed(0, &good);
        }
        assert!(!book.peers.contains_key(&stranger.to_string()));
        assert!(book.peers.contains_key(&name));
    }

    #[test]
    fn nobody_fills_the_book_from_one_address() {
        let at =
            |port: u16| -> Multiaddr { format!("/ip4/203.0.113.1/tcp/{port}").parse().unwrap() };
        let mut book = Book::default();
        let peers: Vec<_> = (0..9).map(|_| PeerId::random()).collect();
        let learned = |book: &mut Book| {
            let learned = (1..)
                .zip(&peers)
                .filter(|(port, peer)| book.learn(**peer, at(*port)));
            learned.count()
        };
        assert_eq!(learned(&mut book), MAX_UNREACHED_PER_IP);
        assert!(
            book.learn(peers[0], at(99)),
            "another address of one of them"
        );
        let elsewhere = "/ip4/203.0.113.2/tcp/1".parse().unwrap();
        assert!(book.learn(PeerId::random(), elsewhere));
        // Who was there has its place for itself, and leaves room for others.
        book.reached(0, peers[0], at(1));
        book.reached(0, peers[8], at(9));
        assert_eq!(learned(&mut book), 1);
        assert_eq!(book.due(0).len(), MAX_UNREACHED_PER_IP + 3);
    }

    #[test]
    fn who_was_removed_is_not_found_again_until_it_is_named() {
        let peer = PeerId::random();
        let mut book = Book::default();
        book.reached(0, peer, address(1));
        assert_eq!(book.at(&address(1)), Some(peer));
        assert!(book.remove(peer));
        assert!(!book.remove(peer));
        assert_eq!(book.at(&address(1)), None);
        assert!(!book.learn(peer, address(1)));
        book.reached(1, peer, address(1));
        assert!(book.is_removed(&peer) && book.due(2).is_empty());
        book.named(&peer);
        assert!(book.learn(peer, address(1)));
        for _ in 0..=MAX_REMOVED {
            book.remove(PeerId::random());
        }
        assert_eq!(book.removed.len(), MAX_REMOVED);
    }

    #[test]
    fn what_a_peer_says_of_itself_replaces_what_was_said_of_it() {
        let peer = PeerId::random();
        let mut book = Book::default();
        for port in 1..=3 {
            book.learn(peer, address(port));
        }
        let told = book.told(peer, vec![address(3), address(4)]);
        assert_eq!(told.news, [address(4)]);
        assert_eq!(told.gone, [address(1), address(2)]);
        book.reached(0, peer, address(5));
        let told = book.told(peer, (6..99).map(address).collect());
        assert_eq!(told.news, [6, 7, 8].map(address));
        assert_eq!(told.gone, [3, 4].map(address));
        assert_eq!(book.due(0)[0].addresses, [5, 6, 7, 8].map(address));
        assert_eq!(book.told(peer, Vec::new()), Told::default());
        assert_eq!(book.due(0)[0].addresses.len(), MAX_ADDRESSES);
    }

    #[test]
    fn only_addresses_that_can_be_dialed_are_learned() {
        let mut book = Book::default();
        for text in [
            "/ip4/203.0.113.1/udp/1/quic-v1/p2p-circuit",
            "/ip4/203.0.113.1/tcp/1/ws",
            "/ip4/203.0.113.1",
        ] {
            let odd: Multiaddr = text.parse().unwrap();
            assert!(!book.learn(PeerId::random(), odd.clone()), "{text}");
            assert_eq!(book.told(PeerId::random(), vec![odd]), Told::default());
        }
        assert!(book.due(0).is_empty());
    }
}
