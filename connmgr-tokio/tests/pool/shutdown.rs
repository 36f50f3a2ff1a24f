//! The end of a pool.

use tokio::io::AsyncReadExt;
use tokio::runtime::Handle;

use crate::support::{accept, add, builder, config, connected, peer, start, within};

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
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
