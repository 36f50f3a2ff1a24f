//! The node on mio: one poll loop for the pool and every link.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use connmgr_core::{
    AddPeerError, AddedPeer, AddressInfo, BanView, Config, ConnId, Connected, Event, Explanation, Keep, PeerAddress,
    PeerId, Stats, Time,
};
use connmgr_mio::{Pool, PoolEvent};
use connmgr_std::{Problem, StartError};
use mio::{Events, Interest, Poll, Token};

use super::{Runtime, RuntimeEvent, builder, system};
use crate::cli::Options;
use crate::link::{LinkFactory, LinkReport, Order, PeerLink};
use crate::pump::PumpTurn;
use crate::stop::Stop;

/// Wakes the poll: for the pool's threads, and to stop the node.
const WAKER: Token = Token(0);
/// The pool's tokens: more than two for each of the million connections that a configuration may allow.
const POOL: Range<usize> = 1..PEERS;
/// The first token of the links. Connection ids count up and are never reused.
const PEERS: usize = 4_000_000;

/// A pool in a poll loop.
pub struct Mio {
    poll: Poll,
    events: Events,
    pool: Pool,
    links: LinkFactory,
    stop: Stop,
    waker: Waker,
    open_links: BTreeMap<ConnId, MioLink>,
    /// When the wait of each link ends.
    alarms: BTreeSet<(Instant, ConnId)>,
    /// Links that must take a turn.
    due: BTreeSet<ConnId>,
}

/// A link, and when its wait ends.
#[derive(Debug)]
struct MioLink {
    link: PeerLink,
    alarm: Option<Instant>,
}

impl Runtime for Mio {
    fn start(options: &Options, config: Config, links: LinkFactory, stop: Stop) -> Result<Self, StartError> {
        let poll = Poll::new().map_err(system("make a poll"))?;
        let poll_waker = Arc::new(mio::Waker::new(poll.registry(), WAKER).map_err(system("make a waker"))?);
        let builder = builder!(Pool, options, config).waker(Arc::clone(&poll_waker));
        let pool = builder.start(poll.registry(), POOL)?;
        let (events, waker) = (Events::with_capacity(256), Waker::from(Arc::new(PollWaker(poll_waker))));
        let (open_links, alarms, due) = Default::default();
        Ok(Self { poll, events, pool, links, stop, waker, open_links, alarms, due })
    }

    fn local_addrs(&self) -> Vec<SocketAddr> {
        self.pool.local_addrs().to_vec()
    }

    fn now(&self) -> Time {
        self.pool.now()
    }

    fn add_peer(&mut self, address: PeerAddress, keep: Keep) -> Result<PeerId, AddPeerError> {
        self.pool.add_peer(AddedPeer::new(address).keep(keep))
    }

    fn learn_addresses(&mut self, addresses: Vec<AddressInfo>) {
        self.pool.learn_addresses(addresses);
    }

    fn bans(&mut self) -> Vec<BanView> {
        self.pool.bans()
    }

    fn explain(&mut self, address: &PeerAddress) -> Option<Explanation> {
        Some(self.pool.explain(address))
    }

    fn stats(&mut self) -> Stats {
        self.pool.stats()
    }

    fn next(&mut self, until: Option<Instant>) -> io::Result<RuntimeEvent> {
        loop {
            while let Some(event) = self.pool.next_event() {
                if let Some(next) = self.take(event) {
                    return Ok(next);
                }
            }
            if self.pool.is_stopped() {
                return Ok(RuntimeEvent::Over);
            }
            if self.stop.poll(&self.waker).is_ready() || until.is_some_and(|until| until <= Instant::now()) {
                return Ok(RuntimeEvent::Woken);
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
                    Some(RuntimeEvent::Problem(problem)) => problems.push(problem),
                    // The summary was counted before.
                    Some(
                        RuntimeEvent::Event(_)
                        | RuntimeEvent::Retry { .. }
                        | RuntimeEvent::Other(_)
                        | RuntimeEvent::Woken
                        | RuntimeEvent::Over,
                    )
                    | None => {}
                }
            }
            // If the poll fails there is nothing to wait for.
            if self.pool.is_stopped() || self.wait(None).is_err() {
                return problems;
            }
            self.talk();
        }
    }
}

