//! What the manager asks of the driver.

use core::fmt;

use super::event::Event;
use super::host::HostName;
use super::id::{ConnId, ListenerId, LookupId, PeerId};
use super::reason::CloseReason;
use super::route::{Route, Target, Transport};
use super::time::Time;

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

impl Action {
    /// The connection it is about, if it is about one.
    pub const fn conn(&self) -> Option<ConnId> {
        match self {
            Self::Dial { conn, .. } | Self::Close { conn, .. } => Some(*conn),
            Self::Emit(event) => event.conn(),
            Self::ResolveSeed { .. }
            | Self::ResolveHost { .. }
            | Self::ScheduleRetry { .. }
            | Self::PauseAccept { .. }
            | Self::Save => None,
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
