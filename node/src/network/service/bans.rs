//! Who may not connect, until when and why.

use std::net::IpAddr;

use libp2p::PeerId;
use serde::{Deserialize, Serialize};

use super::address::shown;
use super::handle::BanInfo;

/// Most bans at once, about 300 bytes each; the one that ends first makes room.
const MAX_BANS: usize = 4_096;

/// Longest reason that is kept.
const MAX_REASON_CHARS: usize = 300;

/// A peer that is banned, and where it came from unless that is this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ban {
    peer: String,
    ip: Option<IpAddr>,
    pub reason: String,
    pub until_ms: u64,
}

/// All bans, as they lie on disk.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Bans {
    all: Vec<Ban>,
    #[serde(skip)]
    pub dirty: bool,
}

impl Bans {
    /// Bans a peer and its address.
    pub(super) fn add(&mut self, peer: PeerId, ip: Option<IpAddr>, reason: &str, until_ms: u64) {
        let peer = peer.to_string();
        self.all.retain(|ban| ban.peer != peer);
        if self.all.len() >= MAX_BANS {
            self.all.sort_by_key(|ban| ban.until_ms);
            self.all.remove(0);
        }
        self.all.push(Ban {
            peer,
            ip,
            reason: reason.chars().take(MAX_REASON_CHARS).collect(),
            until_ms,
        });
        self.dirty = true;
    }

    /// The ban that hits this peer or address now.
    pub(super) fn find(
        &self,
        now_ms: u64,
        peer: Option<&PeerId>,
        ip: Option<IpAddr>,
    ) -> Option<&Ban> {
        let peer = peer.map(PeerId::to_string);
        let mut valid = self.all.iter().filter(|ban| ban.until_ms > now_ms);
        valid.find(|ban| peer.as_ref() == Some(&ban.peer) || (ip.is_some() && ban.ip == ip))
    }

    /// Lifts the bans of a peer id or an IP address, named as it is shown; whether there were any.
    pub(super) fn lift(&mut self, now_ms: u64, subject: &str) -> bool {
        self.expire(now_ms);
        let before = self.all.len();
        self.all
            .retain(|ban| ban.peer != subject && ban.ip.map(shown).as_deref() != Some(subject));
        self.dirty |= self.all.len() != before;
        self.all.len() != before
    }

    /// Forgets those that are over.
    pub(super) fn expire(&mut self, now_ms: u64) {
        let before = self.all.len();
        self.all.retain(|ban| ban.until_ms > now_ms);
        self.dirty |= self.all.len() != before;
    }

    /// All that are valid now, by subject.
    pub(super) fn list(&self, now_ms: u64) -> Vec<BanInfo> {
        let valid = self.all.iter().filter(|ban| ban.until_ms > now_ms);
        let subjects = valid.flat_map(|ban| {
            let ip = ban.ip.map(shown);
            [Some(ban.peer.clone()), ip]
                .into_iter()
                .flatten()
                .map(|subject| BanInfo {
                    subject,
                    reason: ban.reason.clone(),
                    until_ms: ban.until_ms,
                })
        });
        subjects.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::service::address::{banned, foreign_ip};

    fn ip(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([203, 0, 113, last]))
    }

    #[test]
    fn a_ban_hits_peer_and_address_until_it_ends() {
        let (bad, other) = (PeerId::random(), PeerId::random());
        let mut bans = Bans::default();
        bans.add(bad, ip(1), "it lies", 100);
        assert!(bans.find(99, Some(&bad), None).is_some());
        assert!(bans.find(99, Some(&other), ip(1)).is_some());
        assert!(bans.find(99, Some(&other), ip(2)).is_none());
        assert!(bans.find(99, Some(&other), None).is_none());
        assert!(bans.find(100, Some(&bad), ip(1)).is_none());
        bans.expire(100);
        assert_eq!(bans.list(0), []);
    }

    #[test]
    fn bans_survive_the_way_to_disk_and_can_be_lifted() {
        let peer = PeerId::random();
        let mut bans = Bans::default();
        bans.add(peer, ip(1), "it lies", 100);
        let json = serde_json::to_string(&bans).unwrap();
        let mut read: Bans = serde_json::from_str(&json).unwrap();
        assert_eq!(read.list(0), bans.list(0));
        assert_eq!(read.list(0).len(), 2, "its id and its address");
        assert!(!read.lift(0, "198.51.100.1"));
        assert!(read.lift(0, "203.0.113.1"));
        assert!(read.find(0, Some(&peer), None).is_none());
        assert!(bans.lift(0, &peer.to_string()));
        assert!(bans.find(0, None, ip(1)).is_none());
    }

    #[test]
    fn a_ban_of_ipv6_hits_all_that_one_user_has() {
        let at = |ip: &str| foreign_ip(&format!("/ip6/{ip}/tcp/1").parse().unwrap());
        let mut bans = Bans::default();
        bans.add(PeerId::random(), at("2001:db8::1"), "it lies", 100);
        assert!(bans.find(0, None, at("2001:db8::2")).is_some());
        assert!(bans.find(0, None, at("2001:db8:0:1::1")).is_none());
        let subject = bans.list(0)[1].subject.clone();
        assert_eq!(subject, "2001:db8::/64");
        assert!(bans.lift(0, &banned(&subject).unwrap()));
        bans.add(PeerId::random(), at("2001:db8::1"), "it lies", 100);
        assert!(bans.lift(0, &banned("2001:db8::2").unwrap()));
        assert_eq!(bans.list(0), []);
    }

    #[test]
    fn the_list_has_a_bound() {
        let mut bans = Bans::default();
        for number in 0..MAX_BANS as u64 + 1 {
            bans.add(PeerId::random(), None, "it lies", 1_000 + number);
        }
        assert_eq!(bans.all.len(), MAX_BANS);
        assert!(bans.all.iter().all(|ban| ban.until_ms > 1_000));
    }
}
