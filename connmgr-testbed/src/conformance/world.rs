//! A pool, its application, and the steps of scenarios.

use std::fmt;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use connmgr_core::{AddedPeer, ConnId, Connected, EndReason, Event, Input, Keep, PeerId, Reply};
use connmgr_std::{ConnectError, PoolEvent, Problem, StartError, StateError, with_causes};
use tempfile::TempDir;

use super::ledger::EventLedger;
use super::{NextEvent, Rig, RigPool, Setup};
use crate::peers::{PATIENCE, PeerStream, TestPeer};

/// How long the pool runs before a condition is checked again.
const GLANCE: Duration = Duration::from_millis(1);

/// A pool under test. Every method waits, but not for ever, and the pool runs meanwhile.
pub struct TestWorld<R: Rig> {
    /// The pool.
    pub pool: R::Pool,
    ledger: EventLedger,
    trace: PathBuf,
    _home: TempDir,
}

impl<R: Rig> TestWorld<R> {
    /// Starts a pool.
    pub fn start(rig: &R, setup: Setup) -> Self {
        Self::try_start(rig, setup).expect("the pool starts")
    }

    /// Starts a pool.
    ///
    /// # Errors
    /// As the adapter's builder.
    pub fn try_start(rig: &R, mut setup: Setup) -> Result<Self, StartError> {
        let home = tempfile::tempdir().expect("a directory");
        let trace = setup.trace.get_or_insert_with(|| home.path().join("trace")).clone();
        let pool = rig.start(setup)?;
        Ok(Self { pool, ledger: EventLedger::default(), trace, _home: home })
    }

    /// Starts a pool in a directory that another may still be about to leave.
    pub fn start_when_free(rig: &R, setup: &Setup) -> Self {
        let start = Instant::now();
        loop {
            match Self::try_start(rig, setup.clone()) {
                Ok(world) => return world,
                Err(StartError::State(StateError::Locked { .. })) if start.elapsed() < PATIENCE => rig.turn(GLANCE),
                Err(error) => panic!("not started: {error}"),
            }
        }
    }

    /// The address of its first listener.
    pub fn address(&self) -> SocketAddr {
        self.pool.local_addrs()[0]
    }

    /// Gives the pool a command.
    pub fn ask(&mut self, input: Input) -> Reply {
        self.pool.ask(input)
    }

    /// Gives the pool a command that must succeed.
    pub fn bid(&mut self, input: Input) {
        let said = format!("{input}");
        assert_eq!(self.ask(input), Reply::Done(Ok(())), "{said}");
    }

    /// Adds a peer for good.
    pub fn add(&mut self, address: impl ToString) -> PeerId {
        self.add_for(address, Keep::Always)
    }

    /// Adds a peer for one attempt.
    pub fn add_once(&mut self, address: impl ToString) -> PeerId {
        self.add_for(address, Keep::Once)
    }

    /// Adds a peer for good, with a tag.
    pub fn add_tagged(&mut self, address: impl ToString, tag: u64) -> PeerId {
        self.add_peer(peer_at(address).tag(tag))
    }

    fn add_for(&mut self, address: impl ToString, keep: Keep) -> PeerId {
        self.add_peer(peer_at(address).keep(keep))
    }

    fn add_peer(&mut self, peer: AddedPeer) -> PeerId {
        match self.ask(Input::AddPeer { peer }) {
            Reply::Added(Ok(peer)) => peer,
            other => panic!("not added: {other:?}"),
        }
    }

    /// Asks for a connection to this peer, and waits for what comes of it.
    pub fn connect(&mut self, peer: impl Into<AddedPeer>) -> Result<Connected, ConnectError> {
        let mut connecting = self.pool.connect(peer.into());
        self.outcome(&mut connecting)
    }

    /// What comes of a connection that was asked for.
    pub fn outcome(&mut self, connecting: &mut <R::Pool as RigPool>::Connecting) -> Result<Connected, ConnectError> {
        let outcome = self.pool.outcome(connecting, PATIENCE).expect("an outcome");
        if let Ok(info) = &outcome {
            self.ledger.note_asked(info.conn);
        }
        outcome
    }

