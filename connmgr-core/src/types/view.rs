//! What can be known of the manager's state, as plain data.

use super::address::{PeerAddress, Services};
use super::ban::BanTarget;
use super::id::{ConnId, ListenerId, PeerId};
use super::kind::Kind;
use super::peer::Keep;
use super::route::Transport;
use super::time::{Time, UnixTime};

/// A connection or dial.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ConnView {
    /// Its id.
    pub conn: ConnId,
    /// What it is for.
    pub kind: Kind,
    /// How far it has come.
    pub state: ConnState,
    /// Since when it is in this state.
    pub since: Time,
    /// The other end, if it can be seen.
    pub address: Option<PeerAddress>,
    /// The added peer it is for.
    pub peer: Option<PeerId>,
    /// The listener it came in by.
    pub listener: Option<ListenerId>,
    /// How it is spoken on.
    pub transport: Transport,
    /// What the peer offers, once ready.
    pub services: Services,
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum ConnState {
    /// Being dialed; it holds a slot.
    Dialing,
    /// Being dialed, and its slot given back: it had no answer for long, or another that had come further took it.
    Silent,
    /// Open, its handshake not done; it holds a slot.
    Handshaking,
    /// Open, its handshake not done for long: it has given its slot back.
    Stalled,
    /// Open and ready.
    Ready,
}

impl ConnState {
    /// Every state, in the order in which a connection comes by them.
    pub const ALL: [Self; 5] = [Self::Dialing, Self::Silent, Self::Handshaking, Self::Stalled, Self::Ready];

    /// Whether the application was told of the connection.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Dialing | Self::Silent => false,
            Self::Handshaking | Self::Stalled | Self::Ready => true,
        }
    }

    /// Whether the connection takes one of its kind's slots.
    pub const fn holds_slot(self) -> bool {
        match self {
            Self::Silent | Self::Stalled => false,
            Self::Dialing | Self::Handshaking | Self::Ready => true,
        }
    }
}

/// An added peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PeerView {
    /// Its id.
    pub peer: PeerId,
    /// As it was added.
    pub address: PeerAddress,
    /// For how long it is wanted.
    pub keep: Keep,
    /// What is being done about it.
    pub state: PeerState,
    /// Failed attempts in a row.
    pub attempt: u32,
    /// When it is dialed next, if it waits for a time.
    pub next_retry: Option<Time>,
}

/// What is being done about an added peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum PeerState {
    /// It waits for its next attempt.
    Waiting,
    /// It would be dialed, if a slot were free.
    Queued,
    /// It would be dialed, but may not be now.
    Blocked(Obstacle),
    /// Its name is being resolved.
    Resolving,
    /// It is being dialed.
    Dialing(ConnId),
    /// It is connected; the connection's state says whether it is ready.
    Connected(ConnId),
}

/// Why an added peer may not be dialed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Obstacle {
    /// It is banned.
    Banned,
    /// Another connection or dial has its address.
    AddressInUse,
    /// Its network is down; it takes its turn among the probes.
    NetworkDown,
    /// It turned out to be ourselves.
    OwnAddress,
    /// Its network is disabled, or no configured route leads there.
    Unreachable,
}

/// A ban.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BanView {
    /// Who.
    pub target: BanTarget,
    /// Since when.
    pub since: UnixTime,
    /// Until when.
    pub until: UnixTime,
}

/// Counters since birth. Plain numbers, cheap to copy; none ever falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Stats {
    /// Dials begun, probes among them.
    pub dials: u64,
    /// Dials that became a connection.
    pub dials_succeeded: u64,
    /// Dials that the driver reported as failed.
    pub dials_failed: u64,
    /// Dials that we ended: by their deadline, by a command, or because they succeeded without a free slot.
    pub dials_given_up: u64,
    /// Dials into networks suspected down.
    pub probes: u64,
    /// Strangers let in.
    pub accepted: u64,
    /// Strangers refused.
    pub refused: u64,
    /// Handshakes done.
    pub ready: u64,
    /// Connections that ended, whoever ended them; dials not counted.
    pub disconnected: u64,
    /// Retries of added peers that were given a time.
    pub retries_scheduled: u64,
    /// Lookups begun, of seeds and of peers' names.
    pub lookups: u64,
    /// Bans imposed, those that only prolong another among them.
    pub bans: u64,
    /// Addresses told that were new and kept; those out of seeds' answers are not counted.
    pub addresses_learnt: u64,
    /// Addresses told that were known already, of no use, or too many.
    pub addresses_ignored: u64,
    /// Facts about ids that are unknown, ended, or told twice.
    pub ignored_facts: u64,
}
