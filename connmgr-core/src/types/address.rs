//! Peer addresses, and what is known about them.

use alloc::string::ToString;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::net::{IpAddr, SocketAddr};
use core::ops::{BitAnd, BitOr};
use core::str::FromStr;

use super::host::{Host, HostError, HostName};
use super::network::NetworkKind;
use super::time::UnixTime;

/// Where a peer may be reached: host and port.
///
/// As text: `1.2.3.4:8333`, `[2001:db8::1]:8333`, `….onion:8333`, `….b32.i2p:0`, `cjdns:[fc00::1]:8333`,
/// `node.example:8333`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PeerAddress {
    host: Host,
    port: u16,
}

impl PeerAddress {
    /// The address of `port` on `host`. An IPv4-mapped IPv6 address becomes IPv4.
    pub fn new(host: Host, port: u16) -> Self {
        let host = match host {
            Host::Ip(ip) => Host::from(ip),
            Host::Onion(_) | Host::I2p(_) | Host::Cjdns(_) | Host::Name(_) => host,
        };
        Self { host, port }
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
        self.host.ip().map(|ip| SocketAddr::new(ip, self.port))
    }

    /// The name, if the host is one.
    pub const fn name(&self) -> Option<&HostName> {
        match &self.host {
            Host::Name(name) => Some(name),
            Host::Ip(_) | Host::Onion(_) | Host::I2p(_) | Host::Cjdns(_) => None,
        }
    }

    /// Parses an address; `default_port` applies if the text has no port.
    ///
    /// # Errors
    /// [`AddressError`] names the part that is wrong.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, AddressError> {
        match split_port(text) {
            Some((host, port)) => {
                let port = port.parse().map_err(|_| AddressError::BadPort)?;
                Ok(Self::new(parse_host(host)?, port))
            }
            None => Ok(Self::new(parse_host(text)?, default_port)),
        }
    }
}

/// Host and port, if there is a port: after `]:`, or after the only colon.
fn split_port(text: &str) -> Option<(&str, &str)> {
    if let Some(end) = text.rfind("]:") {
        return Some((&text[..=end], &text[end + 2..]));
    }
    match text.split_once(':') {
        Some(("cjdns", _)) | None => None,
        Some((host, port)) if !port.contains(':') => Some((host, port)),
        Some(_) => None,
    }
}

fn parse_host(text: &str) -> Result<Host, AddressError> {
    let unbracketed = |text: &str| text.strip_prefix('[')?.strip_suffix(']').map(ToString::to_string);
    if let Some(ip) = text.strip_prefix("cjdns:").and_then(unbracketed) {
        return alloc::format!("cjdns:{ip}").parse().map_err(AddressError::BadHost);
    }
    match unbracketed(text) {
        Some(ip) => ip.parse::<IpAddr>().map(Host::from).map_err(|_| AddressError::BadHost(HostError::BadName)),
        None => text.parse().map_err(AddressError::BadHost),
    }
}

/// Few writes, because addresses are hashed often.
impl Hash for PeerAddress {
    fn hash<H: Hasher>(&self, to: &mut H) {
        match &self.host {
            Host::Ip(IpAddr::V4(ip)) => to.write_u64(u64::from(ip.to_bits()) << 16 | u64::from(self.port)),
            Host::Ip(IpAddr::V6(_)) | Host::Onion(_) | Host::I2p(_) | Host::Cjdns(_) | Host::Name(_) => {
                (&self.host, self.port).hash(to);
            }
        }
    }
}

impl From<SocketAddr> for PeerAddress {
    fn from(addr: SocketAddr) -> Self {
        Self::new(Host::from(addr.ip()), addr.port())
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]:{}", self.port),
            Host::Cjdns(ip) => write!(f, "cjdns:[{ip}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}

impl FromStr for PeerAddress {
    type Err = AddressError;

    /// Like [`PeerAddress::parse`], but the port is required.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        split_port(text).ok_or(AddressError::NoPort)?;
        Self::parse(text, 0)
    }
}

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// The port is missing.
    NoPort,
    /// The port is not a number from 0 to 65535.
    BadPort,
    /// The part before the port is not a host.
    BadHost(HostError),
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPort => f.write_str("no port: expected host:port"),
            Self::BadPort => f.write_str("the port is not a number from 0 to 65535"),
            Self::BadHost(why) => why.fmt(f),
        }
    }
}

impl core::error::Error for AddressError {}

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

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Services({:#x})", self.0)
    }
}

/// An address, and what is said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AddressInfo {
    /// The address. The book keeps no names.
    pub address: PeerAddress,
    /// The services the peer is said to offer.
    pub services: Services,
    /// When the peer is said to have been seen last.
    pub last_seen: UnixTime,
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

    #[test]
    fn every_sort_of_address_reads_and_spells_the_same() {
        for text in [
            "1.2.3.4:8333",
            "[2001:db8::1]:8333",
            "cjdns:[fc00::1]:8333",
            "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:8333",
            "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p:0",
            "node.example:1",
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
    fn what_is_wrong_is_named() {
        let parse = |text: &str| text.parse::<PeerAddress>().expect_err(text);
        assert_eq!(parse("1.2.3.4"), AddressError::NoPort);
        assert_eq!(parse("1.2.3.4:70000"), AddressError::BadPort);
        assert_eq!(parse("[::1:8333"), AddressError::NoPort);
        assert_eq!(parse("a b:1"), AddressError::BadHost(HostError::BadName));
        assert_eq!(parse("[nonsense]:1"), AddressError::BadHost(HostError::BadName));
    }
}
