//! Carries the manager's actions out, for every runtime alike.
//!
//! A [`Driver`] owns the [`ConnManager`], and each stream until the application takes it: it turns actions into calls
//! of [`Net`], pairs streams with the ids they were dialed or accepted under, and hands events out. It knows no
//! runtime: `Net` is lent to it on each call and only *starts* things; what comes of them is told on a later turn. The
//! driver feeds the manager only through [`ConnManager::apply`], so that what an [`Observer`] sees is what happened.

mod queue;

use core::net::SocketAddr;

use hashbrown::HashSet;

use crate::manager::ConnManager;
use crate::mechanisms::hasher::OwnNumbers;
use crate::types::{
    Action, CloseReason, ConnId, Connected, DialError, Event, HostName, Input, ListenerId, LookupId, PeerId, Refusal,
    Reply, Route, Target, Time, Transport,
};
use queue::EventQueue;

/// What an adapter can do. Each method only starts something and returns at once; results come back as calls of the
/// driver, never from inside these methods.
pub trait Net {
    /// Start a dial; report with [`Driver::dialed`].
    fn dial(&mut self, conn: ConnId, target: &Target, transport: Transport, deadline: Time);
    /// Give up a dial that has not been reported. A result that is under way already may still be reported.
    fn abort(&mut self, conn: ConnId);
    /// Shut the connection both ways, whoever holds its stream. Unknown ids are ignored.
    fn close(&mut self, conn: ConnId, reason: CloseReason);
    /// Start a lookup; report with [`Input::LookupResult`].
    fn resolve(&mut self, lookup: LookupId, name: &HostName, route: Route, deadline: Time);
    /// Accept nothing on the listener until then.
    fn pause_accept(&mut self, listener: ListenerId, until: Time);
    /// Store what outlives the process, off the event loop: [`ConnManager::snapshot`]. That copies the whole book; where
    /// the book was stored within `book.save_every`, [`ConnManager::saved_bans`] do, if the book is stored when that time
    /// is over. Called at most once a turn, the last time when the manager has stopped.
    fn save(&mut self, manager: &ConnManager);
}

/// Sees all that the manager is told and all that it asks for, in order. Trace recorders, logs, metrics and
/// checkers are observers.
pub trait Observer {
    /// The manager was told or asked this, and replied that.
    fn input(&mut self, now: Time, input: &Input, reply: &Reply);
    /// The manager asked for this. Every action comes after the input that caused it.
    fn action(&mut self, now: Time, action: &Action);
    /// All that an input caused has been asked for: this is how the manager stands.
    fn settled(&mut self, now: Time, manager: &ConnManager) {
        let _ = (now, manager);
    }
}

/// Nobody watches.
impl Observer for () {
    fn input(&mut self, _: Time, _: &Input, _: &Reply) {}
    fn action(&mut self, _: Time, _: &Action) {}
}

/// Both watch.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn input(&mut self, now: Time, input: &Input, reply: &Reply) {
        self.0.input(now, input, reply);
        self.1.input(now, input, reply);
    }

    fn action(&mut self, now: Time, action: &Action) {
        self.0.action(now, action);
        self.1.action(now, action);
    }

    fn settled(&mut self, now: Time, manager: &ConnManager) {
        self.0.settled(now, manager);
        self.1.settled(now, manager);
    }
}

/// One may watch.
impl<O: Observer> Observer for Option<O> {
    fn input(&mut self, now: Time, input: &Input, reply: &Reply) {
        self.iter_mut().for_each(|observer| observer.input(now, input, reply));
    }

    fn action(&mut self, now: Time, action: &Action) {
        self.iter_mut().for_each(|observer| observer.action(now, action));
    }

    fn settled(&mut self, now: Time, manager: &ConnManager) {
        self.iter_mut().for_each(|observer| observer.settled(now, manager));
    }
}

/// What a pool hands to its application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PoolEvent<S> {
    /// A connection is open: begin the handshake on its stream.
    Connected {
        /// What is known of it.
        info: Connected,
        /// Its stream.
        stream: S,
    },
    /// An added peer is dialed next at this time. Of several that wait to be taken, a peer's latest stays.
    RetryScheduled {
        /// Which.
        peer: PeerId,
        /// When.
        at: Time,
        /// How many attempts in a row have failed.
        attempt: u32,
    },
    /// Anything else that happened. Never [`Event::Connected`].
    Event(Event),
}

/// How many events wait for the application, unless [`Driver::set_max_waiting_events`] says otherwise.
pub const MAX_WAITING_EVENTS: usize = 1024;

/// Owns the manager and carries its actions out. `S` is the adapter's stream; dropping one closes it.
#[derive(Clone, Debug)]
pub struct Driver<S, O = ()> {
    manager: ConnManager,
    /// The dials that have no result yet.
    dialing: HashSet<ConnId, OwnNumbers>,
    /// A stream that is here, within the call that brings it: the manager has not said yet what becomes of it.
    arrived: Option<(ConnId, S)>,
    events: EventQueue<S>,
    save_wanted: bool,
    observer: O,
}

impl<S> Driver<S> {
    /// A driver that nobody watches.
    pub fn new(manager: ConnManager) -> Self {
        Self::with_observer(manager, ())
    }
}

