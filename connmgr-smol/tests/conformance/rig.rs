//! The suite's rig for this adapter: an executor with threads of its own.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::marker::PhantomData;
use std::net::{SocketAddr, TcpStream};
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_io::Timer;
use connmgr_core::{AddedPeer, AddressInfo, BanView, ConnId, ConnView, Connected, Input, PeerView, Reply, Stats, Time};
use connmgr_smol::{BoxFuture, ConnectError, Connection, Pool, Problem, Reporter, StartError, StreamWatch};
use connmgr_testbed::built;
use connmgr_testbed::conformance::{NextEvent, Rig, RigPool, Setup};
use futures_lite::{AsyncReadExt, AsyncWriteExt, FutureExt};

/// The executor of the suite.
pub(crate) trait Executor: 'static {
    fn spawn(task: BoxFuture);
    fn block_on<F: Future>(future: F) -> F::Output;
}

/// The adapter, on this executor.
pub(crate) struct OnAsyncIo<E> {
    /// How often any task was polled. Each task that has not ended holds a clone.
    polls: Arc<AtomicU64>,
    executor: PhantomData<E>,
}

pub(crate) struct SmolPool<E> {
    pool: Pool,
    held: BTreeMap<ConnId, Connection>,
    watches: BTreeMap<ConnId, StreamWatch>,
    executor: PhantomData<E>,
}

impl<E: Executor> Rig for OnAsyncIo<E> {
    type Pool = SmolPool<E>;

    fn new() -> Self {
        // The executor's threads, and async-io's, begin with the first that is asked of them.
        let (done, wait) = async_channel::bounded::<()>(1);
        E::spawn(Box::pin(async move {
            Timer::after(Duration::from_millis(1)).await;
            drop(done);
        }));
        E::block_on(async { wait.recv().await.expect_err("nothing is ever sent") });
        Self { polls: Arc::default(), executor: PhantomData }
    }

    fn start(&self, setup: Setup) -> Result<SmolPool<E>, StartError> {
        let polls = Arc::downgrade(&self.polls);
        let spawner = move |mut task: BoxFuture| {
            let polls = polls.upgrade().expect("the rig outlives its pools");
            E::spawn(Box::pin(poll_fn(move |cx| {
                polls.fetch_add(1, Ordering::SeqCst);
                task.poll(cx)
            })));
        };
        let pool = E::block_on(built!(Pool, setup).start(spawner))?;
        Ok(SmolPool { pool, held: BTreeMap::new(), watches: BTreeMap::new(), executor: PhantomData })
    }

    fn turn(&self, time: Duration) {
        E::block_on(Timer::after(time));
    }

    fn tasks(&self) -> usize {
        Arc::strong_count(&self.polls) - 1
    }

    fn wakes(&self) -> u64 {
        self.polls.load(Ordering::SeqCst)
    }
}

impl<E> SmolPool<E> {
    fn held(&mut self, conn: ConnId) -> &mut Connection {
        self.held.get_mut(&conn).expect("a connection that was not released")
    }
}

impl<E: Executor> RigPool for SmolPool<E> {
    type Left = BTreeMap<ConnId, Connection>;
    type Connecting = Pin<Box<dyn Future<Output = Result<Connection, ConnectError>>>>;

    fn local_addrs(&self) -> Vec<SocketAddr> {
        self.pool.local_addrs().to_vec()
    }

    fn now(&self) -> Time {
        self.pool.now()
    }

    fn next(&mut self, within: Duration) -> NextEvent {
        match E::block_on(in_time(within, self.pool.next())) {
            Some(Some(event)) => NextEvent::event(event, |connection| hold(&mut self.held, connection)),
            Some(None) => NextEvent::End,
            None => NextEvent::Nothing,
        }
    }

    fn turn(&mut self, time: Duration) {
        E::block_on(Timer::after(time));
    }

    fn ask(&mut self, command: Input) -> Reply {
        E::block_on(self.pool.handle().ask(command)).expect("a command")
    }

    fn connect(&mut self, peer: AddedPeer) -> Self::Connecting {
        let handle = self.pool.handle();
        Box::pin(async move { handle.connect(peer).await })
    }

    fn outcome(&mut self, of: &mut Self::Connecting, within: Duration) -> Option<Result<Connected, ConnectError>> {
        let outcome = E::block_on(in_time(within, of));
        outcome.map(|connected| connected.map(|connection| hold(&mut self.held, connection)))
    }

    fn give_up(&mut self, connecting: Self::Connecting) {
        drop(connecting);
    }

    fn learn(&mut self, addresses: Vec<AddressInfo>) {
        E::block_on(self.pool.handle().learn_addresses(addresses));
    }

    fn connections(&mut self) -> Vec<ConnView> {
        E::block_on(self.pool.handle().connections())
    }

    fn added_peers(&mut self) -> Vec<PeerView> {
        E::block_on(self.pool.handle().added_peers())
    }

    fn bans(&mut self) -> Vec<BanView> {
        E::block_on(self.pool.handle().bans())
    }

    fn stats(&mut self) -> Stats {
        E::block_on(self.pool.handle().stats())
    }

    fn reporter(&mut self, conn: ConnId) -> Reporter {
        self.held(conn).reporter()
    }

    fn local_addr(&mut self, conn: ConnId) -> io::Result<SocketAddr> {
        self.held(conn).local_addr()
    }

    fn peer_addr(&mut self, conn: ConnId) -> io::Result<SocketAddr> {
        self.held(conn).peer_addr()
    }

    fn to_std(&mut self, conn: ConnId) -> io::Result<TcpStream> {
        let (stream, watch) = self.held.remove(&conn).expect("a connection that was not released").into_std()?;
        self.watches.insert(conn, watch);
        Ok(stream)
    }

    #[cfg(unix)]
    fn socket(&mut self, conn: ConnId) -> BorrowedFd<'_> {
        (*self.held(conn)).as_fd()
    }

    fn read(&mut self, conn: ConnId, buffer: &mut [u8], within: Duration) -> io::Result<usize> {
        let read = in_time(within, self.held(conn).read(buffer));
        E::block_on(read).unwrap_or_else(|| Err(ErrorKind::TimedOut.into()))
    }

    fn write(&mut self, conn: ConnId, bytes: &[u8]) -> io::Result<usize> {
        E::block_on(self.held(conn).write(bytes))
    }

    fn close_half(&mut self, conn: ConnId) -> io::Result<()> {
        E::block_on(self.held(conn).close())
    }

    fn release(&mut self, conn: ConnId) {
        self.held.remove(&conn);
        self.watches.remove(&conn);
    }

    fn shutdown(self) -> Vec<Problem> {
        E::block_on(self.pool.shutdown())
    }

    fn abandon(self) -> Self::Left {
        self.held
    }
}

/// The future's result, if it is ready in time.
async fn in_time<F: Future>(time: Duration, future: F) -> Option<F::Output> {
    let timeout = async {
        Timer::after(time).await;
        None
    };
    async { Some(future.await) }.or(timeout).await
}

fn hold(held: &mut BTreeMap<ConnId, Connection>, connection: Connection) -> Connected {
    let info = connection.info().clone();
    held.insert(info.conn, connection);
    info
}
