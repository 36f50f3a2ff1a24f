//! The driver task: the one loop that turns what happens into inputs of the driver.
//!
//! ```text
//! requests ┐
//! jobs     │                 ┌─► clock drift ─► one input ─► actions, carried out by TokioNet
//! accepts  ├─► Wake ─► turn ─┤
//! lookups  │                 └─► the alarm is set anew; news for the application
//! mail     │
//! alarm    ┘
//! ```
//! It waits for nobody: not for the application, nor for the disk before the very end. Each turn is one input (of mail,
//! a bounded number); tokio's own budget makes the task yield when it never has to wait.

use std::collections::VecDeque;
use std::future::pending;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use connmgr_core::{Input, ListenerId, LookupId, Time};
use connmgr_std::{Clock, Mailbox, Problem, accept_error_is_transient};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinError;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use crate::connection::Socket;
use crate::handle::Request;
use crate::listener::Accepted;
use crate::net::{Job, Lookup, TokioNet};
use crate::shared::{Shared, TokioDriver};

/// Inputs from the mailbox in one turn; the rest follows in the next.
const MAX_MAIL: usize = 64;

/// A listener that fails is left alone at least so long, so that nothing spins.
const MIN_PAUSE: Duration = Duration::from_millis(50);

/// How long the end may wait for the disk.
const SAVE_WITHIN: Duration = Duration::from_secs(10);

/// The driver task's own.
#[derive(Debug)]
pub(crate) struct Task {
    shared: Arc<Shared>,
    net: TokioNet,
    clock: Clock,
    alarm: Alarm,
    sources: Sources,
    /// Mail that has been fetched and not told yet.
    mail: VecDeque<Input>,
}

/// Where things come from.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) requests: mpsc::Receiver<Request>,
    /// Answers of the resolver threads.
    pub(crate) lookups: mpsc::UnboundedReceiver<(LookupId, Lookup)>,
    pub(crate) mailbox: Mailbox,
    /// Mail has come.
    pub(crate) postman: Arc<Notify>,
    /// Ends when the pool is dropped; none after that.
    pub(crate) lifeline: Option<oneshot::Receiver<()>>,
}

/// Why the task woke.
#[derive(Debug)]
enum Wake {
    Asked(Request),
    Done(Result<Job, JoinError>),
    Accepted(ListenerId, Accepted),
    Looked(LookupId, Lookup),
    Mail,
    Alarm,
    PoolDropped,
}

impl Task {
    pub(crate) fn new(shared: Arc<Shared>, net: TokioNet, clock: Clock, sources: Sources) -> Self {
        Self { shared, net, clock, alarm: Alarm::new(), sources, mail: VecDeque::new() }
    }

    /// Runs until the manager has stopped, or the runtime ends.
    pub(crate) async fn run(mut self) {
        let mut stopped = self.set_alarm(&Arc::clone(&self.shared).driver());
        while !stopped {
            let wake = self.wake().await;
            stopped = self.turn(wake);
        }
        self.finish().await;
    }

    /// Waits for whatever comes first. Losing a race loses nothing: every source may be dropped while it waits.
    async fn wake(&mut self) -> Wake {
        let Self { net, alarm, sources, .. } = self;
        tokio::select! {
            Some(request) = sources.requests.recv() => Wake::Asked(request),
            Some(done) = net.jobs.join_next() => Wake::Done(done),
            (listener, accepted) = net.listeners.accept() => Wake::Accepted(listener, accepted),
            Some((lookup, result)) = sources.lookups.recv() => Wake::Looked(lookup, result),
            () = sources.postman.notified() => Wake::Mail,
            () = alarm.ring() => Wake::Alarm,
            () = dropped(&mut sources.lifeline) => Wake::PoolDropped,
        }
    }

    /// Tells the driver; whether the manager has stopped.
    fn turn(&mut self, wake: Wake) -> bool {
        let shared = Arc::clone(&self.shared);
        let mut driver = shared.driver();
        let now = self.clock.now();
        if let Some(unix) = self.clock.drift() {
            self.apply(&mut driver, &Input::Clock { unix }, now);
        }
        match wake {
            Wake::Asked(request) => self.answer(&mut driver, request, now),
            Wake::Done(done) => self.job_done(&mut driver, done, now),
            Wake::Accepted(listener, accepted) => self.accepted(&mut driver, listener, accepted, now),
            Wake::Looked(lookup, result) => self.looked(&mut driver, lookup, result, now),
            Wake::Mail => self.read_mail(&mut driver, now),
            Wake::Alarm => self.alarmed(&mut driver, now),
            Wake::PoolDropped => self.apply(&mut driver, &Input::Shutdown, now),
        }
        if driver.has_events() {
            shared.tell_news();
        }
        if let Some(error) = driver.observer_mut().take_trace_error() {
            shared.report(Problem::Trace(error));
        }
        self.set_alarm(&driver)
    }

