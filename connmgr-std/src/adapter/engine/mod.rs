//! Everything around a driver that is the same in every adapter.
//!
//! ```text
//! threads ─► notes   ┐
//! streams ─► mailbox ├─► turn ─► clock drift ─► inputs ─► Driver ─► actions ─┬─► Sockets: what only a runtime can do
//! deadlines          ┘                                                       └─► Saver, ResolverPool
//! ```
//! Reading bytes from a connection wakes nobody: the engine looks for it at wake-ups that have another cause.
//!
//! At a wake-up, an adapter calls [`Engine::wake`], reports what happened on its sockets ([`Engine::dialed`],
//! [`Engine::accept`]), and then calls [`Engine::turn`]. The engine knows no runtime and never blocks. A turn takes a
//! bounded share of each source, so that a busy one starves no other.

mod connects;
mod life;
mod looks;
mod notes;
mod outside;
mod proxies;
mod saving;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use connmgr_core::driver::{self, Driver};
use connmgr_core::{
    Activity, ConnId, ConnManager, DialError, Input, ListenerId, LookupError, LookupId, Reply, ResolvedIp, Time,
};

use self::connects::Connects;
use self::life::PoolLife;
use self::looks::Looks;
use self::notes::EngineNote;
use self::outside::{Helpers, Outside};
use self::proxies::{NamedProxies, ProxyFailure, ProxyStep, ProxyUser};
use self::saving::Saving;
use super::mailbox::Mailbox;
use crate::clock::Clock;
use crate::errors::accept_error_is_transient;
use crate::event::Problem;
use crate::machine::OwnAddressChange;
#[cfg(feature = "watch-network")]
use crate::network_watch::NetworkWatch;
use crate::observe::PoolObserver;
use crate::resolver::{Resolve, ResolverPool};
use crate::startup::{StartError, Started};
use crate::state::{Saver, StateDir};

pub(crate) use connects::{ConnectOutcome, ConnectWatch};
pub(crate) use notes::EngineNotes;
pub use outside::{SocketTarget, Sockets};

/// The result of a lookup.
pub type Lookup = Result<Vec<ResolvedIp>, LookupError>;

/// The most items taken from each source in one turn. The rest follows in the next.
pub const TURN_BUDGET: usize = 64;

/// The shortest pause of a listener that failed, so that nothing spins.
const MIN_PAUSE: Duration = Duration::from_millis(50);

/// How long the end of a pool may wait for the disk.
const SAVE_WITHIN: Duration = Duration::from_secs(10);

/// Problems that may wait to be taken. Later ones are dropped: the oldest are the likely cause.
const MAX_PROBLEMS: usize = 16;

/// A driver, with its clock, mailbox, resolver and saver. `S` is a stream that waits in the driver for the application.
pub struct Engine<S> {
    driver: Driver<S, PoolObserver>,
    clock: Clock,
    helpers: Helpers,
    connects: Connects<S>,
    heard: Receiver<EngineNote>,
    notes: EngineNotes,
    mailbox: Mailbox,
    /// Facts from the mailbox that the manager has not been told yet.
    mail: VecDeque<Input>,
    problems: VecDeque<Problem>,
    /// The proxies that were told of as giving no isolation.
    unisolated: Vec<SocketAddr>,
    life: PoolLife,
    /// None if it could not be started, and after the pool's end.
    #[cfg(feature = "watch-network")]
    network: Option<NetworkWatch>,
    looks: Looks,
    /// The last turn left work for the next.
    more: bool,
}

