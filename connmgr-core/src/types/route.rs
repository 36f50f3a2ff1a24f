//! How a dial or a lookup goes: directly or through a proxy, on which circuit, in which transport.

use core::fmt;
use core::net::SocketAddr;

use super::address::PeerAddress;

/// Whereto a dial goes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Target {
    /// Straight to the address.
    Direct(SocketAddr),
    /// Through a SOCKS5 proxy, which is told the address (and resolves it, if it is a name).
    Proxied {
        /// The proxy.
        proxy: SocketAddr,
        /// Which circuit to share, if any.
        isolation: Isolation,
        /// Whom the proxy shall reach.
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

/// Who may see a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Route {
    /// The resolver of this machine.
    Direct,
    /// Tor's RESOLVE through its SOCKS port; never a local resolver.
    Proxy {
        /// The proxy.
        proxy: SocketAddr,
        /// Which circuit to share, if any.
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

/// Whether a proxied connection may share a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Isolation {
    /// No credentials are sent; the proxy may share a circuit with anyone.
    Shared,
    /// Connections with the same token may share a circuit, others may not. Sent as SOCKS user name and password.
    Token(IsolationToken),
}

/// A token that keeps circuits apart.
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

/// How to speak on a connection. The manager only chooses; the application speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Transport {
    /// In the clear.
    V1,
    /// Encrypted (BIP 324).
    V2,
}
