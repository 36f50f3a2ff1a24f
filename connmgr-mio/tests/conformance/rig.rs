//! The suite's rig for this adapter: an application's loop, turned by whatever waits.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use connmgr_core::{
    AddedPeer, AddressInfo, BanView, ConnId, ConnView, Connected, Event, Input, PeerId, PeerView, Reply, Stats, Time,
};
use connmgr_mio::{ConnectError, Pool, PoolEvent, Problem, Reporter, StartError, Stream};
use connmgr_testbed::built;
use connmgr_testbed::conformance::{NextEvent, Rig, RigPool, Setup};
use mio::{Events, Interest, Poll, Token};

/// Where the connections' tokens begin.
const PEERS: usize = 1 << 16;

pub(crate) struct Mio {
    /// How often a poll woke.
    rounds: Rc<Cell<u64>>,
}

pub(crate) struct MioPool {
    poll: Poll,
    events: Events,
    pool: Pool,
    tokens: Range<usize>,
    /// Events taken from the pool, which does nothing until they are, and not asked for yet.
    taken: VecDeque<PoolEvent>,
    rounds: Rc<Cell<u64>>,
}

impl Rig for Mio {
    type Pool = MioPool;

    fn new() -> Self {
        Self { rounds: Rc::default() }
    }

    fn start(&self, setup: Setup) -> Result<MioPool, StartError> {
        let poll = Poll::new().expect("a poll");
        let builder = built!(Pool, setup);
        // As few as may do, so that one that is lost is missed.
        let tokens = 10..10 + builder.tokens_needed();
        let pool = builder.start(poll.registry(), tokens.clone())?;
        let (events, taken) = (Events::with_capacity(64), VecDeque::new());
        Ok(MioPool { poll, events, pool, tokens, taken, rounds: Rc::clone(&self.rounds) })
    }

    fn turn(&self, time: Duration) {
        thread::sleep(time);
    }

    fn tasks(&self) -> usize {
        0
    }

    fn wakes(&self) -> u64 {
        self.rounds.get()
    }
}

impl MioPool {
    /// Takes every event; after this the pool may wait.
    fn take(&mut self) {
        while let Some(event) = self.pool.next_event() {
            if let PoolEvent::Connected(info) = &event {
                let token = Token(PEERS + usize::try_from(info.conn.as_u64()).expect("few connections"));
                let stream = self.pool.stream(info.conn).expect("it is lent");
                let interests = Interest::READABLE | Interest::WRITABLE;
                self.poll.registry().register(stream, token, interests).expect("it is registered nowhere else");
            }
            self.taken.push_back(event);
        }
    }

    /// Waits once, at most so long.
    fn wait(&mut self, at_most: Duration) {
        let timeout = self.pool.poll_timeout().map_or(at_most, |timeout| timeout.min(at_most));
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => panic!("poll: {error}"),
            Ok(()) | Err(_) => {}
        }
        self.rounds.set(self.rounds.get() + 1);
        for event in &self.events {
            assert_eq!(self.pool.handle_event(event), self.tokens.contains(&event.token().0));
        }
        self.take();
    }

    /// Turns until `done` returns something, or for so long.
    fn until<T>(&mut self, time: Duration, mut done: impl FnMut(&mut Self) -> Option<T>) -> Option<T> {
        let start = Instant::now();
        loop {
            if let Some(done) = done(self) {
                return Some(done);
            }
            self.wait(time.checked_sub(start.elapsed())?);
        }
    }

    /// What came of a peer that was to be connected, among the events that were not asked for yet.
    fn take_outcome(&mut self, wanted: PeerId) -> Option<Result<Connected, ConnectError>> {
        let place = self.taken.iter().position(|event| match event {
            PoolEvent::Connected(info) => info.peer == Some(wanted),
            PoolEvent::Event(Event::Adopted { peer, .. }) | PoolEvent::ConnectFailed { peer, .. } => *peer == wanted,
            _ => false,
        })?;
        if let PoolEvent::Event(Event::Adopted { conn, .. }) = self.taken[place] {
            return Some(Err(ConnectError::AlreadyConnected(conn)));
        }
        match self.taken.remove(place) {
            Some(PoolEvent::Connected(info)) => Some(Ok(info)),
            Some(PoolEvent::ConnectFailed { error, .. }) => Some(Err(error)),
            other => panic!("no outcome: {other:?}"),
        }
    }

    fn stream(&mut self, conn: ConnId) -> io::Result<&mut Stream> {
        self.pool.stream(conn).ok_or_else(|| ErrorKind::NotConnected.into())
    }
}

