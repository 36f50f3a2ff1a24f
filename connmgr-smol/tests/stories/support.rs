//! Shared by the stories.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use async_io::{Async, Timer};
use connmgr_core::{AddedPeer, Backoff, Config, Growth, Mode, PeerId, Ranges, Rate};
use connmgr_smol::{BoxFuture, Builder, Connection, Pool, PoolEvent, Spawn};
use futures_lite::FutureExt;
pub(crate) use futures_lite::future::yield_now;

use crate::runtime;

pub(crate) type Listener = Async<TcpListener>;
pub(crate) type Stream = Async<TcpStream>;

/// Runs a story to its end.
pub(crate) fn run(story: impl Future<Output = ()>) {
    runtime::block_on(story);
}

/// The spawner that the pool is given.
pub(crate) fn spawner() -> impl Spawn {
    runtime::spawn
}

/// The tasks of one pool. Each task that has not ended holds a clone.
#[derive(Clone, Default)]
pub(crate) struct Tasks(Arc<()>);

impl Tasks {
    /// Counts the tasks that this spawner spawns.
    pub(crate) fn spawner(&self) -> impl Spawn + use<> {
        let tasks = Arc::downgrade(&self.0);
        move |task: BoxFuture| {
            let alive = tasks.upgrade();
            runtime::spawn(Box::pin(async move {
                task.await;
                drop(alive);
            }));
        }
    }

    /// How many have not ended.
    fn alive(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }

    /// Waits until so many are left.
    pub(crate) async fn are(&self, count: usize) {
        within("so many tasks are left", async {
            while self.alive() != count {
                yield_now().await;
            }
        })
        .await;
    }
}

/// The wait before the first retry.
pub(crate) const BACKOFF: Duration = Duration::from_millis(30);

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits, but not for ever.
pub(crate) async fn within<F: Future>(what: &str, future: F) -> F::Output {
    let timeout = async {
        Timer::after(PATIENCE).await;
        panic!("{what}: did not happen")
    };
    future.or(timeout).await
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
    builder.start(spawner()).await.expect("the pool starts")
}

pub(crate) const ANY_PORT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// A peer that listens, and its address.
pub(crate) async fn peer() -> (Listener, SocketAddr) {
    let listener = Listener::bind(ANY_PORT).expect("a port of loopback");
    let address = listener.get_ref().local_addr().expect("bound");
    (listener, address)
}

pub(crate) async fn add(pool: &Pool, address: impl ToString) -> PeerId {
    let address = address.to_string().parse().expect("an address");
    within("add_peer", pool.handle().add_peer(AddedPeer::new(address))).await.expect("added")
}

pub(crate) async fn accept(listener: &Listener) -> Stream {
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
