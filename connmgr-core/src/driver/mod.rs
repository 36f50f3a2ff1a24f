//! Carries out the manager's actions, for every runtime.
//!
//! A [`Driver`] owns the [`ConnManager`], and each stream until the application takes it. It turns actions into calls
//! of [`Net`], pairs streams with the ids they were dialed or accepted under, and queues events. It knows no runtime:
//! each call lends it a `Net`, which only *starts* operations; their results are reported in later calls. It feeds the
//! manager only through [`ConnManager::apply`], so an [`Observer`] sees everything.

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

/// The operations of an adapter. Each method only starts something and returns at once. Results are reported by calling
/// the driver, never from inside these methods.
pub trait Net {
    /// Start a dial; report with [`Driver::dialed`].
    fn dial(&mut self, conn: ConnId, target: &Target, transport: Transport, deadline: Time);
    /// Give up a dial that was not reported yet. A result that is already on its way may still be reported.
    fn abort(&mut self, conn: ConnId);
    /// Shut the connection down in both directions, even if the application holds its stream. Ignore unknown ids.
    fn close(&mut self, conn: ConnId, reason: CloseReason);
    /// Start a lookup; report with [`Input::LookupResult`].
    fn resolve(&mut self, lookup: LookupId, name: &HostName, route: Route, deadline: Time);
    /// Stop accepting on the listener until then.
    fn pause_accept(&mut self, listener: ListenerId, until: Time);
    /// Save state, off the event loop: [`ConnManager::snapshot`], which copies the whole book, if
    /// [`ConnManager::saves_book`]; otherwise [`ConnManager::saved_bans`] is enough. A large book may be copied in parts:
    /// [`ConnManager::saved_addresses`]. Called at most once in each call of
    /// the driver; the last time when the manager has stopped.
    fn save(&mut self, manager: &ConnManager);
}

/// Sees every input and every action, in order. Trace recorders, logs, metrics and checkers are observers.
pub trait Observer {
    /// An input, and the manager's reply.
    fn input(&mut self, now: Time, input: &Input, reply: &Reply);
    /// An action. It comes after the input that caused it.
    fn action(&mut self, now: Time, action: &Action);
    /// Every action of an input has been seen; `manager` is the state now.
    fn settled(&mut self, now: Time, manager: &ConnManager) {
        let _ = (now, manager);
    }
}

/// No observer.
impl Observer for () {
    fn input(&mut self, _: Time, _: &Input, _: &Reply) {}
    fn action(&mut self, _: Time, _: &Action) {}
}

/// Both observe.
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

/// Observes if there is one.
impl<O: Observer> Observer for Option<O> {
    fn input(&mut self, now: Time, input: &Input, reply: &Reply) {
        if let Some(observer) = self {
            observer.input(now, input, reply);
        }
    }

    fn action(&mut self, now: Time, action: &Action) {
        if let Some(observer) = self {
            observer.action(now, action);
        }
    }

    fn settled(&mut self, now: Time, manager: &ConnManager) {
        if let Some(observer) = self {
            observer.settled(now, manager);
        }
    }
}

/// An event of a pool, for its application. Exhaustive on purpose: an adapter must hand out each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PoolEvent<S> {
    /// A connection is open: begin the handshake on its stream.
    Connected {
        /// What is known about it.
        info: Connected,
        /// Its stream.
        stream: S,
    },
    /// An added peer is dialed next at this time. Of a peer's waiting notices only the latest is kept.
    RetryScheduled {
        /// Which.
        peer: PeerId,
        /// The tag of the added peer.
        tag: Option<u64>,
        /// When.
        at: Time,
        /// How many attempts in a row have failed.
        attempt: u32,
    },
    /// Anything else that happened. Never [`Event::Connected`].
    Event(Event),
}

/// The default limit of events that wait for the application; see [`Driver::set_max_waiting_events`].
pub const MAX_WAITING_EVENTS: usize = 1024;

