//! The sockets we listen on, polled by the driver's task alone.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::task::{Context, Poll, ready};

use async_io::Async;
use connmgr_core::ListenerId;

use crate::wire::Stream;

/// All of them.
pub(crate) type Listeners = connmgr_std::adapter::Listeners<Listening>;

/// A connection that came in, or why none could.
pub(crate) type Accepted = io::Result<(Stream, SocketAddr)>;

/// One of them.
#[derive(Debug)]
pub(crate) struct Listening {
    socket: Async<TcpListener>,
    /// Nothing was there, and async-io wakes the driver's task when that changes.
    waiting: bool,
}

/// The next connection, or error, on any listener that is not paused.
pub(crate) fn poll_accept(listeners: &mut Listeners, cx: &mut Context<'_>) -> Poll<(ListenerId, Accepted)> {
    listeners.poll(|listening| listening.poll_accept(cx))
}

impl Listening {
    /// Has async-io watch a socket that does not block.
    pub(crate) fn new(socket: TcpListener) -> io::Result<Self> {
        Ok(Self { socket: Async::new_nonblocking(socket)?, waiting: false })
    }

    /// Asks the operating system only when something may be there, however often the driver's task wakes.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Accepted> {
        loop {
            if self.waiting {
                let woken = ready!(self.socket.poll_readable(cx));
                self.waiting = false;
                woken?;
            }
            match self.socket.get_ref().accept() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.waiting = true,
                Err(error) => return Poll::Ready(Err(error)),
                Ok((stream, remote)) => {
                    return Poll::Ready(Async::new(stream).map(|stream| (Stream(stream), remote)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::net::{Ipv4Addr, TcpStream};

    use futures_lite::future::{block_on, poll_once};

    use super::*;

    #[test]
    fn who_comes_while_nobody_waits_is_met_by_the_next_look() {
        let (mut listeners, id) = (Listeners::default(), ListenerId(1));
        let socket = Async::<TcpListener>::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.get_ref().local_addr().unwrap();
        listeners.push(id, Listening { socket, waiting: false });
        let nothing = block_on(poll_once(poll_fn(|cx| poll_accept(&mut listeners, cx))));
        assert!(nothing.is_none());
        let _stream = TcpStream::connect(address).unwrap();
        assert_eq!(block_on(poll_fn(|cx| poll_accept(&mut listeners, cx))).0, id);
    }
}
