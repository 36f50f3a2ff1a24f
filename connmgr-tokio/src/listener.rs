//! The sockets we listen on, polled by the driver task alone, and their pauses.
//!
//! Accepting stops for as long as the driver task is busy: the operating system's queue is the only queue. Whether a
//! connection may stay is not decided here.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use connmgr_core::{ListenerId, Time};
use tokio::net::{TcpListener, TcpStream};

/// A connection that came in, or why none could.
pub(crate) type Accepted = io::Result<(TcpStream, SocketAddr)>;

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
    socket: TcpListener,
    paused_until: Option<Time>,
}

impl Listeners {
    /// Listens on one more socket.
    pub(crate) fn push(&mut self, id: ListenerId, socket: TcpListener) {
        self.all.push(Listening { id, socket, paused_until: None });
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

    /// Listens no more.
    pub(crate) fn close(&mut self) {
        self.all.clear();
    }

    /// The next connection, or error, on any listener that is not paused. May be dropped and called again.
    pub(crate) async fn accept(&mut self) -> (ListenerId, Accepted) {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<(ListenerId, Accepted)> {
        let count = self.all.len();
        for index in (self.first..count).chain(0..self.first.min(count)) {
            let Listening { id, socket, paused_until } = &self.all[index];
            if paused_until.is_some() {
                continue;
            }
            if let Poll::Ready(accepted) = socket.poll_accept(cx) {
                self.first = index + 1;
                return Poll::Ready((*id, accepted));
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const FIRST: ListenerId = ListenerId(1);
    const SECOND: ListenerId = ListenerId(2);

    /// Two listeners, with as many connections waiting on each.
    async fn listeners(waiting: usize) -> (Listeners, Vec<TcpStream>) {
        let (mut listeners, mut streams) = (Listeners::default(), Vec::new());
        for id in [FIRST, SECOND] {
            let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            for _ in 0..waiting {
                streams.push(TcpStream::connect(socket.local_addr().unwrap()).await.unwrap());
            }
            listeners.push(id, socket);
        }
        (listeners, streams)
    }

    #[tokio::test]
    async fn a_busy_listener_starves_none() {
        let (mut listeners, _streams) = listeners(2).await;
        let mut ids = Vec::new();
        for _ in 0..4 {
            ids.push(listeners.accept().await.0);
        }
        assert_eq!(ids, [FIRST, SECOND, FIRST, SECOND]);
    }

    #[tokio::test]
    async fn a_paused_listener_accepts_nothing_until_its_pause_is_over() {
        let (mut listeners, _streams) = listeners(1).await;
        listeners.pause(FIRST, Time::from_secs(2));
        listeners.resume(Time::from_secs(1));
        assert_eq!(listeners.next_resume(), Some(Time::from_secs(2)));
        assert_eq!(listeners.accept().await.0, SECOND);
        let nothing = poll_fn(|cx| Poll::Ready(listeners.poll_accept(cx).is_pending())).await;
        assert!(nothing);
        listeners.resume(Time::from_secs(2));
        assert_eq!((listeners.next_resume(), listeners.accept().await.0), (None, FIRST));
    }
}
