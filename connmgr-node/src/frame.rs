//! The framing of Bitcoin's v1 transport.
//!
//! Sans-IO: bytes go in by [`Decoder::extend`] in pieces of any size, messages come out by [`Decoder::next_message`].
//! Messages that this node does not use (blocks, transactions, filters) are skipped without being buffered. Read first: <https://developer.bitcoin.org/reference/p2p_networking.html#message-headers>.

use std::fmt;

use bitcoin::consensus::encode;
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::p2p::Magic;
use bitcoin::p2p::message::{NetworkMessage, RawNetworkMessage};

use crate::payload;

/// The longest payload of any message: Bitcoin Core's `MAX_PROTOCOL_MESSAGE_LENGTH`.
pub const MAX_PAYLOAD: usize = 4_000_000;

/// Magic (4), command (12), length (4), checksum (4).
const HEADER: usize = 24;

/// How much longer than today a message may be: a later version of the protocol may append to it.
const GROWTH: usize = 1024;

/// A buffer larger than this is freed once it is empty.
const KEPT_CAPACITY: usize = 64 * 1024;

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It does not begin with the four bytes of our network: garbage, or another network.
    #[error("not a message of this network (it begins with {0})")]
    Magic(Magic),
    /// The header announces more bytes than this message may have.
    #[error("`{command}` of {length} bytes, at most {limit} are allowed")]
    TooLong {
        /// Which message.
        command: MessageName,
        /// The length in the header.
        length: usize,
        /// The longest allowed.
        limit: usize,
    },
    /// The payload does not match its checksum. The stream stays in step.
    #[error("`{0}` with a wrong checksum")]
    Checksum(MessageName),
    /// The payload can't be decoded. The stream stays in step.
    #[error("`{0}` that can't be read")]
    Malformed(MessageName),
}

impl FrameError {
    /// Whether nothing that follows can be read.
    pub const fn is_fatal(&self) -> bool {
        match self {
            Self::Magic(_) | Self::TooLong { .. } => true,
            Self::Checksum(_) | Self::Malformed(_) => false,
        }
    }
}

/// The name of a message as received: up to twelve bytes chosen by the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageName([u8; 12]);

impl MessageName {
    /// The bytes before the padding.
    pub fn as_bytes(&self) -> &[u8] {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        &self.0[..end]
    }

    /// The longest payload of a message that this node reads; none for those it skips.
    ///
    /// All may grow by [`GROWTH`]. Lists have the limits of the protocol:
    /// 1000 addresses of 30 bytes (BIP 155: at most 531), 2000 headers of 81, 50 000 inventory items of 36, and
    /// Core's 101 locator hashes.
    fn limit(&self) -> Option<usize> {
        let today = match self.as_bytes() {
            b"verack" | b"wtxidrelay" | b"sendaddrv2" | b"getaddr" | b"sendheaders" | b"ping" | b"pong" => 8,
            b"version" => 86 + 256,
            b"addr" => 3 + 1000 * 30,
            b"addrv2" => 3 + 1000 * 531,
            b"inv" => 3 + 50_000 * 36,
            b"getheaders" => 4 + 1 + 101 * 32 + 32,
            b"headers" => 3 + 2000 * 81,
            _ => return None,
        };
        Some(today + GROWTH)
    }
}

impl fmt::Display for MessageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().escape_ascii().fmt(f)
    }
}

/// Decodes messages from a stream of bytes.
///
/// Buffers at most one message, and what was read together with its end.
#[derive(Debug)]
pub struct Decoder {
    magic: Magic,
    buffer: Vec<u8>,
    /// Bytes still to come of a payload that is skipped.
    skip: usize,
}

impl Decoder {
    /// A decoder for one network, at the beginning of a stream.
    pub const fn new(magic: Magic) -> Self {
        Self { magic, buffer: Vec::new(), skip: 0 }
    }

