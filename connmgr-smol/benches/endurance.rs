//! Very many connections, of which nothing is left: see `connmgr_testbed::endurance`.
//!
//! `cargo bench -p connmgr-smol --bench endurance [-- 20000]`

#[cfg(target_os = "linux")]
mod run {
    use std::process::ExitCode;
    use std::sync::Arc;

    use async_io::Timer;
    use connmgr_core::PeerInfo;
    use connmgr_smol::{Connection, Handle, Pool, PoolEvent};
    use connmgr_testbed::endurance::{EnduranceRun, PATIENCE, StreamFate, WAITING_EVENTS};
    use futures_lite::future::yield_now;
    use futures_lite::{AsyncReadExt, FutureExt};
    use smol::Executor;

    /// An executor that counts its tasks: each holds a ticket until it ends.
    #[derive(Clone, Default)]
    pub(super) struct Tasks {
        pub(super) executor: Arc<Executor<'static>>,
        tickets: Arc<()>,
    }

    impl Tasks {
        fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
            let ticket = Arc::clone(&self.tickets);
            let counted = async move {
                task.await;
                drop(ticket);
            };
            self.executor.spawn(counted).detach();
        }

        /// The tickets, without those of the executors themselves.
        fn alive(&self) -> usize {
            Arc::strong_count(&self.tickets) - EXECUTORS
        }
    }

    /// Clones of [`Tasks`]: the program's, and the pool's.
    const EXECUTORS: usize = 2;

    pub(super) async fn run(mut course: EnduranceRun, tasks: &Tasks) -> ExitCode {
        let spawner = tasks.clone();
        let builder = Pool::builder(course.config()).max_waiting_events(WAITING_EVENTS);
        let mut pool = builder.start(move |task| spawner.spawn(task)).await.expect("the pool starts");
        let handle = pool.handle();
        handle.set_active(false).await.expect("it lives");
        handle.learn_addresses(course.addresses()).await;
        rest(&mut course, &handle, tasks).await;
        for _ in 0..course.waves() {
            handle.set_active(true).await.expect("it lives");
            while !course.is_wave_over() {
                take(&mut course, &mut pool, tasks).await;
            }
            handle.set_active(false).await.expect("it lives");
            let last_events = async {
                // Many are closed in several turns of the pool's task; each question waits for one.
                while !handle.connections().await.is_empty() {}
                let stats = handle.stats().await;
                while course.is_behind(&stats) {
                    take(&mut course, &mut pool, tasks).await;
                }
            };
            // What is missing then is found to be missing.
            let patience = async {
                Timer::after(PATIENCE).await;
            };
            last_events.or(patience).await;
            rest(&mut course, &handle, tasks).await;
        }
        pool.shutdown().await;
        course.end()
    }

    async fn take(course: &mut EnduranceRun, pool: &mut Pool, tasks: &Tasks) {
        match pool.next().await.expect("it lives") {
            PoolEvent::Connected(connection) => {
                connection.report_ready(PeerInfo::default());
                match course.opened(connection.id()) {
                    StreamFate::Drop => drop(connection),
                    StreamFate::Disconnect => tasks.spawn(disconnect(connection, pool.handle())),
                    StreamFate::Read => tasks.spawn(read(connection)),
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
    async fn rest(course: &mut EnduranceRun, handle: &Handle, tasks: &Tasks) {
        for _ in 0..1_000_000 {
            if tasks.alive() == 1 {
                break;
            }
            yield_now().await;
        }
        let (stats, left) = (handle.stats().await, handle.connections().await.len());
        course.rest(&stats, left, tasks.alive());
    }
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use connmgr_testbed::endurance::EnduranceRun;

    let course = EnduranceRun::begin("smol, one thread");
    let tasks = run::Tasks::default();
    async_io::block_on(tasks.executor.run(run::run(course, &tasks)))
}

/// The counters are Linux's.
#[cfg(not(target_os = "linux"))]
fn main() {}
