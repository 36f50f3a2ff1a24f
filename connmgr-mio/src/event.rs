//! Events of a pool: those of every adapter, and the answers to commands of a [`Handle`](crate::Handle).

use std::fmt;

use connmgr_core::{Connected, Event, PeerId, Reply, Time};
use connmgr_std::{ConnectError, Problem, with_causes};

use crate::handle::Ticket;

/// An event of a pool. `println!("{event}")` tells it in words, whichever it is.
#[derive(Debug)]
#[non_exhaustive]
pub enum PoolEvent {
    /// A connection is open. Register its stream ([`Pool::stream`](crate::Pool::stream)) and begin the handshake on it.
    Connected(Connected),
    /// An added peer is dialed next at this time. Of several such events that wait to be taken, only a peer's latest
    /// stays.
    RetryScheduled {
        /// The peer.
        peer: PeerId,
        /// Its tag.
        tag: Option<u64>,
        /// The time, by [`Pool::now`](crate::Pool::now).
        at: Time,
        /// How many attempts in a row have failed.
        attempt: u32,
    },
    /// Any other event of the manager. Never [`Event::Connected`]. When [`Event::Disconnected`] is taken, the pool has
    /// dropped the connection's stream.
    Event(Event),
    /// Something outside the manager is wrong. The pool goes on.
    Problem(Problem),
    /// A peer of [`Pool::connect`](crate::Pool::connect) could not be connected. It is not added any more.
    ConnectFailed {
        /// What `connect` returned.
        peer: PeerId,
        /// Its tag.
        tag: Option<u64>,
        /// Why.
        error: ConnectError,
    },
    /// The answer to a command of a [`Handle`](crate::Handle).
    Answered {
        /// What the command returned.
        ticket: Ticket,
        /// The manager's reply.
        reply: Reply,
    },
}

/// In words, causes included.
impl fmt::Display for PoolEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected(info) => Event::Connected(info.clone()).fmt(f),
            Self::RetryScheduled { peer, at, attempt: 1, .. } => write!(f, "{peer} is dialed again at {at}"),
            Self::RetryScheduled { peer, at, attempt, .. } => {
                write!(f, "{peer} is dialed again at {at}: {attempt} attempts in a row have failed")
            }
            Self::Event(event) => event.fmt(f),
            Self::Problem(problem) => with_causes(problem).fmt(f),
            Self::ConnectFailed { peer, error, .. } => {
                write!(f, "{peer} is not connected: {}", with_causes(error))
            }
            Self::Answered { ticket, .. } => write!(f, "{ticket} is answered"),
        }
    }
}
