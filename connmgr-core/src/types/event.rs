//! Events: what the manager tells the application.

use core::fmt;

use super::address::PeerAddress;
use super::ban::BanTarget;
use super::error::LookupError;
use super::host::{Host, HostName};
use super::id::{ConnId, ListenerId, PeerId};
use super::kind::Kind;
use super::network::NetworkKind;
use super::peer::Identity;
use super::reason::{DialFailure, EndReason};
use super::refused::RefusalCounts;
use super::route::Transport;
use super::rule::HeldBack;
use super::time::UnixTime;

/// What the manager tells the application, in the order in which things happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Event {
    /// A connection is open: begin the handshake. Emitted once, before its `Disconnected`.
    Connected(Connected),
    /// A connection that was `Connected` has ended. Emitted once; no event about this connection follows.
    Disconnected {
        /// Which.
        conn: ConnId,
        /// The added peer it belonged to.
        peer: Option<PeerId>,
        /// The tag of the added peer.
        #[cfg_attr(
            feature = "serde",
            serde(default, skip_serializing_if = "Option::is_none", with = "crate::types::data::option_u64")
        )]
        tag: Option<u64>,
        /// Why.
        reason: EndReason,
    },
    /// A dial failed or was given up. It was never `Connected`.
    DialFailed {
        /// The dial.
        conn: ConnId,
        /// The added peer it was for.
        peer: Option<PeerId>,
        /// The tag of the added peer.
        #[cfg_attr(
            feature = "serde",
            serde(default, skip_serializing_if = "Option::is_none", with = "crate::types::data::option_u64")
        )]
        tag: Option<u64>,
        /// The address dialed.
        address: PeerAddress,
        /// Why.
        error: DialFailure,
    },
    /// An automatic connection now belongs to an added peer that has the same address or identity.
    Adopted {
        /// The connection.
        conn: ConnId,
        /// The added peer.
        peer: PeerId,
        /// The tag of the added peer.
        #[cfg_attr(
            feature = "serde",
            serde(default, skip_serializing_if = "Option::is_none", with = "crate::types::data::option_u64")
        )]
        tag: Option<u64>,
    },
    /// The name of an added peer could not be resolved.
    LookupFailed {
        /// Which added peer.
        peer: PeerId,
        /// The tag of the added peer.
        #[cfg_attr(
            feature = "serde",
            serde(default, skip_serializing_if = "Option::is_none", with = "crate::types::data::option_u64")
        )]
        tag: Option<u64>,
        /// Why.
        error: LookupError,
    },
    /// A peer added with [`Keep::Once`](crate::Keep::Once) is finished: its one connection ended or could not be made. It
    /// is no longer added.
    PeerFinished {
        /// Which added peer.
        peer: PeerId,
        /// The tag of the added peer.
        #[cfg_attr(
            feature = "serde",
            serde(default, skip_serializing_if = "Option::is_none", with = "crate::types::data::option_u64")
        )]
        tag: Option<u64>,
    },
    /// A peer's score has risen above half of what gets it banned or closed.
    ScoreWarning {
        /// On which connection.
        conn: ConnId,
        /// The host whose score it is. `None`: the connection's own, because the host is shared (a proxy, loopback, an
        /// onion listener).
        host: Option<Host>,
        /// The score.
        score: u32,
    },
    /// A host or a subnet is banned from now on.
    Banned {
        /// The host or subnet.
        target: BanTarget,
        /// When it can be dialed and let in again, as things stand: the later end, if it or a subnet around it is banned
        /// for longer already.
        until: UnixTime,
    },
    /// A ban has ended, was lifted, or made room for another (`max_bans`).
    Unbanned {
        /// The host or subnet.
        target: BanTarget,
    },
    /// No dial into this network is answered, or none can be made. It is probed from now on.
    NetworkDown {
        /// Which.
        network: NetworkKind,
    },
    /// Dials into this network are answered or can be made again.
    NetworkUp {
        /// Which.
        network: NetworkKind,
    },
    /// Few addresses or none are left to dial. Report any you know with
    /// [`handle_addresses`](crate::ConnManager::handle_addresses) (in an adapter: `learn_addresses`).
    AddressesWanted {
        /// The network, if only one is enabled. `None`: any enabled network.
        network: Option<NetworkKind>,
        /// The known addresses, by the rule that holds them back.
        #[cfg_attr(feature = "serde", serde(default))]
        held_back: HeldBack,
    },
    /// Inbound connections were refused. They are collected for a second, the first as well, so at most one such event
    /// comes in a second, except at the end; together they count every refusal.
    Refused {
        /// How many since the last such event, by reason.
        counts: RefusalCounts,
    },
    /// A DNS seed answered.
    SeedAnswered {
        /// Its name, as configured.
        seed: HostName,
        /// How many of its addresses were new to us.
        added: u32,
    },
    /// A DNS seed gave no usable answer.
    SeedFailed {
        /// Its name, as configured.
        seed: HostName,
        /// Why.
        error: LookupError,
    },
    /// Every connection is closed. The last event.
    Stopped,
}

