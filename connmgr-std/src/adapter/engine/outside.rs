//! Who carries out what the driver asks for: the adapter what concerns sockets, helpers that know no runtime the rest.

use std::net::SocketAddr;

use connmgr_core::driver::Net;
use connmgr_core::{
    CloseReason, ConnId, ConnManager, HostName, Isolation, ListenerId, LookupId, Route, Target, Time, Transport,
};

use super::saving::Saving;
use crate::clock::Clock;
use crate::resolver::ResolverPool;

/// What only an adapter can do: open, close and listen. Each method only starts something and returns at once; what
/// comes of it is told on a later turn, never from inside these methods.
pub trait Sockets {
    /// Start a dial; report with [`Engine::dialed`](crate::adapter::Engine::dialed). The manager keeps the deadline, with
    /// [`Sockets::abort`].
    fn dial(&mut self, conn: ConnId, target: &Target);
    /// Give up a dial that has not been reported. A result that is under way already may still be reported.
    fn abort(&mut self, conn: ConnId);
    /// Shut the connection both ways, whoever holds its stream. Unknown ids are ignored.
    fn close(&mut self, conn: ConnId);
    /// The application let go of the connection, as its mailbox says; whether that is news, and not our own
    /// [`Sockets::close`] come back.
    fn dropped(&mut self, conn: ConnId) -> bool;
    /// The open connections of which at least one byte was read since this was asked last, by id. It is asked at
    /// wake-ups, every 30 s at the most unless the configuration's `health.traffic_within` is less than 150 s.
    fn take_heard(&mut self) -> Vec<ConnId>;
    /// Look a name up through a proxy that understands Tor's RESOLVE, and give it up at the deadline; report with
    /// [`Engine::looked`](crate::adapter::Engine::looked).
    fn resolve(&mut self, lookup: LookupId, name: &HostName, proxy: SocketAddr, isolation: Isolation, deadline: Time);
    /// Accept nothing on the listener until then.
    fn pause_accept(&mut self, listener: ListenerId, until: Time);
    /// Do what is due: end the pauses that are over.
    fn handle_timeout(&mut self, now: Time);
    /// When that is next to be called.
    fn poll_timeout(&self) -> Option<Time>;
    /// Listen no more, and give up every dial and lookup. Comes once, when the manager has stopped.
    fn stop(&mut self);
}

/// What needs no runtime.
#[derive(Debug)]
pub(super) struct Helpers {
    /// None without a state directory, and after the end.
    pub(super) saving: Option<Saving>,
    pub(super) resolver: ResolverPool,
    pub(super) clock: Clock,
}

/// The world outside of a driver, for one call.
pub(super) struct Outside<'a, N> {
    pub(super) sockets: &'a mut N,
    pub(super) helpers: &'a mut Helpers,
    pub(super) now: Time,
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
            saving.save(manager, self.now);
        }
    }
}
