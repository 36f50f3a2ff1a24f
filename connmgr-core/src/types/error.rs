//! Errors of dials, lookups, admissions and commands.
//!
//! Each is small and `Copy`. A dial error also says whose fault it is.

use core::fmt;

/// Implements `Display` and `Error` for an enum of unit variants.
macro_rules! say {
    ($name:ident { $($variant:ident => $text:literal,)+ }) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text,)+ })
            }
        }
        impl core::error::Error for $name {}
    };
}

/// Why a dial failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum DialError {
    /// The target refused: the host is up, but no one listens on the port.
    Refused,
    /// The target reset the connection while it was being made.
    Reset,
    /// No answer in time.
    TimedOut,
    /// A router reports that the host can't be reached.
    HostUnreachable,
    /// The proxy knows the target but can't reach it: an onion service without descriptor, one that does not answer, a
    /// malformed onion address, missing client authorisation (Tor's codes F0 to F7).
    ServiceUnreachable,
    /// The proxy itself can't be reached.
    ProxyUnreachable,
    /// The proxy's name could not be resolved.
    ProxyNotFound,
    /// The proxy accepts none of the authentication methods we offer. Where isolation is required, it may know no user
    /// name and password; otherwise it requires a user name and password of its own.
    ProxyMethod,
    /// The proxy refuses our credentials, which only separate circuits.
    ProxyAuth,
    /// The proxy reports a general failure, or its rules forbid the target.
    ProxyFailed,
    /// The proxy violates SOCKS5 (RFC 1928).
    ProxyProtocol,
    /// This machine has no route to the network.
    NetworkUnreachable,
    /// This machine does not support the address family.
    AddressFamilyUnsupported,
    /// This process or machine is out of descriptors, ports or memory, or the driver can't take one more dial.
    OutOfResources,
    /// The application's hook for the sockets of dials failed.
    SocketHook,
    /// The driver gave up the dial by itself.
    Cancelled,
    /// Any other error of the operating system.
    Other,
}

/// Whose fault a failed dial was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The target's. It counts against the address.
    Target,
    /// The route's: the proxy or the way behind it.
    Route,
    /// Our own: this machine's.
    Ours,
}

impl DialError {
    /// Whose fault it is. Only [`Fault::Target`] counts against an address.
    pub const fn fault(self) -> Fault {
        match self {
            Self::Refused | Self::Reset | Self::TimedOut | Self::HostUnreachable | Self::ServiceUnreachable => {
                Fault::Target
            }
            Self::ProxyUnreachable
            | Self::ProxyNotFound
            | Self::ProxyMethod
            | Self::ProxyAuth
            | Self::ProxyFailed
            | Self::ProxyProtocol => Fault::Route,
            Self::NetworkUnreachable
            | Self::AddressFamilyUnsupported
            | Self::OutOfResources
            | Self::SocketHook
            | Self::Cancelled
            | Self::Other => Fault::Ours,
        }
    }

    /// Whether the target answered, so that its network is up.
    pub const fn is_answer(self) -> bool {
        match self {
            Self::Refused | Self::Reset => true,
            Self::TimedOut
            | Self::HostUnreachable
            | Self::ServiceUnreachable
            | Self::ProxyUnreachable
            | Self::ProxyNotFound
            | Self::ProxyMethod
            | Self::ProxyAuth
            | Self::ProxyFailed
            | Self::ProxyProtocol
            | Self::NetworkUnreachable
            | Self::AddressFamilyUnsupported
            | Self::OutOfResources
            | Self::SocketHook
            | Self::Cancelled
            | Self::Other => false,
        }
    }
}

say!(DialError {
    Refused => "connection refused",
    Reset => "connection reset",
    TimedOut => "timed out",
    HostUnreachable => "host unreachable",
    ServiceUnreachable => "the proxy can't reach the service",
    ProxyUnreachable => "proxy unreachable",
    ProxyNotFound => "the proxy's name could not be resolved",
    ProxyMethod => "the proxy accepts none of our authentication methods",
    ProxyAuth => "the proxy refused our credentials",
    ProxyFailed => "the proxy failed",
    ProxyProtocol => "the proxy does not speak SOCKS5",
    NetworkUnreachable => "network unreachable",
    AddressFamilyUnsupported => "address family not supported",
    OutOfResources => "out of descriptors, ports, memory or the driver's room",
    SocketHook => "the application could not prepare the socket",
    Cancelled => "cancelled",
    Other => "failed for another reason",
});

/// Why a lookup gave no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum LookupError {
    /// The name does not exist or has no address.
    NotFound,
    /// A seed has addresses, but none where peers may be: each is outside of the `ranges` and `networks` of the
    /// configuration. A local or forged answer may look like that.
    NoneInRange,
    /// The resolver failed.
    Failed,
    /// No answer in time.
    TimedOut,
    /// The proxy failed, or does not speak SOCKS5.
    Proxy,
    /// The proxy can't be reached.
    ProxyUnreachable,
    /// The proxy's own name could not be resolved.
    ProxyNotFound,
    /// The proxy accepts none of our authentication methods, or refuses our credentials.
    ProxyAuth,
    /// The proxy does not support lookups. Seeds are dialed by name instead.
    ProxyUnsupported,
    /// The driver gave up the lookup by itself.
    Cancelled,
}

say!(LookupError {
    NotFound => "name not found",
    NoneInRange => "none of its addresses is in a range and network where peers may be",
    Failed => "the resolver failed",
    TimedOut => "timed out",
    Proxy => "the proxy failed",
    ProxyUnreachable => "proxy unreachable",
    ProxyNotFound => "the proxy's name could not be resolved",
    ProxyAuth => "the proxy accepts none of our authentication methods or credentials",
    ProxyUnsupported => "the proxy can't look up names",
    Cancelled => "cancelled",
});

