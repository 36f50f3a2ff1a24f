//! Shared by the stories.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use connmgr_core::{AddedPeer, Backoff, Config, Growth, Mode, PeerId, Ranges, Rate};
use connmgr_tokio::{Builder, Connection, Pool, PoolEvent};
use tokio::net::{TcpListener, TcpStream};

/// The wait before the first retry.
pub(crate) const BACKOFF: Duration = Duration::from_millis(30);

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits, but not for ever.
pub(crate) async fn within<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what}: did not happen"))
}

/// Added peers only, retried soon, on loopback.
pub(crate) fn config() -> Config {
    let retry =
        Backoff { growth: Growth::Exponential, base: BACKOFF, cap: 10 * BACKOFF, jitter: false, ..Backoff::default() };
    let mut config = Config {
        mode: Mode::ConnectOnly,
        retry,
        ranges: Ranges { loopback: true, ..Ranges::default() },
        ..Config::default()
    };
    config.inbound.rate = Rate { burst: 1000, interval: Duration::ZERO };
    config.limits.added = 32;
    config
}

pub(crate) fn builder(config: Config) -> Builder {
    Pool::builder(config).rng_seed([7; 32])
}

pub(crate) async fn start(builder: Builder) -> Pool {
    builder.start().await.expect("the pool starts")
}

pub(crate) const ANY_PORT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// A peer that listens, and its address.
pub(crate) async fn peer() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(ANY_PORT).await.expect("a port of loopback");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

pub(crate) async fn add(pool: &Pool, address: impl ToString) -> PeerId {
    let address = address.to_string().parse().expect("an address");
    within("add_peer", pool.handle().add_peer(AddedPeer::new(address))).await.expect("added")
}

pub(crate) async fn accept(listener: &TcpListener) -> TcpStream {
    within("a dial arrives", listener.accept()).await.expect("accepted").0
}

/// The first event that `pick` selects; earlier ones are dropped.
pub(crate) async fn event<T>(pool: &mut Pool, what: &str, mut pick: impl FnMut(PoolEvent) -> Option<T>) -> T {
    within(what, async {
        loop {
            let event = pool.next().await.unwrap_or_else(|| panic!("{what}: the pool has ended"));
            if let Some(picked) = pick(event) {
                return picked;
            }
        }
    })
    .await
}

pub(crate) async fn connected(pool: &mut Pool) -> Connection {
    event(pool, "Connected", |event| match event {
        PoolEvent::Connected(connection) => Some(connection),
        _ => None,
    })
    .await
}
