//! A pool without sockets, whose task the tests run themselves.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};
use std::{fs, thread};

use connmgr_core::{
    Activity, AddedPeer, CommandError, Config, ConnId, Connected, DialRule, Event, Input, PeerAddress, Reply,
};

use super::open::{PoolParts, TaskOf, keep, parts};
use super::task::AfterTurn;
use super::*;
use crate::adapter::commands::NotACommand;
use crate::adapter::engine::TURN_BUDGET;
use crate::adapter::mailbox::ConnFact;
use crate::resolver::SystemResolver;
use crate::startup::Startup;
use crate::state::{SavedBook, Saver, StateDir};
use crate::tests::{NoSockets, NoWire, block_on};

/// A connection that nobody reads.
#[derive(Debug)]
struct NoConnection;

impl PoolConnection for NoConnection {
    type Wire = NoWire;
    type Builder = Settings;

    fn builder(settings: Settings) -> Settings {
        settings
    }
    fn open(_: Connected, _: Guard<NoWire>) -> Self {
        Self
    }
}

type Task = TaskOf<NoConnection>;

fn pool() -> PoolParts<NoConnection> {
    let startup = Startup { rng_seed: Some([7; 32]), ..Startup::new(Config::default()) };
    parts(startup.start().unwrap(), Arc::new(SystemResolver), Vec::new()).unwrap()
}

fn turn(task: &Task) -> AfterTurn {
    task.turn(&mut NoSockets::default(), |_, _, _| ())
}

