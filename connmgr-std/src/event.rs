//! Events of a pool. `C` is the adapter's connection.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use connmgr_core::{Connected, Event, PeerId, Time, driver};

use crate::causes::with_causes;
use crate::state::{Damage, SaveNews, StateError};
use crate::trace::TraceError;

/// An event of a pool. `println!("{event}")` tells it in words, whichever it is.
#[derive(Debug)]
#[non_exhaustive]
pub enum PoolEvent<C> {
    /// A connection is open: begin the handshake on it.
    Connected(C),
    /// An added peer is dialed next at this time. Of several such events that wait to be taken, only a peer's latest
    /// stays.
    RetryScheduled {
        /// The peer.
        peer: PeerId,
        /// Its tag.
        tag: Option<u64>,
        /// The time, by [`Handle::now`](crate::Handle::now).
        at: Time,
        /// How many attempts in a row have failed.
        attempt: u32,
    },
    /// Any other event of the manager. Never [`Event::Connected`].
    Event(Event),
    /// Something outside the manager is wrong. The pool goes on.
    Problem(Problem),
}

impl<C> PoolEvent<C> {
    /// An event of the driver, its stream made into a connection.
    pub(crate) fn from_driver<S>(event: driver::PoolEvent<S>, connect: impl FnOnce(Connected, S) -> C) -> Self {
        match event {
            driver::PoolEvent::Connected { info, stream } => Self::Connected(connect(info, stream)),
            driver::PoolEvent::RetryScheduled { peer, tag, at, attempt } => {
                Self::RetryScheduled { peer, tag, at, attempt }
            }
            driver::PoolEvent::Event(event) => Self::Event(event),
        }
    }
}

/// In words, causes included.
impl<C: AsRef<Connected>> fmt::Display for PoolEvent<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected(connection) => Event::Connected(connection.as_ref().clone()).fmt(f),
            Self::RetryScheduled { peer, at, attempt: 1, .. } => write!(f, "{peer} is dialed again at {at}"),
            Self::RetryScheduled { peer, at, attempt, .. } => {
                write!(f, "{peer} is dialed again at {at}: {attempt} attempts in a row have failed")
            }
            Self::Event(event) => event.fmt(f),
            Self::Problem(problem) => with_causes(problem).fmt(f),
        }
    }
}

/// A problem that does not stop the pool. [`with_causes`] tells it whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A file of the state directory could not be used, or only in part. It was set aside.
    #[error("state: {0}")]
    Damaged(Damage),
    /// A file of the state could not be saved. The pool tries again: a second later, then at growing intervals up to 30 s,
    /// at the next change, and at its end. The same cause is not told again.
    #[error("the state could not be saved")]
    NotSaved(#[source] StateError),
    /// A file of the state that could not be saved is saved now.
    #[error("state: {} is saved again", path.display())]
    SavedAgain {
        /// The file.
        path: PathBuf,
    },
    /// At the pool's end, a file of the state could not be saved. What changed since it was saved last is lost.
    #[error("what was not saved of the state is lost")]
    StateLost(#[source] StateError),
    /// The disk was too slow at the pool's end. A thread goes on writing as long as the process lives.
    #[error("state: still being written")]
    SaveUnfinished,
    /// Isolation is preferred ([`IsolationMode::Preferred`](connmgr_core::IsolationMode::Preferred)), and this proxy takes
    /// no user name and password: its connections may share circuits. Told once for each proxy.
    #[error(
        "the proxy {proxy} takes no user name and password: connections through it are not isolated from each other"
    )]
    NotIsolated {
        /// The proxy.
        proxy: SocketAddr,
    },
    /// Changes of this machine's network are not noticed (feature `watch-network`), or not any more. The application may
    /// report them.
    #[cfg(feature = "watch-network")]
    #[error("changes of the network are not noticed")]
    NotWatching(#[source] std::io::Error),
    /// The trace could not be written, or is full. Nothing more is written to it.
    #[error("the trace is not written any more")]
    Trace(#[source] TraceError),
}

impl Problem {
    /// Whether state is lost, if the process ends now.
    pub const fn is_state_lost(&self) -> bool {
        match self {
            Self::StateLost(_) | Self::SaveUnfinished => true,
            Self::Damaged(_)
            | Self::NotSaved(_)
            | Self::SavedAgain { .. }
            | Self::NotIsolated { .. }
            | Self::Trace(_) => false,
            #[cfg(feature = "watch-network")]
            Self::NotWatching(_) => false,
        }
    }

    /// The file of the state whose saving it is about.
    pub(crate) fn unsaved_file(&self) -> Option<&Path> {
        match self {
            Self::NotSaved(error) | Self::StateLost(error) => error.path(),
            Self::SavedAgain { path } => Some(path),
            Self::Damaged(_) | Self::SaveUnfinished | Self::NotIsolated { .. } | Self::Trace(_) => None,
            #[cfg(feature = "watch-network")]
            Self::NotWatching(_) => None,
        }
    }
}

impl From<SaveNews> for Problem {
    fn from(news: SaveNews) -> Self {
        match news {
            SaveNews::NotSaved(error) => Self::NotSaved(error),
            SaveNews::SavedAgain(path) => Self::SavedAgain { path },
            SaveNews::Lost(error) => Self::StateLost(error),
        }
    }
}
