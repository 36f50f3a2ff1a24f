//! Views of the manager's state, as plain data.

use alloc::vec::Vec;
use core::fmt;

use super::address::{PeerAddress, Services};
use super::ban::BanTarget;
use super::error::NotDialable;
use super::id::{ConnId, ListenerId, PeerId};
use super::kind::Kind;
use super::more::More;
use super::peer::{Identity, Keep};
use super::route::Transport;
use super::time::{Time, UnixTime};

/// A connection or dial.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ConnView {
    /// Its id.
    pub conn: ConnId,
    /// Its kind.
    pub kind: Kind,
    /// Its state.
    pub state: ConnState,
    /// When it entered this state.
    pub since: Time,
    /// The peer's address. `None` if a proxy hides it (onion or I2P listener).
    pub address: Option<PeerAddress>,
    /// The added peer it belongs to.
    pub peer: Option<PeerId>,
    /// The tag of that peer.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none", with = "crate::types::data::option_u64")
    )]
    pub tag: Option<u64>,
    /// The identity that the other end proved; none before it is ready, or if none was reported.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub identity: Option<Identity>,
    /// The listener that accepted it.
    pub listener: Option<ListenerId>,
    /// The transport we dialed with; for an inbound connection `V1`.
    pub transport: Transport,
    /// The services the peer reported; none before it is ready.
    pub services: Services,
}

/// The state of a connection or dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum ConnState {
    /// Dialing, with a slot.
    Dialing,
    /// Dialing, without a slot: it got no answer for `hedge_after`, or another connection took its slot.
    Silent,
    /// Open, in the handshake, with a slot.
    Handshaking,
    /// Open, in the handshake, without a slot.
    Stalled,
    /// Open and ready.
    Ready,
}

impl ConnState {
    /// Every state, in the order in which a connection passes through them.
    pub const ALL: [Self; 5] = [Self::Dialing, Self::Silent, Self::Handshaking, Self::Stalled, Self::Ready];

    /// Whether [`Event::Connected`](crate::Event::Connected) was emitted for it.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Dialing | Self::Silent => false,
            Self::Handshaking | Self::Stalled | Self::Ready => true,
        }
    }

    /// Whether it holds one of its kind's slots.
    pub const fn holds_slot(self) -> bool {
        match self {
            Self::Silent | Self::Stalled => false,
            Self::Dialing | Self::Handshaking | Self::Ready => true,
        }
    }
}

impl fmt::Display for ConnState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Dialing => "dialing",
            Self::Silent => "silent",
            Self::Handshaking => "handshaking",
            Self::Stalled => "stalled",
            Self::Ready => "ready",
        })
    }
}

/// An added peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PeerView {
    /// Its id.
    pub peer: PeerId,
    /// Its addresses, as it was added.
    pub addresses: Vec<PeerAddress>,
    /// How long it is kept.
    pub keep: Keep,
    /// The identity that it must have.
    pub identity: Option<Identity>,
    /// Its tag.
    #[cfg_attr(feature = "serde", serde(with = "crate::types::data::option_u64"))]
    pub tag: Option<u64>,
    /// Its state.
    pub state: PeerState,
    /// Failed attempts in a row.
    pub attempt: u32,
    /// When it is dialed next, or looks again at what blocks it, if a timer is set.
    pub next_retry: Option<Time>,
}

/// The state of an added peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum PeerState {
    /// Its last attempt failed, and it waits for the next one.
    Waiting,
    /// It is dialed as soon as a slot is free.
    Queued,
    /// A rule forbids dialing it now.
    Blocked(Obstacle),
    /// Its name is being resolved.
    Resolving,
    /// It is being dialed.
    Dialing(ConnId),
    /// It is connected, ready or not yet.
    Connected(ConnId),
}

impl fmt::Display for PeerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("waits for its next attempt"),
            Self::Queued => f.write_str("waits for a slot"),
            Self::Blocked(obstacle) => write!(f, "is not dialed: {obstacle}"),
            Self::Resolving => f.write_str("its name is being resolved"),
            Self::Dialing(conn) => write!(f, "is being dialed by {conn}"),
            Self::Connected(conn) => write!(f, "is connected by {conn}"),
        }
    }
}

/// Why an added peer may not be dialed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Obstacle {
    /// Its host is banned.
    Banned,
    /// Another connection or dial has this address.
    AddressInUse,
    /// The same node, by its identity, is connected by another address, for another added peer.
    AlreadyConnected,
    /// Its network is down; the peer takes turns with the other probes.
    NetworkDown,
    /// The address turned out to be our own.
    OwnAddress,
    /// No peer can ever be dialed at the address.
    NotDialable(NotDialable),
    /// Its network is disabled, or no configured route leads to it.
    Unreachable,
}

impl fmt::Display for Obstacle {
    /// A clause: "its host is banned".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Banned => "its host is banned",
            Self::AddressInUse => "it is connected or being dialed already",
            Self::AlreadyConnected => "its node is connected already, for another added peer",
            Self::NetworkDown => "its network is down and is only probed",
            Self::OwnAddress => "it is our own address",
            Self::NotDialable(why) => return why.fmt(f),
            Self::Unreachable => "its network is disabled (`networks`), or no configured route leads there (`proxies`)",
        })
    }
}

/// A ban.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct BanView {
    /// The host or subnet.
    pub target: BanTarget,
    /// When it began.
    pub since: UnixTime,
    /// When it ends.
    pub until: UnixTime,
    /// The parts of it that are not banned.
    pub exceptions: Vec<BanTarget>,
}

impl BanView {
    /// A ban without exceptions, for tests of what is shown bans.
    #[must_use]
    pub const fn new(target: BanTarget, since: UnixTime, until: UnixTime) -> Self {
        Self { target, since, until, exceptions: Vec::new() }
    }
}

/// Counters since birth. They only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Stats {
    /// Dials begun, probes included.
    pub dials: u64,
    /// Dials that became a connection.
    pub dials_succeeded: u64,
    /// Dials that the driver reported as failed.
    pub dials_failed: u64,
    /// Dials that we ended: at their deadline, by a command or a rule, or because they succeeded without a free slot.
    pub dials_given_up: u64,
    /// Dials into networks that were down.
    pub probes: u64,
    /// Inbound connections admitted.
    pub accepted: u64,
    /// Inbound connections refused.
    pub refused: u64,
    /// Handshakes completed.
    pub ready: u64,
    /// Connections that ended, for any reason. Dials do not count.
    pub disconnected: u64,
    /// Times an added peer's next attempt was scheduled.
    pub retries_scheduled: u64,
    /// Lookups begun, of seeds and of names of added peers.
    pub lookups: u64,
    /// Bans imposed, those that only prolong a ban included.
    pub bans: u64,
    /// Addresses from peers and the application that were new and kept. Answers of seeds do not count.
    pub addresses_learnt: u64,
    /// Addresses from peers and the application that were known, useless, or too many.
    pub addresses_ignored: u64,
    /// Facts that had no effect: about unknown or ended ids, or repeated.
    pub ignored_facts: u64,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}