/// Owns the manager and carries out its actions. `S` is the adapter's stream; dropping it closes it.
#[derive(Clone, Debug)]
pub struct Driver<S, O = ()> {
    manager: ConnManager,
    /// Dials without a result yet.
    dialing: HashSet<ConnId, OwnNumbers>,
    /// The stream of the current call, until the manager decides about it.
    arrived: Option<(ConnId, S)>,
    events: EventQueue<S>,
    save_wanted: bool,
    observer: O,
}

impl<S> Driver<S> {
    /// A driver without an observer.
    pub fn new(manager: ConnManager) -> Self {
        Self::with_observer(manager, ())
    }
}

impl<S, O: Observer> Driver<S, O> {
    /// A driver with an observer.
    pub fn with_observer(manager: ConnManager, observer: O) -> Self {
        let events = EventQueue::new(MAX_WAITING_EVENTS);
        let dialing = HashSet::with_hasher(OwnNumbers);
        Self { manager, dialing, arrived: None, events, save_wanted: false, observer }
    }

    /// Applies any input except [`Input::DialResult`] and [`Input::Accept`], which bring a stream ([`Driver::dialed`],
    /// [`Driver::accept`]), and carries out the actions that follow.
    pub fn apply<N: Net>(&mut self, input: &Input, now: Time, net: &mut N) -> Reply {
        let reply = self.tell(input, now);
        self.perform(now, net);
        reply
    }

    /// Reports the result of a dial. Drops the stream if it comes too late or has no slot.
    pub fn dialed<N: Net>(&mut self, conn: ConnId, result: Result<S, DialError>, now: Time, net: &mut N) {
        self.dialing.remove(&conn);
        let result = result.map(|stream| self.arrived = Some((conn, stream)));
        self.tell(&Input::DialResult { conn, result }, now);
        self.perform(now, net);
    }

    /// Asks whether to admit an inbound connection. Calls `make` for its stream only if it is admitted; otherwise drops
    /// `make`.
    ///
    /// # Errors
    /// [`Refusal`] is the reason.
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
            Reply::Noted | Reply::Learnt(_) | Reply::Added(_) | Reply::Addresses(_) | Reply::Done(_) => {
                Err(Refusal::Inactive)
            }
        };
        if let Ok(conn) = admitted {
            self.arrived = Some((conn, make(conn)));
        }
        self.perform(now, net);
        admitted
    }

    /// The next event for the application. Do not call it from inside [`Net`]: every action is carried out first.
    pub fn poll_event(&mut self) -> Option<PoolEvent<S>> {
        self.events.pop()
    }

    /// Takes a connection that waits for the application out of turn: it is no event any more, but its end will be one.
    /// `None` if it was taken, has ended or never opened.
    pub fn take_connected(&mut self, conn: ConnId) -> Option<(Connected, S)> {
        self.events.take_connected(conn)
    }

    /// Whether [`Driver::poll_event`] would return an event.
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// When [`Input::Timeout`] is next due. Round up, never down.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.manager.poll_timeout()
    }

    /// The manager, read-only.
    pub const fn manager(&self) -> &ConnManager {
        &self.manager
    }

    /// The observer.
    pub const fn observer(&self) -> &O {
        &self.observer
    }

    /// The observer, mutable (to flush it or take it out).
    pub const fn observer_mut(&mut self) -> &mut O {
        &mut self.observer
    }

    /// The manager and the mutable observer, for an observer that checks the one against the other.
    pub const fn watched(&mut self) -> (&ConnManager, &mut O) {
        (&self.manager, &mut self.observer)
    }

    /// Sets how many events may wait for the application. Default: [`MAX_WAITING_EVENTS`]. At least 16. Beyond that,
    /// events for information are dropped; events about connections and `Stopped` are kept. Events that wait already
    /// stay.
    pub fn set_max_waiting_events(&mut self, max: usize) {
        self.events.set_limit(max);
    }

    /// How many events were dropped because the application was slow.
    pub const fn missed_events(&self) -> u64 {
        self.events.missed()
    }

    /// Whether every connection is closed and [`Event::Stopped`] was emitted.
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
        // The manager did not use the stream: it came too late, or twice.
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
            Action::ScheduleRetry { peer, at, attempt } => {
                let tag = self.manager.peer_tag(peer);
                self.events.push_retry(peer, tag, at, attempt);
            }
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
