//! Carries out what the driver asks of sockets, on tokio.
//!
//! Everything here only starts something; what comes of it reaches the driver's task, which owns this, as a finished
//! job, or mail. No decision is made here.

use std::net::SocketAddr;

use connmgr_core::{ConnId, DialError, HostName, Isolation, ListenerId, LookupError, LookupId, Target, Time};
use connmgr_std::adapter::{
    Clock, Guard, IdMap, Lookup, Mailbox, OpenSockets, Sockets, dial, dial_by_proxy, resolve_by_proxy,
};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, timeout_at};

use crate::listener::Listeners;
use crate::wire::Stream;

/// What came of a job.
pub(crate) type Job = connmgr_std::adapter::Job<Stream>;

/// The sockets of one pool.
#[derive(Debug)]
pub(crate) struct TokioNet {
    pub(crate) listeners: Listeners,
    /// Dials, and lookups through proxies: one task each. Dropped, all are aborted.
    pub(crate) jobs: JoinSet<Job>,
    /// The dials among them.
    dials: IdMap<ConnId, AbortHandle>,
    pub(crate) open: OpenSockets<Stream>,
    clock: Clock,
}

impl TokioNet {
    pub(crate) fn new(listeners: Listeners, mailbox: Mailbox, clock: Clock) -> Self {
        let (jobs, dials) = Default::default();
        Self { listeners, jobs, dials, open: OpenSockets::new(mailbox), clock }
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
}

impl Sockets for TokioNet {
    fn dial(&mut self, conn: ConnId, target: &Target) {
        let dial = match target.clone() {
            Target::Direct(address) => self.jobs.spawn(async move { Job::Dialed(conn, dial(address).await) }),
            Target::Proxied { proxy, isolation, address } => {
                self.jobs.spawn(async move { Job::Dialed(conn, dial_by_proxy(proxy, isolation, address).await) })
            }
        };
        self.dials.insert(conn, dial);
    }

    fn abort(&mut self, conn: ConnId) {
        if let Some(dial) = self.dials.remove(&conn) {
            dial.abort();
        }
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
        let (name, deadline) = (name.clone(), Instant::from_std(self.clock.instant(deadline)));
        self.jobs.spawn(async move { Job::Looked(lookup, resolve(name, proxy, isolation, deadline).await) });
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
        self.jobs.abort_all();
    }
}

/// Looks a name up through a proxy, until the deadline.
pub(crate) async fn resolve(name: HostName, proxy: SocketAddr, isolation: Isolation, deadline: Instant) -> Lookup {
    let lookup = resolve_by_proxy::<Stream>(name, proxy, isolation);
    timeout_at(deadline, lookup).await.unwrap_or(Err(LookupError::TimedOut))
}
