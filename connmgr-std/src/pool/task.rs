//! The task's side of a pool: its turns.

use std::sync::Arc;
use std::task::{Context, Poll};

use connmgr_core::Time;

use super::requests::{Request, Requests};
use super::shared::SharedEngine;
use crate::adapter::engine::{Engine, Sockets, TURN_BUDGET};
use crate::adapter::mailbox::Mailbox;
use crate::bell::WakeBell;
use crate::clock::Clock;

/// What the task of a pool owns. Dropped, it refuses every request, those that wait included.
pub(super) struct PoolTask<S> {
    pub(super) shared: Arc<SharedEngine<S>>,
    requests: Requests<S>,
    /// Rings when a turn is wanted.
    bell: WakeBell,
}

/// What follows a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterTurn {
    /// Another turn, when something happens, at the latest at this time.
    Wait(Option<Time>),
    /// Nothing: the pool has stopped, and its state is saved.
    End,
}

impl<S> PoolTask<S> {
    pub(super) const fn new(shared: Arc<SharedEngine<S>>, requests: Requests<S>, bell: WakeBell) -> Self {
        Self { shared, requests, bell }
    }

    /// Where the streams of connections post their facts.
    pub(super) fn mailbox(&self) -> Mailbox {
        self.shared.engine().mailbox().clone()
    }

    pub(super) fn clock(&self) -> Clock {
        self.shared.engine().clock().clone()
    }

    /// Ready when a turn is wanted.
    pub(super) fn poll_wanted(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.bell.poll_heard(cx)
    }

    /// Takes one turn: `report` reports what happened on the sockets, if anything, and then all is done that is due.
    pub(super) fn turn<N: Sockets>(&self, net: &mut N, report: impl FnOnce(&mut Engine<S>, &mut N, Time)) -> AfterTurn {
        let mut engine = self.shared.engine();
        let now = engine.wake(net);
        report(&mut engine, net, now);
        let requests_left = self.take_requests(&mut engine, net, now);
        engine.turn(now, net);
        if engine.is_stopping() {
            // Requests are refused at once from now on, instead of waiting for the disk.
            self.requests.close();
        }
        if engine.has_news() {
            self.shared.news.ring();
        }
        if requests_left || engine.has_work() {
            self.bell.ring();
        }
        if engine.is_ended() { AfterTurn::End } else { AfterTurn::Wait(engine.poll_timeout(net)) }
    }

    /// Whether there may be more.
    fn take_requests(&self, engine: &mut Engine<S>, net: &mut impl Sockets, now: Time) -> bool {
        for _ in 0..TURN_BUDGET {
            let Some(request) = self.requests.pop() else { return false };
            // What the caller reported before it asked comes first: a connection that it dropped has ended.
            engine.read_mail(now, net);
            match request {
                // The caller may have given up waiting for the answer.
                Request::Apply { input, reply } => drop(reply.send(engine.apply(&input, now, net))),
                Request::Connect { peer, caller } => engine.connect_for(caller, peer, now, net),
                Request::View(show) => show(engine.manager()),
            }
        }
        true
    }
}

impl<S> Drop for PoolTask<S> {
    fn drop(&mut self) {
        self.requests.close();
        self.shared.engine().let_go();
    }
}
