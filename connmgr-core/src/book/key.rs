//! An address packed into a few bytes, as the book stores and hashes it.
//!
//! It knows every network but no names: a name is no address before it is resolved.

use core::hash::Hasher;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::mechanisms::pages::Pages;
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
    Wide(NetworkKind, WideHost),
}

/// The host of a network other than IPv4, filled up with zeros.
pub(super) type WideHost = [u8; 32];

/// A key as an entry stores it: 7 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(Rust, packed)]
pub(super) struct ShortKey {
    /// The IPv4 address, or the number of the wide host.
    host: u32,
    port: u16,
    network: NetworkKind,
}

impl Key {
    /// The key of an address; `None` for a name.
    pub(super) fn of(address: &PeerAddress) -> Option<Self> {
        let host = match address.host() {
            Host::Ip(IpAddr::V4(ip)) => PackedHost::Ipv4(ip.octets()),
            Host::Ip(IpAddr::V6(ip)) => PackedHost::Wide(NetworkKind::Ipv6, widened(*ip)),
            Host::Onion(key) => PackedHost::Wide(NetworkKind::Onion, *key),
            Host::I2p(hash) => PackedHost::Wide(NetworkKind::I2p, *hash),
            Host::Cjdns(ip) => PackedHost::Wide(NetworkKind::Cjdns, widened(*ip)),
            Host::Name(_) => return None,
        };
        Some(Self { host, port: address.port() })
    }

    pub(super) const fn network(&self) -> NetworkKind {
        match self.host {
            PackedHost::Ipv4(_) => NetworkKind::Ipv4,
            PackedHost::Wide(network, _) => network,
        }
    }

    /// The key as an entry stores it. `keep` stores a wide host and returns its number.
    pub(super) fn shortened(&self, keep: impl FnOnce(&WideHost) -> u32) -> ShortKey {
        let host = match &self.host {
            PackedHost::Ipv4(ip) => u32::from_be_bytes(*ip),
            PackedHost::Wide(_, host) => keep(host),
        };
        ShortKey { host, port: self.port, network: self.network() }
    }

    /// Hashes network, port and host: one write for IPv4, two for the others.
    pub(super) fn write_to(&self, hasher: &mut impl Hasher) {
        match &self.host {
            PackedHost::Ipv4(ip) => {
                hasher.write_u64(u64::from(u32::from_be_bytes(*ip)) << 16 | u64::from(self.port));
            }
            PackedHost::Wide(network, host) => {
                hasher.write_u64((network.index() as u64) << 48 | u64::from(self.port));
                hasher.write(host);
            }
        }
    }
}

impl ShortKey {
    /// The number of the wide host; `None` for IPv4.
    pub(super) const fn wide(&self) -> Option<u32> {
        match self.network {
            NetworkKind::Ipv4 => None,
            NetworkKind::Ipv6 | NetworkKind::Onion | NetworkKind::I2p | NetworkKind::Cjdns => Some(self.host),
        }
    }

    pub(super) const fn network(&self) -> NetworkKind {
        self.network
    }

    /// The whole key. `kept` are the wide hosts.
    pub(super) fn lengthened(&self, kept: &Pages<WideHost>) -> Key {
        let host = match self.wide() {
            None => PackedHost::Ipv4(self.host.to_be_bytes()),
            Some(number) => PackedHost::Wide(self.network, kept[number as usize]),
        };
        Key { host, port: self.port }
    }

    /// Whether it is the short form of `key`. `kept` are the wide hosts.
    pub(super) fn is(&self, key: &Key, kept: &Pages<WideHost>) -> bool {
        self.port == key.port
            && match &key.host {
                PackedHost::Ipv4(ip) => self.network == NetworkKind::Ipv4 && self.host == u32::from_be_bytes(*ip),
                PackedHost::Wide(network, host) => self.network == *network && kept[self.host as usize] == *host,
            }
    }

    /// Whether it is the key of an address. `kept` are the wide hosts.
    #[inline]
    pub(super) fn is_of(&self, address: &PeerAddress, kept: &Pages<WideHost>) -> bool {
        if let (NetworkKind::Ipv4, Host::Ip(IpAddr::V4(ip))) = (self.network, address.host()) {
            // Nearly all are of this network.
            return self.host == ip.to_bits() && self.port == address.port();
        }
        Key::of(address).is_some_and(|key| self.is(&key, kept))
    }

    /// The address. `kept` are the wide hosts.
    pub(super) fn address(&self, kept: &Pages<WideHost>) -> PeerAddress {
        let wide = || &kept[self.host as usize];
        let host = match self.network {
            NetworkKind::Ipv4 => {
                return SocketAddr::from((Ipv4Addr::from_bits(self.host), self.port)).into();
            }
            NetworkKind::Ipv6 => Host::Ip(IpAddr::V6(narrowed(wide()))),
            NetworkKind::Onion => Host::Onion(*wide()),
            NetworkKind::I2p => Host::I2p(*wide()),
            NetworkKind::Cjdns => Host::Cjdns(narrowed(wide())),
        };
        PeerAddress::new(host, self.port)
    }

    /// Whether the port is `default_port`; true if that is 0. I2P has no ports: port 0 always matches.
    pub(super) fn is_on_port(&self, default_port: u16) -> bool {
        default_port == 0 || self.port == default_port || (self.port == 0 && self.network == NetworkKind::I2p)
    }
}

fn widened(ip: Ipv6Addr) -> WideHost {
    let mut host = [0; 32];
    host[..16].copy_from_slice(&ip.octets());
    host
}

fn narrowed(host: &WideHost) -> Ipv6Addr {
    let (first, _) = host.split_at(16);
    Ipv6Addr::from(<[u8; 16]>::try_from(first).expect("sixteen bytes"))
}
