//! What the manager asks of the driver.

use core::fmt;
use core::net::SocketAddr;

use crate::address::PeerAddress;
use crate::event::Event;
use crate::host::HostName;
use crate::id::{ConnId, ListenerId, LookupId, PeerId};
use crate::time::Time;

/// What the manager asks of the driver.
///
/// Exhaustive on purpose: a new action must break every driver at compile time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Action {
    /// Open a connection, and report with [`Input::DialResult`](crate::Input::DialResult).
    Dial {
        /// The id of the attempt.
        conn: ConnId,
        /// Whereto, and by which route.
        target: Target,
        /// How to speak once connected.
        transport: Transport,
        /// When the manager will give the attempt up with a `Close`; for information.
        deadline: Time,
    },
    /// Close the connection, or abort the dial. Doing it twice does nothing more.
    Close {
        /// Which.
        conn: ConnId,
        /// Why.
        reason: CloseReason,
    },
    /// Look a DNS seed up, and report with [`Input::LookupResult`](crate::Input::LookupResult).
    ResolveSeed {
        /// The id of the lookup.
        lookup: LookupId,
        /// The name to ask for.
        seed: HostName,
        /// Who may see the question.
        route: Route,
        /// When the manager stops waiting.
        deadline: Time,
    },
    /// Look a peer's host name up, and report with [`Input::LookupResult`](crate::Input::LookupResult).
    ResolveHost {
        /// The id of the lookup.
        lookup: LookupId,
        /// The name to ask for.
        host: HostName,
        /// Who may see the question.
        route: Route,
        /// When the manager stops waiting.
        deadline: Time,
    },
    /// For information: the peer is dialed next at this time. The manager's one deadline covers it already.
    ScheduleRetry {
        /// Which added peer.
        peer: PeerId,
        /// When.
        at: Time,
        /// How many attempts in a row have failed.
        attempt: u32,
    },
    /// Accept nothing on this listener until then.
    PauseAccept {
        /// Which.
        listener: ListenerId,
        /// Until when.
        until: Time,
    },
    /// State worth keeping has changed: store [`ConnManager::snapshot`](crate::ConnManager::snapshot).
    Save,
    /// Tell the application.
    Emit(Event),
}

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
    crate::data::number_as_text!(IsolationToken, from_u64, as_u64);
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

/// Why we close a connection or give up a dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum CloseReason {
    /// The dial took too long.
    DialTimeout,
    /// The handshake took too long.
    HandshakeTimeout,
    /// It made progress when its slot had been given to another, and every slot of its kind was held by one that was
    /// ready.
    Surplus,
    /// The dial succeeded after we gave it up.
    Late,
    /// The host is banned.
    Banned,
    /// The peer misbehaved and can't be banned.
    Misbehaved,
    /// We reached ourselves.
    OwnAddress,
    /// We are connected to this peer already.
    Duplicate,
    /// The peer does not offer what the connection is for.
    MissingServices,
    /// The connection has served its purpose (feeler, addr-fetch).
    Done,
    /// Another inbound connection was worth more.
    Evicted,
    /// A limit was lowered, or a peer was added when all slots were taken.
    LimitLowered,
    /// A block-relay connection had the address of a peer that was added; or there was no full connection, and nobody else
    /// to dial for one.
    MadeRoom,
    /// The application asked for it.
    Requested,
    /// The added peer was removed.
    PeerRemoved,
    /// The manager was told to be inactive.
    Inactive,
    /// The manager shuts down.
    Shutdown,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DialTimeout => "no answer in time",
            Self::HandshakeTimeout => "no handshake in time",
            Self::Surplus => "its slot went to another",
            Self::Late => "succeeded too late",
            Self::MadeRoom => "made room for another kind",
            Self::Banned => "banned",
            Self::Misbehaved => "misbehaved",
            Self::OwnAddress => "connected to ourselves",
            Self::Duplicate => "connected already",
            Self::MissingServices => "lacks required services",
            Self::Done => "has served its purpose",
            Self::Evicted => "evicted",
            Self::LimitLowered => "over the limit",
            Self::Requested => "asked for",
            Self::PeerRemoved => "peer removed",
            Self::Inactive => "inactive",
            Self::Shutdown => "shutting down",
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct(addr) => addr.fmt(f),
            Self::Proxied { proxy, address, .. } => write!(f, "{address} via {proxy}"),
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("direct"),
            Self::Proxy { proxy, .. } => write!(f, "via {proxy}"),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dial { conn, target, .. } => write!(f, "dial {conn} {target}"),
            Self::Close { conn, reason } => write!(f, "close {conn}: {reason}"),
            Self::ResolveSeed { lookup, seed, route, .. } => write!(f, "resolve seed {lookup} {seed} {route}"),
            Self::ResolveHost { lookup, host, route, .. } => write!(f, "resolve host {lookup} {host} {route}"),
            Self::ScheduleRetry { peer, at, attempt } => write!(f, "retry {peer} at {at}, attempt {attempt}"),
            Self::PauseAccept { listener, until } => write!(f, "pause {listener} until {until}"),
            Self::Save => f.write_str("save"),
            Self::Emit(event) => event.fmt(f),
        }
    }
}
