//! The guarded stream of one connection.
//!
//! The application owns the [`Connection`]; the driver task only knows where its [`Socket`] is, so that it can shut it
//! whoever holds it. Dropping the connection is how the application lets go of it: the driver task is told, with what
//! was last seen on the stream as the cause. Nothing here knows the manager.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::net::{Shutdown, TcpStream};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use async_io::Async;
use connmgr_core::{
    Activity, AddressInfo, CloseCause, ConnId, Connected, Kind, ListenerId, PeerAddress, PeerId, PeerInfo, Penalty,
    Transport,
};
use connmgr_std::{Fact, Mailbox, Reporter, end_cause};
use futures_lite::{AsyncRead, AsyncWrite};
use socket2::SockRef;

/// A stream of the operating system, watched by async-io.
pub(crate) type Stream = Async<TcpStream>;

/// A socket, and whether the manager has closed it.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: Stream,
    closed: AtomicBool,
}

impl Socket {
    pub(crate) const fn new(stream: Stream) -> Self {
        Self { stream, closed: AtomicBool::new(false) }
    }

    /// Shuts it both ways. Whoever waits to read or write wakes.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // It fails only when the other end was faster.
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Both);
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

/// A stream on its way to the application. Dropping it tells the driver task.
#[derive(Debug)]
pub(crate) struct Guard {
    socket: Arc<Socket>,
    mailbox: Mailbox,
    reporter: Reporter,
    /// A byte of the other end has arrived.
    heard: bool,
    /// How the stream ended, if it was seen to.
    end: Option<CloseCause>,
}

impl Guard {
    pub(crate) fn new(conn: ConnId, socket: Arc<Socket>, mailbox: Mailbox) -> Self {
        let reporter = Reporter::new(conn, mailbox.clone());
        Self { socket, mailbox, reporter, heard: false, end: None }
    }

    /// Notes how the stream ended, unless that is known, or we ended it.
    fn note_end(&mut self, error: Option<&io::Error>) {
        if !self.socket.is_closed() {
            self.end.get_or_insert(end_cause(error, self.heard));
        }
    }

    /// Reads by `attempt`, into room for at least one byte.
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        attempt: impl FnOnce(Pin<&mut &Stream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        // What has arrived of a peer that was closed (banned, perhaps) is not read any more.
        if self.socket.is_closed() {
            return Poll::Ready(Ok(0));
        }
        let read = ready!(attempt(Pin::new(&mut &self.socket.stream), cx));
        match &read {
            Ok(0) => self.note_end(None),
            Ok(_) => self.heard = true,
            Err(error) => self.note_end(Some(error)),
        }
        Poll::Ready(read)
    }

    /// Writes by `attempt`.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        attempt: impl FnOnce(Pin<&mut &Stream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let written = ready!(attempt(Pin::new(&mut &self.socket.stream), cx));
        if let Err(error) = &written {
            self.note_end(Some(error));
        }
        Poll::Ready(written)
    }

    fn shut_writing(&self) -> io::Result<()> {
        match SockRef::from(&self.socket.stream).shutdown(Shutdown::Write) {
            Err(error) if error.kind() == ErrorKind::NotConnected => Ok(()),
            done => done,
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.socket.is_closed() {
            let cause = self.end.unwrap_or(CloseCause::Dropped);
            self.mailbox.post(self.reporter.id(), Fact::Closed(cause));
        }
    }
}

/// An open connection: a stream of bytes, and what is known of it.
///
/// It belongs to the application. To be done with it, drop it: the manager is told, and whether the other end closed,
/// reset, or never said a word is told with it, as far as it was seen by reading or writing. When the manager closes
/// the connection, reads end (`Ok(0)`) and writes fail.
///
/// [`AsyncWriteExt::close`](futures_lite::AsyncWriteExt::close) closes our half only. [`futures_lite::io::split`] makes
/// two halves; the connection is dropped with the second.
#[derive(Debug)]
pub struct Connection {
    info: Connected,
    guard: Guard,
}

impl Connection {
    pub(crate) const fn new(info: Connected, guard: Guard) -> Self {
        Self { info, guard }
    }

    /// All that was known of it when it opened.
    pub const fn info(&self) -> &Connected {
        &self.info
    }

    /// Its id.
    pub const fn id(&self) -> ConnId {
        self.info.conn
    }

    /// What it is for.
    pub const fn kind(&self) -> Kind {
        self.info.kind
    }

    /// The other end, unless it came in where hosts can't be seen (an onion listener).
    pub const fn address(&self) -> Option<&PeerAddress> {
        self.info.address.as_ref()
    }

    /// The added peer it is for.
    pub const fn peer(&self) -> Option<PeerId> {
        self.info.peer
    }

    /// The listener it came in by.
    pub const fn listener(&self) -> Option<ListenerId> {
        self.info.listener
    }

    /// How to speak.
    pub const fn transport(&self) -> Transport {
        self.info.transport
    }

    /// A number to put into our version message: when it comes back, we have reached ourselves.
    pub const fn nonce(&self) -> u64 {
        self.info.nonce
    }

    /// The handshake is done. To be told once; without it the connection is closed at the handshake's deadline.
    pub fn ready(&self, info: PeerInfo) {
        self.guard.reporter.ready(info);
    }

    /// The peer misbehaved.
    pub fn misbehaving(&self, penalty: Penalty) {
        self.guard.reporter.misbehaving(penalty);
    }

    /// What the connection has been good for since the last time.
    pub fn activity(&self, activity: Activity) {
        self.guard.reporter.activity(activity);
    }

    /// The peer told us these addresses.
    pub fn addresses(&self, addresses: Vec<AddressInfo>) {
        self.guard.reporter.addresses(addresses);
    }

    /// What tells the same facts from elsewhere, while the stream is busy.
    pub fn reporter(&self) -> Reporter {
        self.guard.reporter.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.get_mut().guard.poll_read(cx, |stream, cx| stream.poll_read(cx, buf))
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        if slices.iter().all(|slice| slice.is_empty()) {
            return Poll::Ready(Ok(0));
        }
        self.get_mut().guard.poll_read(cx, |stream, cx| stream.poll_read_vectored(cx, slices))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().guard.poll_write(cx, |stream, cx| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().guard.poll_write(cx, |stream, cx| stream.poll_write_vectored(cx, slices))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.guard.shut_writing())
    }
}

#[cfg(test)]
mod tests;