impl<S, O: Observer> Driver<S, O> {
    /// A driver that is watched.
    pub fn with_observer(manager: ConnManager, observer: O) -> Self {
        let events = EventQueue::new(MAX_WAITING_EVENTS);
        let dialing = HashSet::with_hasher(OwnNumbers);
        Self { manager, dialing, arrived: None, events, save_wanted: false, observer }
    }

    /// Tells or asks the manager anything but [`Input::DialResult`] and [`Input::Accept`], which bring a stream
    /// ([`Driver::dialed`], [`Driver::accept`]), and carries out what follows.
    pub fn apply<N: Net>(&mut self, input: &Input, now: Time, net: &mut N) -> Reply {
        let reply = self.tell(input, now);
        self.perform(now, net);
        reply
    }

    /// Reports a dial. A stream that comes too late, or that has no slot, is dropped.
    pub fn dialed<N: Net>(&mut self, conn: ConnId, result: Result<S, DialError>, now: Time, net: &mut N) {
        self.dialing.remove(&conn);
        let result = result.map(|stream| self.arrived = Some((conn, stream)));
        self.tell(&Input::DialResult { conn, result }, now);
        self.perform(now, net);
    }

    /// Asks whether an inbound connection may stay, and makes its stream only then: a refused one is dropped with
    /// `make`.
    ///
    /// # Errors
    /// [`Refusal`] says why it may not.
    pub fn accept<N: Net>(
        &mut self,
        remote: SocketAddr,
        listener: ListenerId,
        now: Time,
        make: impl FnOnce(ConnId) -> S,
        net: &mut N,
    ) -> Result<ConnId, Refusal> {
        let admitted = match self.tell(&Input::Accept { remote, listener }, now) {
            Reply::Accepted(admitted) => admitted,
            Reply::Noted | Reply::Added(_) | Reply::Addresses(_) | Reply::Done(_) => Err(Refusal::Inactive),
        };
        if let Ok(conn) = admitted {
            self.arrived = Some((conn, make(conn)));
        }
        self.perform(now, net);
        admitted
    }

    /// The next event for the application. Call only between turns: all actions are carried out first.
    pub fn poll_event(&mut self) -> Option<PoolEvent<S>> {
        self.events.pop()
    }

    /// Whether [`Driver::poll_event`] has one.
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// When [`Input::Timeout`] is next due. Round up, never down.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.manager.poll_timeout()
    }

    /// The manager, to look at.
    pub const fn manager(&self) -> &ConnManager {
        &self.manager
    }

    /// The observer.
    pub const fn observer(&self) -> &O {
        &self.observer
    }

    /// The observer, to change (flush, take out).
    pub const fn observer_mut(&mut self) -> &mut O {
        &mut self.observer
    }

    /// The manager to look at, and the observer to change: for those who judge one by what the other saw.
    pub const fn watched(&mut self) -> (&ConnManager, &mut O) {
        (&self.manager, &mut self.observer)
    }

    /// How many events may wait for the application; [`MAX_WAITING_EVENTS`] at first, and 16 at the least. Of any more,
    /// those go that are for information; what becomes of connections, and that the manager has stopped, is kept. Events
    /// that wait already stay.
    pub fn set_max_waiting_events(&mut self, max: usize) {
        self.events.set_limit(max);
    }

    /// How many events the application was too slow to take.
    pub const fn missed_events(&self) -> u64 {
        self.events.missed()
    }

    /// Whether everything is closed and [`Event::Stopped`] was emitted.
    pub fn is_stopped(&self) -> bool {
        self.manager.is_stopped()
    }

    fn tell(&mut self, input: &Input, now: Time) -> Reply {
        let reply = self.manager.apply(input, now);
        self.observer.input(now, input, &reply);
        reply
    }

    fn perform<N: Net>(&mut self, now: Time, net: &mut N) {
        while let Some(action) = self.manager.poll_action() {
            self.observer.action(now, &action);
            self.carry_out(action, net);
        }
        self.observer.settled(now, &self.manager);
        // The manager had no use for it: it came too late, or twice.
        self.arrived = None;
        if core::mem::take(&mut self.save_wanted) {
            net.save(&self.manager);
        }
    }

    fn carry_out<N: Net>(&mut self, action: Action, net: &mut N) {
        match action {
            Action::Dial { conn, target, transport, deadline } => {
                self.dialing.insert(conn);
                net.dial(conn, &target, transport, deadline);
            }
            Action::Close { conn, reason } => {
                if self.dialing.remove(&conn) {
                    net.abort(conn);
                } else {
                    net.close(conn, reason);
                }
            }
            Action::ResolveSeed { lookup, seed: name, route, deadline }
            | Action::ResolveHost { lookup, host: name, route, deadline } => {
                net.resolve(lookup, &name, route, deadline);
            }
            Action::ScheduleRetry { peer, at, attempt } => self.events.push_retry(peer, at, attempt),
            Action::PauseAccept { listener, until } => net.pause_accept(listener, until),
            Action::Save => self.save_wanted = true,
            Action::Emit(Event::Connected(info)) => {
                if let Some((_, stream)) = self.arrived.take_if(|(arrived, _)| *arrived == info.conn) {
                    self.events.push_connected(info, stream);
                }
            }
            Action::Emit(event) => self.events.push_event(event),
        }
    }
}
