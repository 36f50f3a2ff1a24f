//! The task's side of a pool.

use std::sync::Arc;

use connmgr_core::Time;

use super::requests::{Request, Requests};
use super::shared::Shared;
use crate::adapter::engine::{Engine, Sockets, TURN_BUDGET};
use crate::adapter::mailbox::Mailbox;
use crate::bell::Bell;
use crate::clock::Clock;

/// What the task has that keeps a pool. Dropped, it refuses every request, those that wait included.
#[derive(Debug)]
pub struct PoolTask<S> {
    pub(super) shared: Arc<Shared<S>>,
    requests: Requests,
    /// Rings when a turn is wanted.
    bell: Bell,
}

/// What comes after a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another turn, when something happens, at the latest at this time.
    Turn(Option<Time>),
    /// Nothing: the pool has stopped, and its state is saved.
    End,
}

impl<S> PoolTask<S> {
    pub(super) const fn new(shared: Arc<Shared<S>>, requests: Requests, bell: Bell) -> Self {
        Self { shared, requests, bell }
    }

    /// Where the streams of connections post what they have to say.
    pub fn mailbox(&self) -> Mailbox {
        self.shared.engine().mailbox().clone()
    }

    /// The clock, for timers.
    pub fn clock(&self) -> Clock {
        self.shared.engine().clock().clone()
    }

    /// Waits until a turn is wanted. Dropped before, it loses nothing.
    pub async fn wanted(&self) {
        self.bell.heard().await;
    }

    /// The same, to be polled.
    pub fn poll_wanted(&self, cx: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        self.bell.poll_heard(cx)
    }

    /// Takes one turn: `tell` tells what the sockets have to say, if anything, and then all is done that is due.
    pub fn turn<N: Sockets>(&self, net: &mut N, tell: impl FnOnce(&mut Engine<S>, &mut N, Time)) -> Next {
        let mut engine = self.shared.engine();
        let now = engine.wake(net);
        tell(&mut engine, net, now);
        let requests_left = self.take_requests(&mut engine, net, now);
        engine.turn(now, net);
        if engine.is_stopping() {
            // Whoever asks now is told at once that the pool is gone, and does not wait for the disk.
            self.requests.close();
        }
        if engine.has_news() {
            self.shared.news.ring();
        }
        if requests_left || engine.has_work() {
            self.bell.ring();
        }
        if engine.is_ended() { Next::End } else { Next::Turn(engine.poll_timeout(net)) }
    }

    /// Whether there may be more.
    fn take_requests(&self, engine: &mut Engine<S>, net: &mut impl Sockets, now: Time) -> bool {
        for _ in 0..TURN_BUDGET {
            match self.requests.pop() {
                Some(Request::Apply { input, reply }) => reply.tell(engine.apply(&input, now, net)),
                Some(Request::Look(look)) => look(engine.manager()),
                None => return false,
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