fn wants_a_turn(task: &Task) -> bool {
    task.poll_wanted(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// Runs the task to its end, on a thread of its own.
fn spawn((pool, task, ending): PoolParts<NoConnection>) -> Pool<NoConnection> {
    let body = async move {
        while let AfterTurn::Wait(_) = turn(&task) {
            poll_fn(|cx| task.poll_wanted(cx)).await;
        }
    };
    thread::spawn(|| block_on(keep(body, ending)));
    pool
}

#[test]
fn a_command_is_answered_and_its_events_are_handed_out() {
    let pool = spawn(pool());
    let handle = pool.handle();
    block_on(handle.add_peer(AddedPeer::new("1.2.3.4:1".parse().unwrap()))).unwrap();
    assert_eq!(block_on(handle.added_peers()).len(), 1);
    block_on(handle.shutdown()).unwrap();
    let last = collect(pool).pop();
    assert!(matches!(last, Some(PoolEvent::Event(Event::Stopped))), "{last:?}");
    assert_eq!(block_on(handle.shutdown()), Err(CommandError::ShuttingDown));
    assert!(block_on(handle.added_peers()).is_empty());
}

#[test]
fn an_address_is_explained_until_the_pool_is_gone() {
    let pool = spawn(pool());
    let handle = pool.handle();
    let address: PeerAddress = "1.2.3.4:1".parse().unwrap();
    let told = block_on(handle.explain(address.clone())).unwrap();
    assert_eq!(told.added[0].rule, DialRule::NotAdded);
    block_on(handle.add_peer(AddedPeer::new(address.clone()))).unwrap();
    let told = block_on(handle.explain(address.clone())).unwrap();
    assert!(told.peer.is_some() && told.at <= handle.now());
    block_on(handle.shutdown()).unwrap();
    collect(pool);
    assert_eq!(block_on(handle.explain(address)), None);
}

#[test]
fn a_command_may_be_given_as_data_and_nothing_else_may() {
    let pool = spawn(pool());
    let handle = pool.handle();
    let address = "1.2.3.4:1".parse().unwrap();
    let added = block_on(handle.ask(Input::AddPeer { peer: AddedPeer::new(address) }));
    assert!(matches!(added, Ok(Reply::Added(Ok(_)))), "{added:?}");
    assert_eq!(block_on(handle.ask(Input::Timeout)), Err(NotACommand));
    assert!(block_on(pool.shutdown()).is_empty());
    assert_eq!(block_on(handle.ask(Input::Shutdown)), Ok(Reply::Done(Err(CommandError::ShuttingDown))));
}

/// Every event, to the end.
fn collect(mut pool: Pool<NoConnection>) -> Vec<PoolEvent<NoConnection>> {
    std::iter::from_fn(|| block_on(pool.next())).collect()
}

#[cfg(feature = "stream")]
#[test]
fn a_pool_is_a_stream_of_its_events() {
    use std::pin::pin;

    use futures_core::Stream as _;

    let pool = spawn(pool());
    block_on(pool.handle().shutdown()).unwrap();
    let mut pool = pin!(pool);
    let told: Vec<_> = std::iter::from_fn(|| block_on(poll_fn(|cx| pool.as_mut().poll_next(cx)))).collect();
    assert!(matches!(told[..], [PoolEvent::Event(Event::Stopped)]), "{told:?}");
}

#[test]
fn a_pool_that_its_application_drops_ends() {
    let (pool, task, _ending) = pool();
    assert!(matches!(turn(&task), AfterTurn::Wait(_)));
    drop(pool);
    assert!(wants_a_turn(&task));
    assert_eq!(turn(&task), AfterTurn::End);
}

#[test]
fn a_panic_of_the_task_reaches_the_application() {
    let (mut pool, task, ending) = pool();
    let body = async move {
        let _task = task;
        panic!("a fault of ours");
    };
    block_on(keep(body, ending));
    let seen = catch_unwind(AssertUnwindSafe(|| block_on(pool.next()))).unwrap_err();
    assert_eq!(seen.downcast_ref(), Some(&"a fault of ours"));
}

#[test]
fn a_task_that_its_runtime_drops_is_the_end_of_the_pool() {
    let (pool, task, ending) = pool();
    drop(keep(async move { poll_fn(|cx| task.poll_wanted(cx)).await }, ending));
    assert_eq!(block_on(pool.handle().shutdown()), Err(CommandError::ShuttingDown));
    assert!(collect(pool).is_empty());
}

#[test]
fn a_dropped_task_lets_go_of_the_state() {
    let dir = tempfile::tempdir().unwrap();
    let startup = Startup { state_dir: Some(dir.path().into()), ..Startup::new(Config::default()) };
    let parts = parts::<NoConnection>(startup.start().unwrap(), Arc::new(SystemResolver), Vec::new());
    let (_pool, task, _) = parts.unwrap();
    StateDir::open(dir.path()).unwrap_err();
    drop(task);
    let until = Instant::now() + Duration::from_secs(10);
    while StateDir::open(dir.path()).is_err() {
        assert!(Instant::now() < until, "the directory is still locked");
        thread::yield_now();
    }
}

#[test]
fn what_is_too_much_for_one_turn_is_left_for_the_next() {
    let (_pool, task, _ending) = pool();
    let mailbox = task.mailbox();
    for conn in 0..=TURN_BUDGET as u64 {
        mailbox.post(ConnId::from_u64(conn), ConnFact::Activity(Activity::default()));
    }
    let mut turns = 0;
    while wants_a_turn(&task) {
        turn(&task);
        turns += 1;
    }
    // The last one finds that nothing has come meanwhile.
    assert_eq!(turns, 3);
}

#[test]
fn what_was_reported_before_a_question_is_known_when_it_is_answered() {
    let (pool, task, _ending) = pool();
    turn(&task);
    task.mailbox().post(ConnId::from_u64(1), ConnFact::Activity(Activity::default()));
    let handle = pool.handle();
    let mut asked = std::pin::pin!(handle.stats());
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(asked.as_mut().poll(cx).is_pending());
    turn(&task);
    let Poll::Ready(stats) = asked.poll(cx) else { panic!("the task has taken its turn") };
    assert_eq!(stats.ignored_facts, 1);
}

/// The connections are unknown, because the manager counts facts about those.
#[test]
fn bytes_that_were_read_are_told_before_all_else() {
    let (_pool, task, _ending) = pool();
    let heard = (0..=TURN_BUDGET as u64).map(ConnId::from_u64).collect();
    let mut told_before = None;
    let net = &mut NoSockets { heard };
    task.turn(net, |engine, _, _| told_before = Some(engine.manager().stats().ignored_facts));
    assert_eq!(told_before, Some(TURN_BUDGET as u64));
    turn(&task);
    assert_eq!(task.shared.engine().manager().stats().ignored_facts, 1 + TURN_BUDGET as u64);
}

#[test]
fn nobody_is_looked_at_again_so_soon() {
    let (_pool, task, _ending) = pool();
    turn(&task);
    let net = &mut NoSockets { heard: vec![ConnId::from_u64(1)] };
    task.turn(net, |_, _, _| ());
    assert_eq!(net.heard, [ConnId::from_u64(1)]);
}

#[test]
fn whoever_asks_a_pool_at_its_end_does_not_wait_for_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (pool, task, ending) = pool();
    let (release, released) = mpsc::channel::<()>();
    // As far as the pool is concerned, the disk hangs.
    let hang = move |_| {
        let _ = released.recv();
    };
    let saver = Saver::start(StateDir::open(dir.path()).unwrap().0, hang, task.shared.engine().on_saver_end()).unwrap();
    fs::create_dir(dir.path().join("peers.dat.tmp")).unwrap();
    saver.save_book(SavedBook::default());
    task.shared.engine().set_saver(saver);
    let ours = spawn((pool, task, ending));
    let handle = ours.handle();
    // The turn that hears of the first may hear of a few more.
    let refused = (0..=TURN_BUDGET).find_map(|_| block_on(handle.shutdown()).err());
    assert_eq!(refused, Some(CommandError::ShuttingDown));
    assert!(!ours.shared.engine().is_ended());
    drop(release);
    let problems = block_on(ours.shutdown());
    assert!(!problems.iter().any(|problem| matches!(problem, Problem::SaveUnfinished)), "{problems:?}");
}
