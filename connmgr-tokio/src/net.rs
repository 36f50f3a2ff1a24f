//! Carries out what the driver asks for, on tokio.
//!
//! Everything here only starts something; what comes of it reaches the driver task, which owns this, as a finished
//! job, an answer of the resolver, or mail. No decision is made here.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Weak};

use connmgr_core::driver::Net;
use connmgr_core::{
    CloseReason, ConnId, DialError, HostName, ListenerId, LookupError, LookupId, Route, Snapshot, Target, Time,
    Transport,
};
use connmgr_std::{Clock, Mailbox, ResolverPool, Saver};
use tokio::net::TcpStream;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use crate::connection::{Guard, Socket};
use crate::dial;
use crate::listener::Listeners;

/// What came of a job.
#[derive(Debug)]
pub(crate) enum Job {
    /// A dial has ended.
    Dialed(ConnId, Result<TcpStream, DialError>),
    /// A lookup through a proxy has ended.
    Looked(LookupId, Lookup),
}

/// What came of a lookup.
pub(crate) type Lookup = Result<Vec<IpAddr>, LookupError>;

/// The outside world of one pool.
#[derive(Debug)]
pub(crate) struct TokioNet {
    pub(crate) listeners: Listeners,
    pub(crate) saver: Option<Saver>,
    /// Dials, and lookups through proxies: one task each. Dropped, all are aborted.
    pub(crate) jobs: JoinSet<Job>,
    /// The dials among them.
    dials: HashMap<ConnId, AbortHandle>,
    /// The sockets of connections that neither side has ended yet.
    open: HashMap<ConnId, Weak<Socket>>,
    resolver: ResolverPool,
    mailbox: Mailbox,
    clock: Clock,
}

impl TokioNet {
    pub(crate) fn new(
        listeners: Listeners,
        saver: Option<Saver>,
        resolver: ResolverPool,
        mailbox: Mailbox,
        clock: Clock,
    ) -> Self {
        let (jobs, dials, open) = Default::default();
        Self { listeners, saver, jobs, dials, open, resolver, mailbox, clock }
    }

    /// The dial has ended by itself; its stream gets its guard.
    pub(crate) fn dialed(&mut self, conn: ConnId, result: Result<TcpStream, DialError>) -> Result<Guard, DialError> {
        self.dials.remove(&conn);
        let socket = Arc::new(Socket::new(result?));
        self.opened(conn, Arc::downgrade(&socket));
        Ok(self.guards()(conn, socket))
    }

    /// What makes guards, without borrowing this.
    pub(crate) fn guards(&self) -> impl FnOnce(ConnId, Arc<Socket>) -> Guard + use<> {
        let mailbox = self.mailbox.clone();
        |conn, socket| Guard::new(conn, socket, mailbox)
    }

    /// The connection's socket is here, unless it was dropped on the way.
    pub(crate) fn opened(&mut self, conn: ConnId, socket: Weak<Socket>) {
        if socket.strong_count() > 0 {
            self.open.insert(conn, socket);
        }
    }

    /// The application let go of the connection; whether that is news.
    pub(crate) fn dropped(&mut self, conn: ConnId) -> bool {
        self.open.remove(&conn).is_some()
    }
}

impl Net for TokioNet {
    /// The manager keeps the deadline, with a [`Net::abort`].
    fn dial(&mut self, conn: ConnId, target: &Target, _: Transport, _deadline: Time) {
        let target = target.clone();
        let dial = self.jobs.spawn(async move { Job::Dialed(conn, dial::dial(target).await) });
        self.dials.insert(conn, dial);
    }

    fn abort(&mut self, conn: ConnId) {
        if let Some(dial) = self.dials.remove(&conn) {
            dial.abort();
        }
    }

    fn close(&mut self, conn: ConnId, _: CloseReason) {
        if let Some(socket) = self.open.remove(&conn).and_then(|socket| socket.upgrade()) {
            socket.close();
        }
    }

    fn resolve(&mut self, lookup: LookupId, name: &HostName, route: Route, deadline: Time) {
        let (name, deadline) = (name.clone(), self.clock.instant(deadline));
        match route {
            Route::Direct => self.resolver.resolve(lookup, name, deadline),
            Route::Proxy { proxy, isolation } => {
                let deadline = Instant::from_std(deadline);
                self.jobs
                    .spawn(async move { Job::Looked(lookup, dial::resolve(name, proxy, isolation, deadline).await) });
            }
        }
    }

    fn pause_accept(&mut self, listener: ListenerId, until: Time) {
        self.listeners.pause(listener, until);
    }

    fn save(&mut self, snapshot: Snapshot) {
        if let Some(saver) = &self.saver {
            saver.save(snapshot);
        }
    }
}
