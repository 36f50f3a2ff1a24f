//! Carries out what the driver asks of sockets, on async-io.
//!
//! Everything here only starts something; what comes of it reaches the driver's task, which owns this, as a finished
//! job, or mail. No decision is made here.

use std::net::SocketAddr;
use std::time::Instant;

use async_io::Timer;
use connmgr_core::{ConnId, DialError, HostName, Isolation, ListenerId, LookupError, LookupId, Target, Time};
use connmgr_std::adapter::{
    Clock, Guard, IdMap, Lookup, Mailbox, OpenSockets, Sockets, dial, dial_by_proxy, resolve_by_proxy,
};
use futures_lite::FutureExt;

use crate::jobs::{Job, Jobs, Leash};
use crate::listener::Listeners;
use crate::wire::Stream;

/// The sockets of one pool.
#[derive(Debug)]
pub(crate) struct SmolNet {
    pub(crate) listeners: Listeners,
    jobs: Jobs,
    /// The dials that have not ended.
    dials: IdMap<ConnId, Leash>,
    /// The lookups through proxies that have not ended.
    lookups: IdMap<LookupId, Leash>,
    pub(crate) open: OpenSockets<Stream>,
    clock: Clock,
}

impl SmolNet {
    pub(crate) fn new(listeners: Listeners, jobs: Jobs, mailbox: Mailbox, clock: Clock) -> Self {
        let (dials, lookups) = Default::default();
        Self { listeners, jobs, dials, lookups, open: OpenSockets::new(mailbox), clock }
    }

    /// The dial has ended by itself; its stream gets its guard.
    pub(crate) fn dialed(
        &mut self,
        conn: ConnId,
        result: Result<Stream, DialError>,
    ) -> Result<Guard<Stream>, DialError> {
        self.dials.remove(&conn);
        result.map(|stream| self.open.guard(conn, stream))
    }

    /// The lookup through a proxy has ended by itself.
    pub(crate) fn looked(&mut self, lookup: LookupId) {
        self.lookups.remove(&lookup);
    }
}

impl Sockets for SmolNet {
    fn dial(&mut self, conn: ConnId, target: &Target) {
        let leash = match target.clone() {
            Target::Direct(address) => self.jobs.start(async move { Job::Dialed(conn, dial(address).await) }),
            Target::Proxied { proxy, isolation, address } => {
                self.jobs.start(async move { Job::Dialed(conn, dial_by_proxy(proxy, isolation, address).await) })
            }
        };
        self.dials.insert(conn, leash);
    }

    fn abort(&mut self, conn: ConnId) {
        self.dials.remove(&conn);
    }

    fn close(&mut self, conn: ConnId) {
        self.open.close(conn);
    }

    fn dropped(&mut self, conn: ConnId) -> bool {
        self.open.dropped(conn)
    }

    fn take_heard(&mut self) -> Vec<ConnId> {
        self.open.take_heard()
    }

    fn resolve(&mut self, lookup: LookupId, name: &HostName, proxy: SocketAddr, isolation: Isolation, deadline: Time) {
        let (name, deadline) = (name.clone(), self.clock.instant(deadline));
        let work = async move { Job::Looked(lookup, resolve(name, proxy, isolation, deadline).await) };
        self.lookups.insert(lookup, self.jobs.start(work));
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

/// Looks a name up through a proxy, until the deadline.
async fn resolve(name: HostName, proxy: SocketAddr, isolation: Isolation, deadline: Instant) -> Lookup {
    let timeout = async {
        Timer::at(deadline).await;
        Err(LookupError::TimedOut)
    };
    resolve_by_proxy::<Stream>(name, proxy, isolation).or(timeout).await
}
