//! The real manager with its driver.

use std::net::SocketAddr;

use connmgr_check::Violation;
use connmgr_core::driver::{Driver, Net, PoolEvent};
use connmgr_core::{
    Birth, CloseReason, ConfigError, ConnId, ConnManager, DialError, HostName, Input, ListenerId, LookupId, Refusal,
    Reply, Route, Snapshot, Target, Time, Transport,
};

use crate::scenario::config::LISTENER;
use crate::world::links::LinkId;
use crate::world::subject::{NetCall, Onlooker, Outbox, Subject};

/// The real manager in the real driver, with an onlooker.
#[derive(Clone, Debug)]
pub struct Driven<W>(Driver<LinkId, W>);

impl<W: Onlooker> Driven<W> {
    /// The manager, to look at.
    pub fn manager(&self) -> &ConnManager {
        self.0.manager()
    }
}

impl<W: Onlooker> Subject for Driven<W> {
    type Watch = W;

    fn born(birth: &Birth, watch: W) -> Result<Self, ConfigError> {
        let manager = ConnManager::new(birth.clone())?;
        Ok(Self(Driver::with_observer(manager, watch)))
    }

    fn apply(&mut self, input: &Input, now: Time, outbox: &mut Outbox) -> Reply {
        self.0.apply(input, now, &mut Hands(outbox))
    }

    fn dialed(&mut self, conn: ConnId, result: Result<LinkId, DialError>, now: Time, outbox: &mut Outbox) {
        self.0.dialed(conn, result, now, &mut Hands(outbox));
    }

    fn accept(&mut self, remote: SocketAddr, link: LinkId, now: Time, outbox: &mut Outbox) -> Result<ConnId, Refusal> {
        self.0.accept(remote, LISTENER, now, |_| link, &mut Hands(outbox))
    }

    fn poll_event(&mut self) -> Option<PoolEvent<LinkId>> {
        self.0.poll_event()
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.0.poll_timeout()
    }

    fn judge(&mut self, now: Time, thoroughly: bool) -> Result<(), Violation> {
        let (manager, watch) = self.0.watched();
        watch.judge(now, manager, thoroughly)
    }

    fn watch(&self) -> &W {
        self.0.observer()
    }

    fn watch_mut(&mut self) -> &mut W {
        self.0.observer_mut()
    }

    fn snapshot(&self) -> Snapshot {
        self.manager().snapshot()
    }

    fn fingerprint(&self, now: Time) -> u128 {
        self.manager().fingerprint(now)
    }
}

/// Collects the driver's calls; the world carries them out at the end of the turn.
struct Hands<'a>(&'a mut Outbox);

impl Net for Hands<'_> {
    fn dial(&mut self, conn: ConnId, target: &Target, transport: Transport, _: Time) {
        self.0.push(NetCall::Dial { conn, target: target.clone(), transport });
    }

    fn abort(&mut self, conn: ConnId) {
        self.0.push(NetCall::Abort { conn });
    }

    fn close(&mut self, conn: ConnId, _: CloseReason) {
        self.0.push(NetCall::Close { conn });
    }

    fn resolve(&mut self, lookup: LookupId, name: &HostName, route: Route, deadline: Time) {
        self.0.push(NetCall::Resolve { lookup, name: name.clone(), route, deadline });
    }

    fn pause_accept(&mut self, _: ListenerId, until: Time) {
        self.0.push(NetCall::PauseAccept { until });
    }

    /// The world takes the snapshot at the end of the turn, which this call is, if it wants one.
    fn save(&mut self, _: &ConnManager) {
        self.0.push(NetCall::Save);
    }
}
