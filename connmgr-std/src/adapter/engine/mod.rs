//! What every adapter does around its driver: news become inputs, and the end is waited for.
//!
//! ```text
//! threads ─► notes   ┐
//! streams ─► mailbox ├─► turn ─► clock drift ─► inputs ─► Driver ─► actions ─┬─► Sockets: what only a runtime can do
//! deadlines          ┘                                                       └─► Saver, ResolverPool
//! ```
//! That bytes were read of a connection makes no news: it is seen at a wake-up that something else makes.
//!
//! An adapter calls it when one of its sockets has news ([`Engine::dialed`], [`Engine::accept`]) and then lets it take
//! its [`Engine::turn`]. It knows no runtime, waits for nothing, and takes a bounded share of each source, so that a
//! talkative one keeps no other waiting.

mod life;
mod looks;
mod notes;
mod outside;
mod saving;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use connmgr_core::driver::{self, Driver};
use connmgr_core::{Activity, ConnId, ConnManager, DialError, Input, ListenerId, LookupError, LookupId, Reply, Time};

use self::life::Life;
use self::looks::Looks;
use self::notes::Note;
use self::outside::{Helpers, Outside};
use self::saving::Saving;
use super::mailbox::Mailbox;
use crate::clock::Clock;
use crate::errors::accept_error_is_transient;
use crate::event::Problem;
use crate::observe::Watch;
use crate::resolver::{Resolve, ResolverPool};
use crate::startup::{StartError, Started};
use crate::state::{Saver, StateDir};

pub(crate) use notes::Notes;
pub use outside::Sockets;

/// What came of a lookup.
pub type Lookup = Result<Vec<IpAddr>, LookupError>;

/// The most that is taken of each source in one turn; the rest follows in the next.
pub const TURN_BUDGET: usize = 64;

/// A listener that fails is left alone at least so long, so that nothing spins.
const MIN_PAUSE: Duration = Duration::from_millis(50);

/// How long the end may wait for the disk.
const SAVE_WITHIN: Duration = Duration::from_secs(10);

/// Problems that may wait; the oldest stay, for they are the cause of the later ones.
const MAX_PROBLEMS: usize = 16;

/// A driver, and all that is the same around it in every adapter. `S` is the stream that waits in it for the
/// application.
pub struct Engine<S> {
    driver: Driver<S, Watch>,
    clock: Clock,
    helpers: Helpers,
    heard: Receiver<Note>,
    notes: Notes,
    mailbox: Mailbox,
    /// Mail that has been fetched and not told yet.
    mail: VecDeque<Input>,
    problems: VecDeque<Problem>,
    life: Life,
    looks: Looks,
    /// The last turn has left something for the next.
    more: bool,
}

impl<S> Engine<S> {
    /// Puts a manager to work: starts the thread that saves its state, if it has any. `ring` is called, on any thread,
    /// when something has come that wants a turn; it must not block.
    ///
    /// # Errors
    /// [`StartError::System`] when the system refuses the thread.
    pub fn start(
        started: Started,
        resolver: Arc<dyn Resolve>,
        ring: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let Started { manager, watch, clock, state_dir, damages, max_waiting_events } = started;
        let (notes, heard) = Notes::new(ring);
        let saver = state_dir.map(|dir| start_saver(dir, notes.clone())).transpose()?;
        let saving = saver.map(|saver| Saving::new(saver, manager.config().book.save_every, clock.now()));
        let helpers = Helpers { saving, resolver: start_resolver(resolver, notes.clone()), clock: clock.clone() };
        let mailbox = Mailbox::new({
            let notes = notes.clone();
            move || notes.ring()
        });
        let looks = Looks::new(&manager.config().health);
        let mut driver = Driver::with_observer(manager, watch);
        driver.set_max_waiting_events(max_waiting_events);
        let problems = damages.into_iter().map(Problem::Damaged).collect();
        let (mail, life, more) = (VecDeque::new(), Life::Running, false);
        Ok(Self { driver, clock, helpers, heard, notes, mailbox, mail, problems, life, looks, more })
    }

