//! The end, from every side.

use connmgr_core::{CommandError, Config, Event, Mode, Proxy, Seed};
use connmgr_smol::{BoxFuture, PoolEvent};
use futures_lite::AsyncReadExt;
use futures_lite::future::{block_on, poll_once, zip};

use super::support::{Tasks, accept, add, builder, config, connected, peer, run, start, within};

#[test]
fn a_shutdown_in_the_middle_of_dials_leaves_no_task() {
    run(async {
        let tasks = Tasks::default();
        // A proxy that takes every connection and never says a word.
        let (proxy, address) = peer().await;
        let pool = builder(config())
            .proxy(Proxy { address, isolate: false, resolves: false })
            .start(tasks.spawner())
            .await
            .unwrap();
        let mut dials = Vec::new();
        for number in 0..3 {
            add(&pool, format!("node{number}.example:1")).await;
            dials.push(accept(&proxy).await);
        }
        tasks.are(4).await;
        let problems = within("shutdown", pool.shutdown()).await;
        assert!(problems.is_empty(), "{problems:?}");
        tasks.are(0).await;
        for mut dial in dials {
            within("the proxy is hung up on", dial.read_to_end(&mut Vec::new())).await.unwrap();
        }
    });
}

#[test]
fn a_shutdown_in_the_middle_of_a_lookup_leaves_no_task() {
    run(async {
        let tasks = Tasks::default();
        let (listener, address) = peer().await;
        let mut config = Config { mode: Mode::Automatic, ..config() };
        config.seeds.names = vec![Seed { name: "seed.example".parse().unwrap(), filters_services: false }];
        config.default_port = 8333;
        let proxy = Proxy { address, isolate: false, resolves: true };
        let pool = builder(config).proxy(proxy).start(tasks.spawner()).await.unwrap();
        let mut lookup = accept(&listener).await;
        within("shutdown", pool.shutdown()).await;
        tasks.are(0).await;
        within("the proxy is hung up on", lookup.read_to_end(&mut Vec::new())).await.unwrap();
    });
}

#[test]
fn the_last_event_is_stopped() {
    run(async {
        let (_listener, address) = peer().await;
        let mut pool = start(builder(config())).await;
        add(&pool, address).await;
        let ours = connected(&mut pool).await;
        pool.handle().shutdown().await.unwrap();
        let mut told = Vec::new();
        within("the end", async {
            while let Some(event) = pool.next().await {
                if let PoolEvent::Event(event) = event {
                    told.push(event);
                }
            }
        })
        .await;
        let ended = |event: &Event| matches!(event, Event::Disconnected { conn, .. } if *conn == ours.id());
        assert_eq!(told.iter().filter(|event| ended(event)).count(), 1);
        assert_eq!(told.last(), Some(&Event::Stopped));
    });
}

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
