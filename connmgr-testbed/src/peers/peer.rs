//! A peer that listens.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use crate::peers::{PeerStream, free_port};

/// A peer that listens on a port of loopback. The operating system completes connections for it; nothing is sent on one
/// before [`TestPeer::accept`]. Once it is dropped, connections are refused, and those that were not accepted are
/// reset.
#[derive(Debug)]
pub struct TestPeer {
    listener: TcpListener,
    address: SocketAddr,
}

impl TestPeer {
    /// A peer on any free port.
    pub fn listen() -> Self {
        Self::listen_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    /// A peer on this port, where one may have been before.
    pub fn listen_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).expect("a port of loopback");
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("bound");
        Self { listener, address }
    }

    /// An address that refuses connections, until somebody listens there.
    pub fn nobody() -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()))
    }

    /// The address it listens on.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection, if one waits.
    pub fn accept(&self) -> Option<PeerStream> {
        match self.listener.accept() {
            Ok((stream, _)) => Some(PeerStream::new(stream)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            // The connection has ended already.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => None,
            Err(error) => panic!("accept: {error}"),
        }
    }
}
