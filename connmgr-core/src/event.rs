//! What the manager tells the application.

use core::fmt;

use crate::action::{CloseReason, Transport};
use crate::address::PeerAddress;
use crate::error::{DialError, LookupError};
use crate::host::{Host, HostName};
use crate::id::{ConnId, ListenerId, PeerId};
use crate::input::{BanTarget, CloseCause};
use crate::network::NetworkKind;
use crate::time::UnixTime;

/// What the manager tells the application. Events come in the order in which things happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Event {
    /// A connection is open: begin the handshake. Comes once, before its `Disconnected`.
    Connected(Connected),
    /// A connection that was `Connected` has ended. Comes once, and nothing of this connection comes after.
    Disconnected {
        /// Which.
        conn: ConnId,
        /// The added peer it was for.
        peer: Option<PeerId>,
        /// Why.
        reason: EndReason,
    },
    /// A dial came to nothing; there was no `Connected`.
    DialFailed {
        /// The attempt.
        conn: ConnId,
        /// The added peer it was for.
        peer: Option<PeerId>,
        /// Whom it should have reached.
        address: PeerAddress,
        /// Why.
        error: DialFailure,
    },
    /// An added peer turns out to be connected already; the connection now belongs to it.
    Adopted {
        /// The connection.
        conn: ConnId,
        /// The added peer.
        peer: PeerId,
    },
    /// The name of an added peer could not be resolved.
    LookupFailed {
        /// Which added peer.
        peer: PeerId,
        /// Why.
        error: LookupError,
    },
    /// A peer added for one connection has had it, or failed to get it, and is no longer added.
    PeerFinished {
        /// Which added peer.
        peer: PeerId,
    },
    /// A host has misbehaved up to more than half of what gets it banned.
    ScoreWarning {
        /// On which connection.
        conn: ConnId,
        /// The host, if it has one.
        host: Option<Host>,
        /// Its score now.
        score: u32,
    },
    /// A host or a subnet is banned from now on.
    Banned {
        /// Who.
        target: BanTarget,
        /// Until when.
        until: UnixTime,
    },
    /// A ban has ended or was lifted.
    Unbanned {
        /// Who.
        target: BanTarget,
    },
    /// No dial to this network gets any answer; it is probed from now on.
    NetworkDown {
        /// Which.
        network: NetworkKind,
    },
    /// The network answers again.
    NetworkUp {
        /// Which.
        network: NetworkKind,
    },
    /// No address of this network is left to dial: feed `handle_addresses` if you know any.
    AddressesWanted {
        /// Which; none: of any network.
        network: Option<NetworkKind>,
    },
    /// A DNS seed answered.
    SeedAnswered {
        /// Its name, as configured.
        seed: HostName,
        /// How many of its addresses were new to us.
        added: u32,
    },
    /// A DNS seed did not answer.
    SeedFailed {
        /// Its name, as configured.
        seed: HostName,
        /// Why.
        error: LookupError,
    },
    /// Everything is closed. Nothing comes after.
    Stopped,
}

/// A connection that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Connected {
    /// Its id.
    pub conn: ConnId,
    /// What it is for.
    pub kind: Kind,
    /// The other end, unless it came in where hosts can't be seen (an onion listener).
    pub address: Option<PeerAddress>,
    /// The added peer it is for.
    pub peer: Option<PeerId>,
    /// The listener it came in by.
    pub listener: Option<ListenerId>,
    /// How to speak.
    pub transport: Transport,
    /// A number to put into our version message: when it comes back, we have reached ourselves.
    #[cfg_attr(feature = "serde", serde(with = "crate::data::u64_text"))]
    pub nonce: u64,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Kind {
    /// Outbound, chosen by us: everything is exchanged.
    Full,
    /// Outbound, chosen by us: blocks only, so that nobody learns of it from gossip.
    BlockRelay,
    /// Outbound, short: is this address any good?
    Feeler,
    /// Outbound, short: ask for addresses and go.
    AddrFetch,
    /// Outbound to a peer the operator asked for.
    Added,
    /// They came to us.
    Inbound,
}

