//! Multiaddresses, as users write them and as connections show them.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// An address that can be dialed: where, and who is expected there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Without the peer id.
    pub address: Multiaddr,
    /// Who is expected there; `None` is anybody.
    pub peer: Option<PeerId>,
}

const EXAMPLE: &str = "/ip4/203.0.113.7/tcp/30303/p2p/12D3KooW…";

/// Reads an address that somebody wrote.
pub(super) fn parse(text: &str) -> Result<Place, String> {
    let wrong = |why: &str| {
        format!("`{text}` is no address of a peer: {why}; one looks like this: {EXAMPLE}")
    };
    let whole: Multiaddr = text
        .trim()
        .parse()
        .map_err(|error: libp2p::multiaddr::Error| wrong(&error.to_string()))?;
    let place = split(whole);
    match place.address.is_empty() {
        true => Err(wrong("it names nobody's host and port")),
        false if has_port_0(&place.address) => Err(wrong("nobody can be reached at port 0")),
        false if can_be_dialed(&place.address) => Ok(place),
        false => Err(wrong("Cairn speaks tcp, and udp with quic-v1")),
    }
}

/// Whether it is a host and a port, for a transport that is spoken here.
pub(super) fn can_be_dialed(address: &Multiaddr) -> bool {
    let parts: Vec<_> = address.iter().collect();
    match parts.as_slice() {
        _ if has_port_0(address) => false,
        [host, Protocol::Tcp(_)] | [host, Protocol::Udp(_), Protocol::QuicV1] => is_host(host),
        _ => false,
    }
}

fn has_port_0(address: &Multiaddr) -> bool {
    let is_0 = |part| matches!(part, Protocol::Tcp(0) | Protocol::Udp(0));
    address.iter().any(is_0)
}

/// Gives back the address of a peer that somebody wrote, if it is one.
///
/// # Errors
/// What is wrong with it, in one sentence.
pub fn check_address(text: &str) -> Result<String, String> {
    parse(text).map(|_| text.trim().to_owned())
}

/// Gives back what names a peer: its id, or an address.
///
/// # Errors
/// What is wrong with it, in one sentence.
pub fn check_peer(text: &str) -> Result<String, String> {
    match peer_id(text) {
        Err(error) => check_address(text).map_err(|_| error),
        Ok(_) => Ok(text.trim().to_owned()),
    }
}

/// Gives back what a ban is named by: a peer id, alone or in an address, or an IP address.
///
/// # Errors
/// What is wrong with it, in one sentence.
pub fn check_ban(text: &str) -> Result<String, String> {
    banned(text).map(|_| text.trim().to_owned())
}

/// Reads what a ban is named by.
pub(super) fn banned(text: &str) -> Result<String, String> {
    let text = text.trim();
    let network = text.strip_suffix("/64").filter(|ip| ip.contains(':'));
    if let Ok(ip) = network.unwrap_or(text).parse::<IpAddr>() {
        return Ok(shown(counted(ip)));
    }
    let peer = peer_id(text).map_err(|error| format!("{error}, or an IP address"))?;
    Ok(peer.to_string())
}

/// Takes the peer id off an address.
pub(super) fn split(mut address: Multiaddr) -> Place {
    let peer = match address.iter().last() {
        Some(Protocol::P2p(peer)) => {
            address.pop();
            Some(peer)
        }
        _ => None,
    };
    Place { address, peer }
}

/// Reads a peer id, alone or at the end of an address.
pub(super) fn peer_id(text: &str) -> Result<PeerId, String> {
    let text = text.trim();
    let wrong = || {
        format!(
            "`{text}` names no peer: write its id (12D3KooW…) or an address that ends in /p2p/ and the id"
        )
    };
    if let Ok(peer) = text.parse() {
        return Ok(peer);
    }
    let whole: Multiaddr = text.parse().map_err(|_| wrong())?;
    split(whole).peer.ok_or_else(wrong)
}

fn is_host(part: &Protocol<'_>) -> bool {
    use Protocol::{Dns, Dns4, Dns6, Ip4, Ip6};
    matches!(part, Ip4(_) | Ip6(_) | Dns(_) | Dns4(_) | Dns6(_))
}

/// The IP address at the front, an IPv4 address in its plain form.
pub(super) fn ip(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(IpAddr::from(ip).to_canonical()),
        _ => None,
    }
}

/// The name at the front, which stands for an IP address.
pub(super) fn name(address: &Multiaddr) -> Option<String> {
    use Protocol::{Dns, Dns4, Dns6};
    match address.iter().next()? {
        Dns(name) | Dns4(name) | Dns6(name) => Some(name.into_owned()),
        _ => None,
    }
}

/// The IP address, unless it is this machine's own: what limits and bans count by. Of IPv6 it is
/// the first address of a /64.
pub(super) fn foreign_ip(address: &Multiaddr) -> Option<IpAddr> {
    ip(address).filter(|ip| !ip.is_loopback()).map(counted)
}