impl Event {
    /// The connection it concerns, if any.
    pub const fn conn(&self) -> Option<ConnId> {
        match self {
            Self::Connected(Connected { conn, .. })
            | Self::Disconnected { conn, .. }
            | Self::DialFailed { conn, .. }
            | Self::Adopted { conn, .. }
            | Self::ScoreWarning { conn, .. } => Some(*conn),
            Self::LookupFailed { .. }
            | Self::PeerFinished { .. }
            | Self::Banned { .. }
            | Self::Unbanned { .. }
            | Self::NetworkDown { .. }
            | Self::NetworkUp { .. }
            | Self::AddressesWanted { .. }
            | Self::Refused { .. }
            | Self::SeedAnswered { .. }
            | Self::SeedFailed { .. }
            | Self::Stopped => None,
        }
    }
}

/// An open connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Connected {
    /// Its id.
    pub conn: ConnId,
    /// Its kind.
    pub kind: Kind,
    /// The peer's address. `None` if a proxy hides it (onion or I2P listener).
    pub address: Option<PeerAddress>,
    /// The added peer it belongs to.
    pub peer: Option<PeerId>,
    /// The tag of the added peer.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none", with = "crate::types::data::option_u64")
    )]
    pub tag: Option<u64>,
    /// The identity with which the added peer is wanted ([`AddedPeer::identity`](crate::AddedPeer::identity)): a handshake
    /// that must know whom it expects takes it from here.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub wanted: Option<Identity>,
    /// The listener that accepted it.
    pub listener: Option<ListenerId>,
    /// The transport to speak. For an inbound connection always `V1`; its first bytes may tell otherwise.
    pub transport: Transport,
    /// The nonce for our version message. If a peer sends it back, we have reached ourselves.
    #[cfg_attr(feature = "serde", serde(with = "crate::types::data::u64_text"))]
    pub nonce: u64,
}

/// What an adapter's connection gives of itself, as its events do.
impl AsRef<Self> for Connected {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Connected {
    /// A v1 connection of which nothing else is known, for tests of what takes events.
    #[must_use]
    pub const fn new(conn: ConnId, kind: Kind) -> Self {
        let (address, peer, tag, wanted, listener) = (None, None, None, None, None);
        Self { conn, kind, address, peer, tag, wanted, listener, transport: Transport::V1, nonce: 0 }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected(Connected { conn, kind, address, peer, .. }) => {
                write!(f, "connected {conn} {kind}")?;
                if let Some(address) = address {
                    write!(f, " {address}")?;
                }
                if let Some(peer) = peer {
                    write!(f, " for {peer}")?;
                }
                Ok(())
            }
            Self::Disconnected { conn, reason, .. } => write!(f, "disconnected {conn}: {reason}"),
            Self::DialFailed { conn, address, error, .. } => write!(f, "dial failed {conn} {address}: {error}"),
            Self::Adopted { conn, peer, .. } => write!(f, "adopted {conn} for {peer}"),
            Self::LookupFailed { peer, error, .. } => write!(f, "lookup failed for {peer}: {error}"),
            Self::PeerFinished { peer, .. } => write!(f, "finished {peer}"),
            Self::ScoreWarning { conn, score, .. } => write!(f, "score warning {conn}: {score}"),
            Self::Banned { target, until } => write!(f, "banned {target} until {until}"),
            Self::Unbanned { target } => write!(f, "unbanned {target}"),
            Self::NetworkDown { network } => write!(f, "network down: {network}"),
            Self::NetworkUp { network } => write!(f, "network up: {network}"),
            Self::AddressesWanted { network: Some(network), held_back } => {
                write!(f, "addresses wanted: {network} ({held_back})")
            }
            Self::AddressesWanted { network: None, held_back } => write!(f, "addresses wanted ({held_back})"),
            Self::Refused { counts } => write!(f, "refused: {counts}"),
            Self::SeedAnswered { seed, added } => write!(f, "seed {seed} answered: {added} new addresses"),
            Self::SeedFailed { seed, error } => write!(f, "seed {seed} failed: {error}"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}