    fn answer(&mut self, driver: &mut TokioDriver, request: Request, now: Time) {
        match request {
            Request::Apply { input, reply } => {
                // Whoever asked may have gone.
                let _ = reply.send(driver.apply(&input, now, &mut self.net));
            }
            Request::Look(look) => look(driver.manager()),
        }
    }

    /// A job that was aborted has been reported by the abort; one that panicked is a fault of ours, not to be hidden.
    fn job_done(&mut self, driver: &mut TokioDriver, done: Result<Job, JoinError>, now: Time) {
        match done {
            Ok(Job::Dialed(conn, result)) => {
                let result = self.net.dialed(conn, result);
                driver.dialed(conn, result, now, &mut self.net);
            }
            Ok(Job::Looked(lookup, result)) => self.looked(driver, lookup, result, now),
            Err(error) => {
                if let Ok(panic) = error.try_into_panic() {
                    resume_unwind(panic);
                }
            }
        }
    }

    fn accepted(&mut self, driver: &mut TokioDriver, listener: ListenerId, accepted: Accepted, now: Time) {
        match accepted {
            Ok((stream, remote)) => {
                // It fails only if the peer is gone, which the first read will say.
                let _ = stream.set_nodelay(true);
                let socket = Arc::new(Socket::new(stream));
                let weak = Arc::downgrade(&socket);
                let guard = self.net.guards();
                let make = |conn| guard(conn, socket);
                if let Ok(conn) = driver.accept(remote, listener, now, make, &mut self.net) {
                    self.net.opened(conn, weak);
                }
            }
            Err(error) if accept_error_is_transient(&error) => {}
            Err(_) => {
                // The manager's own pause, if it gives one, takes the place of this one.
                self.net.listeners.pause(listener, now.after(MIN_PAUSE));
                self.apply(driver, &Input::AcceptError { listener }, now);
            }
        }
    }

    fn looked(&mut self, driver: &mut TokioDriver, lookup: LookupId, result: Lookup, now: Time) {
        self.apply(driver, &Input::LookupResult { lookup, result }, now);
    }

    fn read_mail(&mut self, driver: &mut TokioDriver, now: Time) {
        // Fetched only when all before it is told: so it is no more than one record a connection.
        let fetched = self.mail.is_empty();
        if fetched {
            self.sources.mailbox.drain(|input| self.mail.push_back(input));
        }
        for _ in 0..MAX_MAIL {
            let Some(input) = self.mail.pop_front() else { break };
            if self.is_news(&input) {
                self.apply(driver, &input, now);
            }
        }
        if !fetched || !self.mail.is_empty() {
            self.sources.postman.notify_one();
        }
    }

    /// That a stream we closed is dropped is no news.
    fn is_news(&mut self, input: &Input) -> bool {
        if let Input::Closed { conn, .. } = input { self.net.dropped(*conn) } else { true }
    }

    /// Early is free: the manager does nothing before its deadline.
    fn alarmed(&mut self, driver: &mut TokioDriver, now: Time) {
        self.net.listeners.resume(now);
        if driver.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.apply(driver, &Input::Timeout, now);
        }
    }

    fn apply(&mut self, driver: &mut TokioDriver, input: &Input, now: Time) {
        driver.apply(input, now, &mut self.net);
    }

    /// Sets the alarm to what comes first; whether the manager has stopped.
    fn set_alarm(&mut self, driver: &TokioDriver) -> bool {
        let deadlines = [driver.poll_timeout(), self.net.listeners.next_resume()];
        self.alarm.set(deadlines.into_iter().flatten().min(), &self.clock);
        driver.is_stopped()
    }

    /// Nothing is dialed any more, every connection is closed, and the manager has had its state saved one last time:
    /// what is left is to wait for the disk.
    async fn finish(mut self) {
        // Whoever asks now is told at once that the pool is gone, and does not wait for the disk.
        drop(self.sources);
        self.net.listeners.close();
        self.net.jobs.shutdown().await;
        if let Some(saver) = self.net.saver.take() {
            // Not on the runtime's blocking pool: the application may have filled it, and a runtime that is dropped
            // would wait for it.
            let (ended, end) = oneshot::channel();
            saver.finish_then(move || {
                // The runtime may have ended.
                let _ = ended.send(());
            });
            if timeout(SAVE_WITHIN, end).await.is_err() {
                self.shared.report(Problem::SaveUnfinished);
            }
        }
        let mut driver = self.shared.driver();
        driver.observer_mut().flush();
        if let Some(error) = driver.observer_mut().take_trace_error() {
            self.shared.report(Problem::Trace(error));
        }
    }
}

