//! The driver's task: the one loop that turns what happens on tokio's sockets into turns of the pool.
//!
//! ```text
//! requests, mail, notes ─► bell ┐
//! jobs                          ├─► Wake ─► turn ─► actions, carried out by TokioNet
//! accepts                       │            └────► the alarm is set anew
//! alarm                         ┘
//! ```
//! It waits for nobody: not for the application, nor for the disk before the very end. tokio's own budget makes it
//! yield when it never has to wait.

use std::future::poll_fn;
use std::panic::resume_unwind;

use connmgr_core::{ListenerId, Time};
use connmgr_std::adapter::{self, Clock, Guard, Next, PoolTask, TURN_BUDGET, Wire};
use tokio::task::{JoinError, coop::consume_budget};

use crate::alarm::Alarm;
use crate::listener::{Accepted, Listeners, poll_accept};
use crate::net::{Job, TokioNet};
use crate::wire::Stream;

/// What is around the driver of this adapter.
type Engine = adapter::Engine<Guard<Stream>>;

/// The driver task's own.
#[derive(Debug)]
pub(crate) struct Task {
    pool: PoolTask<Guard<Stream>>,
    net: TokioNet,
    clock: Clock,
    alarm: Alarm,
}

/// Why the task woke.
#[derive(Debug)]
enum Wake {
    /// The first time, or at the bell or the alarm.
    Turn,
    Done(Result<Job, JoinError>),
    Accepted(ListenerId, Accepted),
}

impl Task {
    pub(crate) fn new(pool: PoolTask<Guard<Stream>>, listeners: Listeners) -> Self {
        let clock = pool.clock();
        let net = TokioNet::new(listeners, pool.mailbox(), clock.clone());
        Self { pool, net, clock, alarm: Alarm::new() }
    }

    /// Runs until the manager has stopped and its state is saved, or the runtime ends.
    pub(crate) async fn run(mut self) {
        let mut wake = Wake::Turn;
        while let Next::Turn(deadline) = self.pool.turn(&mut self.net, |engine, net, now| tell(wake, engine, net, now))
        {
            self.alarm.set(deadline, &self.clock);
            wake = self.wake().await;
            consume_budget().await;
        }
        self.net.jobs.shutdown().await;
    }

    /// Waits for whatever comes first. Losing a race loses nothing: every source may be dropped while it waits.
    async fn wake(&mut self) -> Wake {
        let Self { pool, net: TokioNet { listeners, jobs, .. }, alarm, .. } = self;
        tokio::select! {
            () = pool.wanted() => Wake::Turn,
            Some(done) = jobs.join_next() => Wake::Done(done),
            (listener, accepted) = poll_fn(|cx| poll_accept(listeners, cx)) => Wake::Accepted(listener, accepted),
            () = poll_fn(|cx| alarm.poll_ring(cx)) => Wake::Turn,
        }
    }
}

fn tell(wake: Wake, engine: &mut Engine, net: &mut TokioNet, now: Time) {
    match wake {
        Wake::Turn => {}
        Wake::Done(done) => jobs_done(done, engine, net, now),
        Wake::Accepted(listener, Ok((stream, remote))) => {
            // It fails only if the peer is gone, which the first read will say.
            let _ = stream.set_nodelay();
            let open = net.open.clone();
            engine.accept(remote, listener, now, |conn| open.guard(conn, stream), net);
        }
        Wake::Accepted(listener, Err(error)) => engine.accept_failed(listener, &error, now, net),
    }
}

/// That one, and those that are done as well: a turn for each would cost more than what it does.
fn jobs_done(first: Result<Job, JoinError>, engine: &mut Engine, net: &mut TokioNet, now: Time) {
    let mut next = Some(first);
    for _ in 0..TURN_BUDGET {
        let Some(done) = next.or_else(|| net.jobs.try_join_next()) else { return };
        job_done(done, engine, net, now);
        next = None;
    }
}

/// A job that was aborted has been reported by the abort; one that panicked is a fault of ours, not to be hidden.
fn job_done(done: Result<Job, JoinError>, engine: &mut Engine, net: &mut TokioNet, now: Time) {
    match done {
        Ok(Job::Dialed(conn, result)) => {
            let result = net.dialed(conn, result);
            engine.dialed(conn, result, now, net);
        }
        Ok(Job::Looked(lookup, result)) => engine.looked(lookup, result, now, net),
        Err(error) => {
            if let Ok(panic) = error.try_into_panic() {
                resume_unwind(panic);
            }
        }
    }
}
