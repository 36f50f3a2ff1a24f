//! Actions: what the manager asks of the driver.

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
    /// Open a connection; report with [`Input::DialResult`](crate::Input::DialResult).
    Dial {
        /// The id of the attempt.
        conn: ConnId,
        /// The address, and the route to it.
        target: Target,
        /// The transport to speak once connected.
        transport: Transport,
        /// When the manager will give up the dial with a `Close`. For information.
        deadline: Time,
    },
    /// Close the connection, or abort the dial. Repeating it has no effect.
    Close {
        /// Which.
        conn: ConnId,
        /// Why.
        reason: CloseReason,
    },
    /// Look up a DNS seed; report with [`Input::LookupResult`](crate::Input::LookupResult).
    ResolveSeed {
        /// The id of the lookup.
        lookup: LookupId,
        /// The name to ask for.
        seed: HostName,
        /// Which resolver to ask.
        route: Route,
        /// When the manager stops waiting, and reports a timeout to itself. For information.
        deadline: Time,
    },
    /// Look up an added peer's host name; report with [`Input::LookupResult`](crate::Input::LookupResult).
    ResolveHost {
        /// The id of the lookup.
        lookup: LookupId,
        /// The name to ask for.
        host: HostName,
        /// Which resolver to ask.
        route: Route,
        /// When the manager stops waiting, and reports a timeout to itself. For information.
        deadline: Time,
    },
    /// For information: when the added peer is dialed next. `poll_timeout` already covers it.
    ScheduleRetry {
        /// Which added peer.
        peer: PeerId,
        /// When.
        at: Time,
        /// How many attempts in a row have failed.
        attempt: u32,
    },
    /// Stop accepting on this listener until then.
    PauseAccept {
        /// Which.
        listener: ListenerId,
        /// Until when.
        until: Time,
    },
    /// State has changed: save [`ConnManager::snapshot`](crate::ConnManager::snapshot).
    Save,
    /// Tell the application.
    Emit(Event),
}

impl Action {
    /// The connection it concerns, if any.
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
