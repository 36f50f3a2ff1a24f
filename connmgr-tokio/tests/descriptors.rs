//! A process without descriptors: in a process of its own, for the limit holds for all of it.
#![cfg(unix)]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use connmgr_core::{Action, Config, Mode};
use connmgr_std::{Line, TraceReader};
use connmgr_tokio::{Pool, PoolEvent};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpSocket;

/// Lets the process open nothing more, or as much as before.
fn limit_descriptors(to: Option<u64>) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: to.or(maximum), maximum }).expect("lowering is allowed");
}

#[tokio::test]
async fn a_listener_without_descriptors_pauses_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    let config = Config { mode: Mode::ConnectOnly, ..Config::default() };
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut pool = Pool::builder(config).listen(listen).trace(&trace).start().await.unwrap();
    let client = TcpSocket::new_v4().unwrap();
    limit_descriptors(Some(0));
    let _client = client.connect(pool.local_addrs()[0]).await.unwrap();
    let metrics = tokio::runtime::Handle::current().metrics();
    let busy = metrics.worker_total_busy_duration(0);
    let nobody = tokio::time::timeout(Duration::from_millis(120), pool.next()).await;
    let busy = metrics.worker_total_busy_duration(0) - busy;
    limit_descriptors(None);
    assert!(nobody.is_err(), "{nobody:?}");
    assert!(busy < Duration::from_millis(60), "busy for {busy:?}");

    let connected = tokio::time::timeout(Duration::from_secs(20), pool.next()).await.expect("accepted in the end");
    assert!(matches!(connected, Some(PoolEvent::Connected(_))), "{connected:?}");
    let problems = pool.shutdown().await;
    assert!(problems.is_empty(), "{problems:?}");
    let pauses =
        TraceReader::open(&trace).unwrap().filter(|line| matches!(line, Ok(Line::Action(Action::PauseAccept { .. }))));
    assert!((1..=8).contains(&pauses.count()));
}