    /// Runs the pool until `done` returns something.
    pub fn until<T>(&mut self, what: &str, mut done: impl FnMut(&mut R::Pool) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(done) = done(&mut self.pool) {
                return done;
            }
            assert!(start.elapsed() < PATIENCE, "{what}: did not happen");
            self.pool.turn(GLANCE);
        }
    }

    /// Runs the pool while `work`, which blocks, runs on another thread.
    pub fn meanwhile<T: Send>(&mut self, what: &str, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let work = scope.spawn(work);
            self.until(what, |_| work.is_finished().then_some(()));
            work.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    /// The next dial of the pool to arrive at this peer.
    pub fn accept(&mut self, peer: &TestPeer) -> PeerStream {
        self.until("a dial arrives", |_| peer.accept())
    }

    /// The next event; none after the last.
    pub fn next_event(&mut self) -> Option<PoolEvent<Connected>> {
        match self.pool.next(PATIENCE) {
            NextEvent::Event(event) => {
                self.ledger.note(&event);
                Some(event)
            }
            NextEvent::Nothing => panic!("no event came"),
            NextEvent::End => None,
        }
    }

    /// No event comes for so long.
    pub fn is_quiet(&mut self, time: Duration) {
        let next = self.pool.next(time);
        assert!(matches!(next, NextEvent::Nothing), "{next:?}");
    }

    /// The first event that `pick` selects; earlier ones are skipped.
    pub fn event<T>(&mut self, what: &str, mut pick: impl FnMut(PoolEvent<Connected>) -> Option<T>) -> T {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let event = self.next_event().unwrap_or_else(|| panic!("{what}: the pool has ended"));
            if let Some(picked) = pick(event) {
                return picked;
            }
        }
        panic!("{what}: did not happen")
    }

    /// The first event of the manager that `pick` selects; earlier ones are skipped.
    pub fn said<T>(&mut self, what: &str, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        self.event(what, |event| if let PoolEvent::Event(event) = event { pick(event) } else { None })
    }

    /// The next connection.
    pub fn connected(&mut self) -> Connected {
        self.event("connected", |event| if let PoolEvent::Connected(info) = event { Some(info) } else { None })
    }

    /// The end of this connection, and why.
    pub fn disconnected(&mut self, conn: ConnId) -> EndReason {
        self.said("disconnected", |event| match event {
            Event::Disconnected { conn: of, reason, .. } if of == conn => Some(reason),
            _ => None,
        })
    }

    /// The next event in words; retries are skipped.
    pub fn next_tale(&mut self) -> String {
        loop {
            match self.next_event() {
                Some(PoolEvent::RetryScheduled { .. }) => {}
                event => return event.as_ref().map_or_else(|| "end".into(), tale),
            }
        }
    }

    /// Whether it has no connection and no dial.
    pub fn pool_is_idle(&mut self) -> bool {
        self.pool.connections().is_empty()
    }

    /// The next events are these, in this order: see [`tale`]. Retries are skipped, because a later one may replace one
    /// that was not taken.
    pub fn tells(&mut self, expected: &[&str]) {
        let told: Vec<String> = expected.iter().map(|_| self.next_tale()).collect();
        assert_eq!(told, expected);
    }

    /// The same with retries, for back-offs far longer than anything here takes.
    pub fn tells_all(&mut self, expected: &[&str]) {
        let told: Vec<String> =
            expected.iter().map(|_| self.next_event().as_ref().map_or_else(|| "end".into(), tale)).collect();
        assert_eq!(told, expected);
    }

    /// Reads so many bytes of a connection, or up to its end.
    pub fn read(&mut self, conn: ConnId, count: usize) -> Vec<u8> {
        let mut heard = vec![0; count];
        let mut length = 0;
        while length < count {
            match self.pool.read(conn, &mut heard[length..], PATIENCE).expect("bytes, or the end") {
                0 => break,
                read => length += read,
            }
        }
        heard.truncate(length);
        heard
    }

    /// Writes a little on a connection.
    pub fn write(&mut self, conn: ConnId, bytes: &[u8]) {
        assert_eq!(self.pool.write(conn, bytes).expect("an open stream"), bytes.len());
    }

    /// Shuts down without a problem, and checks the ledger.
    pub fn end(self) {
        let problems = self.end_with_problems();
        assert!(problems.is_empty(), "{problems:?}");
    }

    /// Shuts down, and checks the ledger. Returns the problems.
    pub fn end_with_problems(self) -> Vec<Problem> {
        let Self { pool, ledger, trace, _home } = self;
        let problems = pool.shutdown();
        ledger.agrees_with(&trace, false);
        problems
    }

    /// Shuts down where events were not noted in the ledger, and checks that the run replays.
    pub fn end_unwatched(self) {
        let Self { pool, trace, _home, .. } = self;
        let problems = pool.shutdown();
        assert!(problems.is_empty(), "{problems:?}");
        EventLedger::replays(&trace);
    }

    /// Shuts down, takes every event to the last, and checks the ledger. Returns these events.
    pub fn end_and_listen(mut self) -> Vec<PoolEvent<Connected>> {
        self.bid(Input::Shutdown);
        let mut told = Vec::new();
        while let Some(event) = self.next_event() {
            told.push(event);
        }
        let Self { pool, ledger, trace, _home } = self;
        let problems = pool.shutdown();
        assert!(problems.is_empty(), "{problems:?}");
        ledger.agrees_with(&trace, true);
        told
    }
}

impl<R: Rig> fmt::Debug for TestWorld<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestWorld").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

/// An event in words, without details that differ from run to run.
pub fn tale(event: &PoolEvent<Connected>) -> String {
    match event {
        PoolEvent::Connected(info) => format!("connected {}", info.kind),
        PoolEvent::RetryScheduled { attempt, .. } => format!("retry {attempt}"),
        PoolEvent::Event(Event::Disconnected { reason, .. }) => format!("disconnected: {reason}"),
        PoolEvent::Event(Event::DialFailed { error, .. }) => format!("dial failed: {error}"),
        PoolEvent::Event(Event::LookupFailed { error, .. }) => format!("lookup failed: {error}"),
        PoolEvent::Event(event) => event.to_string(),
        PoolEvent::Problem(problem) => format!("problem: {}", with_causes(problem)),
        other => panic!("an event of a new kind: {other:?}"),
    }
}

fn peer_at(address: impl ToString) -> AddedPeer {
    AddedPeer::new(address.to_string().parse().expect("an address"))
}