impl RigPool for MioPool {
    type Left = Poll;
    /// A peer, or what was known at once.
    type Connecting = Result<PeerId, ConnectError>;

    fn local_addrs(&self) -> Vec<SocketAddr> {
        self.pool.local_addrs().to_vec()
    }

    fn now(&self) -> Time {
        self.pool.now()
    }

    fn next(&mut self, within: Duration) -> NextEvent {
        self.take();
        let next = self.until(within, |this| match this.taken.pop_front() {
            None => this.pool.is_stopped().then_some(NextEvent::End),
            Some(event) => Some(NextEvent::Event(shared(event))),
        });
        next.unwrap_or(NextEvent::Nothing)
    }

    fn turn(&mut self, time: Duration) {
        self.take();
        self.until(time, |_| None::<()>);
    }

    fn ask(&mut self, command: Input) -> Reply {
        self.pool.ask(command).expect("a command")
    }

    fn connect(&mut self, peer: AddedPeer) -> Self::Connecting {
        self.pool.connect(peer)
    }

    fn outcome(&mut self, of: &mut Self::Connecting, within: Duration) -> Option<Result<Connected, ConnectError>> {
        let peer = match *of {
            Ok(peer) => peer,
            Err(error) => return Some(Err(error)),
        };
        self.take();
        self.until(within, |this| this.take_outcome(peer))
    }

    fn give_up(&mut self, connecting: Self::Connecting) {
        if let Ok(peer) = connecting {
            self.pool.remove_peer(peer).expect("a peer");
        }
    }

    fn learn(&mut self, addresses: Vec<AddressInfo>) {
        self.pool.learn_addresses(addresses);
    }

    fn connections(&mut self) -> Vec<ConnView> {
        self.pool.connections()
    }

    fn added_peers(&mut self) -> Vec<PeerView> {
        self.pool.added_peers()
    }

    fn bans(&mut self) -> Vec<BanView> {
        self.pool.bans()
    }

    fn stats(&mut self) -> Stats {
        self.pool.stats()
    }

    fn reporter(&mut self, conn: ConnId) -> Reporter {
        self.pool.reporter(conn)
    }

    fn local_addr(&mut self, conn: ConnId) -> io::Result<SocketAddr> {
        self.stream(conn)?.local_addr()
    }

    fn peer_addr(&mut self, conn: ConnId) -> io::Result<SocketAddr> {
        self.stream(conn)?.peer_addr()
    }

    fn to_std(&mut self, conn: ConnId) -> io::Result<TcpStream> {
        let stream = self.pool.stream(conn).expect("a connection that was not released");
        self.poll.registry().deregister(stream)?;
        stream.to_std()
    }

    #[cfg(unix)]
    fn socket(&mut self, conn: ConnId) -> BorrowedFd<'_> {
        (*self.stream(conn).expect("a connection that was not released")).as_fd()
    }

    fn read(&mut self, conn: ConnId, buffer: &mut [u8], within: Duration) -> io::Result<usize> {
        let read = self.until(within, |this| match this.stream(conn).and_then(|stream| stream.read(buffer)) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            read => Some(read),
        });
        read.unwrap_or_else(|| Err(ErrorKind::TimedOut.into()))
    }

    fn write(&mut self, conn: ConnId, bytes: &[u8]) -> io::Result<usize> {
        self.stream(conn)?.write(bytes)
    }

    fn close_half(&mut self, conn: ConnId) -> io::Result<()> {
        self.stream(conn)?.shut_writing()
    }

    fn release(&mut self, conn: ConnId) {
        self.pool.release(conn);
    }

    fn shutdown(mut self) -> Vec<Problem> {
        self.pool.shutdown().expect("a pool that lives");
        let stopped = self.until(Duration::from_secs(20), |this| this.pool.is_stopped().then_some(()));
        stopped.expect("the end");
        let problems = self.taken.into_iter().filter_map(|event| match event {
            PoolEvent::Problem(problem) => Some(problem),
            _ => None,
        });
        problems.collect()
    }

    fn abandon(self) -> Self::Left {
        self.poll
    }
}

/// The event as in the other adapters.
fn shared(event: PoolEvent) -> connmgr_std::PoolEvent<Connected> {
    match event {
        PoolEvent::Connected(info) => connmgr_std::PoolEvent::Connected(info),
        PoolEvent::RetryScheduled { peer, tag, at, attempt } => {
            connmgr_std::PoolEvent::RetryScheduled { peer, tag, at, attempt }
        }
        PoolEvent::Event(event) => connmgr_std::PoolEvent::Event(event),
        PoolEvent::Problem(problem) => connmgr_std::PoolEvent::Problem(problem),
        other => panic!("nobody has asked: {other:?}"),
    }
}
