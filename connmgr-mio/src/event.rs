//! Events of a pool: those of every adapter, and the answers to commands of a [`Handle`](crate::Handle).

use connmgr_core::{Connected, Event, PeerId, Reply, Time};
use connmgr_std::{ConnectError, Problem};

use crate::handle::Ticket;

/// An event of a pool.
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
