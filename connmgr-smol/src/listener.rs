//! The sockets we listen on, polled by the driver task alone, and their pauses.
//!
//! Accepting stops for as long as the driver task is busy: the operating system's queue is the only queue. Whether a
//! connection may stay is not decided here.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::task::{Context, Poll, ready};

use async_io::Async;
use connmgr_core::{ListenerId, Time};

use crate::connection::Stream;

/// A connection that came in, or why none could.
pub(crate) type Accepted = io::Result<(Stream, SocketAddr)>;

/// All the sockets we listen on.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    all: Vec<Listening>,
    /// The one that is asked first next time, so that a busy one starves none.
    first: usize,
}

#[derive(Debug)]
struct Listening {
    id: ListenerId,
    socket: Async<TcpListener>,
    /// Nothing was there, and async-io wakes the driver task when that changes.
    waiting: bool,
    paused_until: Option<Time>,
}

impl Listeners {
    /// Listens on one more socket.
    pub(crate) fn push(&mut self, id: ListenerId, socket: Async<TcpListener>) {
        self.all.push(Listening { id, socket, waiting: false, paused_until: None });
    }

    /// Accepts nothing on this listener until then.
    pub(crate) fn pause(&mut self, id: ListenerId, until: Time) {
        for listening in self.all.iter_mut().filter(|listening| listening.id == id) {
            listening.paused_until = Some(until);
        }
    }

    /// Ends the pauses that are over.
    pub(crate) fn resume(&mut self, now: Time) {
        for listening in &mut self.all {
            listening.paused_until.take_if(|until| *until <= now);
        }
    }

    /// When the next pause is over.
    pub(crate) fn next_resume(&self) -> Option<Time> {
        self.all.iter().filter_map(|listening| listening.paused_until).min()
    }

    /// The next connection, or error, on any listener that is not paused.
    pub(crate) fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<(ListenerId, Accepted)> {
        let count = self.all.len();
        for index in (self.first..count).chain(0..self.first.min(count)) {
            let listening = &mut self.all[index];
            if listening.paused_until.is_some() {
                continue;
            }
            if let Poll::Ready(accepted) = listening.poll_accept(cx) {
                let id = listening.id;
                self.first = index + 1;
                return Poll::Ready((id, accepted));
            }
        }
        Poll::Pending
    }
}

impl Listening {
    /// Asks the operating system only when something may be there, however often the driver task wakes.
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
                Ok((stream, remote)) => return Poll::Ready(Async::new(stream).map(|stream| (stream, remote))),
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

    const FIRST: ListenerId = ListenerId(1);
    const SECOND: ListenerId = ListenerId(2);

    /// Two listeners, with as many connections waiting on each.
    fn listeners(waiting: usize) -> (Listeners, Vec<TcpStream>) {
        let (mut listeners, mut streams) = (Listeners::default(), Vec::new());
        for id in [FIRST, SECOND] {
            let socket = Async::<TcpListener>::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            for _ in 0..waiting {
                streams.push(TcpStream::connect(socket.get_ref().local_addr().unwrap()).unwrap());
            }
            listeners.push(id, socket);
        }
        (listeners, streams)
    }

    fn accept(listeners: &mut Listeners) -> ListenerId {
        block_on(poll_fn(|cx| listeners.poll_accept(cx))).0
    }

    #[test]
    fn a_busy_listener_starves_none() {
        let (mut listeners, _streams) = listeners(2);
        let ids = [(); 4].map(|()| accept(&mut listeners));
        assert_eq!(ids, [FIRST, SECOND, FIRST, SECOND]);
    }

    #[test]
    fn who_comes_while_nobody_waits_is_met_by_the_next_look() {
        let (mut listeners, _none) = listeners(0);
        let nothing = block_on(poll_once(poll_fn(|cx| listeners.poll_accept(cx))));
        assert!(nothing.is_none());
        let address = listeners.all[1].socket.get_ref().local_addr().unwrap();
        let _stream = TcpStream::connect(address).unwrap();
        assert_eq!(accept(&mut listeners), SECOND);
    }

    #[test]
    fn a_paused_listener_accepts_nothing_until_its_pause_is_over() {
        let (mut listeners, _streams) = listeners(1);
        listeners.pause(FIRST, Time::from_secs(2));
        listeners.resume(Time::from_secs(1));
        assert_eq!(listeners.next_resume(), Some(Time::from_secs(2)));
        assert_eq!(accept(&mut listeners), SECOND);
        let nothing = block_on(poll_once(poll_fn(|cx| listeners.poll_accept(cx))));
        assert!(nothing.is_none());
        listeners.resume(Time::from_secs(2));
        assert_eq!((listeners.next_resume(), accept(&mut listeners)), (None, FIRST));
    }
}
