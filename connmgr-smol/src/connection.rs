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
use std::task::{Context, Poll, ready};

use async_io::Async;
use connmgr_core::Connected;
use connmgr_std::adapter::Guard;
use futures_lite::{AsyncRead, AsyncWrite};

use crate::wire::SmolStream;

/// An open connection: a stream of bytes, and what is known of it.
///
/// It belongs to the application. Drop it to end the connection: the manager is told, together with how the stream
/// ended as far as reads and writes have seen it. When the manager closes the connection, reads end (`Ok(0)`) and
/// writes fail.
///
/// [`AsyncWriteExt::close`](futures_lite::AsyncWriteExt::close) closes our half only. [`futures_lite::io::split`] makes
/// two halves; the connection ends when both are dropped.
#[derive(Debug)]
pub struct Connection {
    pub(crate) info: Connected,
    pub(crate) guard: Guard<SmolStream>,
}

impl Connection {
    connmgr_std::connection_methods!();

    /// Reads by `attempt`, into a buffer of at least one byte.
    fn poll_read_by(
        &mut self,
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

    fn poll_write_by(
        &mut self,
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
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.get_mut().poll_read_by(|stream| stream.poll_read(cx, buf))
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        if slices.iter().all(|slice| slice.is_empty()) {
            return Poll::Ready(Ok(0));
        }
        self.get_mut().poll_read_by(|stream| stream.poll_read_vectored(cx, slices))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write_by(|stream| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write_by(|stream| stream.poll_write_vectored(cx, slices))
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
