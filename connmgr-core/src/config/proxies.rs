//! The proxies, and whether their connections share circuits.

use crate::types::{More, NetworkKind, ProxyAddress};

/// The proxies of the networks. A network without one is reached directly (IPv4, IPv6, CJDNS) or not at all (onion,
/// I2P).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Proxies {
    /// For every network without an entry of its own, and for names and lookups. Not for I2P, which only an I2P proxy
    /// reaches. Default: none.
    pub all: Option<Proxy>,
    /// For onion services. Default: none, and then `all` applies.
    pub onion: Option<Proxy>,
    /// For I2P. Default: none, and then I2P can't be reached.
    pub i2p: Option<Proxy>,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

impl Proxies {
    /// The proxy of a network, if any.
    pub const fn for_network(&self, kind: NetworkKind) -> Option<&Proxy> {
        match (kind, &self.onion) {
            (NetworkKind::Ipv4 | NetworkKind::Ipv6 | NetworkKind::Cjdns, _) | (NetworkKind::Onion, None) => {
                self.all.as_ref()
            }
            (NetworkKind::Onion, own) => own.as_ref(),
            (NetworkKind::I2p, _) => self.i2p.as_ref(),
        }
    }

    /// The address of every configured proxy.
    pub fn addresses(&self) -> impl Iterator<Item = &ProxyAddress> {
        [&self.all, &self.onion, &self.i2p].into_iter().flatten().map(|proxy| &proxy.address)
    }
}

/// A SOCKS5 proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Proxy {
    /// Its address: an IP address or a name, and a port that is not 0.
    pub address: ProxyAddress,
    /// Whether each connection gets a circuit of its own, by a fresh user name and password. [`IsolationMode::Preferred`]
    /// suits Tor and others.
    pub isolation: IsolationMode,
    /// Whether it may support Tor's RESOLVE, so that seeds are looked up through it. Otherwise, and once it has refused
    /// a lookup as unsupported, a seed's name is dialed as an addr-fetch.
    pub resolves: bool,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

impl Proxy {
    /// The proxy at this address. Isolation is preferred, and it may support Tor's RESOLVE: right for Tor, and good for
    /// others.
    #[must_use]
    pub const fn new(address: ProxyAddress) -> Self {
        Self { address, isolation: IsolationMode::Preferred, resolves: true, _more: More(()) }
    }

    /// Whether each connection gets a circuit of its own.
    #[must_use]
    pub const fn isolation(mut self, isolation: IsolationMode) -> Self {
        self.isolation = isolation;
        self
    }

    /// Whether it may support Tor's RESOLVE.
    #[must_use]
    pub const fn resolves(mut self, resolves: bool) -> Self {
        self.resolves = resolves;
        self
    }
}

/// Whether each connection through a proxy gets a circuit of its own. Tor separates connections with different user names
/// and passwords; most other proxies know none, and the two cannot be told apart before they are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum IsolationMode {
    /// Only a user name and password are offered. A proxy that takes none is not used: every dial fails with
    /// [`DialError::ProxyMethod`](crate::DialError::ProxyMethod).
    Required,
    /// "No authentication" is offered as well. Where the proxy chooses it, connections may share circuits, and adapters
    /// say so once.
    #[default]
    Preferred,
    /// Only "no authentication" is offered: connections may share circuits.
    Off,
}
