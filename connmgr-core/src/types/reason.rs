//! Why a connection was closed or a dial failed.

use core::fmt;

use super::error::DialError;

/// Why we close a connection or give up a dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum CloseReason {
    /// The dial took too long.
    DialTimeout,
    /// The handshake took too long.
    HandshakeTimeout,
    /// It got no slot: another connection had taken its slot, and ready connections held every slot of its kind.
    Surplus,
    /// The dial succeeded after we gave it up.
    Late,
    /// The host is banned.
    Banned,
    /// The peer misbehaved, and its host can't be banned.
    Misbehaved,
    /// We reached ourselves.
    OwnAddress,
    /// We are connected to this peer already.
    Duplicate,
    /// The added peer has an identity, and this node told another or none.
    WrongIdentity,
    /// Another dial of the same added peer opened first, or its attempt ended.
    Superseded,
    /// The peer lacks the required services.
    MissingServices,
    /// The connection has served its purpose (feeler, addr-fetch).
    Done,
    /// An inbound connection had to make room for another one. Not used yet.
    Evicted,
    /// A limit was lowered, or a peer was added when all slots were taken.
    LimitLowered,
    /// A block-relay connection had the address of an added peer; or there was no full connection and no address to
    /// dial for one.
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
            Self::WrongIdentity => "another identity than wanted",
            Self::Superseded => "its peer needs it no longer",
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

/// Why a connection closed without our doing, as its reader and writer saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum CloseCause {
    /// The peer closed it.
    Eof,
    /// The peer reset it.
    Reset,
    /// The peer closed or reset it before any byte arrived from it. A v2 dial that ends this way is repeated as v1.
    Unheard,
    /// The operating system reported another error.
    Error,
}

impl fmt::Display for CloseCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eof => "closed by the other end",
            Self::Reset => "reset by the other end",
            Self::Unheard => "closed by the other end without a word",
            Self::Error => "broken",
        })
    }
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum EndReason {
    /// The manager closed it.
    Ours(CloseReason),
    /// The peer closed it, or it broke.
    Theirs(CloseCause),
    /// The application dropped its stream, and had seen no end of it: see
    /// [`handle_dropped`](crate::ConnManager::handle_dropped) for what follows.
    Dropped,
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(reason) => reason.fmt(f),
            Self::Theirs(cause) => cause.fmt(f),
            Self::Dropped => f.write_str("dropped by the application"),
        }
    }
}

/// Why a dial failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum DialFailure {
    /// The driver reported an error.
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
