//! The node on mio: a poll loop, which turns the pool and every conversation by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use connmgr_core::{
    AddPeerError, AddressInfo, Config, ConnId, Connected, Event, Keep, PeerAddress, PeerId, Stats, Time,
};
use connmgr_mio::{Pool, PoolEvent};
use connmgr_std::{Problem, StartError};
use mio::{Events, Interest, Poll, Token};

use super::{Next, Runtime, builder, system};
use crate::cli::Options;
use crate::link::{Fact, Host, Link, Order};
use crate::pump::Turn;
use crate::stop::Stop;

/// Wakes the poll: for the pool's threads, and for whoever stops the node.
const WAKER: Token = Token(0);
/// The pool's tokens: two for each of the million connections that a configuration may allow, and to spare.
const POOL: Range<usize> = 1..PEERS;
/// Where those of the connections begin: ids count up, and are never reused.
const PEERS: usize = 4_000_000;

/// A pool in a poll loop.
pub struct Mio {
    poll: Poll,
    events: Events,
    pool: Pool,
    host: Host,
    stop: Stop,
    waker: Waker,
    talks: BTreeMap<ConnId, Talk>,
    /// When each waits no longer.
    alarms: BTreeSet<(Instant, ConnId)>,
    /// Whose turn it is.
    due: BTreeSet<ConnId>,
}

/// A conversation, and when it waits no longer.
#[derive(Debug)]
struct Talk {
    link: Link,
    alarm: Option<Instant>,
}

impl Runtime for Mio {
    fn start(options: &Options, config: Config, host: Host, stop: Stop) -> Result<Self, StartError> {
        let poll = Poll::new().map_err(system("make a poll"))?;
        let bell = Arc::new(mio::Waker::new(poll.registry(), WAKER).map_err(system("make a waker"))?);
        let builder = builder!(Pool, options, config).waker(Arc::clone(&bell));
        let pool = builder.start(poll.registry(), POOL)?;
        let (events, waker) = (Events::with_capacity(256), Waker::from(Arc::new(Bell(bell))));
        let (talks, alarms, due) = Default::default();
        Ok(Self { poll, events, pool, host, stop, waker, talks, alarms, due })
    }

    fn local_addrs(&self) -> Vec<SocketAddr> {
        self.pool.local_addrs().to_vec()
    }

    fn now(&self) -> Time {
        self.pool.now()
    }

    fn add_peer(&mut self, address: PeerAddress, keep: Keep) -> Result<PeerId, AddPeerError> {
        self.pool.add_peer(address, keep)
    }

    fn addresses(&mut self, addresses: Vec<AddressInfo>) {
        self.pool.addresses(addresses);
    }

    fn stats(&mut self) -> Stats {
        self.pool.stats()
    }

    fn next(&mut self, until: Option<Instant>) -> io::Result<Next> {
        loop {
            while let Some(event) = self.pool.next_event() {
                if let Some(next) = self.take(event) {
                    return Ok(next);
                }
            }
            if self.pool.is_stopped() {
                return Ok(Next::Over);
            }
            if self.stop.poll(&self.waker).is_ready() || until.is_some_and(|until| until <= Instant::now()) {
                return Ok(Next::Woken);
            }
            self.wait(until)?;
            self.talk();
        }
    }

    fn shutdown(mut self) -> Vec<Problem> {
        self.pool.shutdown().expect("a pool that lives does not refuse");
        let mut problems = Vec::new();
        loop {
            while let Some(event) = self.pool.next_event() {
                match self.take(event) {
                    Some(Next::Problem(problem)) => problems.push(problem),
                    // What is closed now was counted before.
                    Some(Next::Event(_) | Next::Retry { .. } | Next::Other(_) | Next::Woken | Next::Over) | None => {}
                }
            }
            // Without a poll there is nothing to wait for.
            if self.pool.is_stopped() || self.wait(None).is_err() {
                return problems;
            }
            self.talk();
        }
    }
}