/// What an IP address counts as.
fn counted(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) if has_network(ip) => Ipv6Addr::from_bits((ip.to_bits() >> 64) << 64).into(),
        ip => ip,
    }
}

/// Whether whoever has this address has all that begin with the same 64 bits, as on the Internet.
/// Among machines of one local network each counts.
fn has_network(ip: Ipv6Addr) -> bool {
    !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local())
}

/// What is counted, for people.
pub(super) fn shown(ip: IpAddr) -> String {
    match ip {
        IpAddr::V6(network) if has_network(network) => format!("{network}/64"),
        ip => ip.to_string(),
    }
}

/// Whether others on the Internet could dial it.
pub(super) fn is_public(address: &Multiaddr) -> bool {
    match ip(address) {
        Some(IpAddr::V4(ip)) => {
            !(ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_broadcast())
        }
        Some(IpAddr::V6(ip)) => {
            !(ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_unique_local()
                || ip.is_unicast_link_local())
        }
        None => false,
    }
}

/// Where TCP listens.
pub(super) fn tcp(socket: SocketAddr) -> Multiaddr {
    Multiaddr::from(socket.ip()).with(Protocol::Tcp(socket.port()))
}

/// Where QUIC listens.
pub(super) fn quic(socket: SocketAddr) -> Multiaddr {
    Multiaddr::from(socket.ip())
        .with(Protocol::Udp(socket.port()))
        .with(Protocol::QuicV1)
}

/// Whether a connection goes over QUIC; otherwise it goes over TCP.
pub(super) fn is_quic(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::QuicV1)
}

/// The way a connection takes, for people.
pub(super) fn transport(address: &Multiaddr) -> &'static str {
    match is_quic(address) {
        true => "QUIC",
        false => "TCP",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_a_port_and_perhaps_a_peer() {
        let peer = PeerId::random();
        for text in [
            "/ip4/127.0.0.1/tcp/30303",
            "/ip6/::1/udp/30303/quic-v1",
            "/dns/seed.example/tcp/1",
        ] {
            let place = parse(text).unwrap();
            assert_eq!(
                (place.address.to_string().as_str(), place.peer),
                (text, None)
            );
            let named = parse(&format!("{text}/p2p/{peer}")).unwrap();
            assert_eq!((named.address, named.peer), (place.address, Some(peer)));
        }
    }

    #[test]
    fn anything_else_is_told_with_an_example() {
        let peer = format!("/p2p/{}", PeerId::random());
        for text in [
            "",
            "127.0.0.1:30303",
            "/ip4/127.0.0.1",
            "/ip4/127.0.0.1/udp/1",
            "/ip4/127.0.0.1/tcp/1/ws",
            "/ip4/1.2.3/tcp/1",
            "/ip4/127.0.0.1/tcp/0",
            &peer,
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(EXAMPLE), "{text}: {error}");
        }
    }

    #[test]
    fn peers_are_named_by_id_or_address() {
        let peer = PeerId::random();
        assert_eq!(peer_id(&peer.to_string()), Ok(peer));
        let address = format!("/ip4/127.0.0.1/tcp/1/p2p/{peer}");
        assert_eq!(peer_id(&address), Ok(peer));
        assert!(peer_id("/ip4/127.0.0.1/tcp/1").is_err());
        assert!(peer_id("me").is_err());
    }

    #[test]
    fn addresses_of_ipv6_count_by_what_one_user_has() {
        let foreign = |ip: &str| foreign_ip(&format!("/{ip}/tcp/1").parse().unwrap());
        let network = foreign("ip6/2001:db8:1:2:3:4:5:6");
        assert_eq!(network.map(shown).unwrap(), "2001:db8:1:2::/64");
        assert_eq!(foreign("ip6/2001:db8:1:2::9"), network);
        assert_ne!(foreign("ip6/2001:db8:1:3::9"), network);
        for (address, alone) in [
            ("ip4/203.0.113.1", "203.0.113.1"),
            ("ip6/::ffff:203.0.113.1", "203.0.113.1"),
            ("ip6/fd00::1", "fd00::1"),
            ("ip6/fe80::1", "fe80::1"),
        ] {
            assert_eq!(foreign(address).map(shown).as_deref(), Some(alone));
        }
        assert_eq!(foreign("ip6/::1"), None);
    }

    #[test]
    fn bans_are_named_as_they_are_shown_or_by_any_address() {
        let network = Ok("2001:db8:1:2::/64".to_owned());
        assert_eq!(banned("2001:db8:1:2:3:4:5:6"), network);
        assert_eq!(banned(" 2001:db8:1:2::/64 "), network);
        assert_eq!(banned("::ffff:203.0.113.1"), banned("203.0.113.1"));
        assert!(banned("203.0.113.0/64").is_err());
        let peer = PeerId::random().to_string();
        assert_eq!(banned(&peer), Ok(peer));
    }
}
