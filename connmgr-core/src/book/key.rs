//! An address packed into a few bytes, as the book stores and hashes it.
//!
//! It knows every network but no names: a name is no address before it is resolved.

use core::hash::Hasher;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::types::{Host, NetworkKind, PeerAddress};

/// An address in 36 bytes. The book stores no names, so they have no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    host: PackedHost,
    port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PackedHost {
    Ipv4([u8; 4]),
    Ipv6([u8; 16]),
    Onion([u8; 32]),
    I2p([u8; 32]),
    Cjdns([u8; 16]),
}

impl Key {
    /// The key of an address; `None` for a name.
    pub(super) fn of(address: &PeerAddress) -> Option<Self> {
        let host = match address.host() {
            Host::Ip(IpAddr::V4(ip)) => PackedHost::Ipv4(ip.octets()),
            Host::Ip(IpAddr::V6(ip)) => PackedHost::Ipv6(ip.octets()),
            Host::Onion(key) => PackedHost::Onion(*key),
            Host::I2p(hash) => PackedHost::I2p(*hash),
            Host::Cjdns(ip) => PackedHost::Cjdns(ip.octets()),
            Host::Name(_) => return None,
        };
        Some(Self { host, port: address.port() })
    }

    pub(super) fn address(&self) -> PeerAddress {
        let host = match self.host {
            PackedHost::Ipv4(ip) => Host::Ip(IpAddr::V4(Ipv4Addr::from(ip))),
            PackedHost::Ipv6(ip) => Host::Ip(IpAddr::V6(Ipv6Addr::from(ip))),
            PackedHost::Onion(key) => Host::Onion(key),
            PackedHost::I2p(hash) => Host::I2p(hash),
            PackedHost::Cjdns(ip) => Host::Cjdns(Ipv6Addr::from(ip)),
        };
        PeerAddress::new(host, self.port)
    }

    pub(super) const fn network(&self) -> NetworkKind {
        match self.host {
            PackedHost::Ipv4(_) => NetworkKind::Ipv4,
            PackedHost::Ipv6(_) => NetworkKind::Ipv6,
            PackedHost::Onion(_) => NetworkKind::Onion,
            PackedHost::I2p(_) => NetworkKind::I2p,
            PackedHost::Cjdns(_) => NetworkKind::Cjdns,
        }
    }

    /// Whether the port is `default_port`; true if that is 0. I2P has no ports: port 0 always matches.
    pub(super) fn is_on_port(&self, default_port: u16) -> bool {
        default_port == 0 || self.port == default_port || (self.port == 0 && self.network() == NetworkKind::I2p)
    }

    /// Hashes network, port and host: one write for IPv4, two for the others.
    pub(super) fn write_to(&self, hasher: &mut impl Hasher) {
        let host: &[u8] = match &self.host {
            PackedHost::Ipv4(ip) => {
                return hasher.write_u64(u64::from(u32::from_be_bytes(*ip)) << 16 | u64::from(self.port));
            }
            PackedHost::Ipv6(ip) | PackedHost::Cjdns(ip) => ip,
            PackedHost::Onion(key) | PackedHost::I2p(key) => key,
        };
        hasher.write_u64((self.network().index() as u64) << 48 | u64::from(self.port));
        hasher.write(host);
    }
}
