//! The stream of one connection, owned by the application.
//!
//! Its guard tells the manager when it is dropped, and lets the pool shut it before.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::TcpStream;
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
#[cfg(windows)]
use std::os::windows::io::{AsSocket, BorrowedSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_io::Async;
use connmgr_core::Connected;
use connmgr_std::adapter::Guard;
use futures_lite::{AsyncRead, AsyncWrite};

use crate::halves::{ReadHalf, WriteHalf};
use crate::watch::StreamWatch;
use crate::wire::SmolStream;

/// An open connection: a stream of bytes, and what is known of it.
///
/// It belongs to the application. Drop it to end the connection: the manager is told, together with how the stream
/// ended as far as reads and writes have seen it. When the manager closes the connection, reads end (`Ok(0)`) and
/// writes fail.
///
/// [`AsyncWriteExt::close`](futures_lite::AsyncWriteExt::close) closes our half only.
#[derive(Debug)]
pub struct Connection {
    pub(crate) info: Connected,
    pub(crate) guard: Guard<SmolStream>,
}

impl Connection {
    connmgr_std::connection_methods!();

    /// Splits it into a half that reads and one that writes, each for a task of its own. The connection ends when both
    /// are dropped.
    pub fn into_split(self) -> (ReadHalf, WriteHalf) {
        let connection = Arc::new(self);
        (ReadHalf { connection: Arc::clone(&connection) }, WriteHalf { connection })
    }

    /// The socket as a stream of the standard library, for code that wants to own one, and what stands for the connection
    /// meanwhile. The stream does not block; async-io's [`Async::new_nonblocking`] takes it. It costs one descriptor more.
    ///
    /// The pool still shuts the socket when it closes the connection. The connection ends when the watch is dropped, and
    /// its socket is shut then. Nothing else ends it: drop the watch when the stream is no longer used.
    ///
    /// # Errors
    /// What the operating system reports; then the connection is dropped.
    ///
    /// [`Async::new_nonblocking`]: https://docs.rs/async-io/latest/async_io/struct.Async.html#method.new_nonblocking
    pub fn into_std(self) -> io::Result<(TcpStream, StreamWatch)> {
        let stream = self.guard.to_std()?;
        Ok((stream, StreamWatch { info: self.info, guard: self.guard }))
    }

    pub(crate) fn poll_read_some(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.poll_read_by(|stream| stream.poll_read(cx, buf))
    }

    pub(crate) fn poll_read_slices(
        &self,
        cx: &mut Context<'_>,
        slices: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        if slices.iter().all(|slice| slice.is_empty()) {
            return Poll::Ready(Ok(0));
        }
        self.poll_read_by(|stream| stream.poll_read_vectored(cx, slices))
    }

    /// Reads by `attempt`, into a buffer of at least one byte.
    fn poll_read_by(
        &self,
        attempt: impl FnOnce(Pin<&mut &Async<TcpStream>>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        // A peer whose connection was closed may be banned: nothing more is read from it.
        if self.guard.is_closed() {
            return Poll::Ready(Ok(0));
        }
        let read = ready!(attempt(Pin::new(&mut &self.guard.wire().0)));
        self.guard.note_read(&read);
        Poll::Ready(read)
    }

    pub(crate) fn poll_write_by(
        &self,
        attempt: impl FnOnce(Pin<&mut &Async<TcpStream>>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let written = ready!(attempt(Pin::new(&mut &self.guard.wire().0)));
        self.guard.note_write(&written);
        Poll::Ready(written)
    }
}

/// The socket, for its options (keep-alive, `TCP_USER_TIMEOUT`, the sizes of its buffers). Do not read, write or shut
/// it through this: the pool would not see how the stream ended.
#[cfg(unix)]
impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.guard.wire().0.as_fd()
    }
}

/// The socket, as `AsFd` gives it on Unix.
#[cfg(windows)]
impl AsSocket for Connection {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        self.guard.wire().0.as_socket()
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_read_some(cx, buf)
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_read_slices(cx, slices)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_by(|stream| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_by(|stream| stream.poll_write_vectored(cx, slices))
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
