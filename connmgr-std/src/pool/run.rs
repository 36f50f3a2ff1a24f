//! The loop of a pool's task: what happens on a runtime's sockets becomes turns of the pool.
//!
//! ```text
//! requests, facts, notes ─► bell ┐
//! jobs                           ├─► WakeUp ─► turn ─► actions, carried out by RuntimeSockets
//! accepts                        │               └──► the timer is set anew
//! timer                          ┘
//! ```
//! It never waits for the application, and for the disk only at the end of the pool.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::task::{Context, Poll};
use std::thread;

use connmgr_core::{ListenerId, Time};

use super::sockets::RuntimeSockets;
use super::task::{AfterTurn, PoolTask};
use crate::adapter::engine::{Engine, TURN_BUDGET};
use crate::adapter::listeners::Listeners;
use crate::adapter::{Guard, Job, PoolRuntime, SocketHook, Wire};
use crate::clock::Clock;

/// Runs a pool until its manager has stopped and its state is saved.
pub(super) struct PoolLoop<R: PoolRuntime> {
    task: PoolTask<Guard<R::Wire>>,
    net: RuntimeSockets<R>,
    clock: Clock,
    /// What the timer is set to.
    timer: Option<Time>,
    /// Jobs that have ended and were not reported yet.
    ended: Vec<thread::Result<Job<R::Wire>>>,
    /// The source that is asked first at the next wake-up, so that a busy one starves none.
    first: usize,
}

/// Why the task woke.
enum WakeUp<W> {
    /// At the start, by the bell, or by the timer.
    Turn,
    /// Jobs have ended.
    Jobs,
    Accepted(ListenerId, io::Result<(W, SocketAddr)>),
}

/// Asks one source of wake-ups.
type WakeSource<R> = fn(&mut PoolLoop<R>, &mut Context<'_>) -> Poll<WakeUp<<R as PoolRuntime>::Wire>>;

impl<R: PoolRuntime> PoolLoop<R> {
    const SOURCES: [WakeSource<R>; 4] = [
        |this, cx| this.task.poll_wanted(cx).map(|()| WakeUp::Turn),
        Self::poll_jobs,
        |this, cx| {
            let accepted = this.net.listeners.poll(|listener| R::poll_accept(listener, cx));
            accepted.map(|(listener, accepted)| WakeUp::Accepted(listener, accepted))
        },
        Self::poll_timer,
    ];

    pub(super) fn new(
        task: PoolTask<Guard<R::Wire>>,
        runtime: R,
        listeners: Listeners<R::Listener>,
        hook: Option<SocketHook>,
    ) -> Self {
        let clock = task.clock();
        let net = RuntimeSockets::new(runtime, listeners, task.mailbox(), clock.clone(), hook);
        Self { task, net, clock, timer: None, ended: Vec::new(), first: 0 }
    }

    pub(super) async fn run(mut self) {
        let mut wake_up = WakeUp::Turn;
        while let AfterTurn::Wait(deadline) = self.turn(wake_up) {
            self.set_timer(deadline);
            wake_up = poll_fn(|cx| self.poll_wake_up(cx)).await;
            self.net.runtime.pause().await;
        }
        let RuntimeSockets { runtime, .. } = self.net;
        runtime.end().await;
    }

    fn turn(&mut self, wake_up: WakeUp<R::Wire>) -> AfterTurn {
        let Self { task, net, ended, .. } = self;
        task.turn(net, |engine, net, now| match wake_up {
            WakeUp::Turn => {}
            WakeUp::Jobs => report_jobs(ended, engine, net, now),
            WakeUp::Accepted(listener, accepted) => report_accepted(listener, accepted, engine, net, now),
        })
    }

    fn set_timer(&mut self, deadline: Option<Time>) {
        if self.timer != deadline {
            self.timer = deadline;
            self.net.runtime.set_timer(deadline.map(|deadline| self.clock.instant(deadline)));
        }
    }

    /// A source that is not the first to be ready keeps what it has.
    fn poll_wake_up(&mut self, cx: &mut Context<'_>) -> Poll<WakeUp<R::Wire>> {
        self.first = self.first.wrapping_add(1);
        for index in 0..Self::SOURCES.len() {
            let poll = Self::SOURCES[self.first.wrapping_add(index) % Self::SOURCES.len()];
            if let Poll::Ready(wake_up) = poll(self, cx) {
                return Poll::Ready(wake_up);
            }
        }
        Poll::Pending
    }

    /// Takes all that have ended: a turn for each would cost more than its work.
    fn poll_jobs(&mut self, cx: &mut Context<'_>) -> Poll<WakeUp<R::Wire>> {
        while self.ended.len() < TURN_BUDGET {
            let Poll::Ready(job) = self.net.runtime.poll_job(cx) else { break };
            self.ended.push(job);
        }
        if self.ended.is_empty() { Poll::Pending } else { Poll::Ready(WakeUp::Jobs) }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<WakeUp<R::Wire>> {
        if self.timer.is_none() || self.net.runtime.poll_timer(cx).is_pending() {
            return Poll::Pending;
        }
        self.timer = None;
        Poll::Ready(WakeUp::Turn)
    }
}

fn report_jobs<R: PoolRuntime>(
    ended: &mut Vec<thread::Result<Job<R::Wire>>>,
    engine: &mut Engine<Guard<R::Wire>>,
    net: &mut RuntimeSockets<R>,
    now: Time,
) {
    for job in ended.drain(..) {
        // A panic of a job is a bug of this library, which must not be hidden.
        let job = job.unwrap_or_else(|panic| resume_unwind(panic));
        net.job_ended(job, engine, now);
    }
}

fn report_accepted<R: PoolRuntime>(
    listener: ListenerId,
    accepted: io::Result<(R::Wire, SocketAddr)>,
    engine: &mut Engine<Guard<R::Wire>>,
    net: &mut RuntimeSockets<R>,
    now: Time,
) {
    match accepted {
        Ok((wire, remote)) => {
            // It fails only if the peer is gone, which the first read reports.
            let _ = wire.set_nodelay();
            let open = net.open.clone();
            engine.accept(remote, listener, now, |conn| open.guard(conn, wire), net);
        }
        Err(error) => engine.accept_failed(listener, &error, now, net),
    }
}
