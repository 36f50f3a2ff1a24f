//! What an adapter implements for the suite: a pool used from one thread that blocks.
//!
//! A pool need not run by itself: it runs at least inside the calls that have a duration.

use std::io;
use std::net::{SocketAddr, TcpStream};
#[cfg(unix)]
use std::os::fd::BorrowedFd;
use std::time::Duration;

use connmgr_core::{AddedPeer, AddressInfo, BanView, ConnId, ConnView, Connected, Input, PeerView, Reply, Stats, Time};
use connmgr_std::{ConnectError, PoolEvent, Problem, Reporter, StartError};

use super::Setup;

/// An adapter and its runtime.
pub trait Rig {
    /// A pool of the adapter, with its application.
    type Pool: RigPool;

    /// Starts the runtime with all its threads.
    fn new() -> Self;

    /// Starts a pool.
    ///
    /// # Errors
    /// As the builder's `start`.
    fn start(&self, setup: Setup) -> Result<Self::Pool, StartError>;

    /// Runs the runtime for so long.
    fn turn(&self, time: Duration);

    /// Tasks of pools that have not ended.
    fn tasks(&self) -> usize;

    /// How often the tasks of pools, and those that wait for their events, were woken so far.
    fn wakes(&self) -> u64;
}

/// A pool, and the application that holds its connections.
pub trait RigPool {
    /// What the application still holds when the pool is gone.
    type Left;

    /// A connection that was asked for.
    type Connecting;

    /// The addresses it listens on.
    fn local_addrs(&self) -> Vec<SocketAddr>;

    /// Its monotonic time.
    fn now(&self) -> Time;

    /// The next event, waited for at most so long; for no time, polled once. The application holds each connection
    /// until it is released.
    fn next(&mut self, within: Duration) -> NextEvent;

    /// Runs the pool for so long; no event is lost.
    fn turn(&mut self, time: Duration);

    /// Gives the pool a command.
    fn ask(&mut self, command: Input) -> Reply;

    /// Asks for a connection to this peer, once and now.
    fn connect(&mut self, peer: AddedPeer) -> Self::Connecting;

    /// What came of it, waited for at most so long; for no time, polled once. The application holds the connection until it is released. No event
    /// is lost meanwhile.
    fn outcome(&mut self, of: &mut Self::Connecting, within: Duration) -> Option<Result<Connected, ConnectError>>;

    /// Asks for it no longer.
    fn give_up(&mut self, connecting: Self::Connecting);

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

    /// Reports facts about a connection that the application holds.
    fn reporter(&mut self, conn: ConnId) -> Reporter;

    /// The address of our end of a connection.
    ///
    /// # Errors
    /// What the stream reports.
    fn local_addr(&mut self, conn: ConnId) -> io::Result<SocketAddr>;

    /// The address of the other end of a connection's socket.
    ///
    /// # Errors
    /// What the stream reports.
    fn peer_addr(&mut self, conn: ConnId) -> io::Result<SocketAddr>;

    /// The stream of a connection, to be read and written by somebody else until the connection is released. The
    /// application holds what stands for it.
    ///
    /// # Errors
    /// What the stream reports.
    fn to_std(&mut self, conn: ConnId) -> io::Result<TcpStream>;

    /// The socket of a connection.
    #[cfg(unix)]
    fn socket(&mut self, conn: ConnId) -> BorrowedFd<'_>;

    /// Reads what there is, waited for at most so long. No event is lost meanwhile.
    ///
    /// # Errors
    /// What the stream reports; `TimedOut` if nothing came.
    fn read(&mut self, conn: ConnId, buffer: &mut [u8], within: Duration) -> io::Result<usize>;

    /// Writes as much as goes at once.
    ///
    /// # Errors
    /// What the stream reports.
    fn write(&mut self, conn: ConnId, bytes: &[u8]) -> io::Result<usize>;

    /// Closes our half of a connection.
    ///
    /// # Errors
    /// What the stream reports.
    fn close_half(&mut self, conn: ConnId) -> io::Result<()>;

    /// Drops a connection.
    fn release(&mut self, conn: ConnId);

    /// Shuts down, waits for the end, and drops everything. Returns the problems that were not taken as events.
    fn shutdown(self) -> Vec<Problem>;

    /// Drops the pool; the application keeps what it holds.
    fn abandon(self) -> Self::Left;
}

/// The result of waiting for an event.
#[derive(Debug)]
pub enum NextEvent {
    /// An event.
    Event(PoolEvent<Connected>),
    /// Nothing in that time.
    Nothing,
    /// The pool has stopped, and every event is taken.
    End,
}

impl NextEvent {
    /// An adapter's event. `hold` takes its connection for the application, and returns its info.
    pub fn event<C>(event: PoolEvent<C>, hold: impl FnOnce(C) -> Connected) -> Self {
        Self::Event(match event {
            PoolEvent::Connected(connection) => PoolEvent::Connected(hold(connection)),
            PoolEvent::RetryScheduled { peer, tag, at, attempt } => {
                PoolEvent::RetryScheduled { peer, tag, at, attempt }
            }
            PoolEvent::Event(event) => PoolEvent::Event(event),
            PoolEvent::Problem(problem) => PoolEvent::Problem(problem),
            _ => panic!("an event of a new kind"),
        })
    }
}

/// A builder with this [`Setup`]: the builders of all adapters have the same methods.
#[macro_export]
macro_rules! built {
    ($pool:ty, $setup:expr) => {{
        let setup: $crate::conformance::Setup = $setup;
        let mut builder = <$pool>::builder(setup.config).rng_seed(setup.rng_seed);
        for listen in setup.listen {
            builder = builder.listen_with(listen.address, listen.network, listen.permissions);
        }
        if let Some(listener) = setup.listener {
            builder = builder.listener(listener.try_clone().expect("a descriptor"));
        }
        if let Some(prepare) = setup.on_socket {
            builder = builder.on_socket(move |socket, address| prepare.call(socket, address));
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
