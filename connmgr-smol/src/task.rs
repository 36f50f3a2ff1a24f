//! The driver task: the one loop that turns what happens into inputs of the driver.
//!
//! ```text
//! requests ┐
//! jobs     │                 ┌─► clock drift ─► one input ─► actions, carried out by SmolNet
//! accepts  ├─► Wake ─► turn ─┤
//! lookups  │                 └─► the alarm is set anew; news for the application
//! mail     │
//! alarm    ┘
//! ```
//! It waits for nobody: not for the application, nor for the disk before the very end. Each turn is one input (of mail,
//! a bounded number); when it never has to wait, the task lets others run after so many turns.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_channel::bounded;
use async_io::Timer;
use connmgr_core::{Input, ListenerId, LookupId, Time};
use connmgr_std::{Clock, Problem, Saver, accept_error_is_transient};
use futures_lite::FutureExt;
use futures_lite::future::yield_now;

use crate::alarm::Alarm;
use crate::connection::Socket;
use crate::handle::Request;
use crate::jobs::{Finished, Job, Lookup};
use crate::listener::Accepted;
use crate::net::SmolNet;
use crate::shared::{Shared, SmolDriver};
use crate::sources::{Sources, Wake};

/// Inputs from the mailbox in one turn; the rest follows in the next.
const MAX_MAIL: usize = 64;

/// Turns without a pause, when there is always something to do.
const MAX_TURNS: u32 = 128;

/// A listener that fails is left alone at least so long, so that nothing spins.
const MIN_PAUSE: Duration = Duration::from_millis(50);

/// How long the end may wait for the disk, and for the jobs.
const END_WITHIN: Duration = Duration::from_secs(10);

/// The driver task's own.
#[derive(Debug)]
pub(crate) struct Task {
    shared: Arc<Shared>,
    net: SmolNet,
    clock: Clock,
    alarm: Alarm,
    sources: Sources,
    /// Mail that has been fetched and not told yet.
    mail: VecDeque<Input>,
}

impl Task {
    pub(crate) fn new(shared: Arc<Shared>, net: SmolNet, clock: Clock, sources: Sources) -> Self {
        Self { shared, net, clock, alarm: Alarm::new(), sources, mail: VecDeque::new() }
    }

    /// Runs until the manager has stopped, or the executor ends.
    pub(crate) async fn run(mut self) {
        let mut stopped = self.set_alarm(&Arc::clone(&self.shared).driver());
        let mut turns: u32 = 0;
        while !stopped {
            let wake = self.sources.wake(&mut self.net.listeners, &mut self.alarm).await;
            stopped = self.turn(wake);
            turns += 1;
            if turns == MAX_TURNS {
                turns = 0;
                yield_now().await;
            }
        }
        self.finish().await;
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
            Wake::Finished(finished) => self.finished(&mut driver, finished, now),
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

    fn answer(&mut self, driver: &mut SmolDriver, request: Request, now: Time) {
        match request {
            Request::Apply { input, reply } => {
                // Whoever asked may have gone.
                let _ = reply.try_send(driver.apply(&input, now, &mut self.net));
            }
            Request::Look(look) => look(driver.manager()),
        }
    }

    /// A job that panicked is a fault of ours, not to be hidden. One that was given up says nothing.
    fn finished(&mut self, driver: &mut SmolDriver, finished: Finished, now: Time) {
        match finished {
            Ok(Job::Dialed(conn, result)) => {
                let result = self.net.dialed(conn, result);
                driver.dialed(conn, result, now, &mut self.net);
            }
            Ok(Job::Looked(lookup, result)) => {
                self.net.looked(lookup);
                self.looked(driver, lookup, result, now);
            }
            Err(panic) => resume_unwind(panic),
        }
    }

    fn accepted(&mut self, driver: &mut SmolDriver, listener: ListenerId, accepted: Accepted, now: Time) {
        match accepted {
            Ok((stream, remote)) => {
                // It fails only if the peer is gone, which the first read will say.
                let _ = stream.get_ref().set_nodelay(true);
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

    fn looked(&mut self, driver: &mut SmolDriver, lookup: LookupId, result: Lookup, now: Time) {
        self.apply(driver, &Input::LookupResult { lookup, result }, now);
    }

    fn read_mail(&mut self, driver: &mut SmolDriver, now: Time) {
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
            self.sources.postman.ring();
        }
    }

    /// That a stream we closed is dropped is no news.
    fn is_news(&mut self, input: &Input) -> bool {
        if let Input::Closed { conn, .. } = input { self.net.dropped(*conn) } else { true }
    }

    /// Early is free: the manager does nothing before its deadline.
    fn alarmed(&mut self, driver: &mut SmolDriver, now: Time) {
        self.net.listeners.resume(now);
        if driver.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.apply(driver, &Input::Timeout, now);
        }
    }

    fn apply(&mut self, driver: &mut SmolDriver, input: &Input, now: Time) {
        driver.apply(input, now, &mut self.net);
    }

    /// Sets the alarm to what comes first; whether the manager has stopped.
    fn set_alarm(&mut self, driver: &SmolDriver) -> bool {
        let deadlines = [driver.poll_timeout(), self.net.listeners.next_resume()];
        self.alarm.set(deadlines.into_iter().flatten().min(), &self.clock);
        driver.is_stopped()
    }

    /// Nothing is dialed any more, every connection is closed, and the manager has had its state saved one last time:
    /// what is left is to wait for the jobs, which have been told, and for the disk.
    async fn finish(self) {
        let Self { shared, net, sources, .. } = self;
        // Whoever asks now is told at once that the pool is gone, and does not wait for the disk.
        let jobs = sources.end();
        let saver = net.end();
        let until = Instant::now() + END_WITHIN;
        // Each has been told; an executor that does not run them is not waited for.
        let jobs_ended = async { while jobs.recv().await.is_ok() {} };
        in_time(jobs_ended, until).await;
        if let Some(saver) = saver {
            if !in_time(saved(saver), until).await {
                shared.report(Problem::SaveUnfinished);
            }
        }
        let mut driver = shared.driver();
        driver.observer_mut().flush();
        if let Some(error) = driver.observer_mut().take_trace_error() {
            shared.report(Problem::Trace(error));
        }
    }
}

/// Waits for the disk.
async fn saved(saver: Saver) {
    let (saving, end) = bounded::<Infallible>(1);
    saver.finish_then(move || drop(saving));
    // Nothing is ever sent.
    let _ = end.recv().await;
}

/// Whether it ends until then.
async fn in_time(future: impl Future<Output = ()>, until: Instant) -> bool {
    let ends = async {
        future.await;
        true
    };
    let timeout = async {
        Timer::at(until).await;
        false
    };
    ends.or(timeout).await
}

#[cfg(test)]
mod tests;
