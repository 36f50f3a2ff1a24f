//! Carries out what the driver asks of sockets, by a [`PoolRuntime`].
//!
//! Every method only starts something. The result reaches the pool's task later, as a finished job or by the mailbox.

use std::net::SocketAddr;

use connmgr_core::{ConnId, HostName, Isolation, ListenerId, LookupId, Time};

use crate::adapter::PoolRuntime;
use crate::adapter::dial::{Job, dial, dial_by_proxy, dial_prepared, resolve_by_proxy};
use crate::adapter::engine::{Engine, SocketTarget, Sockets};
use crate::adapter::guard::{Guard, OpenSockets};
use crate::adapter::listeners::Listeners;
use crate::adapter::mailbox::Mailbox;
use crate::adapter::socket_hook::SocketHook;
use crate::clock::Clock;
use crate::id_map::IdMap;

/// The sockets of one pool.
pub(super) struct RuntimeSockets<R: PoolRuntime> {
    pub(super) runtime: R,
    pub(super) listeners: Listeners<R::Listener>,
    pub(super) open: OpenSockets<R::Wire>,
    /// The dials that have not ended.
    dials: IdMap<ConnId, R::Handle>,
    /// The lookups through proxies that have not ended.
    lookups: IdMap<LookupId, R::Handle>,
    clock: Clock,
    /// Prepares the sockets of dials.
    hook: Option<SocketHook>,
}

impl<R: PoolRuntime> RuntimeSockets<R> {
    pub(super) fn new(
        runtime: R,
        listeners: Listeners<R::Listener>,
        mailbox: Mailbox,
        clock: Clock,
        hook: Option<SocketHook>,
    ) -> Self {
        let (dials, lookups) = Default::default();
        Self { runtime, listeners, open: OpenSockets::new(mailbox), dials, lookups, clock, hook }
    }

    /// Reports the result of a job that has ended by itself.
    pub(super) fn job_ended(&mut self, job: Job<R::Wire>, engine: &mut Engine<Guard<R::Wire>>, now: Time) {
        match job {
            Job::Dialed(conn, result, unisolated) => {
                engine.note_unisolated(unisolated);
                self.dials.remove(&conn);
                let result = result.map(|wire| self.open.guard(conn, wire));
                engine.dialed(conn, result, now, self);
            }
            Job::Looked(lookup, result, unisolated) => {
                engine.note_unisolated(unisolated);
                self.lookups.remove(&lookup);
                engine.looked(lookup, result, now, self);
            }
        }
    }
}

impl<R: PoolRuntime> Sockets for RuntimeSockets<R> {
    fn dial(&mut self, conn: ConnId, target: SocketTarget) {
        // Each is a future of its own, so that the most common one stays small.
        let job = match (target, self.hook.clone()) {
            (SocketTarget::Direct(address), None) => {
                self.runtime.spawn(async move { Job::Dialed(conn, dial(address).await, None) })
            }
            (SocketTarget::Direct(address), Some(hook)) => {
                self.runtime.spawn(async move { Job::Dialed(conn, dial_prepared(address, hook).await, None) })
            }
            (SocketTarget::Proxied { proxy, isolation, address }, hook) => self.runtime.spawn(async move {
                let (result, unisolated) = dial_by_proxy(proxy, isolation, address, hook).await;
                Job::Dialed(conn, result, unisolated)
            }),
        };
        self.dials.insert(conn, job);
    }

    fn abort(&mut self, conn: ConnId) {
        self.dials.remove(&conn);
    }

    fn close(&mut self, conn: ConnId) {
        self.open.close(conn);
    }

    fn note_dropped(&mut self, conn: ConnId) -> bool {
        self.open.note_dropped(conn)
    }

    fn take_heard(&mut self) -> Vec<ConnId> {
        self.open.take_heard()
    }

    fn resolve(&mut self, lookup: LookupId, name: &HostName, proxy: SocketAddr, isolation: Isolation, deadline: Time) {
        let (name, deadline, hook) = (name.clone(), self.clock.instant(deadline), self.hook.clone());
        let job = self.runtime.spawn(async move {
            let mut unisolated = None;
            let found = R::until(deadline, async {
                let found;
                (found, unisolated) = resolve_by_proxy::<R::Wire>(name, proxy, isolation, hook).await;
                found
            });
            Job::Looked(lookup, found.await, unisolated)
        });
        self.lookups.insert(lookup, job);
    }

    fn pause_accept(&mut self, listener: ListenerId, until: Time) {
        self.listeners.pause(listener, until);
    }

    fn handle_timeout(&mut self, now: Time) {
        self.listeners.resume(now);
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.listeners.next_resume(|_| true)
    }

    fn stop(&mut self) {
        self.listeners = Listeners::default();
        self.dials.clear();
        self.lookups.clear();
    }
}
