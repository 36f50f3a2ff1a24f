//! What the suite wants of an adapter: a pool that can be used from one thread that blocks.
//!
//! A pool need not go on by itself: it is only sure to run inside the calls that say for how long.

use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::os::fd::BorrowedFd;
use std::time::Duration;

use connmgr_core::{AddressInfo, BanView, ConnId, ConnView, Connected, Input, PeerView, Reply, Stats, Time};
use connmgr_std::{PoolEvent, Problem, Reporter, StartError};

use super::Setup;

/// An adapter and its runtime.
pub trait Rig {
    /// A pool of the adapter's, and its application.
    type Pool: RigPool;

    /// Starts the runtime and all the threads that it will have.
    fn new() -> Self;

    /// Starts a pool.
    ///
    /// # Errors
    /// As the builder's `start`.
    fn start(&self, setup: Setup) -> Result<Self::Pool, StartError>;

    /// Lets the runtime run for so long.
    fn turn(&self, time: Duration);

    /// Tasks of pools that have not ended.
    fn tasks(&self) -> usize;

    /// How often pools were woken so far, for whatever reason, those who wait for their events included.
    fn wakes(&self) -> u64;
}

/// A pool, and the application that holds its connections.
pub trait RigPool {
    /// What the application is left with when the pool is gone.
    type Left;

    /// Where it listens.
    fn local_addrs(&self) -> Vec<SocketAddr>;

    /// The time by which it counts.
    fn now(&self) -> Time;

    /// The next event, waited for at most so long; for no time, it is asked for once. The
    /// application holds each connection until it is released.
    fn next(&mut self, within: Duration) -> NextEvent;

    /// Lets the pool run for so long; no event is lost.
    fn turn(&mut self, time: Duration);

    /// Gives the pool a command.
    fn ask(&mut self, command: Input) -> Reply;

    /// Reports addresses of the application's own to the pool.
    fn learn(&mut self, addresses: Vec<AddressInfo>);

    /// Its connections and dials.
    fn connections(&mut self) -> Vec<ConnView>;

    /// Its added peers.
    fn added_peers(&mut self) -> Vec<PeerView>;

    /// Its bans.
    fn bans(&mut self) -> Vec<BanView>;

    /// Its counters.
    fn stats(&mut self) -> Stats;

    /// What tells facts of a connection that the application holds.
    fn reporter(&mut self, conn: ConnId) -> Reporter;

    /// Our own end of a connection.
    ///
    /// # Errors
    /// What the stream says.
    fn local_addr(&mut self, conn: ConnId) -> io::Result<SocketAddr>;

    /// The socket of a connection.
    #[cfg(unix)]
    fn socket(&mut self, conn: ConnId) -> BorrowedFd<'_>;

    /// Reads what there is, waited for at most so long. No event is lost meanwhile.
    ///
    /// # Errors
    /// What the stream says; `TimedOut` when nothing came.
    fn read(&mut self, conn: ConnId, buffer: &mut [u8], within: Duration) -> io::Result<usize>;

    /// Writes as much as goes at once.
    ///
    /// # Errors
    /// What the stream says.
    fn write(&mut self, conn: ConnId, bytes: &[u8]) -> io::Result<usize>;

    /// Closes our half of a connection.
    ///
    /// # Errors
    /// What the stream says.
    fn close_half(&mut self, conn: ConnId) -> io::Result<()>;

    /// Lets go of a connection.
    fn release(&mut self, conn: ConnId);

    /// Shuts down, waits for the end, and drops all. What went wrong and was not taken as an event.
    fn shutdown(self) -> Vec<Problem>;

    /// Drops the pool; the application keeps what it holds.
    fn abandon(self) -> Self::Left;
}

/// What may come of waiting for an event.
#[derive(Debug)]
pub enum NextEvent {
    /// This.
    Event(PoolEvent<Connected>),
    /// Nothing in that time.
    Nothing,
    /// Nothing ever: the pool has stopped, and every event is taken.
    End,
}

impl NextEvent {
    /// An adapter's event, the connection of which goes to the application: `hold` takes it and says what is known of
    /// it.
    pub fn event<C>(event: PoolEvent<C>, hold: impl FnOnce(C) -> Connected) -> Self {
        Self::Event(match event {
            PoolEvent::Connected(connection) => PoolEvent::Connected(hold(connection)),
            PoolEvent::RetryScheduled { peer, at, attempt } => PoolEvent::RetryScheduled { peer, at, attempt },
            PoolEvent::Event(event) => PoolEvent::Event(event),
            PoolEvent::Problem(problem) => PoolEvent::Problem(problem),
            _ => panic!("an event of a new kind"),
        })
    }
}

/// Puts a pool together as a [`Setup`] says: every adapter's builder has the same names.
#[macro_export]
macro_rules! built {
    ($pool:ty, $setup:expr) => {{
        let setup: $crate::conformance::Setup = $setup;
        let mut builder = <$pool>::builder(setup.config).rng_seed(setup.rng_seed);
        for listen in setup.listen {
            builder = builder.listen_with(listen.address, listen.network, listen.permissions);
        }
        if let Some(path) = setup.state_dir {
            builder = builder.state_dir(path);
        }
        if let Some(path) = setup.trace {
            builder = builder.trace(path);
        }
        if let Some(proxy) = setup.proxy {
            builder = builder.proxy(proxy);
        }
        if let Some(resolver) = setup.resolver {
            builder = builder.resolver(resolver);
        }
        builder
    }};
}
