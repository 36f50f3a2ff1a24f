//! What is tried in the world: the real manager with its driver, or a model of another's.

use std::net::SocketAddr;

use connmgr_check::Violation;
use connmgr_core::driver::{Driver, Net, PoolEvent};
use connmgr_core::{
    CloseReason, Config, ConfigError, ConnId, ConnManager, DialError, HostName, Input, ListenerId, LookupId, Refusal,
    Reply, Route, Snapshot, Target, Time, Transport, UnixTime,
};

use crate::watch::Watch;
use crate::world::links::LinkId;

/// What a subject is born with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Birth {
    /// The configuration.
    pub config: Config,
    /// What was saved by the run before.
    pub snapshot: Option<Snapshot>,
    /// Where its chances come from.
    pub rng_seed: [u8; 32],
    /// The wall clock.
    pub unix: UnixTime,
    /// The monotonic clock.
    pub now: Time,
}

/// What a subject asks of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is a method of `Net`, each field its argument")]
pub enum Started {
    Dial { conn: ConnId, target: Target, transport: Transport },
    Abort { conn: ConnId },
    Close { conn: ConnId },
    Resolve { lookup: LookupId, name: HostName, route: Route, deadline: Time },
    PauseAccept { until: Time },
    Save { snapshot: Box<Snapshot> },
}

/// Everything that was asked in one turn, in order.
pub type Outbox = Vec<Started>;

/// What is tried in the world. The real one is [`Real`].
pub trait Subject: Clone {
    /// A newborn one.
    ///
    /// # Errors
    /// When its configuration is refused.
    fn born(birth: &Birth, watch: Watch) -> Result<Self, ConfigError>;
    /// Tells or asks anything but dial results and accepts.
    fn apply(&mut self, input: &Input, now: Time, outbox: &mut Outbox) -> Reply;
    /// Reports a dial.
    fn dialed(&mut self, conn: ConnId, result: Result<LinkId, DialError>, now: Time, outbox: &mut Outbox);
    /// Asks whether a stranger may come in.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    fn accept(&mut self, remote: SocketAddr, link: LinkId, now: Time, outbox: &mut Outbox) -> Result<ConnId, Refusal>;
    /// What it tells its application.
    fn poll_event(&mut self) -> Option<PoolEvent<LinkId>>;
    /// When it wants to be woken.
    fn poll_timeout(&self) -> Option<Time>;
    /// Lets the checkers judge the step that was made.
    ///
    /// # Errors
    /// What was broken.
    fn judge(&mut self, now: Time, thoroughly: bool) -> Result<(), Violation>;
    /// Who watches.
    fn watch(&self) -> &Watch;
    /// Who watches, to take what it wrote.
    fn watch_mut(&mut self) -> &mut Watch;
    /// What it would save if it ended now.
    fn snapshot(&self) -> Snapshot;
    /// Its state folded into a number.
    fn fingerprint(&self, now: Time) -> u128;
}

/// The listener of every manager.
pub const LISTENER: ListenerId = ListenerId(0);

/// The real manager, driven by the real driver.
#[derive(Clone, Debug)]
pub struct Real(Driver<LinkId, Watch>);

impl Real {
    /// The manager, to look at.
    pub const fn manager(&self) -> &ConnManager {
        self.0.manager()
    }
}

impl Subject for Real {
    fn born(birth: &Birth, mut watch: Watch) -> Result<Self, ConfigError> {
        watch.born(birth);
        let Birth { config, snapshot, rng_seed, unix, now } = birth.clone();
        let manager = ConnManager::new(config, snapshot, rng_seed, unix, now)?;
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

    fn watch(&self) -> &Watch {
        self.0.observer()
    }

    fn watch_mut(&mut self) -> &mut Watch {
        self.0.observer_mut()
    }

    fn snapshot(&self) -> Snapshot {
        self.manager().snapshot()
    }

    fn fingerprint(&self, now: Time) -> u128 {
        self.manager().fingerprint(now)
    }
}

/// Writes down what it is asked; the world sees to it when the turn is over.
struct Hands<'a>(&'a mut Outbox);

impl Net for Hands<'_> {
    fn dial(&mut self, conn: ConnId, target: &Target, transport: Transport, _: Time) {
        self.0.push(Started::Dial { conn, target: target.clone(), transport });
    }

    fn abort(&mut self, conn: ConnId) {
        self.0.push(Started::Abort { conn });
    }

    fn close(&mut self, conn: ConnId, _: CloseReason) {
        self.0.push(Started::Close { conn });
    }

    fn resolve(&mut self, lookup: LookupId, name: &HostName, route: Route, deadline: Time) {
        self.0.push(Started::Resolve { lookup, name: name.clone(), route, deadline });
    }

    fn pause_accept(&mut self, _: ListenerId, until: Time) {
        self.0.push(Started::PauseAccept { until });
    }

    fn save(&mut self, manager: &ConnManager) {
        self.0.push(Started::Save { snapshot: Box::new(manager.snapshot()) });
    }
}
