//! The client's side of SOCKS5, without I/O: what to write, how much to read, what came of it.
//!
//! Read first: RFC 1928 (SOCKS5), RFC 1929 (user name and password), and Tor's `socks-extensions.txt` (isolation by
//! credentials, the RESOLVE command) and proposal 304 (reply codes F0 to F7). This module knows no socket, no clock
//! and no manager: whoever drives it owns the stream and the deadline.
//!
//! The codec never asks for a byte beyond the proxy's reply, so what the peer sends first is still in the socket when
//! it is done. It takes the bytes in any pieces.
//!
//! ```
//! use std::io::{self, Read, Write};
//!
//! use connmgr_core::socks::{Client, Outcome, SocksError, Step};
//! use connmgr_core::{Isolation, IsolationToken, PeerAddress};
//!
//! /// Speaks to the proxy at the other end of `stream`. After `Ok(Ok(Connected))` the stream is the peer's.
//! fn negotiate(mut client: Client, stream: &mut (impl Read + Write)) -> io::Result<Result<Outcome, SocksError>> {
//!     let mut buffer = [0; Client::MAX_READ];
//!     loop {
//!         match client.step() {
//!             Step::Write(bytes) => {
//!                 let count = stream.write(bytes)?;
//!                 client.wrote(count);
//!             }
//!             Step::Read(wanted) => {
//!                 let count = stream.read(&mut buffer[..wanted])?;
//!                 client.received(&buffer[..count]);
//!             }
//!             Step::Done(result) => return Ok(result),
//!         }
//!     }
//! }
//!
//! # /// A proxy that says yes to everything, and the first words of the peer behind it.
//! # struct Proxy(io::Cursor<Vec<u8>>);
//! # impl Write for Proxy {
//! #     fn write(&mut self, bytes: &[u8]) -> io::Result<usize> { Ok(bytes.len().min(3)) }
//! #     fn flush(&mut self) -> io::Result<()> { Ok(()) }
//! # }
//! # impl Read for Proxy {
//! #     fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> { self.0.read(buffer) }
//! # }
//! # let mut stream = Proxy(io::Cursor::new(b"\x05\x02\x01\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00hello".to_vec()));
//! let peer: PeerAddress = "node.example:8333".parse()?;
//! let own_circuit = Isolation::Token(IsolationToken::from_u64(7));
//! assert_eq!(negotiate(Client::connect(&peer, own_circuit), &mut stream)?, Ok(Outcome::Connected));
//!
//! let mut greeting = String::new();
//! stream.read_to_string(&mut greeting)?;
//! assert_eq!(greeting, "hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod wire;

#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use crate::types::{HostName, Isolation, PeerAddress};

pub use error::{ReplyCode, SocksError};
use wire::{Command, Credentials};

/// One conversation with a SOCKS5 proxy, from the first byte to the end of the proxy's reply.
///
/// Ask [`step`](Self::step) what to do, do it (or a part of it), tell the client with [`wrote`](Self::wrote),
/// [`received`](Self::received) or [`eof`](Self::eof), and ask again until it is done. No call panics, whatever the
/// proxy sends. Less than 600 bytes, and bounded: at most 266 bytes are ever asked for in one conversation.
#[derive(Clone)]
pub struct Client {
    command: Command,
    credentials: Option<Credentials>,
    request: Vec<u8>,
    state: State,
    /// How much of the present message is written, or how much of `answer` is filled.
    progress: usize,
    answer: [u8; wire::MAX_REPLY],
}

/// What the client wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Step<'a> {
    /// Write these bytes to the proxy, or as many as go, and say how many with [`Client::wrote`]. Never empty.
    Write(&'a [u8]),
    /// Read this many bytes and not one more, or fewer, and hand them to [`Client::received`]. At least 1, at most
    /// [`Client::MAX_READ`].
    Read(usize),
    /// The conversation is over. After an error, close the stream.
    Done(Result<Outcome, SocksError>),
}