    /// Takes the next bytes of the stream.
    pub fn extend(&mut self, bytes: &[u8]) {
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        self.buffer.extend_from_slice(&bytes[skipped..]);
    }

    /// The next whole message, if it has arrived.
    ///
    /// # Errors
    /// See [`FrameError`]. After a fatal one the stream is out of step and can't be read any more.
    pub fn next_message(&mut self) -> Result<Option<NetworkMessage>, FrameError> {
        while let Some(header) = self.header()? {
            let Some(limit) = header.command.limit() else {
                self.skip_message(&header);
                continue;
            };
            if header.length > limit {
                return Err(FrameError::TooLong { command: header.command, length: header.length, limit });
            }
            let end = HEADER + header.length;
            if self.buffer.len() < end {
                return Ok(None);
            }
            let message = read(&self.buffer[HEADER..end], &header);
            self.consume(end);
            return message;
        }
        Ok(None)
    }

    /// Whether the stream is between two messages.
    pub fn is_between_messages(&self) -> bool {
        self.buffer.is_empty() && self.skip == 0
    }

    /// The header of the next message, once it is here.
    fn header(&self) -> Result<Option<Header>, FrameError> {
        // Four bytes are enough to see garbage, even if no whole header ever comes.
        if let Some(magic) = self.buffer.first_chunk::<4>().map(|bytes| Magic::from_bytes(*bytes)) {
            if magic != self.magic {
                return Err(FrameError::Magic(magic));
            }
        }
        let Some(header) = self.buffer.first_chunk::<HEADER>().map(Header::parse) else {
            return Ok(None);
        };
        if header.length > MAX_PAYLOAD {
            let (command, length) = (header.command, header.length);
            return Err(FrameError::TooLong { command, length, limit: MAX_PAYLOAD });
        }
        Ok(Some(header))
    }

    fn skip_message(&mut self, header: &Header) {
        let here = self.buffer.len().min(HEADER + header.length);
        self.skip = HEADER + header.length - here;
        self.consume(here);
    }

    fn consume(&mut self, bytes: usize) {
        self.buffer.drain(..bytes);
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT_CAPACITY {
            self.buffer = Vec::new();
        }
    }
}

struct Header {
    command: MessageName,
    length: usize,
    checksum: [u8; 4],
}

impl Header {
    fn parse(bytes: &[u8; HEADER]) -> Self {
        let mut header = Self { command: MessageName([0; 12]), length: 0, checksum: [0; 4] };
        header.command.0.copy_from_slice(&bytes[4..16]);
        let length = [bytes[16], bytes[17], bytes[18], bytes[19]];
        header.length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        header.checksum.copy_from_slice(&bytes[20..]);
        header
    }
}

fn read(payload: &[u8], header: &Header) -> Result<Option<NetworkMessage>, FrameError> {
    let digest = sha256d::Hash::hash(payload);
    if digest.as_byte_array()[..4] != header.checksum {
        return Err(FrameError::Checksum(header.command));
    }
    payload::decode(header.command.as_bytes(), payload).map_err(|_| FrameError::Malformed(header.command))
}