impl Mio {
    /// The part of a pool event that is for the node.
    fn take(&mut self, event: PoolEvent) -> Option<RuntimeEvent> {
        match event {
            PoolEvent::Connected(info) => {
                self.meet(&info);
                None
            }
            PoolEvent::RetryScheduled { peer, at, attempt, .. } => Some(RuntimeEvent::Retry { peer, at, attempt }),
            PoolEvent::Event(event) => {
                if let Event::Disconnected { conn, .. } = &event {
                    self.forget(*conn);
                }
                Some(RuntimeEvent::Event(event))
            }
            PoolEvent::Problem(problem) => Some(RuntimeEvent::Problem(problem)),
            other => Some(RuntimeEvent::Other(format!("{other:?}"))),
        }
    }

    fn meet(&mut self, info: &Connected) {
        let conn = info.conn;
        let link = self.links.open(info);
        let Some(stream) = self.pool.stream(conn) else { return };
        let token = usize::try_from(conn.as_u64()).ok().and_then(|number| number.checked_add(PEERS));
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = token.map(|token| self.poll.registry().register(stream, Token(token), interest));
        // Registering fails when the system can watch no more streams.
        if let Some(Ok(())) = registered {
            self.open_links.insert(conn, MioLink { link, alarm: None });
            self.due.insert(conn);
        } else {
            self.pool.release(conn);
        }
    }

    fn forget(&mut self, conn: ConnId) {
        if let Some(alarm) = self.open_links.remove(&conn).and_then(|open| open.alarm) {
            self.alarms.remove(&(alarm, conn));
        }
    }

    /// Waits until the pool or a link has something to do.
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

    /// How long to wait. (mio rounds up to whole milliseconds.)
    fn timeout(&self, until: Option<Instant>) -> Option<Duration> {
        if !self.due.is_empty() {
            return Some(Duration::ZERO);
        }
        let now = Instant::now();
        let alarm = self.alarms.first().map(|(alarm, _)| *alarm);
        let ours = [until, alarm].into_iter().flatten().min().map(|at| at.saturating_duration_since(now));
        [ours, self.pool.poll_timeout()].into_iter().flatten().min()
    }

    /// All links that are due take a turn.
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
        let Self { pool, open_links, alarms, due, .. } = self;
        let Some(MioLink { link, alarm }) = open_links.get_mut(&conn) else { return };
        if let Some(alarm) = alarm.take() {
            alarms.remove(&(alarm, conn));
        }
        while let Some(stream) = pool.stream(conn) {
            match link.turn(stream, now) {
                PumpTurn::Done(Order::Report(report)) => send_report(pool, conn, report),
                PumpTurn::Done(Order::AnswerGetaddr) => link.tell_addresses(&pool.answer_getaddr(conn)),
                PumpTurn::Done(Order::Close) => break,
                PumpTurn::Again => {
                    due.insert(conn);
                    return;
                }
                PumpTurn::Wait(until) => {
                    *alarm = until;
                    alarms.extend(until.map(|until| (until, conn)));
                    return;
                }
            }
        }
        open_links.remove(&conn);
        pool.release(conn);
    }
}

/// Reports at once, without a reporter: a report made before the end of a connection must reach the manager before it.
fn send_report(pool: &mut Pool, conn: ConnId, report: LinkReport) {
    match report {
        LinkReport::Ready(info) => pool.report_ready(conn, info),
        LinkReport::Misbehaving(penalty) => pool.report_misbehavior(conn, penalty),
        LinkReport::Activity(activity) => pool.report_activity(conn, activity),
        LinkReport::Addresses(addresses) => pool.report_addresses(conn, addresses),
    }
}

/// Wakes the poll as a task waker does.
struct PollWaker(Arc<mio::Waker>);

impl Wake for PollWaker {
    fn wake(self: Arc<Self>) {
        // It fails only if the poll is gone, and then nothing waits.
        let _ = self.0.wake();
    }
}

impl fmt::Debug for Mio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mio").field("pool", &self.pool).field("open_links", &self.open_links).finish_non_exhaustive()
    }
}