impl<S> Engine<S> {
    /// Starts the driver, and the thread that saves the state, if there is a state directory. `ring` is called, on any
    /// thread, when a turn is wanted. It must not block.
    ///
    /// # Errors
    /// [`StartError::System`] when the system refuses the thread.
    pub fn start(
        started: Started,
        resolver: Arc<dyn Resolve>,
        ring: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let Started { manager, watch, clock, state_dir, damages, max_waiting_events, wildcards } = started;
        let (notes, heard) = EngineNotes::new(ring);
        let saving = state_dir.map(|dir| start_saver(dir, notes.clone())).transpose()?.map(Saving::new);
        let helpers = Helpers {
            saving,
            resolver: start_resolver(Arc::clone(&resolver), notes.clone(), EngineNote::Looked),
            proxy_resolver: start_resolver(resolver, notes.clone(), EngineNote::ProxyLooked),
            proxies: NamedProxies::default(),
            clock: clock.clone(),
            wildcards,
        };
        let mailbox = Mailbox::new({
            let notes = notes.clone();
            move || notes.ring()
        });
        let looks = Looks::new(&manager.config().health);
        let mut driver = Driver::with_observer(manager, watch);
        driver.set_max_waiting_events(max_waiting_events);
        let problems = damages.into_iter().map(Problem::Damaged).collect();
        let (mail, unisolated, life, more) = (VecDeque::new(), Vec::new(), PoolLife::Running, false);
        #[cfg(feature = "watch-network")]
        let network = start_watch(&notes);
        Ok(Self {
            driver,
            clock,
            helpers,
            connects: Connects::default(),
            heard,
            notes,
            mailbox,
            mail,
            problems,
            unisolated,
            life,
            #[cfg(feature = "watch-network")]
            network,
            looks,
            more,
        })
    }

    /// The time. Tells the manager if the machine's clock was set or bytes were read. To be called first at every
    /// wake-up.
    pub fn wake(&mut self, net: &mut impl Sockets) -> Time {
        let now = self.clock.now();
        if let Some(unix) = self.clock.drift() {
            self.apply(&Input::Clock { unix }, now, net);
        }
        if self.looks.take_due(now) {
            self.note_life(now, net);
        }
        now
    }

    /// Reports the connections from which bytes were read. They prove that their network is up, so the manager is told
    /// before any dials that failed, which may be taken for an outage.
    fn note_life(&mut self, now: Time, net: &mut impl Sockets) {
        let alive = net.take_heard().into_iter();
        self.mail.extend(alive.map(|conn| Input::Activity { conn, activity: Activity::default() }));
        self.tell_mail(now, net);
    }

    /// Applies an input, as [`Driver::apply`].
    pub fn apply(&mut self, input: &Input, now: Time, net: &mut impl Sockets) -> Reply {
        if *input == Input::NetworkChanged {
            self.helpers.proxies.forget();
            self.look_at_machine(now, net);
        }
        self.driver.apply(input, now, &mut Outside { sockets: net, helpers: &mut self.helpers, now })
    }

    /// The machine may have other addresses: those it has no longer are others', and may be dialed.
    fn look_at_machine(&mut self, now: Time, net: &mut impl Sockets) {
        let OwnAddressChange { gone, come } = self.helpers.wildcards.look();
        let gone = gone.into_iter().map(|address| Input::ForgetOwnAddress { address });
        for input in gone.chain(come.into_iter().map(|address| Input::OwnAddress { address })) {
            self.driver.apply(&input, now, &mut Outside { sockets: net, helpers: &mut self.helpers, now });
        }
    }

    /// Reports that a dial has ended by itself. Where a proxy given by name could not be reached, it is dialed again at
    /// its next address.
    pub fn dialed(&mut self, conn: ConnId, result: Result<S, DialError>, now: Time, net: &mut impl Sockets) {
        let user = ProxyUser::Dial(conn);
        let outside = &mut Outside { sockets: net, helpers: &mut self.helpers, now };
        if matches!(result, Err(DialError::ProxyUnreachable)) {
            if let Some(step) = outside.helpers.proxies.unreached(user, now) {
                if outside.take_step(user, step).is_none() {
                    return;
                }
            }
        }
        outside.helpers.proxies.ended(user);
        self.driver.dialed(conn, result, now, outside);
    }

