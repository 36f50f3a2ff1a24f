//! Stands for a connection whose stream somebody else owns.

use connmgr_core::Connected;
use connmgr_std::adapter::Guard;

use crate::wire::TokioStream;

/// Stands for a connection whose stream was taken out by [`Connection::into_std`](crate::Connection::into_std). Dropping it
/// ends the connection and shuts the socket, even if the stream still exists. If the peer had closed by then, as far as its
/// bytes were read, the manager is told so.
///
/// The pool does not see what is read: call [`report_activity`](Self::report_activity) now and then while bytes arrive, at
/// least every 30 s, so that the connection counts as alive.
#[derive(Debug)]
#[must_use = "dropping it ends the connection"]
pub struct StreamWatch {
    pub(crate) info: Connected,
    pub(crate) guard: Guard<TokioStream>,
}

impl StreamWatch {
    connmgr_std::connection_methods!();

    /// Whether the pool has closed the connection.
    pub fn is_closed(&self) -> bool {
        self.guard.is_closed()
    }
}

impl Drop for StreamWatch {
    fn drop(&mut self) {
        self.guard.shut_for_all();
    }
}