    /// The time; if the machine's clock was set, or bytes were read of connections, the manager knows. To be asked at
    /// every wake-up, before all else.
    pub fn wake(&mut self, net: &mut impl Sockets) -> Time {
        let now = self.clock.now();
        if let Some(unix) = self.clock.drift() {
            self.apply(&Input::Clock { unix }, now, net);
        }
        if self.looks.is_due(now) {
            self.note_life(now, net);
        }
        now
    }

    /// Whose bytes were read is alive, and its network with it: said before any news of dials, which may be their network's
    /// undoing.
    fn note_life(&mut self, now: Time, net: &mut impl Sockets) {
        let alive = net.take_heard().into_iter();
        self.mail.extend(alive.map(|conn| Input::Activity { conn, activity: Activity::default() }));
        self.tell_mail(now, net);
    }

    /// Tells or asks the manager, as [`Driver::apply`] does.
    pub fn apply(&mut self, input: &Input, now: Time, net: &mut impl Sockets) -> Reply {
        self.driver.apply(input, now, &mut Outside { sockets: net, helpers: &mut self.helpers, now })
    }

    /// A dial has ended by itself.
    pub fn dialed(&mut self, conn: ConnId, result: Result<S, DialError>, now: Time, net: &mut impl Sockets) {
        self.driver.dialed(conn, result, now, &mut Outside { sockets: net, helpers: &mut self.helpers, now });
    }

    /// A lookup has ended.
    pub fn looked(&mut self, lookup: LookupId, result: Lookup, now: Time, net: &mut impl Sockets) {
        self.apply(&Input::LookupResult { lookup, result }, now, net);
    }

    /// A connection has come in. Its stream is made only if it may stay; one that may not is dropped with `make`, and
    /// counted.
    pub fn accept(
        &mut self,
        remote: SocketAddr,
        listener: ListenerId,
        now: Time,
        make: impl FnOnce(ConnId) -> S,
        net: &mut impl Sockets,
    ) {
        let outside = &mut Outside { sockets: net, helpers: &mut self.helpers, now };
        // The manager counts those it refuses, and whoever comes is told by the end of the stream.
        let _ = self.driver.accept(remote, listener, now, make, outside);
    }

    /// No connection could come in.
    pub fn accept_failed(&mut self, listener: ListenerId, error: &io::Error, now: Time, net: &mut impl Sockets) {
        if !accept_error_is_transient(error) {
            // The manager's own pause, if it gives one, takes the place of this one.
            net.pause_accept(listener, now.after(MIN_PAUSE));
            self.apply(&Input::AcceptError { listener }, now, net);
        }
    }

    /// Does all that is due but for the adapter's own news: to be called once after those, at every wake-up.
    pub fn turn(&mut self, now: Time, net: &mut impl Sockets) {
        self.more = false;
        self.take_notes(now, net);
        self.read_mail(now, net);
        self.run_timers(now, net);
        self.end_if_stopped(now, net);
        if let Some(error) = self.driver.observer_mut().take_trace_error() {
            self.report(Problem::Trace(error));
        }
    }

    /// The next problem that the application is to know of.
    pub fn poll_problem(&mut self) -> Option<Problem> {
        self.problems.pop_front()
    }

    /// The next event of the driver.
    pub fn poll_event(&mut self) -> Option<driver::PoolEvent<S>> {
        self.driver.poll_event()
    }

    /// Whether there is a problem or an event.
    pub fn has_news(&self) -> bool {
        !self.problems.is_empty() || self.driver.has_events()
    }

    /// Whether a turn is wanted now, whatever the time.
    pub fn has_work(&self) -> bool {
        self.more || !self.mail.is_empty() || (self.driver.is_stopped() && self.life.is_running())
    }

    /// When the next turn is due, the sockets' own deadlines included.
    pub fn poll_timeout(&self, net: &impl Sockets) -> Option<Time> {
        let book = self.helpers.saving.as_ref().and_then(Saving::deadline);
        [self.driver.poll_timeout(), book, self.life.deadline(), net.poll_timeout()].into_iter().flatten().min()
    }

