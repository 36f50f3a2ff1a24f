//! The listening sockets of a pool, and their pauses.
//!
//! Connections wait in the operating system's queue until the pool accepts them. `L` is the adapter's socket. Whether a
//! connection may stay is not decided here.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::task::Poll;

use connmgr_core::{ListenerId, Time};

use super::bind::bind;
use crate::startup::StartError;
use crate::startup::settings::{ListenerPlace, Settings};

/// The listening sockets of a pool, in the order in which they were opened.
#[derive(Debug)]
pub struct Listeners<L> {
    all: Vec<BoundListener<L>>,
    /// The next one to be polled first, so that a busy listener starves none.
    first: usize,
}

#[derive(Debug)]
struct BoundListener<L> {
    id: ListenerId,
    socket: L,
    paused_until: Option<Time>,
}

impl<L> Default for Listeners<L> {
    fn default() -> Self {
        Self { all: Vec::new(), first: 0 }
    }
}

impl<L> Listeners<L> {
    /// Listens on every address of the settings, and takes the sockets in them that listen already. Returns the listeners
    /// and their addresses. `make` converts a non-blocking socket to the adapter's.
    ///
    /// # Errors
    /// [`StartError::Listen`], with the address; [`StartError::System`] for a socket that has none.
    pub fn bind(
        settings: &mut Settings,
        mut make: impl FnMut(TcpListener) -> io::Result<L>,
    ) -> Result<(Self, Vec<SocketAddr>), StartError> {
        let (mut listeners, mut local_addrs) = (Self::default(), Vec::new());
        for (id, place) in std::mem::take(&mut settings.listen) {
            let (socket, address) = place.open()?;
            local_addrs.push(address);
            let socket = make(socket).map_err(|error| StartError::Listen { address, error })?;
            listeners.push(id, socket);
        }
        Ok((listeners, local_addrs))
    }

    /// Listens on one more socket.
    pub fn push(&mut self, id: ListenerId, socket: L) {
        self.all.push(BoundListener { id, socket, paused_until: None });
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// One of them, by its index.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut L> {
        self.all.get_mut(index).map(|listening| &mut listening.socket)
    }

    /// Accepts nothing on this listener until this time.
    pub fn pause(&mut self, id: ListenerId, until: Time) {
        for listening in self.all.iter_mut().filter(|listening| listening.id == id) {
            listening.paused_until = Some(until);
        }
    }

    /// Ends the pauses that are over.
    pub fn resume(&mut self, now: Time) {
        for listening in &mut self.all {
            listening.paused_until.take_if(|until| *until <= now);
        }
    }

    /// When the next pause ends, among the sockets that `matters` selects.
    pub fn next_resume(&self, matters: impl Fn(&L) -> bool) -> Option<Time> {
        self.all.iter().filter(|listening| matters(&listening.socket)).filter_map(|it| it.paused_until).min()
    }

    /// The sockets that are not paused.
    pub fn open(&self) -> impl Iterator<Item = &L> {
        self.all.iter().filter(|listening| listening.paused_until.is_none()).map(|listening| &listening.socket)
    }

    /// Polls the sockets that are not paused, each at most once, until one is ready. The next call begins with the one
    /// after it.
    pub fn poll<T>(&mut self, mut ask: impl FnMut(&mut L) -> Poll<T>) -> Poll<(ListenerId, T)> {
        let count = self.all.len();
        for index in (self.first..count).chain(0..self.first.min(count)) {
            let BoundListener { id, socket, paused_until } = &mut self.all[index];
            if paused_until.is_some() {
                continue;
            }
            if let Poll::Ready(accepted) = ask(socket) {
                self.first = index + 1;
                return Poll::Ready((*id, accepted));
            }
        }
        Poll::Pending
    }

    /// Removes every socket.
    pub fn drain(&mut self) -> impl Iterator<Item = L> {
        self.all.drain(..).map(|listening| listening.socket)
    }
}

impl ListenerPlace {
    /// The socket, which does not block, and its address.
    fn open(self) -> Result<(TcpListener, SocketAddr), StartError> {
        match self {
            Self::Address(address) => {
                let failed = |error| StartError::Listen { address, error };
                let socket = bind(address).map_err(failed)?;
                let address = socket.local_addr().map_err(failed)?;
                Ok((socket, address))
            }
            Self::Open(socket) => {
                let failed = |error| StartError::System { what: "use the listener that was given", error };
                socket.set_nonblocking(true).map_err(failed)?;
                let address = socket.local_addr().map_err(failed)?;
                Ok((socket, address))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: ListenerId = ListenerId(1);
    const SECOND: ListenerId = ListenerId(2);

    /// Two listeners, with as many connections waiting on each.
    fn listeners(waiting: u32) -> Listeners<u32> {
        let mut listeners = Listeners::default();
        listeners.push(FIRST, waiting);
        listeners.push(SECOND, waiting);
        listeners
    }

    fn accept(listeners: &mut Listeners<u32>) -> Option<ListenerId> {
        let ask = |waiting: &mut u32| match waiting.checked_sub(1) {
            Some(left) => {
                *waiting = left;
                Poll::Ready(())
            }
            None => Poll::Pending,
        };
        match listeners.poll(ask) {
            Poll::Ready((id, ())) => Some(id),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_busy_listener_starves_none() {
        let mut listeners = listeners(2);
        let accepted = [(); 5].map(|()| accept(&mut listeners));
        assert_eq!(accepted, [Some(FIRST), Some(SECOND), Some(FIRST), Some(SECOND), None]);
    }

    #[test]
    fn a_paused_listener_accepts_nothing_until_its_pause_is_over() {
        let mut listeners = listeners(1);
        listeners.pause(FIRST, Time::from_secs(2));
        listeners.resume(Time::from_secs(1));
        assert_eq!(listeners.next_resume(|_| true), Some(Time::from_secs(2)));
        assert_eq!((accept(&mut listeners), accept(&mut listeners)), (Some(SECOND), None));
        listeners.resume(Time::from_secs(2));
        assert_eq!((listeners.next_resume(|_| true), accept(&mut listeners)), (None, Some(FIRST)));
    }

    #[test]
    fn a_pause_that_keeps_nobody_waiting_is_not_waited_for() {
        let mut listeners = listeners(0);
        listeners.pause(FIRST, Time::from_secs(2));
        assert_eq!(listeners.next_resume(|waiting| *waiting > 0), None);
    }
}
