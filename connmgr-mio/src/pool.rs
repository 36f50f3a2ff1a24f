//! The pool, as the loop that turns it sees it.

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
/// After [`Pool::shutdown`], go on to turn the pool until [`Pool::is_stopped`]: it waits for the disk at most 10 s, and
/// for no peer. [`Pool::set_limits`] can't lengthen the range of tokens: [`Builder::start`](crate::Builder::start) says
/// what comes of a higher total.
///
/// Dropping it closes every connection at once; a thread goes on to save the state, as long as the process lives.
pub struct Pool {
    pub(crate) engine: Engine<Stream>,
    pub(crate) net: MioNet,
    pub(crate) commands: Commands,
    /// What the application has not taken yet.
    pub(crate) answers: VecDeque<(Ticket, Reply)>,
    /// The last turn has left something of the adapter's own for the next.
    pub(crate) more: bool,
    /// This round's turn is done.
    turned: bool,
    local_addrs: Vec<SocketAddr>,
}

/// Where commands of other threads come from.
#[derive(Debug)]
pub(crate) struct Commands {
    pub(crate) commands: Receiver<(Ticket, Input)>,
    /// The other end of it.
    pub(crate) handle: Handle,
    /// For all who may ring; silenced with the pool.
    pub(crate) bell: PollBell,
}

impl Pool {
    pub(crate) fn new(engine: Engine<Stream>, net: MioNet, commands: Commands, local_addrs: Vec<SocketAddr>) -> Self {
        let answers = VecDeque::new();
        Self { engine, net, commands, answers, more: false, turned: false, local_addrs }
    }

    /// Notes an event of the poll; whether its token is the pool's. What came of it is there at the next
    /// [`Pool::next_event`].
    pub fn handle_event(&mut self, event: &MioEvent) -> bool {
        let ours = self.net.tokens.owns(event.token());
        if ours {
            self.net.note_event(event.token());
        }
        ours
    }

    /// How long the poll may wait, in whole milliseconds, rounded up: zero while something is there to be taken or
    /// done, none while there is nothing to wait for but the poll.
    pub fn poll_timeout(&self) -> Option<Duration> {
        if self.has_work() {
            return Some(Duration::ZERO);
        }
        self.engine.poll_timeout(&self.net).map(|deadline| self.engine.clock().wait(deadline))
    }

    /// The next event, if there is one; never waits.
    ///
    /// To be called until there is none, when all events of the poll's batch have been handled: the first call of a
    /// round runs what is due and carries out what the pool wants, a bounded share of it, and after the last one the
    /// tokens of what has ended may be used again.
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

    /// The stream of a connection, from its [`PoolEvent::Connected`] until its [`Event::Disconnected`] is taken or
    /// it is released.
    ///
    /// Register it under a token outside the pool's range: before that, no event of it reaches the application.
    pub fn stream(&mut self, conn: ConnId) -> Option<&mut Stream> {
        self.net.streams.get_mut(&conn)
    }

    /// Lets go of a connection: its stream is dropped, and the manager is told, with what was last seen on the stream
    /// as the cause. Its [`Event::Disconnected`] follows. It may have gone already, which changes nothing.
    pub fn release(&mut self, conn: ConnId) {
        if let Some(cause) = self.net.release(conn).and_then(|stream| stream.cause()) {
            self.apply(&Input::Closed { conn, cause });
        }
    }

    /// What tells facts of a connection from another thread.
    pub fn reporter(&self, conn: ConnId) -> Reporter {
        Reporter::new(conn, self.engine.mailbox().clone())
    }

    /// Commands for other threads.
    pub fn handle(&self) -> Handle {
        self.commands.handle.clone()
    }

    /// The time by which the pool counts, from its birth on: what `since` and `next_retry` of the views, and
    /// [`PoolEvent::RetryScheduled`], are to be compared with.
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

    /// Where it listens, in the order in which the builder was told.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.local_addrs
    }

    /// Whether it was shut down, its state is saved, and every event is taken: then it may be dropped.
    pub fn is_stopped(&self) -> bool {
        self.engine.is_ended() && !self.has_news()
    }

    pub(crate) const fn manager(&self) -> &ConnManager {
        self.engine.manager()
    }

    /// Tells or asks the manager.
    pub(crate) fn apply(&mut self, input: &Input) -> Reply {
        let now = self.engine.wake(&mut self.net);
        self.engine.apply(input, now, &mut self.net)
    }

    /// Whether there is something to take.
    pub(crate) fn has_news(&self) -> bool {
        !self.answers.is_empty() || self.engine.has_news()
    }

    /// What the application is to know next. Answers come first, so that a new peer's id is known before its events.
    fn take(&mut self) -> Option<PoolEvent> {
        if let Some(problem) = self.engine.poll_problem() {
            return Some(PoolEvent::Problem(problem));
        }
        if let Some((ticket, reply)) = self.answers.pop_front() {
            return Some(PoolEvent::Answered { ticket, reply });
        }
        Some(match self.engine.poll_event()? {
            // A stream passes from the driver to the net when the application is told.
            driver::PoolEvent::Connected { info, stream } => {
                self.net.streams.insert(info.conn, stream);
                PoolEvent::Connected(info)
            }
            driver::PoolEvent::RetryScheduled { peer, at, attempt } => PoolEvent::RetryScheduled { peer, at, attempt },
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
    /// Whoever reads a stream's other end is told, and the state goes to the saver's thread.
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
