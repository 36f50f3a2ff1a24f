//! The stream of one connection, owned by the application.
//!
//! Its guard tells the manager when it is dropped, and lets the pool shut it before.

use std::io::{self, ErrorKind, IoSlice};
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
#[cfg(windows)]
use std::os::windows::io::{AsSocket, BorrowedSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use connmgr_core::Connected;
use connmgr_std::adapter::Guard;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::halves::{ReadHalf, WriteHalf};
use crate::watch::StreamWatch;
use crate::wire::TokioStream;

/// An open connection: a stream of bytes, and what is known of it.
///
/// It belongs to the application. Drop it to end the connection: the manager is told, together with how the stream
/// ended as far as reads and writes have seen it. When the manager closes the connection, reads end (`Ok(0)`) and
/// writes fail.
///
/// [`AsyncWriteExt::shutdown`](tokio::io::AsyncWriteExt::shutdown) closes our half only.
#[derive(Debug)]
pub struct Connection {
    pub(crate) info: Connected,
    pub(crate) guard: Guard<TokioStream>,
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
    /// meanwhile. The stream does not block; [`TcpStream::from_std`] takes it. It costs one descriptor more.
    ///
    /// The pool still shuts the socket when it closes the connection. The connection ends when the watch is dropped, and
    /// its socket is shut then. Nothing else ends it: drop the watch when the stream is no longer used.
    ///
    /// # Errors
    /// What the operating system reports; then the connection is dropped.
    pub fn into_std(self) -> io::Result<(std::net::TcpStream, StreamWatch)> {
        let stream = self.guard.to_std()?;
        Ok((stream, StreamWatch { info: self.info, guard: self.guard }))
    }

    pub(crate) fn poll_read_by(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // A peer whose connection was closed may be banned: nothing more is read from it.
        if self.guard.is_closed() || buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let read = ready!(self.poll_io(|stream| stream.poll_read_ready(cx), |stream| stream.try_read_buf(buf)));
        self.guard.note_read(&read);
        Poll::Ready(read.map(drop))
    }

    pub(crate) fn poll_write_by(
        &self,
        cx: &mut Context<'_>,
        attempt: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let written = ready!(self.poll_io(|stream| stream.poll_write_ready(cx), attempt));
        self.guard.note_write(&written);
        Poll::Ready(written)
    }

    /// Calls `attempt`, which reads or writes without waiting, once the stream is `ready` for it.
    fn poll_io(
        &self,
        mut ready: impl FnMut(&TcpStream) -> Poll<io::Result<()>>,
        mut attempt: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let stream = &self.guard.wire().0;
        loop {
            ready!(ready(stream))?;
            match attempt(stream) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
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
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_read_by(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_by(cx, |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_by(cx, |stream| stream.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.guard.shut_writing())
    }
}

#[cfg(test)]
mod tests;
