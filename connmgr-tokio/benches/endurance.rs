//! Very many connections, of which nothing is left: see `connmgr_testbed::endurance`.
//!
//! `cargo bench -p connmgr-tokio --bench endurance [-- 20000]`

#[cfg(target_os = "linux")]
mod run {
    use std::process::ExitCode;

    use connmgr_core::PeerInfo;
    use connmgr_testbed::endurance::{EnduranceRun, PATIENCE, StreamFate, WAITING_EVENTS};
    use connmgr_tokio::{Connection, Handle, Pool, PoolEvent};
    use tokio::io::AsyncReadExt;

    pub(super) async fn run(mut course: EnduranceRun) -> ExitCode {
        let mut pool =
            Pool::builder(course.config()).max_waiting_events(WAITING_EVENTS).start().await.expect("the pool starts");
        let handle = pool.handle();
        handle.set_active(false).await.expect("it lives");
        handle.learn_addresses(course.addresses()).await;
        rest(&mut course, &handle).await;
        for _ in 0..course.waves() {
            handle.set_active(true).await.expect("it lives");
            while !course.is_wave_over() {
                take(&mut course, &mut pool).await;
            }
            handle.set_active(false).await.expect("it lives");
            let last_events = async {
                // Many are closed in several turns of the pool's task; each question waits for one.
                while !handle.connections().await.is_empty() {}
                let stats = handle.stats().await;
                while course.is_behind(&stats) {
                    take(&mut course, &mut pool).await;
                }
            };
            // What is missing then is found to be missing.
            let _ = tokio::time::timeout(PATIENCE, last_events).await;
            rest(&mut course, &handle).await;
        }
        pool.shutdown().await;
        course.end()
    }

    async fn take(course: &mut EnduranceRun, pool: &mut Pool) {
        match pool.next().await.expect("it lives") {
            PoolEvent::Connected(connection) => {
                connection.report_ready(PeerInfo::default());
                match course.opened(connection.id()) {
                    StreamFate::Drop => drop(connection),
                    StreamFate::Disconnect => drop(tokio::spawn(disconnect(connection, pool.handle()))),
                    StreamFate::Read => drop(tokio::spawn(read(connection))),
                }
            }
            PoolEvent::Event(event) => course.told(&event),
            PoolEvent::RetryScheduled { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    async fn disconnect(connection: Connection, handle: Handle) {
        // It may have ended already.
        let _ = handle.disconnect(connection.id()).await;
    }

    async fn read(mut connection: Connection) {
        while connection.read(&mut [0; 64]).await.is_ok_and(|count| count > 0) {}
    }

    /// Waits until no task but the pool's is left. The application's tasks end soon after their connections. If one is
    /// too many, the wait ends after a while.
    async fn rest(course: &mut EnduranceRun, handle: &Handle) {
        let metrics = tokio::runtime::Handle::current().metrics();
        for _ in 0..1_000_000 {
            if metrics.num_alive_tasks() == 1 {
                break;
            }
            tokio::task::yield_now().await;
        }
        let (stats, left) = (handle.stats().await, handle.connections().await.len());
        course.rest(&stats, left, metrics.num_alive_tasks());
    }
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use connmgr_testbed::endurance::EnduranceRun;

    let course = EnduranceRun::begin("tokio, one thread");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run::run(course))
}

/// The counters are Linux's.
#[cfg(not(target_os = "linux"))]
fn main() {}
