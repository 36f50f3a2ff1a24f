//! The stream of one connection that the application owns.
//!
//! The pool keeps a weak reference to the [`Socket`], so that it can shut it while the application holds it. When the
//! application drops the [`Guard`], the mailbox reports it to the manager, with the end that was seen on the stream, if
//! any.

use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use connmgr_core::ConnId;

use super::mailbox::{ConnFact, Mailbox};
use super::reporter::Reporter;
use super::stream_end::StreamEnd;
use super::wire::Wire;
use crate::id_map::IdMap;
use crate::sync::lock;

/// A stream, and the flags that the pool and the application share.
#[derive(Debug)]
struct Socket<W> {
    wire: W,
    /// The manager has closed it.
    closed: AtomicBool,
    /// The application has read bytes since [`Socket::take_heard`] was last called.
    heard: AtomicBool,
}

impl<W: Wire> Socket<W> {
    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // It fails only if the peer has closed it already.
        let _ = self.wire.shutdown(Shutdown::Both);
    }
}

impl<W> Socket<W> {
    fn new(wire: W) -> Self {
        Self { wire, closed: AtomicBool::new(false), heard: AtomicBool::new(false) }
    }

    /// Notes that bytes were read.
    fn note_bytes(&self) {
        if !self.heard.load(Ordering::Relaxed) {
            self.heard.store(true, Ordering::Relaxed);
        }
    }

    /// Whether bytes were read since the last call.
    fn take_heard(&self) -> bool {
        self.heard.load(Ordering::Relaxed) && self.heard.swap(false, Ordering::Relaxed)
    }
}

/// The sockets of the connections that neither side has ended. Clones share them.
#[derive(Debug)]
pub struct OpenSockets<W> {
    open: Arc<Mutex<IdMap<ConnId, Weak<Socket<W>>>>>,
    mailbox: Mailbox,
}

impl<W: Wire> OpenSockets<W> {
    /// No socket yet. Guards report their end to this mailbox.
    pub fn new(mailbox: Mailbox) -> Self {
        Self { open: Arc::default(), mailbox }
    }

    /// Guards the stream of a connection.
    pub fn guard(&self, conn: ConnId, wire: W) -> Guard<W> {
        let socket = Arc::new(Socket::new(wire));
        lock(&self.open).insert(conn, Arc::downgrade(&socket));
        let (mailbox, reporter) = (self.mailbox.clone(), Reporter::new(conn, self.mailbox.clone()));
        Guard { socket, mailbox, reporter, ending: StreamEnd::default() }
    }

    /// Shuts a connection both ways, also while the application holds its stream.
    pub fn close(&self, conn: ConnId) {
        let socket = lock(&self.open).remove(&conn);
        if let Some(socket) = socket.and_then(|socket| socket.upgrade()) {
            socket.close();
        }
    }

    /// Notes that the guard of a connection was dropped. False if [`OpenSockets::close`] was called before.
    pub fn note_dropped(&self, conn: ConnId) -> bool {
        lock(&self.open).remove(&conn).is_some()
    }

    /// The connections from which at least one byte was read since the last call, by id.
    pub fn take_heard(&self) -> Vec<ConnId> {
        let has_heard = |socket: &Weak<Socket<W>>| socket.upgrade().is_some_and(|socket| socket.take_heard());
        let open = lock(&self.open);
        let heard = open.iter().filter_map(|(conn, socket)| has_heard(socket).then_some(*conn));
        let mut heard: Vec<_> = heard.collect();
        drop(open);
        heard.sort_unstable();
        heard
    }
}

impl<W> Clone for OpenSockets<W> {
    fn clone(&self) -> Self {
        Self { open: Arc::clone(&self.open), mailbox: self.mailbox.clone() }
    }
}

/// The stream of a connection, owned by the application. Dropping it tells the manager.
#[derive(Debug)]
pub struct Guard<W: Wire> {
    socket: Arc<Socket<W>>,
    mailbox: Mailbox,
    reporter: Reporter,
    ending: StreamEnd,
}

