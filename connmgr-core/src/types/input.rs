//! Inputs: every fact and command, as plain data.
//!
//! [`Input`] lists everything the manager can be told or asked. Drivers, traces, simulators and fuzzers use it through
//! [`ConnManager::apply`](crate::ConnManager::apply). The manager's typed methods do the same.

use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;

use super::address::{AddressInfo, PeerAddress};
use super::backoff::Backoff;
use super::ban::BanTarget;
use super::counts::AddressCounts;
use super::error::{AddPeerError, CommandError, DialError, LookupError, Refusal};
use super::host::Host;
use super::id::{ConnId, ListenerId, LookupId, PeerId};
use super::limits::Limits;
use super::more::More;
use super::network::NetworkKind;
use super::peer::{AddedPeer, PeerInfo};
use super::reason::CloseCause;
use super::resolved::ResolvedIp;
use super::source::SourceGroup;
use super::time::UnixTime;

/// A fact or a command.
///
/// Exhaustive on purpose, as [`Reply`] is: code that passes inputs on (an adapter, a fuzzer, a trace) must not miss a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[allow(missing_docs, reason = "each field is the argument of the method that the variant names")]
pub enum Input {
    /// [`handle_timeout`](crate::ConnManager::handle_timeout)
    Timeout,
    /// [`handle_clock`](crate::ConnManager::handle_clock)
    Clock { unix: UnixTime },
    /// [`handle_dial_result`](crate::ConnManager::handle_dial_result)
    DialResult { conn: ConnId, result: Result<(), DialError> },
    /// [`handle_ready`](crate::ConnManager::handle_ready)
    Ready { conn: ConnId, info: PeerInfo },
    /// [`handle_closed`](crate::ConnManager::handle_closed)
    Closed { conn: ConnId, cause: CloseCause },
    /// [`handle_dropped`](crate::ConnManager::handle_dropped)
    Dropped { conn: ConnId },
    /// [`handle_addresses`](crate::ConnManager::handle_addresses)
    Addresses { source: Source, addresses: Vec<AddressInfo> },
    /// [`handle_lookup_result`](crate::ConnManager::handle_lookup_result)
    LookupResult { lookup: LookupId, result: Result<Vec<ResolvedIp>, LookupError> },
    /// [`handle_misbehavior`](crate::ConnManager::handle_misbehavior)
    Misbehavior { conn: ConnId, penalty: Penalty },
    /// [`handle_activity`](crate::ConnManager::handle_activity)
    Activity { conn: ConnId, activity: Activity },
    /// [`handle_accept_error`](crate::ConnManager::handle_accept_error)
    AcceptError { listener: ListenerId },
    /// [`handle_network_changed`](crate::ConnManager::handle_network_changed)
    NetworkChanged,
    /// [`handle_own_address`](crate::ConnManager::handle_own_address)
    OwnAddress { address: PeerAddress },
    /// [`accept`](crate::ConnManager::accept)
    Accept { remote: SocketAddr, listener: ListenerId },
    /// [`add_peer`](crate::ConnManager::add_peer)
    AddPeer { peer: AddedPeer },
    /// [`remove_peer`](crate::ConnManager::remove_peer)
    RemovePeer { peer: PeerId },
    /// [`disconnect`](crate::ConnManager::disconnect)
    Disconnect { conn: ConnId },
    /// [`reconnect`](crate::ConnManager::reconnect)
    Reconnect { conn: ConnId },
    /// [`dial_now`](crate::ConnManager::dial_now)
    DialNow { peer: PeerId },
    /// [`set_retry`](crate::ConnManager::set_retry)
    SetRetry { peer: PeerId, retry: Option<Backoff> },
    /// [`ban`](crate::ConnManager::ban)
    Ban { target: BanTarget, duration: Duration },
    /// [`unban`](crate::ConnManager::unban)
    Unban { target: BanTarget },
    /// [`forget_own_address`](crate::ConnManager::forget_own_address)
    ForgetOwnAddress { address: PeerAddress },
    /// [`reset_score`](crate::ConnManager::reset_score)
    ResetScore { host: Host },
    /// [`sample_addresses`](crate::ConnManager::sample_addresses)
    SampleAddresses { network: Option<NetworkKind>, count: u32 },
    /// [`answer_getaddr`](crate::ConnManager::answer_getaddr)
    AnswerGetaddr { conn: ConnId },
    /// [`set_active`](crate::ConnManager::set_active)
    SetActive { active: bool },
    /// [`set_limits`](crate::ConnManager::set_limits)
    SetLimits { limits: Limits },
    /// [`shutdown`](crate::ConnManager::shutdown)
    Shutdown,
}