/// What a proxy did for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The stream now leads to the peer. Every byte from here on is the peer's.
    Connected,
    /// The name has this address. The proxy closes the stream.
    Resolved(IpAddr),
}

/// ```text
/// Write(Greeting) ─► Read(Method) ─┬─────────────── shared ───────────────┬─► Write(Request) ─► Read(ReplyCode)
///                                  └► Write(Credentials) ─► Read(Verdict) ┘                          │
///                                                                       Read(ReplyTail) ◄─ Read(ReplyHead)
/// every Read, on a bad answer, and every state, on eof ─► Done(Err)            └─► Done(Ok)
/// ```
#[derive(Clone, Copy, Debug)]
enum State {
    Write(Message),
    Read(Part),
    Done(Result<Outcome, SocksError>),
}

/// What we write, each followed by one answer.
#[derive(Clone, Copy, Debug)]
enum Message {
    Greeting,
    Credentials(Credentials),
    Request,
}

/// What we read. The three parts of a reply follow each other in one buffer.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// Version and chosen method.
    Method,
    /// Version and verdict on our credentials.
    Verdict,
    /// Version and reply code. Alone, because after a failure nothing else is sure to come: Tor gives a failed
    /// RESOLVE the address type 0.
    ReplyCode,
    /// Reserved byte, address type, and the first byte of the address, which is the length of a name.
    ReplyHead,
    /// The rest of address and port, of a reply this long.
    ReplyTail { reply_len: usize },
}

impl Client {
    /// The most bytes that one [`Step::Read`] asks for: a bound name of 255 bytes and its port.
    pub const MAX_READ: usize = wire::MAX_REPLY - wire::REPLY_HEAD_LEN;

    /// A client that wants a connection to `peer`.
    ///
    /// IPv4, IPv6 and CJDNS go as addresses; names, onion and I2P addresses as names, for the proxy to resolve.
    pub fn connect(peer: &PeerAddress, isolation: Isolation) -> Self {
        Self::new(Command::Connect, wire::connect_request(peer), isolation)
    }

    /// A client that wants the address of `name`, by Tor's RESOLVE command.
    ///
    /// Tor answers with one address only; another isolation token may yield another. Proxies other than Tor and Arti
    /// answer [`ReplyCode::CommandUnsupported`] or fail in a way of their own.
    pub fn resolve(name: &HostName, isolation: Isolation) -> Self {
        Self::new(Command::Resolve, wire::resolve_request(name), isolation)
    }

    fn new(command: Command, request: Vec<u8>, isolation: Isolation) -> Self {
        Self {
            command,
            credentials: Credentials::new(isolation),
            request,
            state: State::Write(Message::Greeting),
            progress: 0,
            answer: [0; wire::MAX_REPLY],
        }
    }

    /// `count` bytes of the last [`Step::Write`] were written.
    ///
    /// More than there were end the conversation with [`SocksError::Overrun`].
    pub fn wrote(&mut self, count: usize) {
        match self.state {
            State::Write(message) => self.wrote_of(message, count),
            State::Read(_) if count == 0 => {}
            State::Read(_) => self.fail(SocksError::Overrun),
            State::Done(_) => {}
        }
    }

    /// The proxy sent these bytes, in answer to the last [`Step::Read`].
    ///
    /// No bytes mean the end of the stream, as with every `read`: the same as [`Client::eof`]. More than asked for
    /// end the conversation with [`SocksError::Overrun`], because they may belong to the peer.
    pub fn received(&mut self, bytes: &[u8]) {
        match self.state {
            State::Write(_) | State::Read(_) if bytes.is_empty() => self.eof(),
            State::Write(_) => self.fail(SocksError::Overrun),
            State::Read(part) => self.received_of(part, bytes),
            State::Done(_) => {}
        }
    }

