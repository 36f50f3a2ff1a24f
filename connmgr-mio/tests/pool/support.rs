//! Shared by the stories.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use connmgr_core::{AddedPeer, Backoff, Config, Connected, Event, Growth, Mode, PeerId, Ranges, Rate};
use connmgr_mio::{Builder, Pool, PoolEvent, Problem};
use mio::{Events, Interest, Poll, Token};

/// The wait before the first retry.
pub(crate) const BACKOFF: Duration = Duration::from_millis(30);

/// Far longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The pool's tokens, and the first token of its connections.
pub(crate) const POOL: std::ops::Range<usize> = 10..PEERS;
const PEERS: usize = 1000;

pub(crate) const ANY_PORT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// Added peers only, retried soon, on loopback.
pub(crate) fn config() -> Config {
    let retry =
        Backoff { growth: Growth::Exponential, base: BACKOFF, cap: 10 * BACKOFF, jitter: false, ..Backoff::default() };
    let mut config = Config {
        mode: Mode::ConnectOnly,
        retry,
        ranges: Ranges { loopback: true, ..Ranges::default() },
        ..Config::default()
    };
    config.inbound.rate = Rate { burst: 1000, interval: Duration::ZERO };
    config.limits.added = 32;
    config
}

pub(crate) fn builder(config: Config) -> Builder {
    Pool::builder(config).rng_seed([7; 32])
}

/// A peer that listens, and its address.
pub(crate) fn peer() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(ANY_PORT).expect("a port of loopback");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

/// The peer's end, whose reads block, but not for ever.
pub(crate) fn patient(stream: TcpStream) -> TcpStream {
    stream.set_nonblocking(false).expect("a socket");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_nodelay(true).expect("a socket");
    stream
}

/// An application's loop.
pub(crate) struct World {
    pub(crate) pool: Pool,
    pub(crate) poll: Poll,
    events: Events,
    /// How often the poll woke.
    pub(crate) rounds: u32,
}

impl World {
    pub(crate) fn start(builder: Builder) -> Self {
        Self::start_on(Poll::new().expect("a poll"), builder)
    }

    pub(crate) fn start_on(poll: Poll, builder: Builder) -> Self {
        let pool = builder.start(poll.registry(), POOL).expect("the pool starts");
        Self { pool, poll, events: Events::with_capacity(8), rounds: 0 }
    }

    pub(crate) fn add(&mut self, address: impl ToString) -> PeerId {
        self.pool.add_peer(AddedPeer::new(address.to_string().parse().expect("an address"))).expect("added")
    }

    /// Waits once, at most so long, and handles what comes.
    pub(crate) fn wait(&mut self, at_most: Duration) {
        let timeout = self.pool.poll_timeout().map_or(at_most, |timeout| timeout.min(at_most));
        self.poll.poll(&mut self.events, Some(timeout)).expect("poll");
        self.rounds += 1;
        for event in &self.events {
            assert_eq!(self.pool.handle_event(event), POOL.contains(&event.token().0));
        }
    }

    /// Turns the pool until `done` returns something. Only `done` takes events.
    pub(crate) fn until<T>(&mut self, what: &str, mut done: impl FnMut(&mut Pool) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(done) = done(&mut self.pool) {
                return done;
            }
            assert!(start.elapsed() < PATIENCE, "{what}: did not happen");
            self.wait(Duration::from_millis(2));
        }
    }

    /// The first event that `pick` selects; earlier ones are dropped.
    pub(crate) fn event<T>(&mut self, what: &str, mut pick: impl FnMut(PoolEvent) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            while let Some(event) = self.pool.next_event() {
                if let Some(picked) = pick(event) {
                    return picked;
                }
            }
            assert!(start.elapsed() < PATIENCE, "{what}: did not happen");
            self.wait(PATIENCE);
        }
    }

    /// The first event of the manager that `pick` selects.
    pub(crate) fn said<T>(&mut self, what: &str, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        self.event(what, |event| match event {
            PoolEvent::Event(event) => pick(event),
            _ => None,
        })
    }

    /// The next connection, its stream registered.
    pub(crate) fn connected(&mut self) -> Connected {
        let info = self.event("Connected", |event| match event {
            PoolEvent::Connected(info) => Some(info),
            _ => None,
        });
        let token = Token(PEERS + usize::try_from(info.conn.as_u64()).expect("few connections"));
        let stream = self.pool.stream(info.conn).expect("it is lent");
        self.poll.registry().register(stream, token, Interest::READABLE).expect("it is registered nowhere else");
        info
    }

    /// Shuts down and turns to the end. Returns the problems.
    pub(crate) fn shutdown(&mut self) -> Vec<Problem> {
        self.pool.shutdown().expect("a pool that lives");
        let mut problems = Vec::new();
        self.until("the end", |pool| {
            while let Some(event) = pool.next_event() {
                if let PoolEvent::Problem(problem) = event {
                    problems.push(problem);
                }
            }
            pool.is_stopped().then_some(())
        });
        problems
    }
}