    /// Reports that a lookup has ended. Where a proxy given by name could not be reached, it is asked again at its next
    /// address.
    pub fn looked(&mut self, lookup: LookupId, result: Lookup, now: Time, net: &mut impl Sockets) {
        let user = ProxyUser::Lookup(lookup);
        let outside = &mut Outside { sockets: net, helpers: &mut self.helpers, now };
        match result {
            Err(LookupError::ProxyUnreachable) => {
                if let Some(step) = outside.helpers.proxies.unreached(user, now) {
                    if outside.take_step(user, step).is_none() {
                        return;
                    }
                }
            }
            Err(LookupError::TimedOut) => outside.helpers.proxies.given_up(user),
            Ok(_) | Err(_) => outside.helpers.proxies.ended(user),
        }
        self.apply(&Input::LookupResult { lookup, result }, now, net);
    }

    /// Reports that a proxy chose "no authentication" where isolation was preferred. The application is told once.
    pub fn note_unisolated(&mut self, proxy: Option<SocketAddr>) {
        let count = self.manager().config().proxies.addresses().count();
        if let Some(proxy) = proxy.filter(|proxy| !self.unisolated.contains(proxy) && self.unisolated.len() < count) {
            self.unisolated.push(proxy);
            self.report(Problem::NotIsolated { proxy });
        }
    }

    /// Reports an inbound connection. If it may stay, `make` makes its stream; otherwise `make` is dropped with the
    /// socket in it.
    pub fn accept(
        &mut self,
        remote: SocketAddr,
        listener: ListenerId,
        now: Time,
        make: impl FnOnce(ConnId) -> S,
        net: &mut impl Sockets,
    ) {
        let outside = &mut Outside { sockets: net, helpers: &mut self.helpers, now };
        // The manager counts refusals, and the peer sees the end of the stream.
        let _ = self.driver.accept(remote, listener, now, make, outside);
    }

    /// Reports that a listener failed to accept.
    pub fn accept_failed(&mut self, listener: ListenerId, error: &io::Error, now: Time, net: &mut impl Sockets) {
        if !accept_error_is_transient(error) {
            // A pause by the manager replaces this one.
            net.pause_accept(listener, now.after(MIN_PAUSE));
            self.apply(&Input::AcceptError { listener }, now, net);
        }
    }

    /// Does everything that is due. To be called once at every wake-up, after the adapter's own reports.
    pub fn turn(&mut self, now: Time, net: &mut impl Sockets) {
        self.more = false;
        self.take_notes(now, net);
        self.read_mail(now, net);
        self.run_timers(now, net);
        self.settle_connects(now, net);
        if let Some(saving) = &mut self.helpers.saving {
            saving.go_on(self.driver.manager());
        }
        self.end_if_stopped(now, net);
        if let Some(error) = self.driver.observer_mut().take_trace_error() {
            self.report(Problem::Trace(error));
        }
    }

    /// The next problem for the application.
    pub fn poll_problem(&mut self) -> Option<Problem> {
        self.problems.pop_front()
    }

    /// The next event for the application.
    pub fn poll_event(&mut self) -> Option<driver::PoolEvent<S>> {
        self.driver.poll_event()
    }

    /// Whether a problem or an event waits.
    pub fn has_news(&self) -> bool {
        !self.problems.is_empty() || self.has_connect_failures() || self.driver.has_events()
    }

    /// Whether a turn is wanted now, before any deadline.
    pub fn has_work(&self) -> bool {
        let is_copying = self.helpers.saving.as_ref().is_some_and(Saving::is_copying);
        self.more || is_copying || !self.mail.is_empty() || (self.driver.is_stopped() && self.life.is_running())
    }

    /// When the next turn is due, the sockets' own deadlines included.
    pub fn poll_timeout(&self, net: &impl Sockets) -> Option<Time> {
        let proxies = self.helpers.proxies.deadline();
        [self.driver.poll_timeout(), proxies, self.life.deadline(), net.poll_timeout()].into_iter().flatten().min()
    }

    /// Whether the manager has stopped, so that at most the disk is waited for.
    pub fn is_stopping(&self) -> bool {
        !self.life.is_running()
    }

    /// Whether the manager has stopped, and its state is saved or the wait for the disk is over.
    pub fn is_ended(&self) -> bool {
        matches!(self.life, PoolLife::Ended)
    }

