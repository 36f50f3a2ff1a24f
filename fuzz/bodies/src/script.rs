//! Makes inputs and their times from bytes.
//!
//! It looks at the manager's view to name what exists: a byte mostly means "the third connection" and rarely "the connection
//! c17", because inputs about unknown ids are all alike.

use std::collections::VecDeque;
use std::time::Duration;

use connmgr_core::{
    Action, AddedPeer, ConnId, ConnManager, Event, Input, Keep, LookupId, NetworkKind, PeerId, Source, Time, UnixTime,
};

use crate::bytes::Bytes;
use crate::configs::UNIX;

/// How many lookups and nonces are remembered; the oldest are dropped.
const REMEMBERED: usize = 16;

/// The source of inputs.
#[derive(Debug)]
pub(crate) struct ByteScript<'a> {
    bytes: Bytes<'a>,
    now: Time,
    newest: u64,
    lookups: VecDeque<LookupId>,
    nonces: VecDeque<u64>,
}

impl<'a> ByteScript<'a> {
    pub(crate) fn new(bytes: Bytes<'a>) -> Self {
        Self { bytes, now: Time::ZERO, newest: 0, lookups: VecDeque::new(), nonces: VecDeque::new() }
    }

    /// Remembers what later inputs can be about.
    pub(crate) fn see(&mut self, actions: &[Action]) {
        for action in actions {
            match action {
                Action::Dial { conn, .. } => self.newest = conn.as_u64(),
                Action::ResolveSeed { lookup, .. } | Action::ResolveHost { lookup, .. } => {
                    remember(&mut self.lookups, *lookup);
                }
                Action::Emit(Event::Connected(connected)) => {
                    self.newest = self.newest.max(connected.conn.as_u64());
                    remember(&mut self.nonces, connected.nonce);
                }
                _ => {}
            }
        }
    }

    /// The next input and its time; none at the end.
    pub(crate) fn next(&mut self, manager: &ConnManager) -> Option<(Time, Input)> {
        if self.bytes.is_empty() {
            return None;
        }
        let (what, now) = (self.bytes.byte(), self.time(manager));
        let input = match what {
            255 => Input::Shutdown,
            0..=127 => self.fact(what, manager),
            128..=254 => self.command(what, manager),
        };
        Some((now, input))
    }

    /// The next time: mostly the same or the deadline, now and then much later or earlier.
    fn time(&mut self, manager: &ConnManager) -> Time {
        let due = manager.poll_timeout().unwrap_or(self.now);
        let byte = self.bytes.byte();
        let step = u64::from(byte);
        let now = match byte {
            0..=95 => self.now,
            96..=167 => due.max(self.now),
            168..=175 => Time::from_nanos(due.as_nanos().saturating_sub(1)),
            176..=215 => self.now.after(Duration::from_millis((step - 175) * 50)),
            216..=239 => self.now.after(Duration::from_secs((step - 215) * 10)),
            240..=247 => self.now.after(Duration::from_secs((step - 239) * 3600)),
            248..=251 => Time::from_nanos(self.now.as_nanos() / 2),
            252..=253 => self.now.after(Duration::from_secs(1 << 28)),
            254 => Time::MAX,
            255 => self.now.after(Duration::from_nanos(1)),
        };
        self.now = self.now.max(now);
        now
    }

    fn fact(&mut self, what: u8, manager: &ConnManager) -> Input {
        let nonces: Vec<u64> = self.nonces.iter().copied().collect();
        match what % 16 {
            0 => Input::Timeout,
            1 | 2 => Input::DialResult { conn: self.conn(manager), result: Ok(()) },
            3 => Input::DialResult { conn: self.conn(manager), result: Err(self.bytes.dial_error()) },
            4 | 5 => Input::Ready { conn: self.conn(manager), info: self.bytes.peer_info(&nonces) },
            6 => {
                let conn = self.conn(manager);
                self.bytes.cause().map_or(Input::Dropped { conn }, |cause| Input::Closed { conn, cause })
            }
            7 => Input::Misbehavior { conn: self.conn(manager), penalty: self.bytes.penalty() },
            8 => Input::Activity { conn: self.conn(manager), activity: self.bytes.activity() },
            9 => self.addresses(Some(manager)),
            10 => self.addresses(None),
            11 => self.lookup_result(),
            12 => Input::NetworkChanged,
            13 => Input::AcceptError { listener: self.bytes.listener() },
            14 => Input::OwnAddress { address: self.bytes.address() },
            _ => Input::Clock { unix: UnixTime::from_secs(self.bytes.pick(&[UNIX, 0, UNIX + 100_000, u64::MAX])) },
        }
    }

