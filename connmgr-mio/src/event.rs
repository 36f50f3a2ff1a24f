//! What a pool hands to its application: what those of all adapters do, and the answers to a [`Handle`](crate::Handle).

use connmgr_core::{Connected, Event, PeerId, Reply, Time};
use connmgr_std::Problem;

use crate::handle::Ticket;

/// What a pool hands to its application.
#[derive(Debug)]
#[non_exhaustive]
pub enum PoolEvent {
    /// A connection is open: take its stream by [`Pool::stream`](crate::Pool::stream), register it, and begin the
    /// handshake on it.
    Connected(Connected),
    /// An added peer is dialed next at this time. Of several that wait to be taken, a peer's latest stays.
    RetryScheduled {
        /// Which.
        peer: PeerId,
        /// When, by [`Pool::now`](crate::Pool::now).
        at: Time,
        /// How many attempts in a row have failed.
        attempt: u32,
    },
    /// Anything else that the manager says. Never [`Event::Connected`]. With [`Event::Disconnected`] the pool drops
    /// the connection's stream.
    Event(Event),
    /// Something is wrong around the pool, which goes on.
    Problem(Problem),
    /// The answer to a command of a [`Handle`](crate::Handle).
    Answered {
        /// What the command returned.
        ticket: Ticket,
        /// What came of it.
        reply: Reply,
    },
}