    /// The stream ended or broke: a read gave nothing, or reading or writing failed.
    pub fn eof(&mut self) {
        match self.state {
            State::Write(_) | State::Read(_) => self.fail(SocksError::Closed),
            State::Done(_) => {}
        }
    }

    /// What to do next. Asking twice changes nothing.
    pub fn step(&self) -> Step<'_> {
        match &self.state {
            State::Write(message) => Step::Write(&self.bytes(message)[self.progress..]),
            State::Read(part) => Step::Read(part.end() - self.progress),
            State::Done(result) => Step::Done(*result),
        }
    }

    fn wrote_of(&mut self, message: Message, count: usize) {
        let left = self.bytes(&message).len() - self.progress;
        if count > left {
            return self.fail(SocksError::Overrun);
        }
        self.progress += count;
        if count == left {
            self.enter(State::Read(message.answer()));
        }
    }

    fn received_of(&mut self, part: Part, bytes: &[u8]) {
        let filled = self.progress + bytes.len();
        if filled > part.end() {
            return self.fail(SocksError::Overrun);
        }
        self.answer[self.progress..filled].copy_from_slice(bytes);
        self.progress = filled;
        if filled == part.end() {
            match self.judge(part) {
                Ok(next) => self.enter(next),
                Err(why) => self.fail(why),
            }
        }
    }

    /// What follows a whole part.
    fn judge(&self, part: Part) -> Result<State, SocksError> {
        let answer = &self.answer;
        Ok(match part {
            Part::Method => {
                wire::check_method([answer[0], answer[1]], self.credentials.as_ref())?;
                State::Write(self.credentials.map_or(Message::Request, Message::Credentials))
            }
            Part::Verdict => {
                wire::check_verdict([answer[0], answer[1]])?;
                State::Write(Message::Request)
            }
            Part::ReplyCode => {
                wire::check_reply([answer[0], answer[1]])?;
                State::Read(Part::ReplyHead)
            }
            Part::ReplyHead => State::Read(Part::ReplyTail { reply_len: wire::reply_len(answer[3], answer[4])? }),
            Part::ReplyTail { .. } => State::Done(Ok(self.outcome()?)),
        })
    }

    fn outcome(&self) -> Result<Outcome, SocksError> {
        match self.command {
            // Where the proxy is bound is of no use: Tor always says 0.0.0.0.
            Command::Connect => Ok(Outcome::Connected),
            Command::Resolve => wire::bound_ip(&self.answer).map(Outcome::Resolved).ok_or(SocksError::NotAnIp),
        }
    }

    /// Messages and answers start at their first byte; the later parts of a reply go on where the one before ended.
    fn enter(&mut self, next: State) {
        match next {
            State::Write(_) | State::Read(Part::Method | Part::Verdict | Part::ReplyCode) => self.progress = 0,
            State::Read(Part::ReplyHead | Part::ReplyTail { .. }) | State::Done(_) => {}
        }
        self.state = next;
    }

    fn fail(&mut self, why: SocksError) {
        self.state = State::Done(Err(why));
    }

    fn bytes<'a>(&'a self, message: &'a Message) -> &'a [u8] {
        match message {
            Message::Greeting => wire::greeting(self.credentials.as_ref()),
            Message::Credentials(credentials) => credentials.as_bytes(),
            Message::Request => &self.request,
        }
    }
}

impl fmt::Debug for Client {
    /// Leaves out the credentials and the name or address asked for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("command", &self.command)
            .field("state", &self.state)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

impl Message {
    const fn answer(self) -> Part {
        match self {
            Self::Greeting => Part::Method,
            Self::Credentials(_) => Part::Verdict,
            Self::Request => Part::ReplyCode,
        }
    }
}

impl Part {
    /// Where in the answer buffer the part ends.
    const fn end(self) -> usize {
        match self {
            Self::Method | Self::Verdict | Self::ReplyCode => 2,
            Self::ReplyHead => wire::REPLY_HEAD_LEN,
            Self::ReplyTail { reply_len } => reply_len,
        }
    }
}
