//! Routes of dials and lookups, and the transport.

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::str::FromStr;

use super::address::PeerAddress;
use super::address_text::AddressError;
use super::host::{Host, HostName};
use super::names::names;

/// The target of a dial.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Target {
    /// Connect to this address.
    Direct(SocketAddr),
    /// Connect through a SOCKS5 proxy, which gets the address and resolves it if it is a name.
    Proxied {
        /// The proxy.
        proxy: ProxyAddress,
        /// Which circuits may be shared.
        isolation: Isolation,
        /// The address that the proxy connects to.
        address: PeerAddress,
    },
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct(addr) => addr.fmt(f),
            Self::Proxied { proxy, address, .. } => write!(f, "{address} via {proxy}"),
        }
    }
}

/// Where a SOCKS5 proxy listens: an IP address, or a name that the adapter resolves with this machine's resolver, and a
/// port that is not 0.
///
/// As text: `127.0.0.1:9050`, `[::1]:9050`, `tor:9050`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProxyAddress {
    /// At this address.
    Ip(SocketAddr),
    /// At any address of this name, on this port. Adapters resolve it again after failures.
    Name(HostName, u16),
}

impl ProxyAddress {
    /// The port.
    pub const fn port(&self) -> u16 {
        match self {
            Self::Ip(address) => address.port(),
            Self::Name(_, port) => *port,
        }
    }

    /// The IP address. `None` for a name.
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(address) => Some(address.ip()),
            Self::Name(..) => None,
        }
    }
}

impl From<SocketAddr> for ProxyAddress {
    fn from(address: SocketAddr) -> Self {
        Self::Ip(address)
    }
}

impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
        }
    }
}

impl FromStr for ProxyAddress {
    type Err = ProxyAddressError;

    fn from_str(text: &str) -> Result<Self, ProxyAddressError> {
        if text.contains("://") {
            return Err(ProxyAddressError::Url);
        }
        let address: PeerAddress = text.parse().map_err(ProxyAddressError::NoAddress)?;
        match (address.host(), address.port()) {
            (_, 0) => Err(ProxyAddressError::PortZero),
            // Parsed again for the scope of an IPv6 address.
            (Host::Ip(ip), port) => Ok(Self::Ip(text.parse().unwrap_or(SocketAddr::new(*ip, port)))),
            (Host::Name(name), port) => Ok(Self::Name(name.clone(), port)),
            (Host::Onion(_) | Host::I2p(_) | Host::Cjdns(_), _) => Err(ProxyAddressError::Overlay),
        }
    }
}

#[cfg(feature = "serde")]
const _: () = {
    crate::types::data::as_text!(ProxyAddress);
};

/// Why a text is not the address of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyAddressError {
    /// It is no host with a port.
    NoAddress(AddressError),
    /// A URL. Every proxy speaks SOCKS5, so there is no scheme to choose.
    Url,
    /// Nothing listens on port 0.
    PortZero,
    /// An onion, I2P or CJDNS address: such networks are reached through a proxy, not the proxy through them.
    Overlay,
}

impl fmt::Display for ProxyAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress(why) => why.fmt(f),
            Self::Url => f.write_str("not a URL: the host and the port alone, of a proxy that speaks SOCKS5"),
            Self::PortZero => f.write_str("nothing listens on port 0: give the port of the proxy (Tor's is 9050)"),
            Self::Overlay => f.write_str("a proxy has an IP address or a host name of this machine's own network"),
        }
    }
}

impl core::error::Error for ProxyAddressError {}

/// Which resolver a lookup asks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Route {
    /// This machine's resolver.
    Direct,
    /// Tor's RESOLVE through its SOCKS port. Never ask a local resolver.
    Proxy {
        /// The proxy.
        proxy: ProxyAddress,
        /// Which circuits may be shared.
        isolation: Isolation,
    },
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("direct"),
            Self::Proxy { proxy, .. } => write!(f, "via {proxy}"),
        }
    }
}

/// Whether a connection through a proxy may share a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Isolation {
    /// No credentials are sent. The proxy may share the circuit with anyone.
    Shared,
    /// As `Token` if the proxy takes a user name and password, as `Shared` otherwise.
    Preferred(IsolationToken),
    /// Only connections with the same token may share a circuit. Sent as SOCKS user name and password, without which
    /// nothing is sent through the proxy.
    Token(IsolationToken),
}

/// A token that separates circuits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IsolationToken(u64);

impl IsolationToken {
    /// The token with this number.
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

#[cfg(feature = "serde")]
const _: () = {
    crate::types::data::number_as_text!(IsolationToken, from_u64, as_u64);
};

/// The transport of a connection. The manager only chooses it; the application speaks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Transport {
    /// Plain text.
    V1,
    /// Encrypted (BIP 324).
    V2,
}

names! {
    Transport {
        V1 => "v1",
        V2 => "v2",
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_proxy_has_an_address_or_a_name() {
        for text in ["127.0.0.1:9050", "[::1]:9050", "tor:9050", "proxy.example:1080"] {
            assert_eq!(text.parse::<ProxyAddress>().expect(text).to_string(), text);
        }
        assert_eq!("tor:9050".parse::<ProxyAddress>().expect("a name").ip(), None);
    }

    #[test]
    fn what_is_no_proxy_is_told_why() {
        let onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:9050";
        for (text, told) in [
            ("127.0.0.1:0", "port 0"),
            ("tor:0", "port 0"),
            ("tor", "no port"),
            ("socks5://tor:9050", "not a URL"),
            ("tor:x", "not a number from 0 to 65535"),
            ("a b:9050", "not a host name"),
            (onion, "an IP address or a host name"),
            ("cjdns:[fc00::1]:9050", "an IP address or a host name"),
        ] {
            let error = text.parse::<ProxyAddress>().expect_err(text).to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
