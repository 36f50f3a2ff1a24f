//! The guarded stream of one connection, for runtimes where the application owns it.
//!
//! Whoever turns the pool only knows where the [`Socket`] is, so that it can shut it whoever holds it. Dropping the
//! [`Guard`] is how the application lets go of it: the manager is told by the mailbox, with what was last seen on the
//! stream as the cause.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use connmgr_core::ConnId;

use crate::sync::lock;
use crate::{Ending, Fact, IdMap, Mailbox, Reporter, Wire};

/// A stream, and whether the manager has closed it.
#[derive(Debug)]
struct Socket<W> {
    wire: W,
    closed: AtomicBool,
}

impl<W: Wire> Socket<W> {
    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // It fails only when the other end was faster.
        let _ = self.wire.shutdown(Shutdown::Both);
    }
}

/// Where the sockets are of the connections that neither side has ended yet. Clones are the same.
#[derive(Debug)]
pub struct OpenSockets<W> {
    open: Arc<Mutex<IdMap<ConnId, Weak<Socket<W>>>>>,
    mailbox: Mailbox,
}

impl<W: Wire> OpenSockets<W> {
    /// Nothing yet. Guards post their end into this mailbox.
    pub fn new(mailbox: Mailbox) -> Self {
        Self { open: Arc::default(), mailbox }
    }

    /// The stream of a connection, guarded.
    pub fn guard(&self, conn: ConnId, wire: W) -> Guard<W> {
        let socket = Arc::new(Socket { wire, closed: AtomicBool::new(false) });
        lock(&self.open).insert(conn, Arc::downgrade(&socket));
        let (mailbox, reporter) = (self.mailbox.clone(), Reporter::new(conn, self.mailbox.clone()));
        Guard { socket, mailbox, reporter, ending: Ending::default() }
    }

    /// Shuts a connection both ways, whoever holds its stream.
    pub fn close(&self, conn: ConnId) {
        let socket = lock(&self.open).remove(&conn);
        if let Some(socket) = socket.and_then(|socket| socket.upgrade()) {
            socket.close();
        }
    }

    /// The guard of a connection was dropped; whether that is news, and not our own close come back.
    pub fn dropped(&self, conn: ConnId) -> bool {
        lock(&self.open).remove(&conn).is_some()
    }
}

impl<W> Clone for OpenSockets<W> {
    fn clone(&self) -> Self {
        Self { open: Arc::clone(&self.open), mailbox: self.mailbox.clone() }
    }
}

/// A stream on its way to the application, and then in its hands. Dropping it tells the manager.
#[derive(Debug)]
pub struct Guard<W: Wire> {
    socket: Arc<Socket<W>>,
    mailbox: Mailbox,
    reporter: Reporter,
    ending: Ending,
}

impl<W: Wire> Guard<W> {
    /// The stream, to read and write; what came of that is to be noted.
    pub fn wire(&self) -> &W {
        &self.socket.wire
    }

    /// What tells facts of the connection.
    pub const fn reporter(&self) -> &Reporter {
        &self.reporter
    }

    /// Whether the manager has closed it. What has arrived of such a peer (banned, perhaps) is not to be read.
    pub fn is_closed(&self) -> bool {
        self.socket.closed.load(Ordering::Acquire)
    }

    /// What came of a read into room for at least one byte.
    pub fn note_read(&mut self, read: &io::Result<usize>) {
        if !self.is_closed() {
            self.ending.note_read(read);
        }
    }

    /// What came of a write.
    pub fn note_write(&mut self, written: &io::Result<usize>) {
        if !self.is_closed() {
            self.ending.note_write(written);
        }
    }

    /// Closes our half: the other end reads to the end of what was written.
    ///
    /// # Errors
    /// What the operating system says; not that the other end was faster.
    pub fn shut_writing(&self) -> io::Result<()> {
        match self.wire().shutdown(Shutdown::Write) {
            Err(error) if error.kind() == ErrorKind::NotConnected => Ok(()),
            done => done,
        }
    }
}

impl<W: Wire> Drop for Guard<W> {
    fn drop(&mut self) {
        if !self.is_closed() {
            self.mailbox.post(self.reporter.id(), Fact::Closed(self.ending.cause()));
        }
    }
}