    fn command(&mut self, what: u8, manager: &ConnManager) -> Input {
        match what % 16 {
            0 | 1 => Input::Accept { remote: self.bytes.remote(), listener: self.bytes.listener() },
            2 | 3 => Input::AddPeer {
                peer: AddedPeer::new(self.bytes.address()).keep(self.bytes.pick(&[Keep::Always, Keep::Once])),
            },
            4 => Input::RemovePeer { peer: self.peer(manager) },
            5 => Input::Disconnect { conn: self.conn(manager) },
            6 => Input::Reconnect { conn: self.conn(manager) },
            7 => Input::DialNow { peer: self.peer(manager) },
            8 => Input::SetRetry { peer: self.peer(manager), retry: self.bytes.flag().then(|| self.bytes.backoff()) },
            9 => Input::Ban { target: self.bytes.ban_target(), duration: self.bytes.duration() },
            10 => match manager.bans().into_iter().next() {
                Some(ban) => Input::Unban { target: ban.target },
                None => Input::Unban { target: self.bytes.ban_target() },
            },
            11 => Input::ResetScore { host: self.bytes.host() },
            12 if self.bytes.flag() => Input::AnswerGetaddr { conn: self.conn(manager) },
            12 => Input::SampleAddresses {
                network: self.bytes.pick(&[None, Some(NetworkKind::Ipv4), Some(NetworkKind::Onion)]),
                count: self.bytes.pick(&[1, 1000, 0, u32::MAX]),
            },
            13 => Input::SetActive { active: self.bytes.flag() },
            14 => Input::ForgetOwnAddress { address: self.bytes.address() },
            _ => Input::SetLimits { limits: self.bytes.limits() },
        }
    }

    /// Mostly one that exists.
    fn conn(&mut self, manager: &ConnManager) -> ConnId {
        let live = manager.connections();
        match (usize::from(self.bytes.byte()), live.len()) {
            (which @ 0..=223, 1..) => live[which % live.len()].conn,
            (255, _) => ConnId::from_u64(u64::MAX),
            (which, _) => ConnId::from_u64((self.newest + 1).saturating_sub((which % 32) as u64)),
        }
    }

    fn peer(&mut self, manager: &ConnManager) -> PeerId {
        let added = manager.added_peers();
        match (usize::from(self.bytes.byte()), added.len()) {
            (which @ 0..=239, 1..) => added[which % added.len()].peer,
            (which, _) => PeerId::from_u64((which % 8) as u64),
        }
    }

    /// Addresses from a peer, or from the application.
    fn addresses(&mut self, from: Option<&ConnManager>) -> Input {
        let source = from.map_or(Source::Application, |manager| Source::Peer(self.conn(manager)));
        let count = self.bytes.pick(&[2, 1, 4, 12, 0]);
        Input::Addresses { source, addresses: (0..count).map(|_| self.bytes.info()).collect() }
    }

    fn lookup_result(&mut self) -> Input {
        let which = usize::from(self.bytes.byte());
        let lookup = match self.lookups.len() {
            0 => LookupId::from_u64((which % 4) as u64),
            count => self.lookups[which % count],
        };
        let count = self.bytes.below(8);
        let result = match count {
            7 => Err(self.bytes.lookup_error()),
            count => Ok((0..count).map(|_| self.bytes.ip().into()).collect()),
        };
        Input::LookupResult { lookup, result }
    }
}

fn remember<T>(what: &mut VecDeque<T>, one: T) {
    if what.len() == REMEMBERED {
        what.pop_front();
    }
    what.push_back(one);
}
