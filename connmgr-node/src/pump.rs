//! Moves bytes between a session and a non-blocking stream, the same on every runtime. Only waiting differs among
//! runtimes, and is left to them. A stream that is not ready says `WouldBlock`.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use crate::news::News;
use crate::session::Session;

/// How much is read at a time.
const CHUNK: usize = 8192;

/// Reads in a row before other links get a turn, so that a flooding peer does not starve them.
const MAX_READS: u32 = 8;

/// How long a peer may read nothing while bytes wait for it: then it is dropped.
const WRITE_PATIENCE: Duration = Duration::from_secs(120);

/// The result of a turn.
#[derive(Debug, PartialEq, Eq)]
pub enum PumpTurn<T> {
    /// This was learnt. There may be more: take another turn.
    Done(T),
    /// Nothing yet, but there is more to read: take another turn after the others.
    Again,
    /// Nothing until the stream is ready, or until this time.
    Wait(Option<Instant>),
}

/// A session on a stream.
#[derive(Debug)]
pub struct Pump {
    session: Session,
    /// Reads since it last waited.
    reads: u32,
    /// Why nothing can be written any more. What has arrived is still read: it may explain the end.
    broken: Option<io::Error>,
    /// Since when bytes wait and none could be written.
    blocked: Option<Instant>,
}

impl Pump {
    /// Every turn must be given the same stream.
    pub const fn new(session: Session) -> Self {
        Self { session, reads: 0, broken: None, blocked: None }
    }

    /// The session, to answer its news.
    pub const fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Moves bytes until there is news. Not to be called after [`News::Ended`].
    pub fn turn(&mut self, stream: &mut (impl Read + Write), now: Instant) -> PumpTurn<News> {
        loop {
            if let Some(news) = self.session.poll(now) {
                return PumpTurn::Done(news);
            }
            self.write(stream, now);
            if self.give_up_by().is_some_and(|by| by <= now) {
                self.blocked = None;
                self.session.handle_unread();
                continue;
            }
            if self.session.is_full() && self.broken.is_none() {
                self.reads = 0;
                return PumpTurn::Wait(self.deadline());
            }
            if self.reads == MAX_READS {
                self.reads = 0;
                return PumpTurn::Again;
            }
            if !self.read(stream) {
                self.reads = 0;
                return PumpTurn::Wait(self.deadline());
            }
            self.reads += 1;
        }
    }

    fn deadline(&self) -> Option<Instant> {
        [self.session.deadline(), self.give_up_by()].into_iter().flatten().min()
    }

    /// When a peer that reads nothing is dropped.
    fn give_up_by(&self) -> Option<Instant> {
        self.blocked.map(|since| since + WRITE_PATIENCE)
    }

    fn write(&mut self, stream: &mut impl Write, now: Instant) {
        while self.broken.is_none() && !self.session.outgoing().is_empty() {
            match stream.write(self.session.outgoing()) {
                Ok(0) => self.broken = Some(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.session.handle_written(written);
                    self.blocked = None;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.blocked = self.blocked.or(Some(now));
                    return;
                }
                Err(error) => self.broken = Some(error),
            }
        }
    }

