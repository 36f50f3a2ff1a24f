//! The end of the driver task, by a disk that hangs.

use std::thread;

use async_channel::unbounded;
use connmgr_core::driver::Driver;
use connmgr_core::{CommandError, Config, ConnManager, Snapshot};
use connmgr_std::{Mailbox, ResolverPool, Saver, StateDir, SystemResolver, Watch};
use futures_lite::future::block_on;

use super::*;
use crate::bell::Bell;
use crate::handle::{self, Handle};
use crate::jobs::Jobs;
use crate::listener::Listeners;
use crate::spawn::BoxFuture;

/// A task with nothing to do, and who may ask it.
fn task(saver: Saver) -> (Task, Handle) {
    let clock = Clock::start();
    let manager = ConnManager::new(Config::default(), None, [7; 32], clock.unix(), clock.now()).unwrap();
    let (handle, requests) = handle::channel();
    let mailbox = Mailbox::new(|| ());
    let resolver = ResolverPool::new(Arc::new(SystemResolver), |_, _| ());
    let (jobs, finished) = Jobs::new(Arc::new(|_: BoxFuture| ()));
    let net = SmolNet::new(Listeners::default(), Some(saver), jobs, resolver, mailbox.clone(), clock.clone());
    let ((postman, mail), (_, lookups), (_, pool)) = (Bell::new(), unbounded(), bounded(1));
    let sources = Sources::new(requests, finished, lookups, (postman, mail, mailbox), pool);
    let shared = Arc::new(Shared::new(Driver::with_observer(manager, Watch::default())));
    (Task::new(shared, net, clock, sources), handle)
}

#[test]
fn whoever_asks_a_pool_at_its_end_does_not_wait_for_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (release, released) = std::sync::mpsc::channel::<()>();
    // As far as the task is concerned, the disk hangs.
    let hang = move |_| {
        let _ = released.recv();
    };
    let saver = Saver::start(StateDir::open(dir.path()).unwrap().0, hang).unwrap();
    std::fs::create_dir(dir.path().join("peers.dat.tmp")).unwrap();
    saver.save(Snapshot::default());
    let (task, handle) = task(saver);
    let ending = thread::spawn(|| block_on(task.finish()));
    let within = Instant::now() + Duration::from_secs(5);
    let answered = async { assert_eq!(handle.shutdown().await, Err(CommandError::ShuttingDown)) };
    assert!(block_on(in_time(answered, within)));
    assert!(!ending.is_finished());
    drop(release);
    ending.join().unwrap();
}