impl Input {
    /// The connection it concerns. [`Input::Accept`] has none yet; its id is in the reply.
    pub const fn conn(&self) -> Option<ConnId> {
        match self {
            Self::DialResult { conn, .. }
            | Self::Ready { conn, .. }
            | Self::Closed { conn, .. }
            | Self::Dropped { conn }
            | Self::Misbehavior { conn, .. }
            | Self::Activity { conn, .. }
            | Self::Disconnect { conn }
            | Self::Reconnect { conn }
            | Self::AnswerGetaddr { conn }
            | Self::Addresses { source: Source::Peer(conn), .. } => Some(*conn),
            Self::Timeout
            | Self::Clock { .. }
            | Self::Addresses { source: Source::Application | Source::Import(_), .. }
            | Self::LookupResult { .. }
            | Self::AcceptError { .. }
            | Self::NetworkChanged
            | Self::OwnAddress { .. }
            | Self::Accept { .. }
            | Self::AddPeer { .. }
            | Self::RemovePeer { .. }
            | Self::DialNow { .. }
            | Self::SetRetry { .. }
            | Self::Ban { .. }
            | Self::Unban { .. }
            | Self::ForgetOwnAddress { .. }
            | Self::ResetScore { .. }
            | Self::SampleAddresses { .. }
            | Self::SetActive { .. }
            | Self::SetLimits { .. }
            | Self::Shutdown => None,
        }
    }

    /// The added peer it concerns. [`Input::AddPeer`] has none yet; its id is in the reply.
    pub const fn peer(&self) -> Option<PeerId> {
        match self {
            Self::RemovePeer { peer } | Self::DialNow { peer } | Self::SetRetry { peer, .. } => Some(*peer),
            _ => None,
        }
    }

    /// Whether it is a command, so that the caller waits for an answer. All others are facts, and [`Input::Accept`].
    pub const fn is_command(&self) -> bool {
        match self {
            Self::AddPeer { .. }
            | Self::RemovePeer { .. }
            | Self::Disconnect { .. }
            | Self::Reconnect { .. }
            | Self::DialNow { .. }
            | Self::SetRetry { .. }
            | Self::Ban { .. }
            | Self::Unban { .. }
            | Self::ForgetOwnAddress { .. }
            | Self::ResetScore { .. }
            | Self::SampleAddresses { .. }
            | Self::AnswerGetaddr { .. }
            | Self::SetActive { .. }
            | Self::SetLimits { .. }
            | Self::Shutdown => true,
            Self::Timeout
            | Self::Clock { .. }
            | Self::DialResult { .. }
            | Self::Ready { .. }
            | Self::Closed { .. }
            | Self::Dropped { .. }
            | Self::Addresses { .. }
            | Self::LookupResult { .. }
            | Self::Misbehavior { .. }
            | Self::Activity { .. }
            | Self::AcceptError { .. }
            | Self::NetworkChanged
            | Self::OwnAddress { .. }
            | Self::Accept { .. } => false,
        }
    }
}

/// The answer to an [`Input`]. Exhaustive on purpose, as inputs are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Reply {
    /// To any other fact.
    Noted,
    /// To [`Input::Addresses`].
    Learnt(AddressCounts),
    /// To [`Input::Accept`].
    Accepted(Result<ConnId, Refusal>),
    /// To [`Input::AddPeer`].
    Added(Result<PeerId, AddPeerError>),
    /// To [`Input::SampleAddresses`] and [`Input::AnswerGetaddr`].
    Addresses(Vec<AddressInfo>),
    /// To every other command.
    Done(Result<(), CommandError>),
}

/// The source of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Source {
    /// The application, from a store of its own. Trusted, and not rate-limited.
    Application,
    /// A connected peer, by gossip.
    Peer(ConnId),
    /// Addresses taken over from elsewhere, as if this neighbourhood had announced them. Not rate-limited.
    Import(SourceGroup),
}

