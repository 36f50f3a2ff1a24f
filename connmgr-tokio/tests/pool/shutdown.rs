//! The end, from every side.

use connmgr_core::{Config, Event, Mode, Proxy, Seed};
use connmgr_tokio::PoolEvent;
use tokio::io::AsyncReadExt;
use tokio::runtime::Handle;

use crate::support::{accept, add, builder, config, connected, peer, start, within};

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test]
async fn a_shutdown_in_the_middle_of_dials_leaves_no_task() {
    let before = tasks();
    // A proxy that takes every connection and never says a word.
    let (proxy, address) = peer().await;
    let pool = start(builder(config()).proxy(Proxy { address, isolate: false, resolves: false })).await;
    let mut dials = Vec::new();
    for number in 0..3 {
        add(&pool, format!("node{number}.example:1")).await;
        dials.push(accept(&proxy).await);
    }
    assert_eq!(tasks(), before + 4);
    let problems = within("shutdown", pool.shutdown()).await;
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(tasks(), before);
    for mut dial in dials {
        within("the proxy is hung up on", dial.read_to_end(&mut Vec::new())).await.unwrap();
    }
}

#[tokio::test]
async fn a_shutdown_in_the_middle_of_a_lookup_leaves_no_task() {
    let before = tasks();
    let (listener, address) = peer().await;
    let mut config = Config { mode: Mode::Automatic, ..config() };
    config.seeds.names = vec![Seed { name: "seed.example".parse().unwrap(), filters_services: false }];
    config.default_port = 8333;
    let proxy = Proxy { address, isolate: false, resolves: true };
    let pool = start(builder(config).proxy(proxy)).await;
    let mut lookup = accept(&listener).await;
    within("shutdown", pool.shutdown()).await;
    assert_eq!(tasks(), before);
    within("the proxy is hung up on", lookup.read_to_end(&mut Vec::new())).await.unwrap();
}

#[tokio::test]
async fn the_last_event_is_stopped() {
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
}

#[tokio::test]
async fn a_pool_that_is_dropped_closes_its_connections() {
    let before = tasks();
    let (listener, address) = peer().await;
    let mut pool = start(builder(config())).await;
    add(&pool, address).await;
    let mut theirs = accept(&listener).await;
    let mut ours = connected(&mut pool).await;
    drop(pool);
    assert_eq!(within("our end", ours.read(&mut [0; 8])).await.unwrap(), 0);
    assert_eq!(within("their end", theirs.read(&mut [0; 8])).await.unwrap(), 0);
    within("the task's end", async {
        while tasks() > before {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[test]
fn a_runtime_that_ends_first_takes_the_pool_with_it() {
    let run = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut pool = run().block_on(async { start(builder(config())).await });
    let last = run().block_on(async { within("the end", pool.next()).await });
    assert!(last.is_none(), "{last:?}");
}

#[test]
fn the_end_needs_no_thread_of_the_runtime() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().expect("a runtime");
    runtime.block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let pool = start(builder(config()).state_dir(dir.path())).await;
        let (release, released) = std::sync::mpsc::channel::<()>();
        let _application = tokio::task::spawn_blocking(move || released.recv());
        let problems = within("shutdown", pool.shutdown()).await;
        assert!(problems.is_empty(), "{problems:?}");
        drop(release);
    });
}
