//! A pool without a socket, kept by the tests themselves.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};
use std::{fs, thread};

use connmgr_core::{Activity, CommandError, Config, ConnId, Connected, Event, Keep, Snapshot};

use super::*;
use crate::tests::{NoSockets, block_on};
use crate::{Fact, Origin, PoolEvent, Problem, SHARE, Saver, StateDir, SystemResolver};

type Ours = (Front<()>, Back<()>);

fn pool() -> Ours {
    let newborn = Origin { rng_seed: Some([7; 32]), ..Origin::new(Config::default()) }.bear().unwrap();
    open(newborn, Arc::new(SystemResolver)).unwrap()
}

fn turn(back: &Back<()>) -> Next {
    back.turn(&mut NoSockets::default(), |_, _, _| ())
}

fn wants_a_turn(back: &Back<()>) -> bool {
    back.poll_wanted(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// Runs the task's side to its end, on a thread of its own.
fn keep((mut front, back): Ours) -> Front<()> {
    let task = front.keep(async move {
        while let Next::Turn(_) = turn(&back) {
            back.wanted().await;
        }
    });
    thread::spawn(|| block_on(task));
    front
}

#[test]
fn a_command_is_answered_and_its_events_are_handed_out() {
    let front = keep(pool());
    let handle = front.handle();
    block_on(handle.add_peer("1.2.3.4:1".parse().unwrap(), Keep::Always)).unwrap();
    assert_eq!(block_on(handle.added_peers()).len(), 1);
    block_on(handle.shutdown()).unwrap();
    let last = collect(front).pop();
    assert!(matches!(last, Some(PoolEvent::Event(Event::Stopped))), "{last:?}");
    assert_eq!(block_on(handle.shutdown()), Err(CommandError::ShuttingDown));
    assert!(block_on(handle.added_peers()).is_empty());
}

/// All that is handed out, to the end.
fn collect(mut front: Front<()>) -> Vec<PoolEvent<Connected>> {
    std::iter::from_fn(|| block_on(front.next(|info, ()| info))).collect()
}

#[test]
fn a_pool_that_its_application_drops_ends() {
    let (front, back) = pool();
    assert!(matches!(turn(&back), Next::Turn(_)));
    drop(front);
    assert!(wants_a_turn(&back));
    assert_eq!(turn(&back), Next::End);
}

#[test]
fn a_panic_of_the_task_reaches_the_application() {
    let (mut front, back) = pool();
    let task = front.keep(async move {
        let _back = back;
        panic!("a fault of ours");
    });
    block_on(task);
    let seen = catch_unwind(AssertUnwindSafe(|| block_on(front.next(|_, ()| ())))).unwrap_err();
    assert_eq!(seen.downcast_ref(), Some(&"a fault of ours"));
}

#[test]
fn a_task_that_its_runtime_drops_is_the_end_of_the_pool() {
    let (mut front, back) = pool();
    drop(front.keep(async move { back.wanted().await }));
    assert_eq!(block_on(front.handle().shutdown()), Err(CommandError::ShuttingDown));
    assert!(collect(front).is_empty());
}

#[test]
fn a_dropped_task_lets_go_of_the_state() {
    let dir = tempfile::tempdir().unwrap();
    let origin = Origin { state_dir: Some(dir.path().into()), ..Origin::new(Config::default()) };
    let (_front, back) = open::<()>(origin.bear().unwrap(), Arc::new(SystemResolver)).unwrap();
    StateDir::open(dir.path()).unwrap_err();
    drop(back);
    let until = Instant::now() + Duration::from_secs(10);
    while StateDir::open(dir.path()).is_err() {
        assert!(Instant::now() < until, "the directory is still locked");
        thread::yield_now();
    }
}

#[test]
fn what_is_too_much_for_one_turn_is_left_for_the_next() {
    let (_front, back) = pool();
    let mailbox = back.mailbox();
    for conn in 0..=SHARE as u64 {
        mailbox.post(ConnId::from_u64(conn), Fact::Activity(Activity::default()));
    }
    let mut turns = 0;
    while wants_a_turn(&back) {
        turn(&back);
        turns += 1;
    }
    // The last one finds that nothing has come meanwhile.
    assert_eq!(turns, 3);
}

/// Of connections that nobody knows, for these are counted.
#[test]
fn bytes_that_were_read_are_told_before_all_else() {
    let (_front, back) = pool();
    let heard = (0..=SHARE as u64).map(ConnId::from_u64).collect();
    let mut told_before = None;
    let net = &mut NoSockets { heard };
    back.turn(net, |engine, _, _| told_before = Some(engine.manager().stats().ignored_facts));
    assert_eq!(told_before, Some(SHARE as u64));
    turn(&back);
    assert_eq!(back.shared.engine().manager().stats().ignored_facts, 1 + SHARE as u64);
}

#[test]
fn nobody_is_looked_at_again_so_soon() {
    let (_front, back) = pool();
    turn(&back);
    let net = &mut NoSockets { heard: vec![ConnId::from_u64(1)] };
    back.turn(net, |_, _, _| ());
    assert_eq!(net.heard, [ConnId::from_u64(1)]);
}

#[test]
fn whoever_asks_a_pool_at_its_end_does_not_wait_for_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (release, released) = mpsc::channel::<()>();
    // As far as the pool is concerned, the disk hangs.
    let hang = move |_| {
        let _ = released.recv();
    };
    let saver = Saver::start(StateDir::open(dir.path()).unwrap().0, hang).unwrap();
    fs::create_dir(dir.path().join("peers.dat.tmp")).unwrap();
    saver.save(Snapshot::default());
    let (front, back) = pool();
    back.shared.engine().set_saver(saver);
    let ours = keep((front, back));
    let handle = ours.handle();
    // The turn that hears of the first may hear of a few more.
    let refused = (0..=SHARE).find_map(|_| block_on(handle.shutdown()).err());
    assert_eq!(refused, Some(CommandError::ShuttingDown));
    assert!(!ours.shared.engine().is_ended());
    drop(release);
    let problems = block_on(ours.shutdown());
    assert!(!problems.iter().any(|problem| matches!(problem, Problem::SaveUnfinished)), "{problems:?}");
}
