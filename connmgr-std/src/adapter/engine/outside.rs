//! Carries out what the driver asks for: the adapter's sockets, and helpers that know no runtime.

use std::net::SocketAddr;

use connmgr_core::driver::Net;
use connmgr_core::{
    CloseReason, ConnId, ConnManager, HostName, Isolation, ListenerId, LookupId, PeerAddress, ProxyAddress, Route,
    Target, Time, Transport,
};

use super::proxies::{NamedProxies, ProxyErrand, ProxyFailure, ProxyStep, ProxyUser};
use super::saving::Saving;
use crate::clock::Clock;
use crate::machine::WildcardListeners;
use crate::resolver::ResolverPool;

/// The sockets of an adapter. Each method only starts something and returns at once. The result is reported on a later
/// turn, never from inside these methods.
pub trait Sockets {
    /// Start a dial. Its end is reported by [`Engine::dialed`](crate::adapter::Engine::dialed). The manager keeps the
    /// deadline, and calls [`Sockets::abort`].
    fn dial(&mut self, conn: ConnId, target: SocketTarget);
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

/// The target of a dial, of which every name but the peer's own is resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketTarget {
    /// Connect to this address.
    Direct(SocketAddr),
    /// Connect through the SOCKS5 proxy at this address.
    Proxied {
        /// The proxy.
        proxy: SocketAddr,
        /// Which circuits may be shared.
        isolation: Isolation,
        /// The address that the proxy connects to.
        address: PeerAddress,
    },
}

/// The helpers that need no runtime.
#[derive(Debug)]
pub(super) struct Helpers {
    /// None without a state directory, and after the pool's end.
    pub(super) saving: Option<Saving>,
    pub(super) resolver: ResolverPool,
    /// Has threads of its own: peers' names that hang must not keep a proxy from being found.
    pub(super) proxy_resolver: ResolverPool,
    pub(super) proxies: NamedProxies,
    pub(super) clock: Clock,
    pub(super) wildcards: WildcardListeners,
}

/// Everything outside the driver, for one call.
pub(super) struct Outside<'a, N> {
    pub(super) sockets: &'a mut N,
    pub(super) helpers: &'a mut Helpers,
    pub(super) now: Time,
}

impl<N: Sockets> Outside<'_, N> {
    /// Begins an errand at a proxy.
    fn begin(&mut self, user: ProxyUser, proxy: &ProxyAddress, errand: ProxyErrand) {
        let step = match proxy {
            ProxyAddress::Ip(proxy) => ProxyStep::Go(*proxy, errand),
            ProxyAddress::Name(name, port) => self.helpers.proxies.begin(user, (name, *port), errand, self.now),
        };
        let failure = self.take_step(user, step);
        debug_assert_eq!(failure, None, "an errand waits for its proxy's name before it fails");
    }

    /// Carries out the next step of an errand. Returns why it has failed, if it has.
    pub(super) fn take_step(&mut self, user: ProxyUser, step: ProxyStep) -> Option<ProxyFailure> {
        match (user, step) {
            (ProxyUser::Dial(conn), ProxyStep::Go(proxy, ProxyErrand::Dial { isolation, address })) => {
                self.sockets.dial(conn, SocketTarget::Proxied { proxy, isolation, address });
            }
            (ProxyUser::Lookup(lookup), ProxyStep::Go(proxy, ProxyErrand::Lookup { name, isolation, deadline })) => {
                self.sockets.resolve(lookup, &name, proxy, isolation, deadline);
            }
            (_, ProxyStep::Go(..)) => debug_assert!(false, "an errand is its user's"),
            (_, ProxyStep::Wait) => {}
            (_, ProxyStep::Fail(failure)) => return Some(failure),
        }
        while let Some(wanted) = self.helpers.proxies.next_wanted() {
            let deadline = self.helpers.clock.instant(wanted.deadline);
            self.helpers.proxy_resolver.resolve(wanted.lookup, wanted.name, deadline);
        }
        None
    }
}

impl<N: Sockets> Net for Outside<'_, N> {
    fn dial(&mut self, conn: ConnId, target: &Target, _: Transport, _deadline: Time) {
        match target {
            Target::Direct(address) => self.sockets.dial(conn, SocketTarget::Direct(*address)),
            Target::Proxied { proxy, isolation, address } => {
                let errand = ProxyErrand::Dial { isolation: *isolation, address: address.clone() };
                self.begin(ProxyUser::Dial(conn), proxy, errand);
            }
        }
    }

    fn abort(&mut self, conn: ConnId) {
        self.helpers.proxies.given_up(ProxyUser::Dial(conn));
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
            Route::Proxy { proxy, isolation } => {
                let errand = ProxyErrand::Lookup { name: name.clone(), isolation, deadline };
                self.begin(ProxyUser::Lookup(lookup), &proxy, errand);
            }
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
