//! The pool against a bare mio loop, on loopback: see `connmgr_testbed::race`. The figures are in the README.

#[cfg(target_os = "linux")]
mod racer {
    use std::collections::HashMap;
    use std::net::SocketAddr;
    use std::sync::mpsc::Sender;

    use connmgr_core::{AddedPeer, ConnId, Connected, Event, PeerInfo};
    use connmgr_mio::{Pool, PoolEvent};
    use connmgr_testbed::race::{DialCounts, RaceTrial, Racer, Sample, Stopwatch, WAITING_EVENTS};
    use mio::net::TcpStream;
    use mio::{Events, Interest, Poll, Token};

    /// The pool's tokens: more than it may dial at once.
    const POOL: std::ops::Range<usize> = 0..10_000;

    /// Events of one batch.
    const BATCH: usize = 1024;

    pub(super) struct Mio;

    impl Racer for Mio {
        const RUNTIME: &'static str = "mio";

        fn bare(&self, to: &[SocketAddr], width: u32) -> (Sample, DialCounts) {
            let (mut bare, watch) = (Bare::new(to.len()), Stopwatch::start());
            let mut left = to.iter().copied();
            left.by_ref().take(width as usize).for_each(|address| bare.dial(address));
            let mut events = Events::with_capacity(BATCH);
            while !bare.dials.is_empty() {
                bare.poll.poll(&mut events, None).expect("poll");
                for event in &events {
                    if bare.advance(event.token()) {
                        if let Some(address) = left.next() {
                            bare.dial(address);
                        }
                    }
                }
            }
            (watch.stop(bare.ended.opened + bare.ended.failed), bare.ended)
        }

        fn pool(&self, trial: RaceTrial) -> (Sample, DialCounts) {
            let (mut world, sample) = World::fill(trial);
            world.pool.shutdown().expect("a pool that lives");
            while !world.pool.is_stopped() {
                world.round(|_, _| ());
            }
            (sample, world.ended)
        }

        fn hold(&self, trial: RaceTrial, full: Sender<()>) {
            let (mut world, _) = World::fill(trial);
            full.send(()).expect("somebody waits for it");
            loop {
                world.round(|_, _| ());
            }
        }
    }

    /// The loop of a program without a pool.
    struct Bare {
        poll: Poll,
        dials: HashMap<Token, TcpStream>,
        streams: Vec<TcpStream>,
        next: usize,
        ended: DialCounts,
    }

    impl Bare {
        fn new(count: usize) -> Self {
            let (poll, streams) = (Poll::new().expect("a poll"), Vec::with_capacity(count));
            Self { poll, dials: HashMap::new(), streams, next: 0, ended: DialCounts::default() }
        }

        /// Each socket is registered once.
        fn dial(&mut self, address: SocketAddr) {
            let (token, mut stream) = (Token(self.next), TcpStream::connect(address).expect("a socket"));
            self.next += 1;
            let interests = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, token, interests).expect("it is registered nowhere else");
            self.dials.insert(token, stream);
        }

        /// Whether the dial has ended.
        fn advance(&mut self, token: Token) -> bool {
            let Some(stream) = self.dials.get(&token) else { return false };
            let failed = !matches!(stream.take_error(), Ok(None));
            if !failed && stream.peer_addr().is_err() {
                return false;
            }
            let stream = self.dials.remove(&token).expect("it was found");
            if failed {
                self.ended.failed += 1;
            } else {
                stream.set_nodelay(true).expect("it is connected");
                self.streams.push(stream);
                self.ended.opened += 1;
            }
            true
        }
    }

    /// An application with a pool.
    struct World {
        poll: Poll,
        events: Events,
        pool: Pool,
        open: Vec<ConnId>,
        ended: DialCounts,
    }

    impl World {
        fn fill(trial: RaceTrial) -> (Self, Sample) {
            let poll = Poll::new().expect("a poll");
            let mut pool = Pool::builder(trial.config)
                .max_waiting_events(WAITING_EVENTS)
                .start(poll.registry(), POOL)
                .expect("the pool starts");
            pool.set_active(false).expect("it lives");
            for peer in trial.peers {
                pool.add_peer(AddedPeer::new(peer).keep(trial.keep)).expect("there is room");
            }
            pool.learn_addresses(trial.addresses);
            let (events, ended) = (Events::with_capacity(BATCH), DialCounts::default());
            let mut world = Self { poll, events, pool, open: Vec::with_capacity(2000), ended };
            let watch = Stopwatch::start();
            world.pool.set_active(true).expect("it lives");
            while !world.ended.is_at(trial.goal) {
                world.round(|world, event| match event {
                    PoolEvent::Connected(info) => world.connected(&info),
                    PoolEvent::Event(Event::DialFailed { .. }) => world.ended.failed += 1,
                    _ => {}
                });
            }
            let sample = watch.stop(world.ended.opened + world.ended.failed);
            (world, sample)
        }

        fn round(&mut self, mut each: impl FnMut(&mut Self, PoolEvent)) {
            self.poll.poll(&mut self.events, self.pool.poll_timeout()).expect("poll");
            for event in &self.events {
                self.pool.handle_event(event);
            }
            while let Some(event) = self.pool.next_event() {
                each(self, event);
            }
        }

        fn connected(&mut self, info: &Connected) {
            self.pool.report_ready(info.conn, PeerInfo::default());
            let token = Token(POOL.end + usize::try_from(info.conn.as_u64()).expect("few connections"));
            let stream = self.pool.stream(info.conn).expect("it is lent");
            let registry = self.poll.registry();
            registry.register(stream, token, Interest::READABLE).expect("it is registered nowhere else");
            self.open.push(info.conn);
            self.ended.opened += 1;
        }
    }
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    connmgr_testbed::race::run(racer::Mio)
}

/// The counters are Linux's.
#[cfg(not(target_os = "linux"))]
fn main() {}
