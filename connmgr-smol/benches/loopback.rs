//! The pool against a bare connect loop on async-io, on loopback: see `connmgr_testbed::race`. The figures are in the
//! README.

#[cfg(target_os = "linux")]
mod racer {
    use std::net::{SocketAddr, TcpStream};
    use std::sync::Arc;
    use std::sync::mpsc::Sender;

    use async_io::{Async, block_on};
    use connmgr_core::{AddedPeer, Event, PeerInfo};
    use connmgr_smol::{BoxFuture, Connection, Pool, PoolEvent};
    use connmgr_testbed::race::{DialCounts, RaceTrial, Racer, Sample, Stopwatch, WAITING_EVENTS};
    use smol::{Executor, Task};

    pub(super) struct Smol;

    /// Everything runs on one thread, that of the test.
    type Tasks = Arc<Executor<'static>>;

    impl Racer for Smol {
        const RUNTIME: &'static str = "smol, one thread";

        fn bare(&self, to: &[SocketAddr], width: u32) -> (Sample, DialCounts) {
            let tasks = Tasks::default();
            block_on(tasks.run(bare(&tasks, to, width as usize)))
        }

        fn pool(&self, trial: RaceTrial) -> (Sample, DialCounts) {
            let tasks = Tasks::default();
            block_on(tasks.run(async {
                let (pool, streams, ended, sample) = fill(&tasks, trial).await;
                pool.shutdown().await;
                drop(streams);
                (sample, ended)
            }))
        }

        fn hold(&self, trial: RaceTrial, full: Sender<()>) {
            let tasks = Tasks::default();
            block_on(tasks.run(async {
                let (mut pool, _streams, ..) = fill(&tasks, trial).await;
                full.send(()).expect("somebody waits for it");
                while pool.next().await.is_some() {}
            }));
        }
    }

    type Dialed = std::io::Result<Async<TcpStream>>;

    async fn bare(tasks: &Tasks, to: &[SocketAddr], width: usize) -> (Sample, DialCounts) {
        let (mut streams, mut ended) = (Vec::with_capacity(to.len()), DialCounts::default());
        let watch = Stopwatch::start();
        let (done, dialed) = async_channel::unbounded::<Dialed>();
        let dial = |address| -> Task<()> {
            let done = done.clone();
            tasks.spawn(async move {
                // The caller waits for it.
                let _ = done.try_send(connect(address).await);
            })
        };
        let mut left = to.iter().copied();
        left.by_ref().take(width).for_each(|address| dial(address).detach());
        for _ in to {
            let result = dialed.recv().await.expect("the sender is ours");
            if let Some(address) = left.next() {
                dial(address).detach();
            }
            match result {
                Ok(stream) => {
                    streams.push(stream);
                    ended.opened += 1;
                }
                Err(_) => ended.failed += 1,
            }
        }
        (watch.stop(ended.opened + ended.failed), ended)
    }

    async fn connect(address: SocketAddr) -> Dialed {
        let stream = Async::<TcpStream>::connect(address).await?;
        stream.get_ref().set_nodelay(true)?;
        Ok(stream)
    }

    async fn fill(tasks: &Tasks, trial: RaceTrial) -> (Pool, Vec<Connection>, DialCounts, Sample) {
        let spawner = Arc::clone(tasks);
        let spawn = move |task: BoxFuture| spawner.spawn(task).detach();
        let mut pool =
            Pool::builder(trial.config).max_waiting_events(WAITING_EVENTS).start(spawn).await.expect("the pool starts");
        let handle = pool.handle();
        handle.set_active(false).await.expect("it lives");
        for peer in trial.peers {
            handle.add_peer(AddedPeer::new(peer).keep(trial.keep)).await.expect("there is room");
        }
        handle.learn_addresses(trial.addresses).await;
        let (mut streams, mut ended) = (Vec::with_capacity(2000), DialCounts::default());
        let watch = Stopwatch::start();
        handle.set_active(true).await.expect("it lives");
        while !ended.is_at(trial.goal) {
            match pool.next().await.expect("it lives") {
                PoolEvent::Connected(stream) => {
                    stream.report_ready(PeerInfo::default());
                    streams.push(stream);
                    ended.opened += 1;
                }
                PoolEvent::Event(Event::DialFailed { .. }) => ended.failed += 1,
                _ => {}
            }
        }
        (pool, streams, ended, watch.stop(ended.opened + ended.failed))
    }
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    connmgr_testbed::race::run(racer::Smol)
}

/// The counters are Linux's.
#[cfg(not(target_os = "linux"))]
fn main() {}
