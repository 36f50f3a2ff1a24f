//! Peer addresses, and what is known about them.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use core::ops::{BitAnd, BitOr};
use core::str::FromStr;

use super::address_text::{AddressError, AddressText};
use super::error::NotDialable;
use super::host::{Host, HostName};
use super::network::{NetworkKind, NetworkSet};
use super::time::UnixTime;

/// Where a peer may be reached: host and port.
///
/// As text: `1.2.3.4:8333`, `[2001:db8::1]:8333`, `….onion:8333`, `….b32.i2p:0`, `cjdns:[fc00::1]:8333`,
/// `node.example:8333`. I2P has no ports: its port is 0, whatever is written. A link-local address has a zone, the
/// number of the interface it belongs to: `[fe80::1%2]:8333`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PeerAddress {
    host: Host,
    port: u16,
    /// The interface of a link-local address; 0: unknown, or the address is not link-local.
    zone: u32,
}

impl PeerAddress {
    /// The address of `port` on `host`, without a zone. An IPv4-mapped IPv6 address becomes IPv4. Of an I2P host the
    /// port is 0.
    pub fn new(host: Host, port: u16) -> Self {
        Self::with_zone(host, port, 0)
    }

    fn with_zone(host: Host, port: u16, zone: u32) -> Self {
        let (host, port) = match host {
            Host::Ip(ip) => (Host::from(ip), port),
            Host::I2p(_) => (host, 0),
            Host::Onion(_) | Host::Cjdns(_) | Host::Name(_) => (host, port),
        };
        let zone = if host.is_link_local_v6() { zone } else { 0 };
        Self { host, port, zone }
    }

    /// The same address as the networks in use name it: where CJDNS is among them, an IPv6 address of `fc00::/8` is a
    /// CJDNS address. So a peer has one address, whichever way we heard of it.
    #[must_use]
    pub fn settled(self, networks: NetworkSet) -> Self {
        Self { host: self.host.settled(networks), ..self }
    }

    /// The host.
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The network; `None` for a name.
    pub const fn network(&self) -> Option<NetworkKind> {
        self.host.network()
    }

    /// The socket address to connect to without a proxy, if the host has an IP address.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        Some(match self.host.ip()? {
            IpAddr::V6(ip) => SocketAddr::V6(SocketAddrV6::new(ip, self.port, 0, self.zone)),
            ip @ IpAddr::V4(_) => SocketAddr::new(ip, self.port),
        })
    }

    /// The zone of a link-local IPv6 address: the number of the interface. Such an address means nothing on another
    /// machine, so it is never kept in the book nor told to others.
    pub const fn zone(&self) -> Option<u32> {
        if self.zone == 0 { None } else { Some(self.zone) }
    }

    /// Why no peer can ever be dialed at this address, whatever the configuration; `None` if one can.
    pub fn not_dialable(&self) -> Option<NotDialable> {
        let host = match &self.host {
            Host::I2p(_) => return None,
            Host::Ip(ip) if ip.is_unspecified() => Some(NotDialable::Unspecified),
            Host::Ip(IpAddr::V4(ip)) if ip.octets()[0] == 0 => Some(NotDialable::ThisNetwork),
            Host::Ip(ip) if ip.is_multicast() => Some(NotDialable::Multicast),
            Host::Ip(IpAddr::V4(Ipv4Addr::BROADCAST)) => Some(NotDialable::Broadcast),
            Host::Ip(_) if self.host.is_link_local_v6() && self.zone == 0 => Some(NotDialable::NoZone),
            Host::Cjdns(ip) if !Host::is_cjdns_range(*ip) => Some(NotDialable::NotCjdns),
            Host::Ip(_) | Host::Onion(_) | Host::Cjdns(_) | Host::Name(_) => None,
        };
        let port = (self.port == 0).then_some(NotDialable::PortZero);
        host.or(port)
    }

    /// The name, if the host is one.
    pub const fn name(&self) -> Option<&HostName> {
        match &self.host {
            Host::Name(name) => Some(name),
            Host::Ip(_) | Host::Onion(_) | Host::I2p(_) | Host::Cjdns(_) => None,
        }
    }

    /// Parses an address; `default_port` applies if the text has no port. A zone must be a number; only the operating
    /// system knows the number of an interface by its name.
    ///
    /// # Errors
    /// [`AddressError`] names the part that is wrong.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, AddressError> {
        let AddressText { host, zone, port } = AddressText::read(text)?;
        Ok(Self::with_zone(host, port.unwrap_or(default_port), zone))
    }
}