/// Why an inbound connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Refusal {
    /// The manager is inactive or shuts down.
    Inactive,
    /// No such listener in the configuration.
    UnknownListener,
    /// The host is banned.
    Banned,
    /// No inbound slot is free.
    Full,
    /// The host has as many connections as allowed (`inbound.per_host`).
    HostLimit,
    /// The group or the listener has as many unfinished handshakes as allowed (`inbound.half_open`).
    HalfOpenLimit,
    /// The group or the listener connects too often (`inbound.rate`).
    RateLimit,
}

say!(Refusal {
    Inactive => "not accepting",
    UnknownListener => "unknown listener",
    Banned => "banned",
    Full => "no free inbound slot",
    HostLimit => "too many connections from one host",
    HalfOpenLimit => "too many unfinished handshakes",
    RateLimit => "connecting too often",
});

/// Why no peer can ever be dialed at an address, whatever the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum NotDialable {
    /// Port 0. Only I2P, which has no ports, uses it.
    PortZero,
    /// `0.0.0.0` or `::`.
    Unspecified,
    /// Another address of `0.0.0.0/8`, "this network", which is never a destination (RFC 6890). Often a number that was
    /// written where an address belongs.
    ThisNetwork,
    /// An IPv4 or IPv6 multicast address.
    Multicast,
    /// `255.255.255.255`.
    Broadcast,
    /// A link-local IPv6 address (`fe80::/10`) without a zone.
    NoZone,
    /// A CJDNS address outside of `fc00::/8`.
    NotCjdns,
}

say!(NotDialable {
    PortZero => "nobody listens on port 0: give the peer's port",
    Unspecified => "0.0.0.0 and :: stand for all addresses of this machine, not for a peer: give the peer's own address",
    ThisNetwork => "an address that begins with 0 is no destination: give the peer's own address",
    Multicast => "a multicast address is a group of machines, not a peer",
    Broadcast => "the broadcast address is every machine of a network, not a peer",
    NoZone => "a link-local address needs the interface it belongs to, as in fe80::1%2",
    NotCjdns => "a CJDNS address is inside fc00::/8",
});

/// Why a peer can't be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum AddPeerError {
    /// One of its addresses, or its identity, was added before.
    Duplicate,
    /// It has no address.
    NoAddress,
    /// It has more than [`AddedPeer::MAX_ADDRESSES`](crate::AddedPeer::MAX_ADDRESSES).
    TooManyAddresses,
    /// Its back-off is out of range; see [`Backoff::check`](crate::Backoff::check).
    BadBackoff,
    /// `limits.added` peers are added already.
    Full,
    /// The address is our own.
    OwnAddress,
    /// The address is banned; unban it first.
    Banned,
    /// No peer can ever be dialed at the address.
    NotDialable(NotDialable),
    /// Its network is disabled, or no configured route leads to it.
    Unreachable,
    /// The manager shuts down.
    ShuttingDown,
}

impl fmt::Display for AddPeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Duplicate => "the peer is added already",
            Self::NoAddress => "the peer has no address",
            Self::TooManyAddresses => "the peer has more than 16 addresses",
            Self::BadBackoff => "a wait of the back-off is shorter than 1 ms",
            Self::Full => "no more peers can be added (limits.added)",
            Self::OwnAddress => "the address is our own",
            Self::Banned => "the address is banned: unban it first",
            Self::NotDialable(why) => return why.fmt(f),
            Self::Unreachable => "the address's network is disabled or has no route",
            Self::ShuttingDown => "shutting down",
        })
    }
}

impl core::error::Error for AddPeerError {}

/// Why a command had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum CommandError {
    /// No such connection, or it has ended.
    UnknownConnection,
    /// No such added peer.
    UnknownPeer,
    /// The connection belongs to no added peer, so there is no address to reconnect to.
    NotAdded,
    /// No such ban.
    NotBanned,
    /// The address is none of our own.
    NotOurs,
    /// Loopback and proxies can't be banned, because many peers share them: loopback only with `ranges.loopback`. With
    /// `max_bans` 0 no host can be.
    NotBannable,
    /// As many parts of banned subnets are let in as allowed: 1024.
    TooManyExceptions,
    /// A limit is out of range; see [`Limits::check`](crate::Limits::check).
    BadLimits,
    /// A back-off is out of range; see [`Backoff::check`](crate::Backoff::check).
    BadBackoff,
    /// The manager shuts down.
    ShuttingDown,
}

say!(CommandError {
    UnknownConnection => "no such connection",
    UnknownPeer => "no such added peer",
    NotAdded => "the connection belongs to no added peer",
    NotBanned => "not banned",
    NotOurs => "none of our own addresses",
    NotBannable => "loopback (without `ranges.loopback`) and the proxy's address can't be banned",
    TooManyExceptions => "no more exceptions of bans are kept (1024)",
    BadLimits => "a limit is out of range",
    BadBackoff => "a wait of the back-off is shorter than 1 ms",
    ShuttingDown => "shutting down",
});

/// What is wrong with a [`Config`](crate::Config).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigError {
    /// The field, as a path from [`Config`](crate::Config).
    pub field: &'static str,
    /// What it must be.
    pub must: &'static str,
}

impl ConfigError {
    /// The field must be this. For adapters, which refuse what they can't carry out.
    #[must_use]
    pub const fn new(field: &'static str, must: &'static str) -> Self {
        Self { field, must }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "config: `{}` must be {}", self.field, self.must)
    }
}

impl core::error::Error for ConfigError {}
