//! Shared by the tests of this crate: a runtime of one thread, a waker that counts, and sockets on which nothing
//! happens.

#[path = "../tests/common/mod.rs"]
pub(crate) mod common;

use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use connmgr_core::{ConnId, HostName, Isolation, ListenerId, LookupId, Time};

use crate::adapter::{SocketTarget, Sockets, Wire};

/// Runs a future on this thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// Counts how often it was woken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count(Arc<Woken>);

#[derive(Debug, Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    pub(crate) fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.0))
    }

    pub(crate) fn get(&self) -> usize {
        self.0.0.load(Ordering::SeqCst)
    }
}

/// Sockets that neither dial nor listen.
#[derive(Debug, Default)]
pub(crate) struct NoSockets {
    /// The connections from which bytes were read.
    pub(crate) heard: Vec<ConnId>,
}

impl Sockets for NoSockets {
    fn dial(&mut self, _: ConnId, _: SocketTarget) {}
    fn abort(&mut self, _: ConnId) {}
    fn close(&mut self, _: ConnId) {}
    fn note_dropped(&mut self, _: ConnId) -> bool {
        true
    }
    fn take_heard(&mut self) -> Vec<ConnId> {
        std::mem::take(&mut self.heard)
    }
    fn resolve(&mut self, _: LookupId, _: &HostName, _: SocketAddr, _: Isolation, _: Time) {}
    fn pause_accept(&mut self, _: ListenerId, _: Time) {}
    fn handle_timeout(&mut self, _: Time) {}
    fn poll_timeout(&self) -> Option<Time> {
        None
    }
    fn stop(&mut self) {}
}

/// A stream that has ended.
#[derive(Debug)]
pub(crate) struct NoWire;

impl Wire for NoWire {
    async fn connect(_: SocketAddr) -> io::Result<Self> {
        Ok(Self)
    }
    async fn connecting(_: TcpStream) -> io::Result<Self> {
        Ok(Self)
    }
    async fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
    async fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Ok(0)
    }
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Err(ErrorKind::Unsupported.into())
    }
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Err(ErrorKind::Unsupported.into())
    }
    fn to_std(&self) -> io::Result<TcpStream> {
        Err(ErrorKind::Unsupported.into())
    }
    fn peek(&self) -> io::Result<usize> {
        Ok(0)
    }
    fn set_nodelay(&self) -> io::Result<()> {
        Ok(())
    }
    fn shutdown(&self, _: Shutdown) -> io::Result<()> {
        Ok(())
    }
}
