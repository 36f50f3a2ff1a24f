//! A process without descriptors: in a process of its own, for the limit holds for all of it.
#![cfg(unix)]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_io::Timer;
use connmgr_core::{Action, Config, Mode};
use connmgr_smol::{BoxFuture, Pool, PoolEvent};
use connmgr_std::{Line, TraceReader};
use futures_lite::FutureExt;
use futures_lite::future::poll_fn;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};

/// Lets the process open nothing more, or as much as before.
fn limit_descriptors(to: Option<u64>) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: to.or(maximum), maximum }).expect("lowering is allowed");
}

/// Spawns, and counts how often a task is woken.
fn counting(turns: &Arc<AtomicUsize>) -> impl Fn(BoxFuture) + use<> {
    let turns = Arc::clone(turns);
    move |mut task| {
        let turns = Arc::clone(&turns);
        let counted = poll_fn(move |cx| {
            turns.fetch_add(1, Ordering::SeqCst);
            task.poll(cx)
        });
        smol::spawn(counted).detach();
    }
}

async fn next_within(pool: &mut Pool, wait: Duration) -> Option<PoolEvent> {
    let timeout = async {
        Timer::after(wait).await;
        None
    };
    pool.next().or(timeout).await
}

#[test]
fn a_listener_without_descriptors_pauses_and_comes_back() {
    smol::block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let trace = dir.path().join("trace");
        let config = Config { mode: Mode::ConnectOnly, ..Config::default() };
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let turns = Arc::default();
        let mut pool = Pool::builder(config).listen(listen).trace(&trace).start(counting(&turns)).await.unwrap();
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        limit_descriptors(Some(0));
        client.connect(&pool.local_addrs()[0].into()).unwrap();
        let nobody = next_within(&mut pool, Duration::from_millis(120)).await;
        let turns = turns.load(Ordering::SeqCst);
        limit_descriptors(None);
        assert!(nobody.is_none(), "{nobody:?}");
        assert!((1..=20).contains(&turns), "{turns} turns");

        let connected = next_within(&mut pool, Duration::from_secs(20)).await;
        assert!(matches!(connected, Some(PoolEvent::Connected(_))), "{connected:?}");
        let problems = pool.shutdown().await;
        assert!(problems.is_empty(), "{problems:?}");
        let pauses = TraceReader::open(&trace)
            .unwrap()
            .filter(|line| matches!(line, Ok(Line::Action(Action::PauseAccept { .. }))));
        assert!((1..=8).contains(&pauses.count()));
    });
}
