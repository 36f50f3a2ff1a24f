//! The sockets we listen on, and their pauses.
//!
//! Edge-triggered: an event is noted, and holds until the operating system's queue has been seen empty. Whether a
//! connection may stay is not decided here.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use connmgr_core::{ListenerId, Time};
use mio::Registry;
use mio::net::{TcpListener, TcpStream};

/// A connection that came in, or why none could.
pub(crate) type Accepted = io::Result<(TcpStream, SocketAddr)>;

/// All the sockets we listen on, by the order in which they were opened.
#[derive(Debug, Default)]
pub(crate) struct Listeners(Vec<Listening>);

#[derive(Debug)]
struct Listening {
    id: ListenerId,
    socket: TcpListener,
    /// Somebody may be waiting.
    ready: bool,
    paused_until: Option<Time>,
}

impl Listeners {
    /// Listens on one more socket; the caller registers it.
    pub(crate) fn push(&mut self, id: ListenerId, socket: TcpListener) {
        self.0.push(Listening { id, socket, ready: false, paused_until: None });
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// There was an event of this one.
    pub(crate) fn note_event(&mut self, index: usize) {
        if let Some(listening) = self.0.get_mut(index) {
            listening.ready = true;
        }
    }

    /// Accepts nothing on this listener until then.
    pub(crate) fn pause(&mut self, id: ListenerId, until: Time) {
        for listening in self.0.iter_mut().filter(|listening| listening.id == id) {
            listening.paused_until = Some(until);
        }
    }

    /// Ends the pauses that are over.
    pub(crate) fn resume(&mut self, now: Time) {
        for listening in &mut self.0 {
            listening.paused_until.take_if(|until| *until <= now);
        }
    }

    /// When the next pause is over of those that keep somebody waiting.
    pub(crate) fn next_resume(&self) -> Option<Time> {
        self.0.iter().filter(|listening| listening.ready).filter_map(|listening| listening.paused_until).min()
    }

    /// Whether [`Listeners::accept`] should be called without another event.
    pub(crate) fn has_work(&self) -> bool {
        self.0.iter().any(Listening::may_accept)
    }

    /// The next connection, or error, of this one; none when nobody waits, or it is paused.
    pub(crate) fn accept(&mut self, index: usize) -> Option<(ListenerId, Accepted)> {
        let listening = self.0.get_mut(index).filter(|listening| listening.may_accept())?;
        match listening.socket.accept() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                listening.ready = false;
                None
            }
            accepted => Some((listening.id, accepted)),
        }
    }

    /// Listens no more.
    pub(crate) fn close(&mut self, registry: &Registry) {
        for mut listening in self.0.drain(..) {
            // It is dropped next in any case.
            let _ = registry.deregister(&mut listening.socket);
        }
    }
}

impl Listening {
    const fn may_accept(&self) -> bool {
        self.ready && self.paused_until.is_none()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const ID: ListenerId = ListenerId(1);

    /// A listener, with as many connections waiting, each of which was an event.
    fn listeners(waiting: usize) -> (Listeners, Vec<std::net::TcpStream>) {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let connect = |_| std::net::TcpStream::connect(socket.local_addr().unwrap()).unwrap();
        let streams = (0..waiting).map(connect).collect();
        let mut listeners = Listeners::default();
        listeners.push(ID, socket);
        listeners.note_event(0);
        (listeners, streams)
    }

    #[test]
    fn one_event_holds_until_nobody_waits() {
        let (mut listeners, _streams) = listeners(2);
        for _ in 0..2 {
            assert!(listeners.has_work() && listeners.accept(0).is_some());
        }
        assert!(listeners.has_work() && listeners.accept(0).is_none());
        assert!(!listeners.has_work());
    }

    #[test]
    fn a_paused_listener_accepts_nothing_until_its_pause_is_over() {
        let (mut listeners, _streams) = listeners(1);
        listeners.pause(ID, Time::from_secs(2));
        listeners.resume(Time::from_secs(1));
        assert_eq!(listeners.next_resume(), Some(Time::from_secs(2)));
        assert!(!listeners.has_work() && listeners.accept(0).is_none());
        listeners.resume(Time::from_secs(2));
        assert_eq!(listeners.next_resume(), None);
        assert!(listeners.accept(0).is_some());
    }

    #[test]
    fn an_event_during_a_pause_is_not_forgotten() {
        let (mut listeners, _streams) = listeners(0);
        assert!(listeners.accept(0).is_none());
        listeners.pause(ID, Time::from_secs(2));
        assert_eq!(listeners.next_resume(), None, "nobody waits for the end of the pause");
        listeners.note_event(0);
        assert_eq!(listeners.next_resume(), Some(Time::from_secs(2)));
    }
}
