//! Lookups on detached threads.

use std::net::IpAddr;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use connmgr_core::{HostName, LookupError, LookupId, ResolvedIp};
use dns_lookup::LookupErrorKind;

use super::{MAX_ANSWERS, MAX_QUEUED, MAX_RESOLVER_THREADS, Resolve, ResolverPool, SystemResolver, meaning};
use crate::tests::common::LONG;

type Answer = Result<Vec<ResolvedIp>, LookupError>;

/// Long enough for threads to begin, shorter than a lookup that hangs.
const SHORT: Duration = Duration::from_millis(300);

/// Answers by name: `hang` and a number once the test releases it, `panic` by a panic, `n` and a number with so many
/// addresses.
struct Script {
    begun: Sender<()>,
    release: Mutex<Receiver<()>>,
}

impl Resolve for Script {
    fn resolve(&self, name: &HostName) -> Answer {
        self.begun.send(()).expect("the test outlives its threads");
        match name.as_str() {
            "panic" => panic!("as a test"),
            "missing" => Err(LookupError::NotFound),
            hangs if hangs.starts_with("hang") => {
                let _ = self.release.lock().unwrap().recv();
                Ok(vec![ip(1)])
            }
            count => Ok((0..count[1..].parse().unwrap()).flat_map(|n| [ip(n), ip(n)]).collect()),
        }
    }
}

fn ip(n: u32) -> ResolvedIp {
    IpAddr::V4(n.into()).into()
}

struct Lookups {
    pool: ResolverPool,
    answers: Receiver<(u64, Answer)>,
    begun: Receiver<()>,
    /// Dropping it releases every lookup that hangs.
    release: Sender<()>,
}

impl Lookups {
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

    /// Waits until so many lookups have begun.
    fn await_begun(&self, count: usize) {
        (0..count).for_each(|_| self.begun.recv_timeout(LONG).expect("a lookup begins"));
    }
}

#[test]
fn each_address_is_told_once_in_order() {
    let world = Lookups::new();
    world.ask(1, "n3", LONG);
    assert_eq!(world.answer(), (1, Ok(vec![ip(0), ip(1), ip(2)])));
}

#[test]
fn an_answer_is_bounded() {
    let world = Lookups::new();
    world.ask(1, "n10000", LONG);
    assert_eq!(world.answer().1.unwrap().len(), MAX_ANSWERS);
}

#[test]
fn errors_are_told_and_no_address_is_one() {
    let world = Lookups::new();
    for (name, error) in
        [("missing", LookupError::NotFound), ("n0", LookupError::NotFound), ("panic", LookupError::Failed)]
    {
        world.ask(1, name, LONG);
        assert_eq!(world.answer(), (1, Err(error)), "{name}");
    }
}

#[test]
fn a_name_that_hangs_holds_one_thread_however_often_it_is_tried() {
    let world = Lookups::new();
    for n in 0..2 * MAX_RESOLVER_THREADS {
        world.ask(n as u64, "hang1", LONG);
    }
    world.ask(9, "n1", LONG);
    assert_eq!(world.answer(), (9, Ok(vec![ip(0)])));
    world.await_begun(2);
    assert!(world.begun.recv_timeout(SHORT).is_err(), "it hangs twice");
    for n in 0..2 * MAX_RESOLVER_THREADS {
        world.release.send(()).unwrap();
        assert_eq!(world.answer(), (n as u64, Ok(vec![ip(1)])));
    }
}

/// As many names that hang as there are threads.
fn all_hanging(within: Duration) -> Lookups {
    let world = Lookups::new();
    for n in 0..MAX_RESOLVER_THREADS {
        world.ask(n as u64, &format!("hang{n}"), within);
    }
    world.await_begun(MAX_RESOLVER_THREADS);
    world
}

#[test]
fn when_every_thread_hangs_the_next_lookup_waits_for_one_to_come_back() {
    let world = all_hanging(SHORT);
    world.ask(9, "n1", LONG);
    assert!(world.begun.recv_timeout(SHORT).is_err(), "a fifth thread was started");
    world.release.send(()).unwrap();
    assert_eq!(world.answer().1, Err(LookupError::TimedOut), "it came back late");
    assert_eq!(world.answer(), (9, Ok(vec![ip(0)])));
}

#[test]
fn a_lookup_that_has_waited_past_its_deadline_is_not_made() {
    let world = all_hanging(LONG);
    world.ask(8, "n1", SHORT);
    assert!(world.begun.recv_timeout(SHORT).is_err());
    world.ask(9, "n1", SHORT);
    assert_eq!(world.answer(), (8, Err(LookupError::TimedOut)), "told with the next lookup");
    assert!(world.begun.recv_timeout(SHORT).is_err());
    world.release.send(()).unwrap();
    assert!(world.answer().1.is_ok());
    assert_eq!(world.answer(), (9, Err(LookupError::TimedOut)), "told by the thread that came back");
    assert!(world.begun.try_recv().is_err(), "nobody waits for it any more");
}

#[test]
fn a_full_queue_fails_at_once() {
    let world = all_hanging(LONG);
    for n in 0..=MAX_QUEUED {
        world.ask(100 + n as u64, "n1", LONG);
    }
    assert_eq!(world.answer(), (100 + MAX_QUEUED as u64, Err(LookupError::Failed)));
}

#[test]
fn a_lookup_that_is_late_already_is_not_made() {
    let world = Lookups::new();
    world.ask(1, "n1", Duration::ZERO);
    assert_eq!(world.answer(), (1, Err(LookupError::TimedOut)));
    assert!(world.begun.try_recv().is_err());
}

#[test]
fn dropping_the_pool_waits_for_nobody() {
    let world = Lookups::new();
    world.ask(1, "hang1", LONG);
    world.ask(2, "hang2", LONG);
    world.await_begun(2);
    // Would hang here for ever if it waited.
    drop(world.pool);
    drop(world.release);
    assert!(world.answers.recv_timeout(LONG).is_err(), "an answer after the end");
}

#[test]
fn the_system_knows_localhost() {
    let found = SystemResolver.resolve(&HostName::new("localhost").unwrap()).unwrap();
    assert!(!found.is_empty() && found.iter().all(|found| found.ip().is_loopback()), "{found:?}");
}

#[test]
fn the_dns_is_not_told_of_overlay_networks() {
    for name in ["seed.I2P", "onion", "seed.i2p.", "onion."] {
        let name = HostName::new(name).unwrap();
        assert_eq!(SystemResolver.resolve(&name), Err(LookupError::NotFound), "{}", name.as_str());
    }
}

#[test]
fn a_name_that_does_not_exist_is_told_from_a_resolver_that_failed() {
    for kind in [LookupErrorKind::NoName, LookupErrorKind::NoData] {
        assert_eq!(meaning(kind), LookupError::NotFound, "{kind:?}");
    }
    for kind in [LookupErrorKind::Again, LookupErrorKind::Fail, LookupErrorKind::System, LookupErrorKind::Memory] {
        assert_eq!(meaning(kind), LookupError::Failed, "{kind:?}");
    }
}

/// A test of our own that needs a name server: see the system's resolver with one that knows a wildcard of a search domain.
#[test]
#[ignore = "for a network namespace with a name server and a resolv.conf of its own"]
fn what_the_system_says_of_the_names_in_an_environment_variable() {
    for name in std::env::var("CONNMGR_NAMES").expect("names").split(' ') {
        println!("{name}: {:?}", SystemResolver.resolve(&HostName::new(name).unwrap()));
    }
}
