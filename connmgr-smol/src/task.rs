//! The driver's task: the one loop that turns what happens on async-io's sockets into turns of the pool.
//!
//! ```text
//! requests, mail, notes ─► bell ┐
//! jobs                          ├─► Wake ─► turn ─► actions, carried out by SmolNet
//! accepts                       │            └────► the alarm is set anew
//! alarm                         ┘
//! ```
//! It waits for nobody: not for the application, nor for the disk before the very end. When it never has to wait, it
//! lets others run after so many turns.

use std::future::poll_fn;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_channel::Receiver;
use async_io::Timer;
use connmgr_core::{ListenerId, Time};
use connmgr_std::adapter::{self, Clock, Guard, Next, PoolTask, TURN_BUDGET, Wire};
use futures_lite::future::yield_now;
use futures_lite::{FutureExt, Stream as _};

use crate::alarm::Alarm;
use crate::jobs::{Finished, Job, Jobs};
use crate::listener::{Accepted, Listeners, poll_accept};
use crate::net::SmolNet;
use crate::spawn::Spawn;
use crate::wire::Stream;

/// Turns without a pause, when there is always something to do.
const MAX_TURNS: usize = 128;

/// How long the end may wait for the jobs, each of which has been told.
const END_WITHIN: Duration = Duration::from_secs(10);

/// What is around the driver of this adapter.
type Engine = adapter::Engine<Guard<Stream>>;

/// The driver task's own.
#[derive(Debug)]
pub(crate) struct Task {
    pool: PoolTask<Guard<Stream>>,
    net: SmolNet,
    /// Listened to without an allocation for each wait.
    finished: Pin<Box<Receiver<Finished>>>,
    alarm: Alarm,
    clock: Clock,
    /// Taken so far.
    turns: usize,
}

/// Why the task woke.
#[derive(Debug)]
enum Wake {
    /// The first time, or at the bell or the alarm.
    Turn,
    Finished(Finished),
    Accepted(ListenerId, Accepted),
}

impl Task {
    pub(crate) fn new(pool: PoolTask<Guard<Stream>>, listeners: Listeners, spawner: Arc<dyn Spawn>) -> Self {
        let (jobs, finished) = Jobs::new(spawner);
        let clock = pool.clock();
        let net = SmolNet::new(listeners, jobs, pool.mailbox(), clock.clone());
        Self { pool, net, finished: Box::pin(finished), alarm: Alarm::new(), clock, turns: 0 }
    }

    /// Runs until the manager has stopped and its state is saved, or the executor ends.
    pub(crate) async fn run(mut self) {
        let mut wake = Wake::Turn;
        while let Next::Turn(deadline) = self.turn(wake) {
            self.alarm.set(deadline, &self.clock);
            wake = poll_fn(|cx| self.poll_wake(cx)).await;
            self.turns = self.turns.wrapping_add(1);
            if self.turns % MAX_TURNS == 0 {
                yield_now().await;
            }
        }
        self.finish().await;
    }

    fn turn(&mut self, wake: Wake) -> Next {
        let Self { pool, net, finished, .. } = self;
        pool.turn(net, |engine, net, now| tell(wake, finished, engine, net, now))
    }

    /// Nothing that comes is lost: what does not come first is there the next time.
    fn poll_wake(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        for index in 0..ASKS.len() {
            // Another is asked first each time, so that a busy one starves none.
            let ask = ASKS[self.turns.wrapping_add(index) % ASKS.len()];
            if let Poll::Ready(wake) = ask(self, cx) {
                return Poll::Ready(wake);
            }
        }
        Poll::Pending
    }

    /// The channel is closed only when this and the net are gone.
    fn poll_finished(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        match self.finished.as_mut().poll_next(cx) {
            Poll::Ready(Some(finished)) => Poll::Ready(Wake::Finished(finished)),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    /// Nothing is dialed any more: what is left is to wait for the jobs, which have been told.
    async fn finish(self) {
        let Self { net, finished, .. } = self;
        // What starts jobs goes first: it holds their channel open.
        drop(net);
        let ended = async { while finished.recv().await.is_ok() {} };
        // An executor that does not run them is not waited for.
        let timeout = async {
            Timer::after(END_WITHIN).await;
        };
        ended.or(timeout).await;
    }
}

/// Asks one source.
type Ask = fn(&mut Task, &mut Context<'_>) -> Poll<Wake>;

/// The sources.
const ASKS: [Ask; 4] = [
    |task, cx| task.pool.poll_wanted(cx).map(|()| Wake::Turn),
    Task::poll_finished,
    |task, cx| poll_accept(&mut task.net.listeners, cx).map(|(id, accepted)| Wake::Accepted(id, accepted)),
    |task, cx| task.alarm.poll_ring(cx).map(|()| Wake::Turn),
];

fn tell(wake: Wake, others: &Receiver<Finished>, engine: &mut Engine, net: &mut SmolNet, now: Time) {
    match wake {
        Wake::Turn => {}
        Wake::Finished(finished) => jobs_finished(finished, others, engine, net, now),
        Wake::Accepted(listener, Ok((stream, remote))) => {
            // It fails only if the peer is gone, which the first read will say.
            let _ = stream.set_nodelay();
            let open = net.open.clone();
            engine.accept(remote, listener, now, |conn| open.guard(conn, stream), net);
        }
        Wake::Accepted(listener, Err(error)) => engine.accept_failed(listener, &error, now, net),
    }
}

/// That one, and those that have finished as well: a turn for each would cost more than what it does.
fn jobs_finished(first: Finished, others: &Receiver<Finished>, engine: &mut Engine, net: &mut SmolNet, now: Time) {
    let mut next = Some(first);
    for _ in 0..TURN_BUDGET {
        let Some(finished) = next.or_else(|| others.try_recv().ok()) else { return };
        job_finished(finished, engine, net, now);
        next = None;
    }
}

/// A job that panicked is a fault of ours, not to be hidden. One that was given up says nothing.
fn job_finished(finished: Finished, engine: &mut Engine, net: &mut SmolNet, now: Time) {
    match finished {
        Ok(Job::Dialed(conn, result)) => {
            let result = net.dialed(conn, result);
            engine.dialed(conn, result, now, net);
        }
        Ok(Job::Looked(lookup, result)) => {
            net.looked(lookup);
            engine.looked(lookup, result, now, net);
        }
        Err(panic) => resume_unwind(panic),
    }
}