impl<W: Wire> Guard<W> {
    /// The stream. The results of reads and writes are to be noted.
    pub fn wire(&self) -> &W {
        &self.socket.wire
    }

    /// Reports facts about the connection.
    pub const fn reporter(&self) -> &Reporter {
        &self.reporter
    }

    /// Whether the manager has closed it. Then nothing more is to be read: the peer may be banned.
    pub fn is_closed(&self) -> bool {
        self.socket.closed.load(Ordering::Acquire)
    }

    /// Notes the result of a read into a buffer of at least one byte.
    pub fn note_read(&self, read: &io::Result<usize>) {
        if self.is_closed() {
            return;
        }
        self.ending.note_read(read);
        if read.as_ref().is_ok_and(|count| *count > 0) {
            self.socket.note_bytes();
        }
    }

    /// Notes the result of a write.
    pub fn note_write(&self, written: &io::Result<usize>) {
        if !self.is_closed() {
            self.ending.note_write(written);
        }
    }

    /// Closes our half. The peer still reads everything that was written.
    ///
    /// # Errors
    /// What the operating system reports. It is no error if the peer has closed already.
    pub fn shut_writing(&self) -> io::Result<()> {
        match self.wire().shutdown(Shutdown::Write) {
            Err(error) if error.kind() == ErrorKind::NotConnected => Ok(()),
            done => done,
        }
    }
}

/// For streams that somebody else reads and writes, by another handle on the socket.
impl<W: Wire> Guard<W> {
    /// Another handle on the socket, which does not block: one descriptor. What is read and written by it is not noted.
    ///
    /// # Errors
    /// What the operating system reports.
    pub fn to_std(&self) -> io::Result<TcpStream> {
        self.ending.assume_heard();
        self.wire().to_std()
    }

    /// Looks whether the peer has ended the stream, as far as its bytes were read, and shuts it both ways, also for who
    /// has another handle.
    pub fn shut_for_all(&self) {
        if !self.is_closed() {
            self.note_read(&self.wire().peek());
            // It fails only if the peer has closed it already.
            let _ = self.wire().shutdown(Shutdown::Both);
        }
    }
}

impl<W: Wire> Drop for Guard<W> {
    fn drop(&mut self) {
        if !self.is_closed() {
            self.mailbox.post(self.reporter.id(), ConnFact::Ended(self.ending.cause()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::NoWire;

    fn conn(number: u64) -> ConnId {
        ConnId::from_u64(number)
    }

    /// Connections 1 to 3, and where they are.
    fn three() -> (OpenSockets<NoWire>, [Guard<NoWire>; 3]) {
        let open = OpenSockets::new(Mailbox::new(|| ()));
        let guards = [3, 1, 2].map(|number| open.guard(conn(number), NoWire));
        (open, guards)
    }

    #[test]
    fn who_has_said_something_is_told_once_and_in_order() {
        let (open, guards) = three();
        for guard in &guards {
            guard.note_read(&Ok(5));
            guard.note_read(&Ok(1));
        }
        assert_eq!(open.take_heard(), [1, 2, 3].map(conn));
        guards[0].note_read(&Ok(1));
        assert_eq!(open.take_heard(), [conn(3)]);
        assert_eq!(open.take_heard(), []);
    }

    #[test]
    fn an_end_an_error_and_a_wait_are_no_sign_of_life() {
        let (open, guards) = three();
        guards[0].note_read(&Ok(0));
        guards[1].note_read(&Err(ErrorKind::ConnectionReset.into()));
        guards[2].note_read(&Err(ErrorKind::WouldBlock.into()));
        assert_eq!(open.take_heard(), []);
    }

    #[test]
    fn nothing_is_told_of_who_is_gone() {
        let (open, guards) = three();
        guards.iter().for_each(|guard| guard.note_read(&Ok(1)));
        let [dropped, closed, _stays] = guards;
        drop(dropped);
        open.close(closed.reporter().id());
        assert_eq!(open.take_heard(), [conn(2)]);
    }
}
