//! Lookups on detached threads.
#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod common;

use std::net::IpAddr;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::LONG;
use connmgr_core::{HostName, LookupError, LookupId};
use connmgr_std::{MAX_ANSWERS, MAX_QUEUED, MAX_THREADS, Resolve, ResolverPool, SystemResolver};

type Answer = Result<Vec<IpAddr>, LookupError>;

/// Answers by the name: `hang` until the test lets go, `panic` never, a number that many addresses.
struct Script {
    begun: Sender<()>,
    release: Mutex<Receiver<()>>,
}

impl Resolve for Script {
    fn resolve(&self, name: &HostName) -> Answer {
        self.begun.send(()).expect("the test outlives its threads");
        match name.as_str() {
            "hang" => {
                let _ = self.release.lock().unwrap().recv();
                Ok(vec![ip(1)])
            }
            "panic" => panic!("as a test"),
            "missing" => Err(LookupError::NotFound),
            count => Ok((0..count[1..].parse().unwrap()).flat_map(|n| [ip(n), ip(n)]).collect()),
        }
    }
}

fn ip(n: u32) -> IpAddr {
    IpAddr::V4(n.into())
}

struct World {
    pool: ResolverPool,
    answers: Receiver<(u64, Answer)>,
    begun: Receiver<()>,
    /// Dropped, it lets every hanging lookup go.
    release: Sender<()>,
}

impl World {
    fn new() -> Self {
        let (begin, begun) = mpsc::channel();
        let (release, released) = mpsc::channel();
        let (answer, answers) = mpsc::channel();
        let pool = ResolverPool::new(
            Arc::new(Script { begun: begin, release: Mutex::new(released) }),
            move |lookup, found| drop(answer.send((lookup.as_u64(), found))),
        );
        Self { pool, answers, begun, release }
    }

    fn ask(&self, lookup: u64, name: &str, within: Duration) {
        self.pool.resolve(LookupId::from_u64(lookup), HostName::new(name).unwrap(), Instant::now() + within);
    }

    fn answer(&self) -> (u64, Answer) {
        self.answers.recv_timeout(LONG).expect("an answer")
    }

    /// Waits until that many lookups have begun.
    fn await_begun(&self, count: usize) {
        (0..count).for_each(|_| self.begun.recv_timeout(LONG).expect("a lookup begins"));
    }
}

#[test]
fn each_address_is_told_once_in_order() {
    let world = World::new();
    world.ask(1, "n3", LONG);
    assert_eq!(world.answer(), (1, Ok(vec![ip(0), ip(1), ip(2)])));
}

#[test]
fn an_answer_is_bounded() {
    let world = World::new();
    world.ask(1, "n10000", LONG);
    assert_eq!(world.answer().1.unwrap().len(), MAX_ANSWERS);
}

#[test]
fn errors_are_told_and_no_address_is_one() {
    let world = World::new();
    for (name, error) in
        [("missing", LookupError::NotFound), ("n0", LookupError::NotFound), ("panic", LookupError::Failed)]
    {
        world.ask(1, name, LONG);
        assert_eq!(world.answer(), (1, Err(error)), "{name}");
    }
}

#[test]
fn hanging_lookups_do_not_stop_others() {
    let world = World::new();
    for n in 0..MAX_THREADS {
        world.ask(n as u64, "hang", Duration::from_millis(50));
    }
    // Queued behind four that hang: no other call is made, so it is the watch that finds it a thread.
    world.ask(9, "n1", LONG);
    assert_eq!(world.answer(), (9, Ok(vec![ip(0)])));
    drop(world.release);
    for _ in 0..MAX_THREADS {
        assert_eq!(world.answers.recv_timeout(LONG).unwrap().1, Err(LookupError::TimedOut));
    }
}

/// Four lost threads and four that work, all of them hanging.
fn all_hanging() -> World {
    let world = World::new();
    for n in 0..2 * MAX_THREADS {
        let within = if n < MAX_THREADS { Duration::from_millis(50) } else { LONG };
        world.ask(n as u64, "hang", within);
    }
    world.await_begun(2 * MAX_THREADS);
    world
}

#[test]
fn when_every_thread_hangs_lookups_time_out() {
    let world = all_hanging();
    world.ask(9, "n1", Duration::from_millis(50));
    assert_eq!(world.answer(), (9, Err(LookupError::TimedOut)));
    assert!(world.begun.try_recv().is_err(), "a ninth thread was started");
    drop(world.release);
}

#[test]
fn threads_that_come_back_work_again() {
    let world = all_hanging();
    (0..2 * MAX_THREADS).for_each(|_| world.release.send(()).unwrap());
    let answers: Vec<_> = (0..2 * MAX_THREADS).map(|_| world.answer().1).collect();
    let late = answers.iter().filter(|answer| **answer == Err(LookupError::TimedOut)).count();
    assert_eq!(late, MAX_THREADS, "{answers:?}");
    world.ask(9, "n1", LONG);
    assert_eq!(world.answer(), (9, Ok(vec![ip(0)])));
}

#[test]
fn a_full_queue_fails_at_once() {
    let world = World::new();
    for n in 0..MAX_THREADS {
        world.ask(n as u64, "hang", LONG);
    }
    world.await_begun(MAX_THREADS);
    for n in 0..=MAX_QUEUED {
        world.ask(100 + n as u64, "n1", LONG);
    }
    assert_eq!(world.answer(), (100 + MAX_QUEUED as u64, Err(LookupError::Failed)));
}

#[test]
fn a_lookup_that_is_late_already_is_not_made() {
    let world = World::new();
    world.ask(1, "n1", Duration::ZERO);
    assert_eq!(world.answer(), (1, Err(LookupError::TimedOut)));
    assert!(world.begun.try_recv().is_err());
}

#[test]
fn dropping_the_pool_waits_for_nobody() {
    let world = World::new();
    world.ask(1, "hang", LONG);
    world.ask(2, "hang", LONG);
    world.await_begun(2);
    // Would hang here for ever if it waited.
    drop(world.pool);
    drop(world.release);
    assert!(world.answers.recv_timeout(LONG).is_err(), "an answer after the end");
}

#[test]
fn the_system_knows_localhost() {
    let found = SystemResolver.resolve(&HostName::new("localhost").unwrap()).unwrap();
    assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
}

#[test]
fn the_dns_is_not_told_of_overlay_networks() {
    for name in ["seed.I2P", "onion"] {
        let name = HostName::new(name).unwrap();
        assert_eq!(SystemResolver.resolve(&name), Err(LookupError::NotFound), "{}", name.as_str());
    }
}
