//! The pool against tokio's bare connect loop, on loopback: see `connmgr_testbed::race`. The figures are in the README.

#[cfg(target_os = "linux")]
mod racer {
    use std::net::SocketAddr;
    use std::sync::mpsc::Sender;

    use connmgr_core::{AddedPeer, Event, PeerInfo};
    use connmgr_testbed::race::{DialCounts, RaceTrial, Racer, Sample, Stopwatch, WAITING_EVENTS};
    use connmgr_tokio::{Connection, Pool, PoolEvent};
    use tokio::net::TcpStream;
    use tokio::runtime::{Builder, Runtime};
    use tokio::task::JoinSet;

    pub(super) struct Tokio;

    impl Racer for Tokio {
        const RUNTIME: &'static str = "tokio, one thread";

        fn bare(&self, to: &[SocketAddr], width: u32) -> (Sample, DialCounts) {
            runtime().block_on(bare(to, width as usize))
        }

        fn pool(&self, trial: RaceTrial) -> (Sample, DialCounts) {
            runtime().block_on(async {
                let (pool, streams, ended, sample) = fill(trial).await;
                pool.shutdown().await;
                drop(streams);
                (sample, ended)
            })
        }

        fn hold(&self, trial: RaceTrial, full: Sender<()>) {
            runtime().block_on(async {
                let (mut pool, _streams, ..) = fill(trial).await;
                full.send(()).expect("somebody waits for it");
                while pool.next().await.is_some() {}
            });
        }
    }

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_all().build().expect("a runtime")
    }

    async fn bare(to: &[SocketAddr], width: usize) -> (Sample, DialCounts) {
        let (mut streams, mut ended) = (Vec::with_capacity(to.len()), DialCounts::default());
        let watch = Stopwatch::start();
        let mut dials = JoinSet::new();
        let mut left = to.iter().copied();
        left.by_ref().take(width).for_each(|address| drop(dials.spawn(connect(address))));
        while let Some(done) = dials.join_next().await {
            if let Some(address) = left.next() {
                dials.spawn(connect(address));
            }
            match done.expect("no dial panics") {
                Ok(stream) => {
                    streams.push(stream);
                    ended.opened += 1;
                }
                Err(_) => ended.failed += 1,
            }
        }
        (watch.stop(ended.opened + ended.failed), ended)
    }

    async fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn fill(trial: RaceTrial) -> (Pool, Vec<Connection>, DialCounts, Sample) {
        let mut pool =
            Pool::builder(trial.config).max_waiting_events(WAITING_EVENTS).start().await.expect("the pool starts");
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
    connmgr_testbed::race::run(racer::Tokio)
}

/// The counters are Linux's.
#[cfg(not(target_os = "linux"))]
fn main() {}
