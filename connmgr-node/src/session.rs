//! A conversation with one peer, from the handshake to the end. Sans-IO.
//!
//! Bytes go in and out, `now` and a deadline say when; what it learns comes out as [`News`]. So it runs the same on
//! every runtime, and in a test without any: see [`Pump`](crate::pump::Pump). It decides nothing about connections:
//! it ends when the stream does, when the peer breaks the protocol, or when the peer leaves a ping unanswered.

mod talk;

use std::io;
use std::time::Instant;

use bitcoin::block::Header;
use bitcoin::p2p::Magic;
use bitcoin::{Network, p2p::message::NetworkMessage};
use connmgr_core::{AddressInfo, Chain};

use crate::end::End;
use crate::handshake::{Handshake, Hello, Peer};
use crate::headers::MAX_HEADERS;
use crate::news::News;
use crate::ping::PingConfig;
use crate::wire::{Wire, WireError};
use talk::Talk;

/// How to talk.
#[derive(Clone, Copy, Debug)]
pub struct SessionConfig {
    /// The network to talk on.
    pub chain: Chain,
    /// When to ping.
    pub ping: PingConfig,
}

impl SessionConfig {
    /// Ping as Core does.
    pub fn new(chain: Chain) -> Self {
        Self { chain, ping: PingConfig::default() }
    }

    /// The first four bytes of every message.
    pub fn magic(&self) -> Magic {
        network(self.chain).magic()
    }
}

/// The same chain in the words of the `bitcoin` crate.
pub const fn network(chain: Chain) -> Network {
    match chain {
        Chain::Mainnet => Network::Bitcoin,
        Chain::Testnet4 => Network::Testnet4,
        Chain::Signet => Network::Signet,
        Chain::Regtest => Network::Regtest,
    }
}

/// A conversation with one peer.
///
/// Tell it what was read, and that the stream ended; take what it learnt by [`Session::poll`] until there is no more;
/// write [`Session::outgoing`]; and come again by [`Session::deadline`].
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    wire: Wire,
    phase: Phase,
}

/// ```text
/// ShakingHands ──verack──▶ Talking ──┐
///       └────────────────────────────┴──▶ Ending ──told──▶ Over
/// ```
#[derive(Debug)]
enum Phase {
    /// There is no deadline: whoever holds it closes the stream when it takes too long.
    ShakingHands(Box<Handshake>),
    Talking(Box<Talk>),
    /// It is over, which has yet to be told.
    Ending(End),
    Over,
}

impl Session {
    /// Begins to shake hands.
    pub fn new(hello: Hello, config: SessionConfig) -> Self {
        let mut wire = Wire::new(config.magic());
        let phase = match Handshake::begin(hello, &mut wire) {
            Ok(handshake) => Phase::ShakingHands(Box::new(handshake)),
            Err(error) => Phase::Ending(error.into()),
        };
        Self { config, wire, phase }
    }

    /// These bytes were read.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.wire.receive(bytes);
    }

    /// The other end closed the stream, or it broke. [`News::Ended`] follows what came before.
    pub fn handle_end(&mut self, error: Option<io::Error>) {
        self.wire.handle_end(error);
    }

    /// The bytes to write next; empty when there are none.
    pub fn outgoing(&self) -> &[u8] {
        self.wire.outgoing()
    }

    /// So many of the outgoing bytes were written.
    ///
    /// # Panics
    /// When there were not so many.
    pub fn handle_written(&mut self, count: usize) {
        self.wire.handle_written(count);
    }

    /// When to call [`Session::poll`] next, even if nothing is read.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Talking(talk) => Some(talk.deadline()),
            Phase::ShakingHands(_) | Phase::Ending(_) | Phase::Over => None,
        }
    }

    /// The next thing learnt from what was read so far; none until more is read, or the deadline comes.
    pub fn poll(&mut self, now: Instant) -> Option<News> {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::ShakingHands(handshake) => self.shake_hands(handshake, now),
            Phase::Talking(talk) => self.talk(talk, now),
            Phase::Ending(end) => Some(News::Ended(end)),
            Phase::Over => None,
        }
    }

    fn shake_hands(&mut self, mut handshake: Box<Handshake>, now: Instant) -> Option<News> {
        let peer = match handshake.proceed(&mut self.wire) {
            Ok(Some(peer)) => peer,
            Ok(None) => {
                self.phase = Phase::ShakingHands(handshake);
                return None;
            }
            Err(end) => return Some(self.end(end)),
        };
        match self.begin_to_talk(&handshake, &peer, now) {
            Ok(talk) => self.phase = Phase::Talking(Box::new(talk)),
            Err(error) => self.phase = Phase::Ending(error.into()),
        }
        Some(News::Ready(peer))
    }

    fn begin_to_talk(&mut self, handshake: &Handshake, peer: &Peer, now: Instant) -> Result<Talk, WireError> {
        Talk::begin(handshake.kind(), peer, &self.config, &mut self.wire, now)
    }

    fn talk(&mut self, mut talk: Box<Talk>, now: Instant) -> Option<News> {
        let news = match talk.poll(&mut self.wire, now) {
            Ok(news) => news,
            Err(End::Violation(violation)) if !violation.is_fatal() => Some(News::Misbehaving(violation)),
            Err(end) => return Some(self.end(end)),
        };
        self.phase = Phase::Talking(talk);
        news
    }

    /// An offence is told before the end.
    fn end(&mut self, end: End) -> News {
        match end.violation().cloned() {
            Some(violation) => {
                self.phase = Phase::Ending(end);
                News::Misbehaving(violation)
            }
            None => News::Ended(end),
        }
    }

    /// Follows the peer's chain of headers from now on. Nothing happens unless the handshake is done.
    pub fn follow_headers(&mut self) {
        if let Phase::Talking(talk) = &mut self.phase {
            let followed = talk.follow_headers(self.config.chain, &mut self.wire);
            self.check(followed);
        }
    }

    /// Answers [`News::AddressesWanted`].
    pub fn tell_addresses(&mut self, addresses: &[AddressInfo]) {
        if let Phase::Talking(talk) = &self.phase {
            let told = talk.tell_addresses(addresses, &mut self.wire);
            self.check(told);
        }
    }

    /// Answers [`News::HeadersWanted`], with the first 2000 of these.
    pub fn tell_headers(&mut self, mut headers: Vec<Header>) {
        if let Phase::Talking(_) = &self.phase {
            headers.truncate(MAX_HEADERS);
            let told = self.wire.send(NetworkMessage::Headers(headers));
            self.check(told);
        }
    }

    fn check(&mut self, sent: Result<(), WireError>) {
        if let Err(error) = sent {
            self.phase = Phase::Ending(error.into());
        }
    }
}
