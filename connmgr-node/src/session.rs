//! A session with one peer, from the handshake to the end. Sans-IO.
//!
//! Bytes go in and out; what it learns comes out as [`News`]; times are arguments. So it runs the same on every runtime, and
//! in a test without one: see [`Pump`](crate::pump::Pump). It ends when the stream ends, when the peer breaks the protocol,
//! or when the peer does not answer a ping.

mod talk;

use std::io;
use std::time::Instant;

use bitcoin::block::Header;
use bitcoin::p2p::Magic;
use bitcoin::{Network, p2p::message::NetworkMessage};
use connmgr_core::{AddressInfo, Chain};

use crate::end::SessionEnd;
use crate::handshake::{Handshake, Hello, PeerHello};
use crate::headers::MAX_HEADERS;
use crate::news::News;
use crate::ping::PingConfig;
use crate::wire::{MessageWire, WireError};
use talk::Conversation;

/// The options of a session.
#[derive(Clone, Copy, Debug)]
pub struct SessionConfig {
    /// The network.
    pub chain: Chain,
    /// When to ping.
    pub ping: PingConfig,
}

impl SessionConfig {
    /// Pings as Core does.
    pub fn new(chain: Chain) -> Self {
        Self { chain, ping: PingConfig::default() }
    }

    /// The first four bytes of every message.
    pub fn magic(&self) -> Magic {
        network(self.chain).magic()
    }
}

/// The chain as a type of the `bitcoin` crate.
pub const fn network(chain: Chain) -> Network {
    match chain {
        Chain::Mainnet => Network::Bitcoin,
        Chain::Testnet4 => Network::Testnet4,
        Chain::Signet => Network::Signet,
        Chain::Regtest => Network::Regtest,
    }
}

/// A session with one peer.
///
/// Give it what was read, and the end of the stream; call [`Session::poll`] until there is no more news; write
/// [`Session::outgoing`]; and call again at [`Session::deadline`].
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    wire: MessageWire,
    phase: SessionPhase,
}

/// ```text
/// Handshaking ──verack──▶ Talking ──┐
///      └────────────────────────────┴──▶ Ending ──told──▶ Over
/// ```
#[derive(Debug)]
enum SessionPhase {
    /// There is no deadline here: the manager closes a handshake that takes too long.
    Handshaking(Box<Handshake>),
    Talking(Box<Conversation>),
    /// It is over, and [`News::Ended`] comes next.
    Ending(SessionEnd),
    Over,
}

impl Session {
    /// Begins the handshake.
    pub fn new(hello: Hello, config: SessionConfig) -> Self {
        let mut wire = MessageWire::new(config.magic());
        let phase = match Handshake::begin(hello, &mut wire) {
            Ok(handshake) => SessionPhase::Handshaking(Box::new(handshake)),
            Err(error) => SessionPhase::Ending(error.into()),
        };
        Self { config, wire, phase }
    }