/// Waits until the pool is dropped, which is reported once.
async fn dropped(lifeline: &mut Option<oneshot::Receiver<()>>) {
    match lifeline {
        Some(receiver) => {
            // Nothing is ever sent.
            let _ = receiver.await;
            *lifeline = None;
        }
        None => pending().await,
    }
}

/// The one timer.
#[derive(Debug)]
struct Alarm {
    sleep: Pin<Box<Sleep>>,
    /// When it rings; none: never.
    set_to: Option<Time>,
}

impl Alarm {
    fn new() -> Self {
        Self { sleep: Box::pin(sleep_until(Instant::now())), set_to: None }
    }

    /// Costs nothing when nothing changes.
    fn set(&mut self, deadline: Option<Time>, clock: &Clock) {
        if self.set_to == deadline {
            return;
        }
        self.set_to = deadline;
        if let Some(deadline) = deadline {
            self.sleep.as_mut().reset(Instant::from_std(clock.instant(deadline)));
        }
    }

    /// Waits for the time it is set to, and is then no longer set.
    async fn ring(&mut self) {
        match self.set_to {
            Some(_) => {
                self.sleep.as_mut().await;
                self.set_to = None;
            }
            None => pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use connmgr_core::driver::Driver;
    use connmgr_core::{Config, ConnManager, Snapshot};
    use connmgr_std::{ResolverPool, Saver, StateDir, SystemResolver, Watch};

    use super::*;
    use crate::handle::{self, Handle};
    use crate::listener::Listeners;

    /// A task with nothing to do, and who may ask it.
    fn task(saver: Saver) -> (Task, Handle) {
        let clock = Clock::start();
        let manager = ConnManager::new(Config::default(), None, [7; 32], clock.unix(), clock.now()).unwrap();
        let (handle, requests) = handle::channel();
        let mailbox = Mailbox::new(|| ());
        let resolver = ResolverPool::new(Arc::new(SystemResolver), |_, _| ());
        let net = TokioNet::new(Listeners::default(), Some(saver), resolver, mailbox.clone(), clock.clone());
        let (_, lookups) = mpsc::unbounded_channel();
        let sources = Sources { requests, lookups, mailbox, postman: Arc::default(), lifeline: None };
        let shared = Arc::new(Shared::new(Driver::with_observer(manager, Watch::default())));
        (Task::new(shared, net, clock, sources), handle)
    }

    #[tokio::test]
    async fn whoever_asks_a_pool_at_its_end_does_not_wait_for_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let (release, released) = std::sync::mpsc::channel::<()>();
        // As far as the task is concerned, the disk hangs.
        let hang = move |_| {
            let _ = released.recv();
        };
        let saver = Saver::start(StateDir::open(dir.path()).unwrap().0, hang).unwrap();
        std::fs::create_dir(dir.path().join("peers.dat.tmp")).unwrap();
        saver.save(Snapshot::default());
        let (task, handle) = task(saver);
        let ending = tokio::spawn(task.finish());
        let answer = tokio::time::timeout(Duration::from_secs(5), handle.shutdown()).await;
        assert_eq!(answer, Ok(Err(connmgr_core::CommandError::ShuttingDown)));
        assert!(!ending.is_finished());
        drop(release);
        ending.await.unwrap();
    }

    #[tokio::test]
    async fn the_alarm_rings_once_and_not_before_its_time() {
        let (clock, mut alarm) = (Clock::start(), Alarm::new());
        for wait in [20, 5, 0] {
            let deadline = clock.now().after(Duration::from_millis(wait));
            alarm.set(Some(deadline), &clock);
            alarm.ring().await;
            assert!(clock.now() >= deadline);
        }
        let again = tokio::time::timeout(Duration::from_millis(10), alarm.ring()).await;
        assert!(again.is_err());
    }

    #[tokio::test]
    async fn an_alarm_that_is_set_anew_forgets_what_it_was_set_to() {
        let (clock, mut alarm) = (Clock::start(), Alarm::new());
        alarm.set(Some(Time::from_secs(3600)), &clock);
        alarm.set(Some(Time::from_millis(10)), &clock);
        alarm.ring().await;
        alarm.set(Some(Time::from_millis(10)), &clock);
        alarm.set(None, &clock);
        let rings = tokio::time::timeout(Duration::from_millis(10), alarm.ring()).await;
        assert!(rings.is_err());
    }
}
