//! What a pool hands to its application. Knows no runtime: `C` is the adapter's connection.

use connmgr_core::{Connected, Event, PeerId, Time, driver};

use crate::state::{Damage, StateError};
use crate::trace::TraceError;

/// What a pool hands to its application.
#[derive(Debug)]
#[non_exhaustive]
pub enum PoolEvent<C> {
    /// A connection is open: begin the handshake on it.
    Connected(C),
    /// An added peer is dialed next at this time. Of several that wait to be taken, a peer's latest stays.
    RetryScheduled {
        /// Which.
        peer: PeerId,
        /// When, by [`Handle::now`](crate::Handle::now).
        at: Time,
        /// How many attempts in a row have failed.
        attempt: u32,
    },
    /// Anything else that the manager says. Never [`Event::Connected`].
    Event(Event),
    /// Something is wrong around the pool, which goes on.
    Problem(Problem),
}

impl<C> PoolEvent<C> {
    /// What the driver hands out, with its stream made into a connection.
    pub(crate) fn from_driver<S>(event: driver::PoolEvent<S>, connect: impl FnOnce(Connected, S) -> C) -> Self {
        match event {
            driver::PoolEvent::Connected { info, stream } => Self::Connected(connect(info, stream)),
            driver::PoolEvent::RetryScheduled { peer, at, attempt } => Self::RetryScheduled { peer, at, attempt },
            driver::PoolEvent::Event(event) => Self::Event(event),
        }
    }
}

/// Something that is wrong around a pool and does not stop it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A file of the state directory could not be used. It was set aside, and what it held is not known.
    #[error("state: {0}")]
    Damaged(Damage),
    /// The state could not be saved. It is tried again when it next changes, and at the end.
    #[error("state: {0}")]
    NotSaved(StateError),
    /// The disk was too slow at the end; a thread goes on writing as long as the process lives.
    #[error("state: still being written")]
    SaveUnfinished,
    /// The trace could not be written, or is full; nothing more is written to it.
    #[error("trace: {0}")]
    Trace(TraceError),
}