    /// Bytes were read.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.wire.receive(bytes);
    }

    /// The other end closed the stream, or it broke. [`News::Ended`] follows what came before.
    pub fn handle_end(&mut self, error: Option<io::Error>) {
        self.wire.handle_end(error);
    }

    /// The peer did not read what waits for it for too long. [`News::Ended`] comes next.
    pub fn handle_unread(&mut self) {
        if !matches!(self.phase, SessionPhase::Over) {
            self.phase = SessionPhase::Ending(SessionEnd::Unread);
        }
    }

    /// Whether so much waits to be written that nothing more is to be read.
    pub fn is_full(&self) -> bool {
        self.wire.is_full()
    }

    /// The bytes to write next; empty when there are none.
    pub fn outgoing(&self) -> &[u8] {
        self.wire.outgoing()
    }

    /// This many of the outgoing bytes were written.
    ///
    /// # Panics
    /// If `count` is more than there are.
    pub fn handle_written(&mut self, count: usize) {
        self.wire.handle_written(count);
    }

    /// When to call [`Session::poll`] next, even if nothing is read.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            SessionPhase::Talking(talk) => Some(talk.deadline()),
            SessionPhase::Handshaking(_) | SessionPhase::Ending(_) | SessionPhase::Over => None,
        }
    }

    /// The next news; none until more is read or the deadline comes.
    pub fn poll(&mut self, now: Instant) -> Option<News> {
        match std::mem::replace(&mut self.phase, SessionPhase::Over) {
            SessionPhase::Handshaking(handshake) => self.handshake(handshake, now),
            SessionPhase::Talking(talk) => self.talk(talk, now),
            SessionPhase::Ending(end) => Some(News::Ended(end)),
            SessionPhase::Over => None,
        }
    }

    fn handshake(&mut self, mut handshake: Box<Handshake>, now: Instant) -> Option<News> {
        let peer = match handshake.proceed(&mut self.wire) {
            Ok(Some(peer)) => peer,
            Ok(None) => {
                self.phase = SessionPhase::Handshaking(handshake);
                return None;
            }
            Err(end) => return Some(self.end(end)),
        };
        match self.begin_to_talk(&handshake, &peer, now) {
            Ok(talk) => self.phase = SessionPhase::Talking(Box::new(talk)),
            Err(error) => self.phase = SessionPhase::Ending(error.into()),
        }
        Some(News::Ready(peer))
    }

    fn begin_to_talk(
        &mut self,
        handshake: &Handshake,
        peer: &PeerHello,
        now: Instant,
    ) -> Result<Conversation, WireError> {
        Conversation::begin(handshake.kind(), peer, &self.config, &mut self.wire, now)
    }

    fn talk(&mut self, mut talk: Box<Conversation>, now: Instant) -> Option<News> {
        let news = match talk.poll(&mut self.wire, now) {
            Ok(news) => news,
            Err(SessionEnd::Violation(violation)) if !violation.is_fatal() => Some(News::Misbehaving(violation)),
            Err(end) => return Some(self.end(end)),
        };
        self.phase = SessionPhase::Talking(talk);
        news
    }

    /// A violation is reported before the end.
    fn end(&mut self, end: SessionEnd) -> News {
        match end.violation().cloned() {
            Some(violation) => {
                self.phase = SessionPhase::Ending(end);
                News::Misbehaving(violation)
            }
            None => News::Ended(end),
        }
    }

    /// Follows the peer's chain of headers from now on. Does nothing before the handshake is done.
    pub fn follow_headers(&mut self, now: Instant) {
        if let SessionPhase::Talking(talk) = &mut self.phase {
            let followed = talk.follow_headers(self.config.chain, &mut self.wire, now);
            self.check(followed);
        }
    }

    /// Follows the peer's chain no longer. What it still announces is ignored.
    pub fn leave_headers(&mut self) {
        if let SessionPhase::Talking(talk) = &mut self.phase {
            talk.leave_headers();
        }
    }

    /// Since when our last request for headers is unanswered, if it is.
    pub fn asked_for_headers(&self) -> Option<Instant> {
        match &self.phase {
            SessionPhase::Talking(talk) => talk.asked(),
            SessionPhase::Handshaking(_) | SessionPhase::Ending(_) | SessionPhase::Over => None,
        }
    }

    /// Whether the handshake is done and the session is not over.
    pub const fn is_talking(&self) -> bool {
        matches!(self.phase, SessionPhase::Talking(_))
    }

    /// Answers [`News::AddressesWanted`].
    pub fn tell_addresses(&mut self, addresses: &[AddressInfo]) {
        if let SessionPhase::Talking(talk) = &self.phase {
            let told = talk.tell_addresses(addresses, &mut self.wire);
            self.check(told);
        }
    }

    /// Answers [`News::HeadersWanted`], with at most 2000 of these headers.
    pub fn tell_headers(&mut self, mut headers: Vec<Header>) {
        if let SessionPhase::Talking(_) = &self.phase {
            headers.truncate(MAX_HEADERS);
            let told = self.wire.send(NetworkMessage::Headers(headers));
            self.check(told);
        }
    }

    fn check(&mut self, sent: Result<(), WireError>) {
        if let Err(error) = sent {
            self.phase = SessionPhase::Ending(error.into());
        }
    }
}
