//! The two halves of a connection, each for a task of its own.

use std::io::{self, IoSlice, IoSliceMut};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_lite::{AsyncRead, AsyncWrite};

use crate::connection::Connection;

/// The half of a [`Connection`] that reads: see [`Connection::into_split`].
#[derive(Debug)]
pub struct ReadHalf {
    pub(crate) connection: Arc<Connection>,
}

/// The half of a [`Connection`] that writes: see [`Connection::into_split`]. Dropping it closes our half: the peer still
/// reads everything that was written.
#[derive(Debug)]
pub struct WriteHalf {
    pub(crate) connection: Arc<Connection>,
}

impl ReadHalf {
    /// The connection, to report what happens on it.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl WriteHalf {
    /// The connection, to report what happens on it.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl Drop for WriteHalf {
    fn drop(&mut self) {
        // It fails only if the connection has broken, which the next read reports.
        let _ = self.connection.guard.shut_writing();
    }
}

impl AsyncRead for ReadHalf {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.connection.poll_read_some(cx, buf)
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.connection.poll_read_slices(cx, slices)
    }
}

impl AsyncWrite for WriteHalf {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.connection.poll_write_by(|stream| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.connection.poll_write_by(|stream| stream.poll_write_vectored(cx, slices))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.connection.guard.shut_writing())
    }
}
