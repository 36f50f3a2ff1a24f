//! One turn of the pool: what happened since the last becomes inputs of the driver.
//!
//! ```text
//! notes    ┐
//! results  │
//! accepts  ├─► clock drift ─► inputs ─► actions, carried out by MioNet ─► results of the next turn
//! mail     │
//! commands │
//! deadlines┘
//! ```
//! It takes a bounded share of each, so that a busy listener or a talkative thread keeps neither the others nor the
//! application's own sockets waiting; what is left makes [`Pool::poll_timeout`] zero.

use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use connmgr_core::{Input, ListenerId, LookupId, Time};
use connmgr_std::{Mailbox, Problem, StateError, accept_error_is_transient};

use crate::bell::Bell;
use crate::handle::{Handle, Ticket};
use crate::listener::Accepted;
use crate::net::{Done, Lookup};
use crate::pool::Pool;
use crate::stream::Stream;

/// Of each source in one turn (of each listener: connections accepted); the rest follows in the next.
const SHARE: usize = 64;

/// A listener that fails is left alone at least so long, so that nothing spins.
const MIN_PAUSE: Duration = Duration::from_millis(50);

/// How long the end may wait for the disk.
const SAVE_WITHIN: Duration = Duration::from_secs(10);

/// Problems that may wait; the oldest stay, for they are the cause of the later ones.
const MAX_PROBLEMS: usize = 16;

/// What our threads tell.
#[derive(Debug)]
pub(crate) enum Note {
    /// A lookup has ended.
    Looked(LookupId, Lookup),
    /// The state could not be saved.
    NotSaved(StateError),
    /// What waited is written, and the directory free.
    Saved,
}

/// Where things come from, other than the poll.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) notes: Receiver<Note>,
    /// For the thread that saves, at the end.
    pub(crate) notes_sender: Sender<Note>,
    pub(crate) commands: Receiver<(Ticket, Input)>,
    /// The other end of `commands`.
    pub(crate) handle: Handle,
    pub(crate) mailbox: Mailbox,
    /// For all who may ring; silenced with the pool.
    pub(crate) bell: Bell,
}

/// How far a pool is from its end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Life {
    /// The manager has not stopped, or that was not noticed yet.
    Running,
    /// It has, and the disk may take until then.
    Saving(Time),
    /// All is done.
    Ended,
}

impl Life {
    pub(crate) const fn deadline(self) -> Option<Time> {
        match self {
            Self::Saving(until) => Some(until),
            Self::Running | Self::Ended => None,
        }
    }
}

impl Pool {
    /// Whether there is something to do or to take, whatever the poll says.
    pub(crate) fn has_work(&self) -> bool {
        self.has_news()
            || self.more
            || !self.mail.is_empty()
            || !self.net.done.is_empty()
            || self.net.listeners.has_work()
            || (self.driver.is_stopped() && matches!(self.life, Life::Running))
    }

    pub(crate) fn turn(&mut self) {
        let now = self.wake();
        self.more = false;
        self.take_notes(now);
        self.take_results(now);
        self.take_connections(now);
        self.read_mail(now);
        self.take_commands(now);
        self.run_timers(now);
        self.end_if_stopped(now);
        if let Some(error) = self.driver.observer_mut().take_trace_error() {
            self.report(Problem::Trace(error));
        }
    }

    fn take_notes(&mut self, now: Time) {
        for _ in 0..SHARE {
            match self.sources.notes.try_recv() {
                Ok(Note::Looked(lookup, result)) => self.tell(&Input::LookupResult { lookup, result }, now),
                Ok(Note::NotSaved(error)) => self.report(Problem::NotSaved(error)),
                Ok(Note::Saved) => self.life = Life::Ended,
                Err(_) => return,
            }
        }
        self.more = true;
    }

    /// Those that come of these are for the next turn: a dial that fails at once may be followed by another.
    fn take_results(&mut self, now: Time) {
        for _ in 0..self.net.done.len() {
            match self.net.done.pop_front() {
                Some(Done::Dialed(conn, result)) => self.driver.dialed(conn, result, now, &mut self.net),
                Some(Done::Looked(lookup, result)) => self.tell(&Input::LookupResult { lookup, result }, now),
                None => return,
            }
        }
    }

    fn take_connections(&mut self, now: Time) {
        for index in 0..self.net.listeners.len() {
            for _ in 0..SHARE {
                let Some((listener, accepted)) = self.net.listeners.accept(index) else { break };
                self.accepted(listener, accepted, now);
            }
        }
    }

    fn accepted(&mut self, listener: ListenerId, accepted: Accepted, now: Time) {
        match accepted {
            Ok((socket, remote)) => {
                // It fails only if the peer is gone, which the first read will say.
                let _ = socket.set_nodelay(true);
                // The manager counts those it refuses; they end with their socket.
                let _ = self.driver.accept(remote, listener, now, |_| Stream::new(socket), &mut self.net);
            }
            Err(error) if accept_error_is_transient(&error) => {}
            Err(_) => {
                // The manager's own pause, if it gives one, takes the place of this one.
                self.net.listeners.pause(listener, now.after(MIN_PAUSE));
                self.tell(&Input::AcceptError { listener }, now);
            }
        }
    }

    fn read_mail(&mut self, now: Time) {
        // Fetched only when all before it is told: so it is no more than one record a connection.
        if self.mail.is_empty() {
            self.sources.mailbox.drain(|input| self.mail.push_back(input));
        } else {
            self.more = true;
        }
        for _ in 0..SHARE {
            let Some(input) = self.mail.pop_front() else { break };
            self.tell(&input, now);
        }
    }

    fn take_commands(&mut self, now: Time) {
        for _ in 0..SHARE {
            let Ok((ticket, input)) = self.sources.commands.try_recv() else { return };
            let reply = self.driver.apply(&input, now, &mut self.net);
            self.answers.push_back((ticket, reply));
        }
        self.more = true;
    }

    /// Early is free: the manager does nothing before its deadline.
    fn run_timers(&mut self, now: Time) {
        self.net.listeners.resume(now);
        self.net.expire(now);
        if self.driver.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.tell(&Input::Timeout, now);
        }
    }

    /// Nothing is dialed any more, every connection is closed, and the manager has had its state saved one last time:
    /// what is left is to wait for the disk.
    fn end_if_stopped(&mut self, now: Time) {
        match self.life {
            Life::Running if self.driver.is_stopped() => {
                self.net.stop();
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
        let Some(saver) = self.net.saver.take() else { return Life::Ended };
        let (notes, bell) = (self.sources.notes_sender.clone(), self.sources.bell.clone());
        saver.finish_then(move || {
            // The pool may be gone.
            let _ = notes.send(Note::Saved);
            bell.ring();
        });
        Life::Saving(now.after(SAVE_WITHIN))
    }

    fn tell(&mut self, input: &Input, now: Time) {
        self.driver.apply(input, now, &mut self.net);
    }

    fn report(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push_back(problem);
        }
    }
}
