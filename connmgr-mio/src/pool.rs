//! The pool, as its caller's loop uses it.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use connmgr_core::{ConnId, ConnManager, Event, Input, Reply, Time, driver};
use connmgr_std::Reporter;
use connmgr_std::adapter::{Engine, Sockets};
use mio::event::Event as MioEvent;

use crate::bell::PollBell;
use crate::event::PoolEvent;
use crate::handle::{Handle, Ticket};
use crate::net::MioNet;
use crate::stream::Stream;

/// A pool of live connections, turned by its caller's loop. It never blocks.
///
/// Each round of the loop: wait for [`Pool::poll_timeout`]; give every event of the batch to [`Pool::handle_event`];
/// then take [`Pool::next_event`] until there is none.
///
/// After [`Pool::shutdown`], go on turning the pool until [`Pool::is_stopped`]. It waits for the disk at most 10 s, and
/// for no peer. [`Pool::set_limits`] does not change the range of tokens: see
/// [`Builder::start`](crate::Builder::start).
///
/// Dropping it closes every connection at once. A thread saves the state, as long as the process lives.
#[must_use = "dropped, it closes every connection"]
pub struct Pool {
    pub(crate) engine: Engine<Stream>,
    pub(crate) net: MioNet,
    pub(crate) commands: Commands,
    /// Answers to commands, not taken yet.
    pub(crate) answers: VecDeque<(Ticket, Reply)>,
    /// The last turn left commands for the next.
    pub(crate) more: bool,
    /// This round's turn was taken.
    turned: bool,
    local_addrs: Vec<SocketAddr>,
}

/// The commands of other threads.
#[derive(Debug)]
pub(crate) struct Commands {
    pub(crate) commands: Receiver<(Ticket, Input)>,
    /// The other end of the channel.
    pub(crate) handle: Handle,
    /// Wakes the loop. Silenced when the pool is dropped.
    pub(crate) bell: PollBell,
}

impl Pool {
    pub(crate) fn new(engine: Engine<Stream>, net: MioNet, commands: Commands, local_addrs: Vec<SocketAddr>) -> Self {
        let answers = VecDeque::new();
        Self { engine, net, commands, answers, more: false, turned: false, local_addrs }
    }

    /// Handles an event of the poll. Returns whether its token is the pool's. The effects are there at the next
    /// [`Pool::next_event`].
    pub fn handle_event(&mut self, event: &MioEvent) -> bool {
        let ours = self.net.tokens.owns(event.token());
        if ours {
            self.net.note_event(event.token());
        }
        ours
    }

    /// How long the poll may wait, rounded up to whole milliseconds: zero if an event or work waits, none if the pool
    /// has no deadline.
    pub fn poll_timeout(&self) -> Option<Duration> {
        if self.has_work() {
            return Some(Duration::ZERO);
        }
        self.engine.poll_timeout(&self.net).map(|deadline| self.engine.clock().wait(deadline))
    }

    /// The next event, if there is one. Never waits.
    ///
    /// To be called until it returns none, after every event of the poll's batch was handled. The first call of a round
    /// takes the pool's turn, with a bounded share of its work. After the last one, tokens that were given back may be
    /// reused.
    pub fn next_event(&mut self) -> Option<PoolEvent> {
        if !self.turned {
            self.turned = true;
            self.turn();
        }
        let event = self.take();
        if event.is_none() {
            self.turned = false;
            self.net.tokens.wake_resting();
        }
        event
    }

    /// The stream of a connection, from its [`PoolEvent::Connected`] until its [`Event::Disconnected`] is taken or it
    /// is released.
    ///
    /// Register it under a token outside the pool's range, to get its events.
    pub fn stream(&mut self, conn: ConnId) -> Option<&mut Stream> {
        self.net.streams.get_mut(&conn)
    }

    /// Ends a connection: drops its stream and tells the manager how the stream ended, as far as reads and writes have
    /// seen it. [`Event::Disconnected`] follows. Does nothing if the connection has ended already.
    pub fn release(&mut self, conn: ConnId) {
        if let Some(end) = self.net.release(conn).and_then(|stream| stream.end(conn)) {
            self.apply(&end);
        }
    }

    /// Reports facts about a connection from other threads.
    pub fn reporter(&self, conn: ConnId) -> Reporter {
        Reporter::new(conn, self.engine.mailbox().clone())
    }

    /// Commands for other threads.
    pub fn handle(&self) -> Handle {
        self.commands.handle.clone()
    }

    /// The pool's monotonic time, which counts from its start. To be compared with `since` and `next_retry` of the
    /// views, and with [`PoolEvent::RetryScheduled`].
    ///
    /// ```
    /// use connmgr_mio::{Pool, PoolEvent};
    ///
    /// fn tell(pool: &mut Pool) {
    ///     while let Some(event) = pool.next_event() {
    ///         if let PoolEvent::RetryScheduled { peer, at, .. } = event {
    ///             println!("{peer} is dialed again in {:?}", at.since(pool.now()));
    ///         }
    ///     }
    /// }
    /// ```
    pub fn now(&self) -> Time {
        self.engine.clock().now()
    }

    /// The addresses it listens on, in the order of the builder's.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.local_addrs
    }

    /// Whether it was shut down, its state is saved, and every event was taken: then it may be dropped.
    pub fn is_stopped(&self) -> bool {
        self.engine.is_ended() && !self.has_news()
    }

    pub(crate) const fn manager(&self) -> &ConnManager {
        self.engine.manager()
    }

    /// Applies an input to the manager.
    pub(crate) fn apply(&mut self, input: &Input) -> Reply {
        let now = self.engine.wake(&mut self.net);
        self.engine.apply(input, now, &mut self.net)
    }

    /// Whether an event waits to be taken.
    pub(crate) fn has_news(&self) -> bool {
        !self.answers.is_empty() || self.engine.has_news()
    }

    // Answers come before events, so that a new peer's id is known before its events.
    fn take(&mut self) -> Option<PoolEvent> {
        if let Some(problem) = self.engine.poll_problem() {
            return Some(PoolEvent::Problem(problem));
        }
        if let Some((ticket, reply)) = self.answers.pop_front() {
            return Some(PoolEvent::Answered { ticket, reply });
        }
        let Some(event) = self.engine.poll_event() else {
            // After the events that led to it.
            let failure = self.engine.poll_connect_failure();
            return failure.map(|(peer, tag, error)| PoolEvent::ConnectFailed { peer, tag, error });
        };
        Some(match event {
            // The stream is lent from now on.
            driver::PoolEvent::Connected { info, stream } => {
                self.net.streams.insert(info.conn, stream);
                PoolEvent::Connected(info)
            }
            driver::PoolEvent::RetryScheduled { peer, tag, at, attempt } => {
                PoolEvent::RetryScheduled { peer, tag, at, attempt }
            }
            driver::PoolEvent::Event(event) => {
                if let Event::Disconnected { conn, .. } = &event {
                    self.net.release(*conn);
                }
                PoolEvent::Event(event)
            }
        })
    }
}

impl Drop for Pool {
    /// Closes every connection, and passes the state to the saver's thread.
    fn drop(&mut self) {
        if !self.engine.manager().is_stopped() {
            self.apply(&Input::Shutdown);
        }
        self.net.stop();
        self.net.release_all();
        self.commands.bell.silence();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("net", &self.net).field("engine", &self.engine).finish_non_exhaustive()
    }
}
