//! Listening sockets.
//!
//! Events are edge-triggered: one is remembered until the operating system's queue was seen empty.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::task::Poll;

use mio::Registry;
use mio::net::{TcpListener, TcpStream};

/// The listeners of a pool.
pub(crate) type PolledListeners = connmgr_std::adapter::Listeners<PolledListener>;

/// An inbound connection, or why none could be accepted.
pub(crate) type Accepted = io::Result<(TcpStream, SocketAddr)>;

/// A listening socket.
#[derive(Debug)]
pub(crate) struct PolledListener {
    socket: TcpListener,
    /// A connection may be waiting.
    ready: bool,
}

impl PolledListener {
    /// The caller has registered the socket.
    pub(crate) const fn new(socket: TcpListener) -> Self {
        Self { socket, ready: false }
    }

    /// Notes an event.
    pub(crate) const fn note_event(&mut self) {
        self.ready = true;
    }

    /// Whether [`PolledListener::poll_accept`] may have a connection without another event.
    pub(crate) const fn is_ready(&self) -> bool {
        self.ready
    }

    /// The next connection, or error; pending if none waits.
    pub(crate) fn poll_accept(&mut self) -> Poll<Accepted> {
        if !self.ready {
            return Poll::Pending;
        }
        match self.socket.accept() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.ready = false;
                Poll::Pending
            }
            accepted => Poll::Ready(accepted),
        }
    }

    /// Stops listening.
    pub(crate) fn close(mut self, registry: &Registry) {
        // It is dropped next, which deregisters it as well.
        let _ = registry.deregister(&mut self.socket);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// A listener, with as many connections waiting, each of which was an event.
    fn listening(waiting: usize) -> (PolledListener, Vec<std::net::TcpStream>) {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let connect = |_| std::net::TcpStream::connect(socket.local_addr().unwrap()).unwrap();
        let streams = (0..waiting).map(connect).collect();
        let mut listening = PolledListener::new(socket);
        listening.note_event();
        (listening, streams)
    }

    #[test]
    fn one_event_holds_until_nobody_waits() {
        let (mut listening, _streams) = listening(2);
        for _ in 0..2 {
            assert!(listening.is_ready() && listening.poll_accept().is_ready());
        }
        assert!(listening.is_ready() && listening.poll_accept().is_pending());
        assert!(!listening.is_ready());
    }
}