    /// Reads once. Returns whether the session has something new.
    fn read(&mut self, stream: &mut impl Read) -> bool {
        let mut space = [0; CHUNK];
        match stream.read(&mut space) {
            Ok(0) => self.session.handle_end(None),
            Ok(read) => self.session.receive(&space[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => match self.broken.take() {
                Some(error) => self.session.handle_end(Some(error)),
                None => return false,
            },
            Err(error) => self.session.handle_end(Some(error)),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::end::SessionEnd;
    use crate::frame::encode;
    use crate::handshake::Hello;
    use crate::session::SessionConfig;
    use crate::wire::{FULL_OUTBOX, WireError};
    use bitcoin::p2p::Magic;
    use bitcoin::p2p::message::NetworkMessage;
    use connmgr_core::{Chain, Kind};
    use std::collections::VecDeque;

    /// A stream that gives what it was given, then is not ready; and takes a few bytes at a time, or breaks.
    struct Stream {
        to_read: VecDeque<u8>,
        written: Vec<u8>,
        takes: io::Result<usize>,
    }

    impl Stream {
        fn new(to_read: impl Into<VecDeque<u8>>) -> Self {
            Self { to_read: to_read.into(), written: Vec::new(), takes: Ok(usize::MAX) }
        }
    }

    impl Read for Stream {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            if self.to_read.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { self.to_read.read(buf) }
        }
    }

    impl Write for Stream {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = match &self.takes {
                Ok(most) => bytes.len().min(*most),
                Err(error) => return Err(error.kind().into()),
            };
            self.written.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn pump(kind: Kind) -> Pump {
        Pump::new(Session::new(Hello::new(kind, 1), SessionConfig::new(Chain::Regtest)))
    }

    #[test]
    fn all_is_written_in_pieces_before_it_waits() {
        let mut stream = Stream { takes: Ok(7), ..Stream::new([]) };
        let mut pump = pump(Kind::Full);
        assert!(matches!(pump.turn(&mut stream, Instant::now()), PumpTurn::Wait(None)));
        assert!(stream.written.len() > 100 && pump.session().outgoing().is_empty());
    }

    #[test]
    fn nothing_is_read_from_a_peer_that_is_far_behind_in_reading_and_it_is_dropped() {
        let (mut pump, start) = (pump(Kind::Full), Instant::now());
        let mut stream =
            Stream { takes: Err(ErrorKind::WouldBlock.into()), ..Stream::new(pings_after_a_handshake(20_000)) };
        let mut turn = |pump: &mut Pump, now| loop {
            match pump.turn(&mut stream, now) {
                PumpTurn::Done(News::Ended(end)) => return Err(end),
                PumpTurn::Done(_) | PumpTurn::Again => {}
                PumpTurn::Wait(until) => return Ok(until),
            }
        };
        let until = turn(&mut pump, start).expect("it waits").expect("not for ever");
        let waiting = pump.session().outgoing().len();
        assert!((FULL_OUTBOX..FULL_OUTBOX + 2 * CHUNK).contains(&waiting), "{waiting}");
        assert_eq!(until, start + WRITE_PATIENCE);
        let end = turn(&mut pump, until).expect_err("it is dropped");
        assert!(matches!(end, SessionEnd::Unread), "{end}");
    }

    fn pings_after_a_handshake(count: u64) -> Vec<u8> {
        let mut far = Session::new(Hello::new(Kind::Inbound, 2), SessionConfig::new(Chain::Regtest));
        far.receive(Session::new(Hello::new(Kind::Full, 1), SessionConfig::new(Chain::Regtest)).outgoing());
        assert!(far.poll(Instant::now()).is_none());
        let mut bytes = far.outgoing().to_vec();
        (0..count).for_each(|nonce| bytes.extend(encode(Magic::REGTEST, NetworkMessage::Ping(nonce))));
        bytes
    }

    #[test]
    fn a_flood_lets_others_have_their_turn() {
        let unread = encode(Magic::REGTEST, NetworkMessage::Alert(vec![0; 500_000]));
        let mut stream = Stream::new(unread);
        let mut pump = pump(Kind::Inbound);
        let mut pauses = 0;
        while let PumpTurn::Again = pump.turn(&mut stream, Instant::now()) {
            pauses += 1;
        }
        assert_eq!(pauses, 500_024 / (8 * 8192), "a pause after each eight reads");
    }

    #[test]
    fn a_stream_that_can_not_be_written_is_read_to_its_end_first() {
        let garbage = encode(Magic::BITCOIN, NetworkMessage::Verack);
        let mut stream = Stream { takes: Err(ErrorKind::BrokenPipe.into()), ..Stream::new(garbage) };
        let last_words = pump(Kind::Full).turn(&mut stream, Instant::now());
        assert!(matches!(last_words, PumpTurn::Done(News::Ended(SessionEnd::Foreign(_)))), "{last_words:?}");

        let mut stream = Stream { takes: Err(ErrorKind::BrokenPipe.into()), ..Stream::new([]) };
        let end = pump(Kind::Full).turn(&mut stream, Instant::now());
        assert!(matches!(end, PumpTurn::Done(News::Ended(SessionEnd::Wire(WireError::Broken(_))))), "{end:?}");
    }
}
