//! Why something did not happen: dials, lookups, admissions, commands.
//!
//! Each is small, `Copy`, and says whose fault it was where that decides what follows.

use core::fmt;

/// Gives an enum of unit variants its `Display` text.
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
pub enum DialError {
    /// The target refused: a host is there, nobody listens.
    Refused,
    /// The target reset the connection while it was being made.
    Reset,
    /// No answer in time.
    TimedOut,
    /// A router says the host can't be reached.
    HostUnreachable,
    /// The proxy knows the target and can't reach it: an onion service with no descriptor, one that does not answer
    /// its introduction, a malformed onion address, missing client authorisation (Tor's codes F0 to F7).
    ServiceUnreachable,
    /// The proxy itself can't be reached.
    ProxyUnreachable,
    /// The proxy refuses our credentials, or wants some.
    ProxyAuth,
    /// The proxy says only that it failed, or that its rules forbid the target.
    ProxyFailed,
    /// The proxy does not speak SOCKS5 as RFC 1928 has it.
    ProxyProtocol,
    /// This machine has no route to the network.
    NetworkUnreachable,
    /// This machine does not speak the address family.
    AddressFamilyUnsupported,
    /// This process or machine is out of descriptors, ports or memory, or the driver has no room for one more dial.
    OutOfResources,
    /// The driver gave the dial up on its own.
    Cancelled,
    /// Anything else the operating system may say.
    Other,
}

/// Whose fault a failed dial was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The target's: it counts against the address.
    Target,
    /// The route's: the proxy, or what is behind it.
    Route,
    /// This machine's.
    Ours,
}

impl DialError {
    /// Whose fault it was. Only [`Fault::Target`] counts against an address.
    pub const fn fault(self) -> Fault {
        match self {
            Self::Refused | Self::Reset | Self::TimedOut | Self::HostUnreachable | Self::ServiceUnreachable => {
                Fault::Target
            }
            Self::ProxyUnreachable | Self::ProxyAuth | Self::ProxyFailed | Self::ProxyProtocol => Fault::Route,
            Self::NetworkUnreachable
            | Self::AddressFamilyUnsupported
            | Self::OutOfResources
            | Self::Cancelled
            | Self::Other => Fault::Ours,
        }
    }

    /// Whether somebody at the other end answered, so that the network is evidently up.
    pub const fn is_answer(self) -> bool {
        match self {
            Self::Refused | Self::Reset => true,
            Self::TimedOut
            | Self::HostUnreachable
            | Self::ServiceUnreachable
            | Self::ProxyUnreachable
            | Self::ProxyAuth
            | Self::ProxyFailed
            | Self::ProxyProtocol
            | Self::NetworkUnreachable
            | Self::AddressFamilyUnsupported
            | Self::OutOfResources
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
    ProxyAuth => "the proxy refused our credentials",
    ProxyFailed => "the proxy failed",
    ProxyProtocol => "the proxy does not speak SOCKS5",
    NetworkUnreachable => "network unreachable",
    AddressFamilyUnsupported => "address family not supported",
    OutOfResources => "out of descriptors, ports, memory or the driver's room",
    Cancelled => "cancelled",
    Other => "failed for another reason",
});

/// Why a lookup gave no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum LookupError {
    /// The name does not exist or has no address.
    NotFound,
    /// The resolver failed.
    Failed,
    /// No answer in time.
    TimedOut,
    /// The proxy can't be reached, or can't resolve names.
    Proxy,
    /// The driver gave the lookup up on its own.
    Cancelled,
}

say!(LookupError {
    NotFound => "name not found",
    Failed => "the resolver failed",
    TimedOut => "timed out",
    Proxy => "the proxy could not resolve the name",
    Cancelled => "cancelled",
});

/// Why an inbound connection is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Refusal {
    /// The manager was told to be inactive, or shuts down.
    Inactive,
    /// No such listener in the configuration.
    UnknownListener,
    /// The host is banned.
    Banned,
    /// Every inbound slot is taken, and nobody can be evicted.
    Full,
    /// The host has as many connections as one host may have.
    HostLimit,
    /// The group, or the listener, has as many unfinished handshakes as it may have.
    HalfOpenLimit,
    /// The group, or the listener, connects too often.
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

/// Why a peer can't be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum AddPeerError {
    /// The same address was added before.
    Duplicate,
    /// `limits.added` peers are added already.
    Full,
    /// The address is our own.
    OwnAddress,
    /// The address is banned; unban it first.
    Banned,
    /// Its network is disabled, or no configured route leads there.
    Unreachable,
    /// The manager shuts down.
    ShuttingDown,
}

say!(AddPeerError {
    Duplicate => "the peer is added already",
    Full => "no more peers can be added (limits.added)",
    OwnAddress => "the address is our own",
    Banned => "the address is banned: unban it first",
    Unreachable => "the address's network is disabled or has no route",
    ShuttingDown => "shutting down",
});

/// Why a command did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum CommandError {
    /// No such connection, or it has ended.
    UnknownConnection,
    /// No such added peer.
    UnknownPeer,
    /// The connection was not dialed for an added peer, so nothing says where to reconnect.
    NotAdded,
    /// No such ban.
    NotBanned,
    /// Loopback and the proxy's own address can't be banned: that would ban everyone behind them.
    NotBannable,
    /// A limit is out of range; see [`Limits::check`](crate::Limits::check).
    BadLimits,
    /// A wait is out of range; see [`Backoff::check`](crate::Backoff::check).
    BadBackoff,
    /// The manager shuts down.
    ShuttingDown,
}

say!(CommandError {
    UnknownConnection => "no such connection",
    UnknownPeer => "no such added peer",
    NotAdded => "the connection belongs to no added peer",
    NotBanned => "not banned",
    NotBannable => "loopback and the proxy's address can't be banned",
    BadLimits => "a limit is out of range",
    BadBackoff => "a wait of the back-off is shorter than 1 ms",
    ShuttingDown => "shutting down",
});

/// What is wrong with a [`Config`](crate::Config): the field, and what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The field, as a path from [`Config`](crate::Config).
    pub field: &'static str,
    /// What it must be.
    pub must: &'static str,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "config: `{}` must be {}", self.field, self.must)
    }
}

impl core::error::Error for ConfigError {}
