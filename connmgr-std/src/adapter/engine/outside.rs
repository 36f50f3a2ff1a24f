//! Carries out what the driver asks for: the adapter's sockets, and helpers that know no runtime.

use std::net::SocketAddr;

use connmgr_core::driver::Net;
use connmgr_core::{
    CloseReason, ConnId, ConnManager, HostName, Isolation, ListenerId, LookupId, Route, Target, Time, Transport,
};

use super::saving::Saving;
use crate::clock::Clock;
use crate::resolver::ResolverPool;

/// The sockets of an adapter. Each method only starts something and returns at once. The result is reported on a later
/// turn, never from inside these methods.
pub trait Sockets {
    /// Start a dial. Its end is reported by [`Engine::dialed`](crate::adapter::Engine::dialed). The manager keeps the
    /// deadline, and calls [`Sockets::abort`].
    fn dial(&mut self, conn: ConnId, target: &Target);
    /// Give up a dial. Its result may still be reported if it is under way already.
    fn abort(&mut self, conn: ConnId);
    /// Shut the connection both ways, also while the application holds its stream. Unknown ids are ignored.
    fn close(&mut self, conn: ConnId);
    /// The mailbox reports that the application dropped the connection. False if [`Sockets::close`] was called before.
    fn note_dropped(&mut self, conn: ConnId) -> bool;
    /// The open connections from which at least one byte was read since the last call, by id. Called at wake-ups, not
    /// more often than every 30 s unless the configuration's `health.traffic_within` is less than 150 s.
    fn take_heard(&mut self) -> Vec<ConnId>;
    /// Look a name up through a proxy that understands Tor's RESOLVE, until the deadline. The result is reported by
    /// [`Engine::looked`](crate::adapter::Engine::looked).
    fn resolve(&mut self, lookup: LookupId, name: &HostName, proxy: SocketAddr, isolation: Isolation, deadline: Time);
    /// Accept nothing on the listener until this time.
    fn pause_accept(&mut self, listener: ListenerId, until: Time);
    /// End the pauses that are over, and whatever else the sockets have deadlines for.
    fn handle_timeout(&mut self, now: Time);
    /// When [`Sockets::handle_timeout`] is next to be called.
    fn poll_timeout(&self) -> Option<Time>;
    /// Stop listening, and give up every dial and lookup. Called once, when the manager has stopped.
    fn stop(&mut self);
}

/// The helpers that need no runtime.
#[derive(Debug)]
pub(super) struct Helpers {
    /// None without a state directory, and after the pool's end.
    pub(super) saving: Option<Saving>,
    pub(super) resolver: ResolverPool,
    pub(super) clock: Clock,
}

/// Everything outside the driver, for one call.
pub(super) struct Outside<'a, N> {
    pub(super) sockets: &'a mut N,
    pub(super) helpers: &'a mut Helpers,
}

impl<N: Sockets> Net for Outside<'_, N> {
    fn dial(&mut self, conn: ConnId, target: &Target, _: Transport, _deadline: Time) {
        self.sockets.dial(conn, target);
    }

    fn abort(&mut self, conn: ConnId) {
        self.sockets.abort(conn);
    }

    fn close(&mut self, conn: ConnId, _: CloseReason) {
        self.sockets.close(conn);
    }

    fn resolve(&mut self, lookup: LookupId, name: &HostName, route: Route, deadline: Time) {
        match route {
            Route::Direct => {
                let deadline = self.helpers.clock.instant(deadline);
                self.helpers.resolver.resolve(lookup, name.clone(), deadline);
            }
            Route::Proxy { proxy, isolation } => self.sockets.resolve(lookup, name, proxy, isolation, deadline),
        }
    }

    fn pause_accept(&mut self, listener: ListenerId, until: Time) {
        self.sockets.pause_accept(listener, until);
    }

    fn save(&mut self, manager: &ConnManager) {
        if let Some(saving) = &mut self.helpers.saving {
            saving.save(manager);
        }
    }
}
