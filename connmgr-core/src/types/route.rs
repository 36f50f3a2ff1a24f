//! Routes of dials and lookups, and the transport.

use core::fmt;
use core::net::SocketAddr;

use super::address::PeerAddress;

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
        proxy: SocketAddr,
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

/// Which resolver a lookup asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Route {
    /// This machine's resolver.
    Direct,
    /// Tor's RESOLVE through its SOCKS port. Never ask a local resolver.
    Proxy {
        /// The proxy.
        proxy: SocketAddr,
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
    /// Only connections with the same token may share a circuit. Sent as SOCKS user name and password.
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
