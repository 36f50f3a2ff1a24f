//! The end of a pool.

use connmgr_core::CommandError;
use connmgr_smol::BoxFuture;
use futures_lite::AsyncReadExt;
use futures_lite::future::{block_on, poll_once, zip};

use super::support::{Tasks, accept, add, builder, config, connected, peer, run, within};

#[test]
fn a_pool_that_is_dropped_closes_its_connections() {
    run(async {
        let tasks = Tasks::default();
        let (listener, address) = peer().await;
        let mut pool = builder(config()).start(tasks.spawner()).await.unwrap();
        add(&pool, address).await;
        let mut theirs = accept(&listener).await;
        let mut ours = connected(&mut pool).await;
        drop(pool);
        assert_eq!(within("our end", ours.read(&mut [0; 8])).await.unwrap(), 0);
        assert_eq!(within("their end", theirs.read(&mut [0; 8])).await.unwrap(), 0);
        tasks.are(0).await;
    });
}

#[test]
fn an_executor_that_drops_the_pool_ends_it() {
    run(async {
        let (dropped, tasks) = async_channel::unbounded::<BoxFuture>();
        let mut pool = builder(config()).start(move |task| dropped.try_send(task).unwrap()).await.unwrap();
        let handle = pool.handle();
        let mut stats = std::pin::pin!(handle.stats());
        // It has been asked, and nobody answers.
        assert!(poll_once(&mut stats).await.is_none());
        while let Ok(task) = tasks.try_recv() {
            drop(task);
        }
        assert!(within("the end", pool.next()).await.is_none());
        within("a view of nothing", stats).await;
        assert_eq!(handle.shutdown().await, Err(CommandError::ShuttingDown));
    });
}

#[test]
fn a_pool_needs_only_to_be_polled() {
    // Nobody but this thread runs anything.
    let dir = tempfile::tempdir().unwrap();
    let (spawned, tasks) = async_channel::unbounded::<BoxFuture>();
    let problems = block_on(async {
        let spawner = move |task| spawned.try_send(task).unwrap();
        let pool = builder(config()).state_dir(dir.path()).start(spawner).await.unwrap();
        let task = tasks.try_recv().unwrap();
        zip(pool.shutdown(), task).await.0
    });
    assert!(problems.is_empty(), "{problems:?}");
}
