//! One turn of the pool: what happened on its sockets since the last, then everything else that is due.
//!
//! ```text
//! results  ┐
//! accepts  ├─► inputs ─► Engine ─► actions, carried out by MioNet ─► results of the next turn
//! commands ┘
//! ```
//! It takes a bounded share of each, so that a busy source starves neither the others nor the application's own
//! sockets. If anything is left, [`Pool::poll_timeout`] is zero.

use std::task::Poll;

use connmgr_core::{ListenerId, Time};
use connmgr_std::adapter::TURN_BUDGET;

use crate::listener::{Accepted, PolledListener};
use crate::net::Done;
use crate::pool::Pool;
use crate::stream::Stream;

impl Pool {
    /// Whether there is work to do or an event to take, without another event of the poll.
    pub(crate) fn has_work(&self) -> bool {
        self.has_news() || self.more || self.net.has_work() || self.engine.has_work()
    }

    pub(crate) fn turn(&mut self) {
        let now = self.engine.wake(&mut self.net);
        self.more = false;
        self.take_results(now);
        self.take_connections(now);
        self.take_commands(now);
        self.engine.turn(now, &mut self.net);
    }

    // Only those of the last turn: a dial that fails at once may be followed by another, without end.
    fn take_results(&mut self, now: Time) {
        for _ in 0..self.net.done.len() {
            match self.net.done.pop_front() {
                Some(Done::Dialed(conn, result, unisolated)) => {
                    self.engine.note_unisolated(unisolated);
                    self.engine.dialed(conn, result, now, &mut self.net);
                }
                Some(Done::Looked(lookup, result, unisolated)) => {
                    self.engine.note_unisolated(unisolated);
                    self.engine.looked(lookup, result, now, &mut self.net);
                }
                None => return,
            }
        }
    }

    // The listeners share one budget, of as much as any other source for each of them.
    fn take_connections(&mut self, now: Time) {
        for _ in 0..TURN_BUDGET * self.net.listeners.len() {
            match self.net.listeners.poll(PolledListener::poll_accept) {
                Poll::Ready((listener, accepted)) => self.accepted(listener, accepted, now),
                Poll::Pending => return,
            }
        }
    }

    fn accepted(&mut self, listener: ListenerId, accepted: Accepted, now: Time) {
        match accepted {
            Ok((socket, remote)) => {
                // It fails only if the peer is gone, which the first read reports.
                let _ = socket.set_nodelay(true);
                self.engine.accept(remote, listener, now, |_| Stream::new(socket), &mut self.net);
            }
            Err(error) => self.engine.accept_failed(listener, &error, now, &mut self.net),
        }
    }

    fn take_commands(&mut self, now: Time) {
        for _ in 0..TURN_BUDGET {
            let Ok((ticket, input)) = self.commands.commands.try_recv() else { return };
            let reply = self.engine.apply(&input, now, &mut self.net);
            self.answers.push_back((ticket, reply));
        }
        self.more = true;
    }
}