impl Kind {
    /// Every kind, in the order of [`Kind::index`].
    pub const ALL: [Self; 6] =
        [Self::Full, Self::BlockRelay, Self::Feeler, Self::AddrFetch, Self::Added, Self::Inbound];

    /// A small number for tables with one row a kind.
    pub const fn index(self) -> usize {
        match self {
            Self::Full => 0,
            Self::BlockRelay => 1,
            Self::Feeler => 2,
            Self::AddrFetch => 3,
            Self::Added => 4,
            Self::Inbound => 5,
        }
    }

    /// Whether we chose the address: the group rule is for these. (A feeler is exempt and doesn't count.)
    pub const fn takes_group(self) -> bool {
        match self {
            Self::Full | Self::BlockRelay => true,
            Self::Feeler | Self::AddrFetch | Self::Added | Self::Inbound => false,
        }
    }

    /// Whether we keep so many of them, with addresses that we choose ourselves.
    pub(crate) const fn is_automatic(self) -> bool {
        match self {
            Self::Full | Self::BlockRelay => true,
            Self::Feeler | Self::AddrFetch | Self::Added | Self::Inbound => false,
        }
    }

    /// Whether the connection ends by itself once it has served its purpose.
    pub const fn is_visit(self) -> bool {
        match self {
            Self::Feeler | Self::AddrFetch => true,
            Self::Full | Self::BlockRelay | Self::Added | Self::Inbound => false,
        }
    }

    /// Whether they came to us.
    pub const fn is_inbound(self) -> bool {
        matches!(self, Self::Inbound)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "full",
            Self::BlockRelay => "block-relay",
            Self::Feeler => "feeler",
            Self::AddrFetch => "addr-fetch",
            Self::Added => "added",
            Self::Inbound => "inbound",
        })
    }
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum EndReason {
    /// We closed it.
    Ours(CloseReason),
    /// It was closed under us.
    Theirs(CloseCause),
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(reason) => reason.fmt(f),
            Self::Theirs(cause) => cause.fmt(f),
        }
    }
}

/// Why a dial came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum DialFailure {
    /// The driver reported this.
    Failed(DialError),
    /// We gave it up.
    GivenUp(CloseReason),
}

impl fmt::Display for DialFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::GivenUp(reason) => reason.fmt(f),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected(Connected { conn, kind, address, peer, .. }) => {
                write!(f, "connected {conn} {kind}")?;
                address.iter().try_for_each(|address| write!(f, " {address}"))?;
                peer.iter().try_for_each(|peer| write!(f, " for {peer}"))
            }
            Self::Disconnected { conn, reason, .. } => write!(f, "disconnected {conn}: {reason}"),
            Self::DialFailed { conn, address, error, .. } => write!(f, "dial failed {conn} {address}: {error}"),
            Self::Adopted { conn, peer } => write!(f, "adopted {conn} for {peer}"),
            Self::LookupFailed { peer, error } => write!(f, "lookup failed for {peer}: {error}"),
            Self::PeerFinished { peer } => write!(f, "finished {peer}"),
            Self::ScoreWarning { conn, score, .. } => write!(f, "score warning {conn}: {score}"),
            Self::Banned { target, until } => write!(f, "banned {target} until {until}"),
            Self::Unbanned { target } => write!(f, "unbanned {target}"),
            Self::NetworkDown { network } => write!(f, "network down: {network}"),
            Self::NetworkUp { network } => write!(f, "network up: {network}"),
            Self::AddressesWanted { network: Some(network) } => write!(f, "addresses wanted: {network}"),
            Self::AddressesWanted { network: None } => f.write_str("addresses wanted"),
            Self::SeedAnswered { seed, added } => write!(f, "seed {seed} answered: {added} new addresses"),
            Self::SeedFailed { seed, error } => write!(f, "seed {seed} failed: {error}"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}
