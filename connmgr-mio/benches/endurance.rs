//! Very many connections, of which nothing is left: see `connmgr_testbed::endurance`.
//!
//! `cargo bench -p connmgr-mio --bench endurance [-- 20000]`

#[cfg(target_os = "linux")]
mod run {
    use std::io::{ErrorKind, Read};
    use std::process::ExitCode;
    use std::time::{Duration, Instant};

    use connmgr_core::{ConnId, PeerInfo};
    use connmgr_mio::{Pool, PoolEvent};
    use connmgr_testbed::endurance::{EnduranceRun, PATIENCE, StreamFate, WAITING_EVENTS};
    use mio::{Events, Interest, Poll, Token};

    /// The pool's tokens: one for its waker, and as many as it may dial at once. Most dials here need none, because the
    /// far end is on this machine. The conformance suite checks that none is lost.
    const POOL: std::ops::Range<usize> = 0..1000;

    /// How long a round may wait, so that timeouts are noticed.
    const TICK: Duration = Duration::from_millis(100);

    pub(super) fn run(course: EnduranceRun) -> ExitCode {
        let poll = Poll::new().expect("a poll");
        let pool = Pool::builder(course.config())
            .max_waiting_events(WAITING_EVENTS)
            .start(poll.registry(), POOL)
            .expect("the pool starts");
        let mut world = World { poll, events: Events::with_capacity(256), pool, course };
        world.pool.set_active(false).expect("it lives");
        world.pool.learn_addresses(world.course.addresses());
        world.round();
        world.rest();
        for _ in 0..world.course.waves() {
            world.pool.set_active(true).expect("it lives");
            while !world.course.is_wave_over() {
                world.round();
            }
            world.pool.set_active(false).expect("it lives");
            let deadline = Instant::now() + PATIENCE;
            // Many are closed in several rounds.
            while !world.pool.connections().is_empty() && Instant::now() < deadline {
                world.round();
            }
            let stats = world.pool.stats();
            // What is missing then is found to be missing.
            while world.course.is_behind(&stats) && Instant::now() < deadline {
                world.round();
            }
            world.rest();
        }
        world.course.end()
    }

    struct World {
        poll: Poll,
        events: Events,
        pool: Pool,
        course: EnduranceRun,
    }

    impl World {
        fn round(&mut self) {
            let at_most = self.pool.poll_timeout().map_or(TICK, |timeout| timeout.min(TICK));
            self.poll.poll(&mut self.events, Some(at_most)).expect("poll");
            for event in &self.events {
                if !self.pool.handle_event(event) {
                    let number = event.token().0 - POOL.end;
                    read(&mut self.pool, ConnId::from_u64(number as u64));
                }
            }
            while let Some(event) = self.pool.next_event() {
                self.take(event);
            }
        }

        fn take(&mut self, event: PoolEvent) {
            match event {
                PoolEvent::Connected(info) => {
                    self.pool.report_ready(info.conn, PeerInfo::default());
                    match self.course.opened(info.conn) {
                        StreamFate::Drop => self.pool.release(info.conn),
                        StreamFate::Disconnect => self.pool.disconnect(info.conn).expect("it is open"),
                        StreamFate::Read => self.register(info.conn),
                    }
                }
                PoolEvent::Event(event) => self.course.told(&event),
                PoolEvent::RetryScheduled { .. } => {}
                other => panic!("{other:?}"),
            }
        }

        fn register(&mut self, conn: ConnId) {
            let token = Token(POOL.end + usize::try_from(conn.as_u64()).expect("few connections"));
            let stream = self.pool.stream(conn).expect("it is lent");
            self.poll.registry().register(stream, token, Interest::READABLE).expect("it is registered nowhere else");
        }

        /// There are no tasks.
        fn rest(&mut self) {
            let (stats, left) = (self.pool.stats(), self.pool.connections().len());
            self.course.rest(&stats, left, 0);
        }
    }

    /// Reads until there is no more.
    fn read(pool: &mut Pool, conn: ConnId) {
        let Some(stream) = pool.stream(conn) else { return };
        let has_ended = loop {
            match stream.read(&mut [0; 64]) {
                Ok(0) => break true,
                Ok(_) => {}
                Err(error) => break error.kind() != ErrorKind::WouldBlock,
            }
        };
        if has_ended {
            pool.release(conn);
        }
    }
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    run::run(connmgr_testbed::endurance::EnduranceRun::begin("mio"))
}

/// The counters are Linux's.
#[cfg(not(target_os = "linux"))]
fn main() {}