impl Mio {
    /// What of an event is for the node.
    fn take(&mut self, event: PoolEvent) -> Option<Next> {
        match event {
            PoolEvent::Connected(info) => {
                self.meet(&info);
                None
            }
            PoolEvent::RetryScheduled { peer, at, attempt } => Some(Next::Retry { peer, at, attempt }),
            PoolEvent::Event(event) => {
                if let Event::Disconnected { conn, .. } = &event {
                    self.forget(*conn);
                }
                Some(Next::Event(event))
            }
            PoolEvent::Problem(problem) => Some(Next::Problem(problem)),
            other => Some(Next::Other(format!("{other:?}"))),
        }
    }

    fn meet(&mut self, info: &Connected) {
        let conn = info.conn;
        let link = self.host.meet(info);
        let Some(stream) = self.pool.stream(conn) else { return };
        let token = usize::try_from(conn.as_u64()).ok().and_then(|number| number.checked_add(PEERS));
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = token.map(|token| self.poll.registry().register(stream, Token(token), interest));
        // Else the system can watch no more of them.
        if let Some(Ok(())) = registered {
            self.talks.insert(conn, Talk { link, alarm: None });
            self.due.insert(conn);
        } else {
            self.pool.release(conn);
        }
    }

    fn forget(&mut self, conn: ConnId) {
        if let Some(alarm) = self.talks.remove(&conn).and_then(|talk| talk.alarm) {
            self.alarms.remove(&(alarm, conn));
        }
    }

    /// Waits until somebody's turn has come, the pool's included.
    fn wait(&mut self, until: Option<Instant>) -> io::Result<()> {
        let timeout = self.timeout(until);
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        for event in &self.events {
            let Token(token) = event.token();
            if !self.pool.handle_event(event) && token >= PEERS {
                self.due.insert(ConnId::from_u64((token - PEERS) as u64));
            }
        }
        Ok(())
    }

    /// How long nothing is due. (mio rounds up to whole milliseconds.)
    fn timeout(&self, until: Option<Instant>) -> Option<Duration> {
        if !self.due.is_empty() {
            return Some(Duration::ZERO);
        }
        let now = Instant::now();
        let alarm = self.alarms.first().map(|(alarm, _)| *alarm);
        let ours = [until, alarm].into_iter().flatten().min().map(|at| at.saturating_duration_since(now));
        [ours, self.pool.poll_timeout()].into_iter().flatten().min()
    }

    /// Everyone whose turn it is talks.
    fn talk(&mut self) {
        let now = Instant::now();
        while let Some((_, conn)) = self.alarms.first().copied().filter(|(alarm, _)| *alarm <= now) {
            self.alarms.pop_first();
            self.due.insert(conn);
        }
        for conn in std::mem::take(&mut self.due) {
            self.turn(conn, now);
        }
    }

    fn turn(&mut self, conn: ConnId, now: Instant) {
        let Self { pool, talks, alarms, due, .. } = self;
        let Some(Talk { link, alarm }) = talks.get_mut(&conn) else { return };
        if let Some(alarm) = alarm.take() {
            alarms.remove(&(alarm, conn));
        }
        while let Some(stream) = pool.stream(conn) {
            match link.turn(stream, now) {
                Turn::Done(Order::Tell(fact)) => tell(pool, conn, fact),
                Turn::Done(Order::Sample(count)) => link.tell_addresses(&pool.sample_addresses(None, count)),
                Turn::Done(Order::Close) => break,
                Turn::Again => {
                    due.insert(conn);
                    return;
                }
                Turn::Wait(until) => {
                    *alarm = until;
                    alarms.extend(until.map(|until| (until, conn)));
                    return;
                }
            }
        }
        talks.remove(&conn);
        pool.release(conn);
    }
}

/// Tells the manager at once, not by a reporter: what is told before the end of a connection must come before it.
fn tell(pool: &mut Pool, conn: ConnId, fact: Fact) {
    match fact {
        Fact::Ready(info) => pool.ready(conn, info),
        Fact::Misbehaving(penalty) => pool.misbehaving(conn, penalty),
        Fact::Activity(activity) => pool.activity(conn, activity),
        Fact::Addresses(addresses) => pool.peer_addresses(conn, addresses),
    }
}

/// Wakes the poll where a task would be woken.
struct Bell(Arc<mio::Waker>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        // It fails only with the poll, and then nobody waits.
        let _ = self.0.wake();
    }
}

impl fmt::Debug for Mio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mio").field("pool", &self.pool).field("talks", &self.talks).finish_non_exhaustive()
    }
}
