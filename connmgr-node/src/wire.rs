//! Messages over a stream: one owner reads and writes both ways at once.
//!
//! Sending only queues; [`Wire::next`] moves bytes in both directions, so two ends that send much to each other can't
//! block one another. It knows nothing of what messages mean. Read first: [`frame`](crate::frame).

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bitcoin::p2p::Magic;
use bitcoin::p2p::message::NetworkMessage;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::frame::{Decoder, FrameError, encode};

/// The version of the protocol we speak: 70016 has `wtxidrelay` (BIP 339) and `sendaddrv2` (BIP 155).
pub const PROTOCOL_VERSION: u32 = 70016;

/// The most bytes that may wait for a peer that does not read. A thousand addresses are 531 KB at most.
pub const MAX_OUTBOX: usize = 2_000_000;

/// How much is read at a time.
const CHUNK: usize = 8192;

/// Why there is no message.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The other end closed between two messages.
    #[error("closed by the other end")]
    Closed,
    /// The other end closed within a message.
    #[error("closed by the other end in the middle of a message")]
    Truncated,
    /// The operating system reported an error.
    #[error("connection broken: {0}")]
    Broken(#[from] io::Error),
    /// The other end asks and does not read the answers.
    #[error("the other end does not read: {0} bytes wait for it")]
    Backlog(usize),
    /// The other end sent no proper message.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// A stream that carries messages.
#[derive(Debug)]
pub struct Wire<S> {
    stream: S,
    magic: Magic,
    decoder: Decoder,
    outbox: Vec<u8>,
    /// How much of the outbox is on its way already.
    sent: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Messages of one network over this stream.
    pub const fn new(stream: S, magic: Magic) -> Self {
        Self { stream, magic, decoder: Decoder::new(magic), outbox: Vec::new(), sent: 0 }
    }

    /// The stream beneath.
    pub const fn stream(&self) -> &S {
        &self.stream
    }

    /// The stream beneath, without what was read or queued.
    pub fn into_stream(self) -> S {
        self.stream
    }

    /// Queues a message; [`Wire::next`] and [`Wire::flush`] send it.
    ///
    /// # Errors
    /// [`WireError::Backlog`] when more than [`MAX_OUTBOX`] bytes would wait.
    pub fn send(&mut self, message: NetworkMessage) -> Result<(), WireError> {
        self.send_raw(&encode(self.magic, message))
    }

    /// Queues bytes that need not be a message.
    ///
    /// # Errors
    /// As [`Wire::send`].
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let waiting = self.outbox.len() - self.sent + bytes.len();
        if waiting > MAX_OUTBOX {
            return Err(WireError::Backlog(waiting));
        }
        self.outbox.extend_from_slice(bytes);
        Ok(())
    }

    /// The next message; meanwhile, what is queued is sent. Cancel-safe: nothing is lost when it is dropped.
    ///
    /// # Errors
    /// See [`WireError`]. After a [`FrameError`] that is not fatal, it may be called again.
    pub async fn next(&mut self) -> Result<NetworkMessage, WireError> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Sends what is queued, and reads nothing. Cancel-safe.
    ///
    /// # Errors
    /// [`WireError::Broken`].
    pub async fn flush(&mut self) -> Result<(), WireError> {
        Ok(poll_fn(|cx| self.poll_send(cx)).await?)
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<NetworkMessage, WireError>> {
        // A write error is not final before what has arrived is read: the last words may explain it.
        let sending = self.poll_send(cx);
        loop {
            if let Some(message) = self.decoder.next_message()? {
                return Poll::Ready(Ok(message));
            }
            match self.poll_fill(cx) {
                Poll::Ready(Ok(0)) if self.decoder.is_between_messages() => return Poll::Ready(Err(WireError::Closed)),
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(WireError::Truncated)),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
                Poll::Pending => break,
            }
        }
        match sending {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        }
    }

    /// Reads once; zero bytes are the end of the stream.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [0; CHUNK];
        let mut read = ReadBuf::new(&mut space);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
        self.decoder.extend(read.filled());
        Poll::Ready(Ok(read.filled().len()))
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.outbox.len() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.outbox[self.sent..]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += written;
        }
        if self.sent > 0 {
            self.outbox = Vec::new();
            self.sent = 0;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::io::{AsyncWriteExt, duplex};
    use tokio::time::timeout;

    const MAGIC: Magic = Magic::REGTEST;
    const SOON: Duration = Duration::from_millis(5);

    #[tokio::test]
    async fn a_cancelled_read_loses_nothing() {
        let (near, mut far) = duplex(1024);
        let mut wire = Wire::new(near, MAGIC);
        for byte in encode(MAGIC, NetworkMessage::Ping(7)) {
            let cancelled = timeout(Duration::ZERO, wire.next()).await;
            assert!(cancelled.is_err(), "the message is not complete");
            far.write_all(&[byte]).await.expect("open");
        }
        assert_eq!(wire.next().await.expect("complete"), NetworkMessage::Ping(7));
    }

    #[tokio::test]
    async fn two_ends_that_both_send_much_do_not_block_each_other() {
        let (near, far) = duplex(64);
        let (mut near, mut far) = (Wire::new(near, MAGIC), Wire::new(far, MAGIC));
        for number in 0..1000 {
            near.send(NetworkMessage::Ping(number)).expect("room");
            far.send(NetworkMessage::Pong(number)).expect("room");
        }
        let read = async |wire: &mut Wire<_>| {
            for _ in 0..1000 {
                wire.next().await.expect("a message");
            }
            wire.flush().await
        };
        let both = async { tokio::join!(read(&mut near), read(&mut far)) };
        timeout(Duration::from_secs(5), both).await.expect("no deadlock").0.expect("sent");
    }

    #[tokio::test]
    async fn a_peer_that_does_not_read_is_given_up() {
        let (near, _far) = duplex(64);
        let mut wire = Wire::new(near, MAGIC);
        let error = (0..).find_map(|number| wire.send(NetworkMessage::Pong(number)).err());
        assert!(matches!(error, Some(WireError::Backlog(bytes)) if bytes > MAX_OUTBOX));
    }

    #[tokio::test]
    async fn an_end_between_messages_is_told_from_one_within() {
        for (sent, text) in
            [(32, "closed by the other end"), (31, "closed by the other end in the middle of a message")]
        {
            let (near, mut far) = duplex(1024);
            let bytes = encode(MAGIC, NetworkMessage::Ping(7));
            far.write_all(&bytes[..sent]).await.expect("open");
            drop(far);
            let mut wire = Wire::new(near, MAGIC);
            let error = loop {
                if let Err(error) = timeout(SOON, wire.next()).await.expect("at once") {
                    break error;
                }
            };
            assert_eq!(error.to_string(), text);
        }
    }
}
