//! A peer whose host drops connection attempts without an answer.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use crate::peers::PeerStream;

/// The most connections that may fill the queue: a backlog of one, and what the operating system adds.
const MAX_FILL: usize = 8;

/// Far longer than a connection on loopback takes.
const FILL_WITHIN: Duration = Duration::from_millis(50);

/// A peer whose backlog is full, so that the operating system drops the first packet of each further dial, as Linux
/// does.
#[derive(Debug)]
pub struct Silent {
    listener: TcpListener,
    address: SocketAddr,
    fill: Vec<TcpStream>,
}

impl Silent {
    /// A peer that answers no dial until it [wakes](Self::wake).
    pub fn listen() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SockAddr::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))).expect("a port of loopback");
        socket.listen(0).expect("a socket");
        let listener = TcpListener::from(socket);
        let address = listener.local_addr().expect("bound");
        let fill: Vec<_> = std::iter::from_fn(|| fill(address)).take(MAX_FILL).collect();
        assert!(fill.len() < MAX_FILL, "its queue does not fill");
        listener.set_nonblocking(true).expect("a socket");
        Self { listener, address, fill }
    }

    /// The address it listens on.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Empties its backlog: from now on it answers.
    pub fn wake(&mut self) {
        for _ in self.fill.drain(..) {
            self.listener.accept().expect("one that is in the queue");
        }
    }

    /// The next connection, if one waits.
    pub fn accept(&self) -> Option<PeerStream> {
        match self.listener.accept() {
            Ok((stream, _)) => Some(PeerStream::new(stream)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => panic!("accept: {error}"),
        }
    }
}

/// One more connection in its backlog; none if it is full.
fn fill(address: SocketAddr) -> Option<TcpStream> {
    match TcpStream::connect_timeout(&address, FILL_WITHIN) {
        Ok(stream) => Some(stream),
        Err(error) if error.kind() == ErrorKind::TimedOut => None,
        Err(error) => panic!("connect: {error}"),
    }
}
