//! A SOCKS5 client without I/O: it says what to write and how much to read, and gives the result.
//!
//! Read first: RFC 1928 (SOCKS5), RFC 1929 (user name and password), and Tor's `socks-extensions.txt` (isolation by
//! credentials, the RESOLVE command) and proposal 304 (reply codes F0 to F7). This module knows no sockets, no clock
//! and no manager: its caller owns the stream and the deadline.
//!
//! The codec never asks for a byte beyond the proxy's reply, so the peer's first bytes are still in the socket when it
//! is done. It takes the bytes in pieces of any size.
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
use wire::{AuthMethod, Command, Credentials};

/// One negotiation with a SOCKS5 proxy, from the first byte to the end of the proxy's reply.
///
/// Call [`step`](Self::step), do what it says (or a part of it), report it with [`wrote`](Self::wrote),
/// [`received`](Self::received) or [`eof`](Self::eof), and repeat until it is done. No call panics, whatever the proxy
/// sends. A client takes less than 600 bytes, and reads at most 266 bytes in all.
#[derive(Clone)]
pub struct Client {
    command: Command,
    isolation: Isolation,
    request: Vec<u8>,
    state: State,
    /// How many bytes of the current message are written, or of `answer` are filled.
    progress: usize,
    answer: [u8; wire::MAX_REPLY],
    lacks_isolation: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Step<'a> {
    /// Write these bytes to the proxy, or some of them, and report how many with [`Client::wrote`]. Never empty.
    Write(&'a [u8]),
    /// Read at most this many bytes, and pass them to [`Client::received`]. At least 1, at most [`Client::MAX_READ`].
    Read(usize),
    /// The negotiation is over. After an error, close the stream.
    Done(Result<Outcome, SocksError>),
}

/// The result of a negotiation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The stream is connected to the peer. All further bytes are the peer's.
    Connected,
    /// The address of the name. The proxy closes the stream.
    Resolved(IpAddr),
}

/// ```text
/// Write(Greeting) ─► Read(Method) ─┬───────── no authentication ──────────┬─► Write(Request) ─► Read(ReplyCode)
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

/// A message that we write. Each has one answer.
#[derive(Clone, Copy, Debug)]
enum Message {
    Greeting,
    Credentials(Credentials),
    Request,
}

/// A part that we read. The three parts of a reply share one buffer.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// Version and chosen method.
    Method,
    /// Version and status of our credentials.
    Verdict,
    /// Version and reply code. A part of its own, because nothing else is sure to follow a failure: Tor gives a failed
    /// RESOLVE the address type 0.
    ReplyCode,
    /// Reserved byte, address type, and first byte of the address (the length, for a name).
    ReplyHead,
    /// The rest of address and port, of a reply of this length.
    ReplyTail { reply_len: usize },
}

impl Client {
    /// The most bytes that one [`Step::Read`] asks for: a bound name of 255 bytes, and the port.
    pub const MAX_READ: usize = wire::MAX_REPLY - wire::REPLY_HEAD_LEN;

    /// A client that connects to `peer`.
    ///
    /// IPv4, IPv6 and CJDNS are sent as addresses; names, onion and I2P addresses as names, which the proxy resolves.
    pub fn connect(peer: &PeerAddress, isolation: Isolation) -> Self {
        Self::new(Command::Connect, wire::connect_request(peer), isolation)
    }

    /// A client that looks up `name` with Tor's RESOLVE command.
    ///
    /// Tor answers with a single address; another isolation token may give another. Proxies other than Tor and Arti
    /// answer [`ReplyCode::CommandUnsupported`], close the stream instead ([`SocksError::Unanswered`]), or fail in
    /// another way.
    pub fn resolve(name: &HostName, isolation: Isolation) -> Self {
        Self::new(Command::Resolve, wire::resolve_request(name), isolation)
    }

    fn new(command: Command, request: Vec<u8>, isolation: Isolation) -> Self {
        Self {
            command,
            isolation,
            request,
            state: State::Write(Message::Greeting),
            progress: 0,
            answer: [0; wire::MAX_REPLY],
            lacks_isolation: false,
        }
    }

    /// Reports that `count` bytes of the last [`Step::Write`] were written.
    ///
    /// A greater count than that ends the negotiation with [`SocksError::Overrun`].
    pub fn wrote(&mut self, count: usize) {
        match self.state {
            State::Write(message) => self.wrote_of(message, count),
            State::Read(_) if count == 0 => {}
            State::Read(_) => self.fail(SocksError::Overrun),
            State::Done(_) => {}
        }
    }

    /// Reports bytes read for the last [`Step::Read`].
    ///
    /// No bytes mean the end of the stream, as with `read`: the same as [`Client::eof`]. More bytes than asked for end
    /// the negotiation with [`SocksError::Overrun`], because they may be the peer's.
    pub fn received(&mut self, bytes: &[u8]) {
        match self.state {
            State::Write(_) | State::Read(_) if bytes.is_empty() => self.eof(),
            State::Write(_) => self.fail(SocksError::Overrun),
            State::Read(part) => self.received_of(part, bytes),
            State::Done(_) => {}
        }
    }

    /// Reports that the stream ended, or that reading or writing failed.
    pub fn eof(&mut self) {
        match self.state {
            State::Read(Part::Method) if self.progress == 0 && matches!(self.isolation, Isolation::Token(_)) => {
                self.fail(SocksError::NoMethodChosen);
            }
            State::Read(Part::ReplyCode) if self.progress == 0 => self.fail(SocksError::Unanswered),
            State::Write(_) | State::Read(_) => self.fail(SocksError::Closed),
            State::Done(_) => {}
        }
    }

    /// Whether isolation was preferred, and the proxy chose "no authentication": the circuit may be shared.
    pub const fn lacks_isolation(&self) -> bool {
        self.lacks_isolation
    }

    /// What to do next. Changes nothing.
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
            match self.next_state(part) {
                Ok(next) => self.enter(next),
                Err(why) => self.fail(why),
            }
        }
    }

    /// The state after a complete part.
    fn next_state(&mut self, part: Part) -> Result<State, SocksError> {
        let answer = &self.answer;
        Ok(match part {
            Part::Method => {
                let method = wire::chosen_method([answer[0], answer[1]], self.isolation)?;
                let credentials = Credentials::new(self.isolation);
                self.lacks_isolation = method == AuthMethod::NoAuth && credentials.is_some();
                let credentials = credentials.filter(|_| method == AuthMethod::UserPassword);
                State::Write(credentials.map_or(Message::Request, Message::Credentials))
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
            // The bound address is of no use: Tor always sends 0.0.0.0.
            Command::Connect => Ok(Outcome::Connected),
            Command::Resolve => wire::bound_ip(&self.answer).map(Outcome::Resolved).ok_or(SocksError::NotAnIp),
        }
    }

    /// Messages and answers start at their first byte; later parts of a reply continue after the one before.
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
            Message::Greeting => wire::greeting(self.isolation),
            Message::Credentials(credentials) => credentials.as_bytes(),
            Message::Request => &self.request,
        }
    }
}

impl fmt::Debug for Client {
    /// Leaves out the credentials and the requested name or address.
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
    /// Where the part ends in the answer buffer.
    const fn end(self) -> usize {
        match self {
            Self::Method | Self::Verdict | Self::ReplyCode => 2,
            Self::ReplyHead => wire::REPLY_HEAD_LEN,
            Self::ReplyTail { reply_len } => reply_len,
        }
    }
}
