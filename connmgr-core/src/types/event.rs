//! What the manager tells the application.

use core::fmt;

use super::address::PeerAddress;
use super::ban::BanTarget;
use super::error::LookupError;
use super::host::{Host, HostName};
use super::id::{ConnId, ListenerId, PeerId};
use super::kind::Kind;
use super::network::NetworkKind;
use super::reason::{DialFailure, EndReason};
use super::route::Transport;
use super::time::UnixTime;

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
    /// A peer added with [`Keep::Once`](crate::Keep::Once) is finished: its one connection ended or could not be made. It
    /// is no longer added.
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

impl Event {
    /// The connection it is about, if it is about one.
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
            | Self::SeedAnswered { .. }
            | Self::SeedFailed { .. }
            | Self::Stopped => None,
        }
    }
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
    #[cfg_attr(feature = "serde", serde(with = "crate::types::data::u64_text"))]
    pub nonce: u64,
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