/// Few writes, because addresses are hashed often.
impl Hash for PeerAddress {
    #[inline]
    fn hash<H: Hasher>(&self, to: &mut H) {
        match &self.host {
            Host::Ip(IpAddr::V4(ip)) => to.write_u64(u64::from(ip.to_bits()) << 16 | u64::from(self.port)),
            Host::Ip(IpAddr::V6(_)) | Host::Onion(_) | Host::I2p(_) | Host::Cjdns(_) | Host::Name(_) => {
                (&self.host, self.port).hash(to);
                if let Some(zone) = self.zone() {
                    to.write_u32(zone);
                }
            }
        }
    }
}

impl From<SocketAddr> for PeerAddress {
    /// Keeps the zone of a link-local address.
    fn from(addr: SocketAddr) -> Self {
        match addr {
            SocketAddr::V4(addr) => Self { host: Host::from(*addr.ip()), port: addr.port(), zone: 0 },
            SocketAddr::V6(addr) => Self::with_zone(Host::Ip(IpAddr::V6(*addr.ip())), addr.port(), addr.scope_id()),
        }
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(IpAddr::V6(ip)) => match self.zone() {
                Some(zone) => write!(f, "[{ip}%{zone}]:{}", self.port),
                None => write!(f, "[{ip}]:{}", self.port),
            },
            Host::Cjdns(ip) => write!(f, "cjdns:[{ip}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}

impl FromStr for PeerAddress {
    type Err = AddressError;

    /// Like [`PeerAddress::parse`], but the port is required, save for I2P.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let AddressText { host, zone, port } = AddressText::read(text)?;
        let no_port_needed = if let Host::I2p(_) = host { Some(0) } else { None };
        let port = port.or(no_port_needed).ok_or(AddressError::NoPort)?;
        Ok(Self::with_zone(host, port, zone))
    }
}

/// The services a peer offers: the bits of Bitcoin's `services` field.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Services(u64);

impl Services {
    /// No service.
    pub const NONE: Self = Self(0);
    /// Serves the whole block chain (bit 0).
    pub const NETWORK: Self = Self(1);
    /// Serves witness data, BIP 144 (bit 3).
    pub const WITNESS: Self = Self(1 << 3);
    /// Serves compact filters, BIP 157 (bit 6).
    pub const COMPACT_FILTERS: Self = Self(1 << 6);
    /// Serves the last 288 blocks, BIP 159 (bit 10).
    pub const NETWORK_LIMITED: Self = Self(1 << 10);
    /// Speaks the encrypted transport, BIP 324 (bit 11).
    pub const P2P_V2: Self = Self(1 << 11);

    /// The services with these bits.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether every service of `wanted` is included.
    pub const fn has(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }
}

impl BitOr for Services {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Services {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// The bits, in hexadecimal: `0x409`.
impl fmt::Display for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Services({:#x})", self.0)
    }
}

/// An address, and what is said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct AddressInfo {
    /// The address. The book keeps no names.
    pub address: PeerAddress,
    /// The services the peer is said to offer.
    pub services: Services,
    /// When the peer is said to have been seen last. The epoch: unknown, which counts as five days ago.
    pub last_seen: UnixTime,
}

impl AddressInfo {
    /// An address of which nothing else is known.
    #[must_use]
    pub const fn new(address: PeerAddress) -> Self {
        Self { address, services: Services::NONE, last_seen: UnixTime::from_secs(0) }
    }

    /// The services the peer is said to offer.
    #[must_use]
    pub const fn services(mut self, services: Services) -> Self {
        self.services = services;
        self
    }

    /// When the peer is said to have been seen last.
    #[must_use]
    pub const fn last_seen(mut self, last_seen: UnixTime) -> Self {
        self.last_seen = last_seen;
        self
    }
}

impl From<PeerAddress> for AddressInfo {
    fn from(address: PeerAddress) -> Self {
        Self::new(address)
    }
}

#[cfg(feature = "serde")]
mod data {
    use super::{PeerAddress, Services};
    crate::types::data::as_text!(PeerAddress);
    crate::types::data::number_as_text!(Services, from_bits, bits);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_sort_of_address_reads_and_spells_the_same() {
        for text in [
            "1.2.3.4:8333",
            "[2001:db8::1]:8333",
            "cjdns:[fc00::1]:8333",
            "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:8333",
            "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p:0",
            "node.example:1",
            "[fe80::1%2]:8333",
        ] {
            let address: PeerAddress = text.parse().expect(text);
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn a_missing_port_takes_the_default() {
        for (text, full) in [
            ("1.2.3.4", "1.2.3.4:8333"),
            ("2001:db8::1", "[2001:db8::1]:8333"),
            ("[2001:db8::1]", "[2001:db8::1]:8333"),
            ("cjdns:fc00::1", "cjdns:[fc00::1]:8333"),
            ("node.example", "node.example:8333"),
            ("node.example:1", "node.example:1"),
        ] {
            assert_eq!(PeerAddress::parse(text, 8333).expect(text).to_string(), full);
        }
    }

    #[test]
    fn without_a_default_the_port_is_required() {
        assert_eq!("1.2.3.4".parse::<PeerAddress>(), Err(AddressError::NoPort));
    }

    #[test]
    fn i2p_has_no_port_whatever_is_written() {
        let text = "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p";
        let address = |text: &str| text.parse::<PeerAddress>().expect(text);
        let written = [address(text), address(&alloc::format!("{text}:8333")), address(&alloc::format!("{text}:0"))];
        assert!(written.iter().all(|address| *address == written[0] && address.port() == 0), "{written:?}");
        assert_eq!(PeerAddress::parse(text, 8333).as_ref(), Ok(&written[0]));
        assert_eq!(PeerAddress::new(written[0].host().clone(), 8333), written[0]);
        assert_eq!(written[0].not_dialable(), None);
    }

    #[test]
    fn a_zone_comes_from_the_socket_and_goes_to_it() {
        let addr: SocketAddr = "[fe80::1%2]:8333".parse().expect("it parses");
        let address = PeerAddress::from(addr);
        assert_eq!((address.zone(), address.socket_addr()), (Some(2), Some(addr)));
        let global: SocketAddr = "[2001:db8::1%2]:8333".parse().expect("it parses");
        assert_eq!(PeerAddress::from(global).zone(), None);
    }

    #[test]
    fn no_peer_is_where_none_can_be() {
        for (text, why) in [
            ("1.2.3.4:0", NotDialable::PortZero),
            ("node.example:0", NotDialable::PortZero),
            ("2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:0", NotDialable::PortZero),
            ("0.0.0.0:8333", NotDialable::Unspecified),
            ("0.0.0.0:0", NotDialable::Unspecified),
            ("[::]:8333", NotDialable::Unspecified),
            ("[::ffff:0.0.0.0]:8333", NotDialable::Unspecified),
            ("0.0.0.1:8333", NotDialable::ThisNetwork),
            ("0.255.255.255:8333", NotDialable::ThisNetwork),
            ("[::ffff:0.1.2.3]:8333", NotDialable::ThisNetwork),
            ("224.0.0.1:8333", NotDialable::Multicast),
            ("[ff02::1]:8333", NotDialable::Multicast),
            ("255.255.255.255:8333", NotDialable::Broadcast),
            ("[fe80::1]:8333", NotDialable::NoZone),
        ] {
            assert_eq!(text.parse::<PeerAddress>().expect(text).not_dialable(), Some(why), "{text}");
        }
        for text in
            ["1.2.3.4:8333", "127.0.0.1:1", "[fe80::1%2]:1", "169.254.1.1:1", "cjdns:[fc00::1]:1", "a.example:1"]
        {
            assert_eq!(text.parse::<PeerAddress>().expect(text).not_dialable(), None, "{text}");
        }
    }

    #[test]
    fn an_address_of_the_cjdns_range_is_cjdns_where_that_is_in_use() {
        let settled = |text: &str, networks| text.parse::<PeerAddress>().expect(text).settled(networks).to_string();
        assert_eq!(settled("[fc00::1]:1", NetworkSet::ALL), "cjdns:[fc00::1]:1");
        assert_eq!(settled("[fc00::1]:1", NetworkSet::ALL.without(NetworkKind::Cjdns)), "[fc00::1]:1");
        assert_eq!(settled("[fd00::1]:1", NetworkSet::ALL), "[fd00::1]:1");
    }
}