/// The bytes of a message.
pub fn encode(magic: Magic, message: NetworkMessage) -> Vec<u8> {
    encode::serialize(&RawNetworkMessage::new(magic, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::p2p::Address;
    use bitcoin::p2p::message::CommandString;

    const MAGIC: Magic = Magic::REGTEST;

    fn unread(bytes: usize) -> NetworkMessage {
        let command = CommandString::try_from_static("novelty").expect("short");
        NetworkMessage::Unknown { command, payload: vec![7; bytes] }
    }

    fn decode_all(decoder: &mut Decoder, bytes: &[u8], piece: usize) -> Vec<NetworkMessage> {
        let mut messages = Vec::new();
        for piece in bytes.chunks(piece) {
            decoder.extend(piece);
            while let Some(message) = decoder.next_message().expect("good messages") {
                messages.push(message);
            }
        }
        messages
    }

    #[test]
    fn messages_come_out_whole_however_they_are_cut() {
        let sent = [NetworkMessage::Verack, NetworkMessage::Ping(7), unread(100), NetworkMessage::GetAddr, unread(0)];
        let bytes: Vec<u8> = sent.iter().flat_map(|message| encode(MAGIC, message.clone())).collect();
        for piece in 1..bytes.len() {
            let mut decoder = Decoder::new(MAGIC);
            let got = decode_all(&mut decoder, &bytes, piece);
            assert_eq!(got, [sent[0].clone(), sent[1].clone(), sent[3].clone()], "in pieces of {piece}");
            assert!(decoder.is_between_messages());
        }
    }

    #[test]
    fn a_message_that_is_not_read_is_not_buffered() {
        let mut decoder = Decoder::new(MAGIC);
        for piece in encode(MAGIC, unread(MAX_PAYLOAD)).chunks(1000) {
            decoder.extend(piece);
            assert_eq!(decoder.next_message(), Ok(None));
            assert!(decoder.buffer.len() <= 1000);
        }
        assert!(decoder.is_between_messages());
    }

    #[test]
    fn garbage_is_known_from_its_first_bytes() {
        let mut decoder = Decoder::new(MAGIC);
        decoder.extend(b"HTTP");
        assert_eq!(decoder.next_message(), Err(FrameError::Magic(Magic::from_bytes(*b"HTTP"))));
    }

    #[test]
    fn an_oversized_message_is_refused_by_its_header_alone() {
        let addresses = vec![(0, Address::new(&([1, 2, 3, 4], 5).into(), 0.into())); 1100];
        let bytes = encode(MAGIC, NetworkMessage::Addr(addresses));
        let mut decoder = Decoder::new(MAGIC);
        decoder.extend(&bytes[..HEADER]);
        let error = decoder.next_message().expect_err("1100 addresses");
        assert_eq!(error.to_string(), "`addr` of 33003 bytes, at most 31027 are allowed");
        assert!(error.is_fatal());
    }

    #[test]
    fn an_unknown_message_longer_than_the_protocol_allows_is_refused() {
        let mut bytes = encode(MAGIC, unread(0));
        bytes[16..20].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut decoder = Decoder::new(MAGIC);
        decoder.extend(&bytes);
        assert!(matches!(decoder.next_message(), Err(FrameError::TooLong { limit: MAX_PAYLOAD, .. })));
    }

    #[test]
    fn after_a_wrong_checksum_or_payload_the_stream_goes_on() {
        let mut wrong = encode(MAGIC, NetworkMessage::Ping(1));
        wrong[20] ^= 1;
        let mut short = encode(MAGIC, NetworkMessage::Verack);
        short[4..16].copy_from_slice(b"ping\0\0\0\0\0\0\0\0");
        let mut decoder = Decoder::new(MAGIC);
        for bytes in [&wrong, &short, &encode(MAGIC, NetworkMessage::Pong(3))] {
            decoder.extend(bytes);
        }
        let error = |text: &str| text.to_string();
        assert_eq!(decoder.next_message().map_err(|e| e.to_string()), Err(error("`ping` with a wrong checksum")));
        assert_eq!(decoder.next_message().map_err(|e| e.to_string()), Err(error("`ping` that can't be read")));
        assert_eq!(decoder.next_message(), Ok(Some(NetworkMessage::Pong(3))));
    }

    #[test]
    fn a_large_buffer_is_given_back() {
        let mut decoder = Decoder::new(MAGIC);
        let items = vec![bitcoin::p2p::message_blockdata::Inventory::Error; 50_000];
        decoder.extend(&encode(MAGIC, NetworkMessage::Inv(items)));
        assert!(decoder.next_message().expect("readable").is_some());
        assert!(decoder.buffer.capacity() <= KEPT_CAPACITY);
    }
}
