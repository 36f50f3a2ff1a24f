//! Carries out what the driver asks for, on async-io.
//!
//! Everything here only starts something; what comes of it reaches the driver task, which owns this, as a finished
//! job, an answer of the resolver, or mail. No decision is made here.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use connmgr_core::driver::Net;
use connmgr_core::{
    CloseReason, ConnId, DialError, HostName, ListenerId, LookupId, Route, Snapshot, Target, Time, Transport,
};
use connmgr_std::{Clock, Mailbox, ResolverPool, Saver};

use crate::connection::{Guard, Socket, Stream};
use crate::dial;
use crate::jobs::{Job, Jobs, Leash};
use crate::listener::Listeners;

/// The outside world of one pool.
#[derive(Debug)]
pub(crate) struct SmolNet {
    pub(crate) listeners: Listeners,
    pub(crate) saver: Option<Saver>,
    jobs: Jobs,
    /// The dials that have not ended.
    dials: HashMap<ConnId, Leash>,
    /// The lookups through proxies that have not ended.
    lookups: HashMap<LookupId, Leash>,
    /// The sockets of connections that neither side has ended yet.
    open: HashMap<ConnId, Weak<Socket>>,
    resolver: ResolverPool,
    mailbox: Mailbox,
    clock: Clock,
}

impl SmolNet {
    pub(crate) fn new(
        listeners: Listeners,
        saver: Option<Saver>,
        jobs: Jobs,
        resolver: ResolverPool,
        mailbox: Mailbox,
        clock: Clock,
    ) -> Self {
        let (dials, lookups, open) = Default::default();
        Self { listeners, saver, jobs, dials, lookups, open, resolver, mailbox, clock }
    }

    /// The dial has ended by itself; its stream gets its guard.
    pub(crate) fn dialed(&mut self, conn: ConnId, result: Result<Stream, DialError>) -> Result<Guard, DialError> {
        self.dials.remove(&conn);
        let socket = Arc::new(Socket::new(result?));
        self.opened(conn, Arc::downgrade(&socket));
        Ok(self.guards()(conn, socket))
    }

    /// The lookup through a proxy has ended by itself.
    pub(crate) fn looked(&mut self, lookup: LookupId) {
        self.lookups.remove(&lookup);
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

    /// Listens no more and gives every job up; what is left has to be saved by this.
    pub(crate) fn end(self) -> Option<Saver> {
        self.saver
    }
}

impl Net for SmolNet {
    /// The manager keeps the deadline, with a [`Net::abort`].
    fn dial(&mut self, conn: ConnId, target: &Target, _: Transport, _deadline: Time) {
        let target = target.clone();
        let dial = self.jobs.start(async move { Job::Dialed(conn, dial::dial(target).await) });
        self.dials.insert(conn, dial);
    }

    fn abort(&mut self, conn: ConnId) {
        self.dials.remove(&conn);
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
                let work = async move { Job::Looked(lookup, dial::resolve(name, proxy, isolation, deadline).await) };
                let leash = self.jobs.start(work);
                self.lookups.insert(lookup, leash);
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
