//! The suite's rig for this adapter: a runtime of one thread, which runs while something waits.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use connmgr_core::{AddedPeer, AddressInfo, BanView, ConnId, ConnView, Connected, Input, PeerView, Reply, Stats, Time};
use connmgr_testbed::built;
use connmgr_testbed::conformance::{NextEvent, Rig, RigPool, Setup};
use connmgr_tokio::{ConnectError, Connection, Pool, Problem, Reporter, StartError, StreamWatch};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{sleep, timeout};

pub(crate) struct Tokio(Rc<Runtime>);

pub(crate) struct TokioPool {
    runtime: Rc<Runtime>,
    pool: Pool,
    held: BTreeMap<ConnId, Connection>,
    watches: BTreeMap<ConnId, StreamWatch>,
}

impl Rig for Tokio {
    type Pool = TokioPool;

    fn new() -> Self {
        // The threads that open the state are to go home before they are counted.
        let runtime = Builder::new_current_thread().enable_all().thread_keep_alive(Duration::from_millis(1)).build();
        Self(Rc::new(runtime.expect("a runtime")))
    }

    fn start(&self, setup: Setup) -> Result<TokioPool, StartError> {
        let pool = self.0.block_on(built!(Pool, setup).start())?;
        Ok(TokioPool { runtime: Rc::clone(&self.0), pool, held: BTreeMap::new(), watches: BTreeMap::new() })
    }

    fn turn(&self, time: Duration) {
        self.0.block_on(async { sleep(time).await });
    }

    fn tasks(&self) -> usize {
        self.0.metrics().num_alive_tasks()
    }

    fn wakes(&self) -> u64 {
        self.0.metrics().worker_park_count(0)
    }
}

impl TokioPool {
    fn held(&mut self, conn: ConnId) -> &mut Connection {
        self.held.get_mut(&conn).expect("a connection that was not released")
    }
}

impl RigPool for TokioPool {
    type Left = BTreeMap<ConnId, Connection>;
    type Connecting = Pin<Box<dyn Future<Output = Result<Connection, ConnectError>>>>;

    fn local_addrs(&self) -> Vec<SocketAddr> {
        self.pool.local_addrs().to_vec()
    }

    fn now(&self) -> Time {
        self.pool.now()
    }

    fn next(&mut self, within: Duration) -> NextEvent {
        let next = async {
            tokio::select! {
                biased;
                next = self.pool.next() => Some(next),
                () = given_up(within) => None,
            }
        };
        match self.runtime.block_on(next) {
            Some(Some(event)) => NextEvent::event(event, |connection| hold(&mut self.held, connection)),
            Some(None) => NextEvent::End,
            None => NextEvent::Nothing,
        }
    }

    fn turn(&mut self, time: Duration) {
        self.runtime.block_on(async { sleep(time).await });
    }

    fn ask(&mut self, command: Input) -> Reply {
        self.runtime.block_on(self.pool.handle().ask(command)).expect("a command")
    }

    fn connect(&mut self, peer: AddedPeer) -> Self::Connecting {
        let handle = self.pool.handle();
        Box::pin(async move { handle.connect(peer).await })
    }

    fn outcome(&mut self, of: &mut Self::Connecting, within: Duration) -> Option<Result<Connected, ConnectError>> {
        let outcome = self.runtime.block_on(async {
            tokio::select! {
                biased;
                outcome = of => Some(outcome),
                () = given_up(within) => None,
            }
        });
        outcome.map(|connected| connected.map(|connection| hold(&mut self.held, connection)))
    }

    fn give_up(&mut self, connecting: Self::Connecting) {
        drop(connecting);
    }

    fn learn(&mut self, addresses: Vec<AddressInfo>) {
        self.runtime.block_on(self.pool.handle().learn_addresses(addresses));
    }

    fn connections(&mut self) -> Vec<ConnView> {
        self.runtime.block_on(self.pool.handle().connections())
    }

    fn added_peers(&mut self) -> Vec<PeerView> {
        self.runtime.block_on(self.pool.handle().added_peers())
    }

    fn bans(&mut self) -> Vec<BanView> {
        self.runtime.block_on(self.pool.handle().bans())
    }

    fn stats(&mut self) -> Stats {
        self.runtime.block_on(self.pool.handle().stats())
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
        let runtime = Rc::clone(&self.runtime);
        let read = async { timeout(within, self.held(conn).read(buffer)).await };
        runtime.block_on(read).unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
    }

    fn write(&mut self, conn: ConnId, bytes: &[u8]) -> io::Result<usize> {
        let runtime = Rc::clone(&self.runtime);
        runtime.block_on(self.held(conn).write(bytes))
    }

    fn close_half(&mut self, conn: ConnId) -> io::Result<()> {
        let runtime = Rc::clone(&self.runtime);
        runtime.block_on(self.held(conn).shutdown())
    }

    fn release(&mut self, conn: ConnId) {
        self.held.remove(&conn);
        self.watches.remove(&conn);
    }

    fn shutdown(self) -> Vec<Problem> {
        self.runtime.block_on(self.pool.shutdown())
    }

    fn abandon(self) -> Self::Left {
        self.held
    }
}

/// Ready after this time. For no time it is ready at once, which a timer is not.
async fn given_up(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

fn hold(held: &mut BTreeMap<ConnId, Connection>, connection: Connection) -> Connected {
    let info = connection.info().clone();
    held.insert(info.conn, connection);
    info
}