    /// The manager, for its views.
    pub const fn manager(&self) -> &ConnManager {
        self.driver.manager()
    }

    /// The clock, for timers.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The mailbox for facts about connections.
    pub const fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// For the application's side, to report that it is gone.
    pub(crate) fn notes(&self) -> EngineNotes {
        self.notes.clone()
    }

    /// The engine takes no more turns: the saver's thread writes what waits, and then frees the state directory.
    pub(crate) fn let_go(&mut self) {
        self.finish_saver();
    }

    /// Passes what is left of the book to the saver, which ends. Returns whether there was one.
    fn finish_saver(&mut self) -> bool {
        let saving = self.helpers.saving.take();
        saving.map(|mut saving| saving.finish(self.driver.manager())).is_some()
    }

    /// Replaces the saver.
    #[cfg(test)]
    pub(crate) fn set_saver(&mut self, saver: Saver) {
        self.helpers.saving = Some(Saving::new(saver));
    }

    /// To be called by that saver at its end.
    #[cfg(test)]
    pub(crate) fn on_saver_end(&self) -> impl FnOnce() + Send + 'static + use<S> {
        on_saver_end(self.notes())
    }

    fn take_notes(&mut self, now: Time, net: &mut impl Sockets) {
        for _ in 0..TURN_BUDGET {
            match self.heard.try_recv() {
                Ok(EngineNote::Looked(lookup, result)) => self.looked(lookup, result, now, net),
                Ok(EngineNote::ProxyLooked(lookup, found)) => {
                    let steps = self.helpers.proxies.resolved(lookup, found, now);
                    self.take_steps(steps, now, net);
                }
                Ok(EngineNote::Saving(news)) => self.report(Problem::from(news)),
                Ok(EngineNote::SaverEnded) => self.saver_ended(),
                #[cfg(feature = "watch-network")]
                Ok(EngineNote::NetworkChanged) if self.driver.is_stopped() => {}
                #[cfg(feature = "watch-network")]
                Ok(EngineNote::NetworkChanged) => drop(self.apply(&Input::NetworkChanged, now, net)),
                #[cfg(feature = "watch-network")]
                Ok(EngineNote::NotWatching(error)) => self.report(Problem::NotWatching(error)),
                // Applied once, to keep the trace readable.
                Ok(EngineNote::Abandoned) if self.driver.is_stopped() => {}
                Ok(EngineNote::Abandoned) => drop(self.apply(&Input::Shutdown, now, net)),
                Err(_) => return,
            }
        }
        self.more = true;
    }

    /// Tells the manager what was reported of connections.
    pub(crate) fn read_mail(&mut self, now: Time, net: &mut impl Sockets) {
        // Drained only when it is empty, so that it never holds more than one record for each connection.
        if self.mail.is_empty() {
            self.mailbox.drain(|input| self.mail.push_back(input));
        } else {
            self.more = true;
        }
        self.tell_mail(now, net);
    }

    fn tell_mail(&mut self, now: Time, net: &mut impl Sockets) {
        for _ in 0..TURN_BUDGET {
            let Some(input) = self.mail.pop_front() else { return };
            // The manager knows of the end of a stream that it closed itself.
            let ended = match &input {
                Input::Closed { conn, .. } | Input::Dropped { conn } => Some(*conn),
                _ => None,
            };
            if ended.is_none_or(|conn| net.note_dropped(conn)) {
                self.apply(&input, now, net);
            }
        }
    }

    // The manager does nothing before its deadline, so an early call is harmless.
    fn run_timers(&mut self, now: Time, net: &mut impl Sockets) {
        net.handle_timeout(now);
        let steps = self.helpers.proxies.expire(now);
        self.take_steps(steps, now, net);
        if self.driver.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.apply(&Input::Timeout, now, net);
        }
    }

    /// Carries out what the errands of a proxy do next, once its name is resolved or can't be.
    fn take_steps(&mut self, steps: Vec<(ProxyUser, ProxyStep)>, now: Time, net: &mut impl Sockets) {
        for (user, step) in steps {
            let outside = &mut Outside { sockets: net, helpers: &mut self.helpers, now };
            let Some(failure) = outside.take_step(user, step) else { continue };
            match (user, failure) {
                (ProxyUser::Dial(conn), ProxyFailure::NotFound) => {
                    self.driver.dialed(conn, Err(DialError::ProxyNotFound), now, outside);
                }
                (ProxyUser::Dial(conn), ProxyFailure::Unreachable) => {
                    self.driver.dialed(conn, Err(DialError::ProxyUnreachable), now, outside);
                }
                (ProxyUser::Lookup(lookup), failure) => {
                    let error = match failure {
                        ProxyFailure::NotFound => LookupError::ProxyNotFound,
                        ProxyFailure::Unreachable => LookupError::ProxyUnreachable,
                    };
                    self.apply(&Input::LookupResult { lookup, result: Err(error) }, now, net);
                }
            }
        }
    }

    /// A manager that has stopped has closed every connection and asked to be saved one last time. What remains is to
    /// wait for the disk.
    fn end_if_stopped(&mut self, now: Time, net: &mut impl Sockets) {
        match self.life {
            PoolLife::Running if self.driver.is_stopped() => {
                net.stop();
                self.stop_watching();
                self.driver.observer_mut().flush();
                self.life = self.finish_saving(now);
            }
            PoolLife::Saving(until) if until <= now => {
                self.report(Problem::SaveUnfinished);
                self.life = PoolLife::Ended;
            }
            PoolLife::Running | PoolLife::Saving(_) | PoolLife::Ended => {}
        }
    }

    /// The saver's thread writes what waits, and reports its end.
    fn finish_saving(&mut self, now: Time) -> PoolLife {
        if self.finish_saver() { PoolLife::Saving(now.after(SAVE_WITHIN)) } else { PoolLife::Ended }
    }

    /// The network's changes are of no use any more.
    fn stop_watching(&mut self) {
        #[cfg(feature = "watch-network")]
        {
            self.network = None;
        }
    }

    fn saver_ended(&mut self) {
        self.helpers.saving = None;
        if !self.life.is_running() {
            self.life = PoolLife::Ended;
        }
    }

    fn report(&mut self, problem: Problem) {
        if let Some(file) = problem.unsaved_file() {
            // What is told of a file replaces what was told of it before and not taken.
            self.problems.retain(|earlier| earlier.unsaved_file() != Some(file));
        }
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push_back(problem);
        }
    }
}

