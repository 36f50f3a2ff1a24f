//! Messages of one connection, both ways. Sans-IO.
//!
//! Bytes go in by [`MessageWire::receive`] and come out as messages by [`MessageWire::next_message`]; messages go in by
//! [`MessageWire::send`] and come out as bytes to write by [`MessageWire::outgoing`]. It does not interpret messages. Read
//! first: [`frame`](crate::frame).

use std::io;

use bitcoin::p2p::Magic;
use bitcoin::p2p::message::NetworkMessage;

use crate::frame::{Decoder, FrameError, encode};

/// Our protocol version: 70016 has `wtxidrelay` (BIP 339) and `sendaddrv2` (BIP 155).
pub const PROTOCOL_VERSION: u32 = 70016;

/// The most bytes that wait for a peer that does not read. A thousand addresses are at most 531 KB.
pub const MAX_OUTBOX: usize = 2_000_000;

/// While more bytes than this wait for a peer, nothing is read from it: most of what waits are answers. Core pauses a
/// peer's messages likewise (`-maxsendbuffer`).
pub const FULL_OUTBOX: usize = 256 * 1024;

/// Written bytes are removed from the outbox once they are so many, or all.
const MAX_WRITTEN: usize = 64 * 1024;

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
    /// The other end does not read our answers.
    #[error("the other end does not read: {0} bytes wait for it")]
    Backlog(usize),
    /// The other end sent a malformed message.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// The messages of one stream.
#[derive(Debug)]
pub struct MessageWire {
    magic: Magic,
    decoder: Decoder,
    outbox: Vec<u8>,
    /// How many bytes of the outbox are written.
    sent: usize,
    inbound: Inbound,
}

/// The state of the inbound stream.
#[derive(Debug)]
enum Inbound {
    /// More may come.
    Open,
    /// The other end closed it.
    Closed,
    /// It broke.
    Broken(io::Error),
}

impl MessageWire {
    /// For one network, at the beginning of a stream.
    pub const fn new(magic: Magic) -> Self {
        Self { magic, decoder: Decoder::new(magic), outbox: Vec::new(), sent: 0, inbound: Inbound::Open }
    }

    /// Queues a message.
    ///
    /// # Errors
    /// [`WireError::Backlog`] when more than [`MAX_OUTBOX`] bytes would wait.
    pub fn send(&mut self, message: NetworkMessage) -> Result<(), WireError> {
        let bytes = encode(self.magic, message);
        let waiting = self.outgoing().len() + bytes.len();
        if waiting > MAX_OUTBOX {
            return Err(WireError::Backlog(waiting));
        }
        self.outbox.extend_from_slice(&bytes);
        Ok(())
    }

    /// Whether so much waits to be written that nothing more is to be read.
    pub fn is_full(&self) -> bool {
        self.outgoing().len() > FULL_OUTBOX
    }

    /// The bytes to write next; empty when there are none.
    pub fn outgoing(&self) -> &[u8] {
        &self.outbox[self.sent..]
    }

    /// This many of the outgoing bytes were written.
    ///
    /// # Panics
    /// If `count` is more than there are.
    pub fn handle_written(&mut self, count: usize) {
        assert!(count <= self.outgoing().len(), "more was written than there was");
        self.sent += count;
        if self.sent == self.outbox.len() {
            self.outbox = Vec::new();
            self.sent = 0;
        } else if self.sent >= MAX_WRITTEN {
            self.outbox.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// Bytes were read.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.decoder.extend(bytes);
    }

    /// The other end closed the stream, or it broke. [`MessageWire::next_message`] says so after what was read before.
    pub fn handle_end(&mut self, error: Option<io::Error>) {
        self.inbound = error.map_or(Inbound::Closed, Inbound::Broken);
    }

    /// The next message; none until more is read.
    ///
    /// # Errors
    /// See [`WireError`]. After a [`FrameError`] that is not fatal, it may be called again.
    pub fn next_message(&mut self) -> Result<Option<NetworkMessage>, WireError> {
        if let Some(message) = self.decoder.next_message()? {
            return Ok(Some(message));
        }
        match std::mem::replace(&mut self.inbound, Inbound::Closed) {
            Inbound::Open => {
                self.inbound = Inbound::Open;
                Ok(None)
            }
            Inbound::Closed if self.decoder.is_between_messages() => Err(WireError::Closed),
            Inbound::Closed => Err(WireError::Truncated),
            Inbound::Broken(error) => Err(WireError::Broken(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: Magic = Magic::REGTEST;

    #[test]
    fn messages_arrive_byte_by_byte() {
        let mut wire = MessageWire::new(MAGIC);
        let bytes = encode(MAGIC, NetworkMessage::Ping(7));
        for byte in &bytes[..bytes.len() - 1] {
            wire.receive(&[*byte]);
            assert!(wire.next_message().expect("no error").is_none(), "the message is not complete");
        }
        wire.receive(&bytes[bytes.len() - 1..]);
        assert_eq!(wire.next_message().expect("complete"), Some(NetworkMessage::Ping(7)));
    }

    #[test]
    fn what_was_written_does_not_come_again() {
        let mut wire = MessageWire::new(MAGIC);
        wire.send(NetworkMessage::Ping(1)).expect("room");
        wire.send(NetworkMessage::Ping(2)).expect("room");
        wire.handle_written(32);
        assert_eq!(wire.outgoing(), encode(MAGIC, NetworkMessage::Ping(2)));
        wire.handle_written(32);
        assert!(wire.outgoing().is_empty());
    }

    #[test]
    fn what_was_written_is_freed_even_if_the_outbox_is_never_empty() {
        let mut wire = MessageWire::new(MAGIC);
        (0..30_000).for_each(|number| wire.send(NetworkMessage::Pong(number)).expect("room"));
        for number in 0..300_000 {
            wire.send(NetworkMessage::Pong(number)).expect("room");
            wire.handle_written(32);
        }
        assert!(
            wire.outgoing().len() == 960_000 && wire.outbox.capacity() <= 2 * MAX_OUTBOX,
            "{}",
            wire.outbox.capacity()
        );
    }

    #[test]
    fn a_peer_that_does_not_read_is_given_up() {
        let mut wire = MessageWire::new(MAGIC);
        let error = (0..).find_map(|number| wire.send(NetworkMessage::Pong(number)).err());
        assert!(matches!(error, Some(WireError::Backlog(bytes)) if bytes > MAX_OUTBOX));
    }

    #[test]
    fn an_end_between_messages_is_told_from_one_within() {
        let bytes = encode(MAGIC, NetworkMessage::Ping(7));
        for (sent, text) in
            [(32, "closed by the other end"), (31, "closed by the other end in the middle of a message")]
        {
            let mut wire = MessageWire::new(MAGIC);
            wire.receive(&bytes[..sent]);
            wire.handle_end(None);
            let error = loop {
                if let Err(error) = wire.next_message() {
                    break error;
                }
            };
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn what_came_before_the_stream_broke_is_read() {
        let mut wire = MessageWire::new(MAGIC);
        wire.receive(&encode(MAGIC, NetworkMessage::Ping(7)));
        wire.handle_end(Some(io::ErrorKind::ConnectionReset.into()));
        assert_eq!(wire.next_message().expect("it came before"), Some(NetworkMessage::Ping(7)));
        assert!(matches!(wire.next_message(), Err(WireError::Broken(_))));
    }
}