    /// Whether the manager has stopped, and what is left is to wait for the disk, if that.
    pub fn is_stopping(&self) -> bool {
        !self.life.is_running()
    }

    /// Whether the manager has stopped and its state is saved, or was given up.
    pub fn is_ended(&self) -> bool {
        matches!(self.life, Life::Ended)
    }

    /// The manager, to look at.
    pub const fn manager(&self) -> &ConnManager {
        self.driver.manager()
    }

    /// The clock, for timers.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Where facts of connections are posted.
    pub const fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// How the application's side says that it is gone.
    pub(crate) fn notes(&self) -> Notes {
        self.notes.clone()
    }

    /// Nobody turns it any more: what is to be saved is saved, and the directory let go of, by the thread for it.
    pub(crate) fn let_go(&mut self) {
        self.helpers.saving = None;
    }

    /// As if the state were saved by this.
    #[cfg(test)]
    pub(crate) fn set_saver(&mut self, saver: Saver) {
        self.helpers.saving = Some(Saving::new(saver, Duration::ZERO, Time::ZERO));
    }

    fn take_notes(&mut self, now: Time, net: &mut impl Sockets) {
        for _ in 0..TURN_BUDGET {
            match self.heard.try_recv() {
                Ok(Note::Looked(lookup, result)) => self.looked(lookup, result, now, net),
                Ok(Note::NotSaved(error)) => self.report(Problem::NotSaved(error)),
                Ok(Note::Saved) => self.life = Life::Ended,
                // Told once, for the sake of whoever reads the trace.
                Ok(Note::Abandoned) if self.driver.is_stopped() => {}
                Ok(Note::Abandoned) => drop(self.apply(&Input::Shutdown, now, net)),
                Err(_) => return,
            }
        }
        self.more = true;
    }

    fn read_mail(&mut self, now: Time, net: &mut impl Sockets) {
        // Fetched only when all before it is told: so it is no more than one record a connection.
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
            if is_news(&input, net) {
                self.apply(&input, now, net);
            }
        }
    }

    /// Early is free: the manager does nothing before its deadline.
    fn run_timers(&mut self, now: Time, net: &mut impl Sockets) {
        net.handle_timeout(now);
        if self.driver.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.apply(&Input::Timeout, now, net);
        }
        if let Some(saving) = &mut self.helpers.saving {
            saving.handle_timeout(self.driver.manager(), now);
        }
    }

    /// Nothing is dialed any more, every connection is closed, and the manager has had its state saved one last time:
    /// what is left is to wait for the disk.
    fn end_if_stopped(&mut self, now: Time, net: &mut impl Sockets) {
        match self.life {
            Life::Running if self.driver.is_stopped() => {
                net.stop();
                self.driver.observer_mut().flush();
                self.life = self.finish_saving(now);
            }
            Life::Saving(until) if until <= now => {
                self.report(Problem::SaveUnfinished);
                self.life = Life::Ended;
            }
            Life::Running | Life::Saving(_) | Life::Ended => {}
        }
    }

    fn finish_saving(&mut self, now: Time) -> Life {
        let Some(saving) = self.helpers.saving.take() else { return Life::Ended };
        let notes = self.notes.clone();
        saving.finish(move || notes.post(Note::Saved));
        Life::Saving(now.after(SAVE_WITHIN))
    }

    fn report(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push_back(problem);
        }
    }
}

/// That a stream we closed is dropped is no news.
fn is_news(input: &Input, net: &mut impl Sockets) -> bool {
    if let Input::Closed { conn, .. } = input { net.dropped(*conn) } else { true }
}

fn start_saver(dir: StateDir, notes: Notes) -> Result<Saver, StartError> {
    Saver::start(dir, move |error| notes.post(Note::NotSaved(error)))
        .map_err(|error| StartError::System { what: "start the thread that saves the state", error })
}

fn start_resolver(resolver: Arc<dyn Resolve>, notes: Notes) -> ResolverPool {
    ResolverPool::new(resolver, move |lookup, result| notes.post(Note::Looked(lookup, result)))
}

impl<S> fmt::Debug for Engine<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("life", &self.life).finish_non_exhaustive()
    }
}