fn start_saver(dir: StateDir, notes: EngineNotes) -> Result<Saver, StartError> {
    let on_end = on_saver_end(notes.clone());
    Saver::start(dir, move |news| notes.post(EngineNote::Saving(news)), on_end)
        .map_err(|error| StartError::System { what: "start the thread that saves the state", error })
}

fn on_saver_end(notes: EngineNotes) -> impl FnOnce() + Send + 'static {
    move || notes.post(EngineNote::SaverEnded)
}

/// Watches the network, as long as the result lives. A failure is told as a problem.
#[cfg(feature = "watch-network")]
fn start_watch(notes: &EngineNotes) -> Option<NetworkWatch> {
    let (changed, ended) = (notes.clone(), notes.clone());
    let on_end = move |error| ended.post(EngineNote::NotWatching(error));
    match NetworkWatch::start(move || changed.post(EngineNote::NetworkChanged), on_end) {
        Ok(watch) => Some(watch),
        Err(error) => {
            notes.post(EngineNote::NotWatching(error));
            None
        }
    }
}

fn start_resolver(
    resolver: Arc<dyn Resolve>,
    notes: EngineNotes,
    note: impl Fn(LookupId, Lookup) -> EngineNote + Send + Sync + 'static,
) -> ResolverPool {
    ResolverPool::new(resolver, move |lookup, result| notes.post(note(lookup, result)))
}

impl<S> fmt::Debug for Engine<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("life", &self.life).finish_non_exhaustive()
    }
}