/// The cost of a misbehavior, in points of the [ban score](crate::BanScore).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Penalty {
    /// Points that do not decay.
    pub persistent: u32,
    /// Points that decay: half are gone every [`BanScore::HALF_LIFE_SECS`](crate::BanScore::HALF_LIFE_SECS).
    pub transient: u32,
}

impl Penalty {
    /// The sum of both, saturating.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            persistent: self.persistent.saturating_add(other.persistent),
            transient: self.transient.saturating_add(other.transient),
        }
    }
}

/// What a connection was recently useful for, and a proof that its network is up. The default says only that bytes have
/// arrived.
///
/// Adapters report the default for every connection on which bytes arrive, at most once in 30 s. An application only
/// reports what it alone knows: the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Activity {
    /// The shortest round trip.
    pub ping: Option<Duration>,
    /// It brought a block that was new to us.
    pub block: bool,
    /// It brought a transaction that was new to us.
    pub transaction: bool,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

impl Activity {
    /// Both records combined.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let ping = match (self.ping, other.ping) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let (block, transaction) = (self.block || other.block, self.transaction || other.transaction);
        Self { ping, block, transaction, _more: More(()) }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("timeout"),
            Self::Clock { unix } => write!(f, "clock {unix}"),
            Self::DialResult { conn, result: Ok(()) } => write!(f, "dial result {conn}: connected"),
            Self::DialResult { conn, result: Err(error) } => write!(f, "dial result {conn}: {error}"),
            Self::Ready { conn, .. } => write!(f, "ready {conn}"),
            Self::Closed { conn, cause } => write!(f, "closed {conn}: {cause}"),
            Self::Dropped { conn } => write!(f, "dropped {conn}"),
            Self::Addresses { source: Source::Application, addresses } => {
                write!(f, "{} addresses from the application", addresses.len())
            }
            Self::Addresses { source: Source::Peer(conn), addresses } => {
                write!(f, "{} addresses from {conn}", addresses.len())
            }
            Self::Addresses { source: Source::Import(source), addresses } => {
                write!(f, "{} addresses from source group {source}", addresses.len())
            }
            Self::LookupResult { lookup, result: Ok(ips) } => write!(f, "lookup {lookup}: {} addresses", ips.len()),
            Self::LookupResult { lookup, result: Err(error) } => write!(f, "lookup {lookup}: {error}"),
            Self::Misbehavior { conn, penalty } => {
                write!(f, "misbehavior {conn}: {} and {}", penalty.persistent, penalty.transient)
            }
            Self::Activity { conn, .. } => write!(f, "activity {conn}"),
            Self::AcceptError { listener } => write!(f, "accept error on {listener}"),
            Self::NetworkChanged => f.write_str("network changed"),
            Self::OwnAddress { address } => write!(f, "own address {address}"),
            Self::Accept { remote, listener } => write!(f, "accept {remote} on {listener}"),
            Self::AddPeer { peer } => write!(f, "add peer {peer}"),
            Self::RemovePeer { peer } => write!(f, "remove peer {peer}"),
            Self::Disconnect { conn } => write!(f, "disconnect {conn}"),
            Self::Reconnect { conn } => write!(f, "reconnect {conn}"),
            Self::DialNow { peer } => write!(f, "dial now {peer}"),
            Self::SetRetry { peer, .. } => write!(f, "set retry of {peer}"),
            Self::Ban { target, duration } => write!(f, "ban {target} for {} s", duration.as_secs()),
            Self::Unban { target } => write!(f, "unban {target}"),
            Self::ForgetOwnAddress { address } => write!(f, "forget own address {address}"),
            Self::ResetScore { host } => write!(f, "reset score of {host}"),
            Self::SampleAddresses { count, .. } => write!(f, "sample {count} addresses"),
            Self::AnswerGetaddr { conn } => write!(f, "answer getaddr of {conn}"),
            Self::SetActive { active: true } => f.write_str("set active"),
            Self::SetActive { active: false } => f.write_str("set inactive"),
            Self::SetLimits { limits } => write!(f, "set limits {limits:?}"),
            Self::Shutdown => f.write_str("shutdown"),
        }
    }
}
