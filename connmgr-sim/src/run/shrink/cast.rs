//! Maps the ids of a record to those of a telling with parts left out.
//!
//! Ids count up, so leaving out one accept changes every later id. Each id of the record
//! therefore stands for its origin: the reply to an input, a dial to an address, or a lookup of a name.
//! An id without a counterpart in the telling becomes one that does not exist.

use std::collections::VecDeque;

use connmgr_core::driver::Observer;
use connmgr_core::{Action, ConnId, Event, Input, LookupId, PeerId, PeerInfo, Reply, Source, Time};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::watch::record::{RecordEntry, RunRecord};

/// One input of a record.
#[derive(Clone, Debug)]
pub(super) struct ScriptLine {
    pub(super) now: Time,
    pub(super) input: Input,
    /// The id in its reply.
    gave: Option<u64>,
}

/// A dial or a lookup, and its target.
#[derive(Clone, Debug)]
struct Begun {
    id: u64,
    to: String,
}

/// The inputs of a record, and the origin of its ids.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    pub(super) lines: Vec<ScriptLine>,
    dials: Vec<Begun>,
    lookups: Vec<Begun>,
    /// The connection of each nonce.
    nonces: FxHashMap<u64, u64>,
}

impl Script {
    pub(super) fn of(record: &RunRecord) -> Self {
        let mut script = Self::default();
        for entry in &record.entries {
            match entry {
                RecordEntry::Told { now, input, reply } => {
                    script.lines.push(ScriptLine { now: *now, input: input.clone(), gave: given(reply) });
                }
                RecordEntry::Did { action, .. } => script.note(action),
            }
        }
        script
    }

    fn note(&mut self, action: &Action) {
        match IdOrigin::of(action) {
            Some(IdOrigin::Dial(id, to)) => self.dials.push(Begun { id, to }),
            Some(IdOrigin::Lookup(id, to)) => self.lookups.push(Begun { id, to }),
            Some(IdOrigin::Nonce(conn, nonce)) => drop(self.nonces.insert(nonce, conn)),
            None => {}
        }
    }
}

/// Where an id comes from that the manager chose.
enum IdOrigin {
    /// A dial to a target.
    Dial(u64, String),
    /// A lookup of a name.
    Lookup(u64, String),
    /// A connection got this nonce.
    Nonce(u64, u64),
}

impl IdOrigin {
    fn of(action: &Action) -> Option<Self> {
        match action {
            Action::Dial { conn, target, .. } => Some(Self::Dial(conn.as_u64(), target.to_string())),
            Action::ResolveSeed { lookup, seed: name, .. } | Action::ResolveHost { lookup, host: name, .. } => {
                Some(Self::Lookup(lookup.as_u64(), name.to_string()))
            }
            Action::Emit(Event::Connected(connected)) => Some(Self::Nonce(connected.conn.as_u64(), connected.nonce)),
            Action::Emit(_)
            | Action::Close { .. }
            | Action::ScheduleRetry { .. }
            | Action::PauseAccept { .. }
            | Action::Save => None,
        }
    }
}

fn given(reply: &Reply) -> Option<u64> {
    match reply {
        Reply::Accepted(Ok(conn)) => Some(conn.as_u64()),
        Reply::Added(Ok(peer)) => Some(peer.as_u64()),
        Reply::Accepted(Err(_))
        | Reply::Added(Err(_))
        | Reply::Noted
        | Reply::Learnt(_)
        | Reply::Addresses(_)
        | Reply::Done(_) => None,
    }
}

/// Ids of the record that inputs refer to. Each is mapped to the next dial or lookup with the same target, or else to
/// the next.
#[derive(Debug, Default)]
struct CastParts {
    waiting: VecDeque<usize>,
    by_aim: FxHashMap<String, VecDeque<usize>>,
    taken: FxHashSet<usize>,
    begun: Vec<u64>,
    /// By the id of the record.
    given: FxHashMap<u64, u64>,
}

impl CastParts {
    fn new(begun: &[Begun], spoken_of: &FxHashSet<u64>) -> Self {
        let mut parts = Self::default();
        for (place, one) in begun.iter().filter(|one| spoken_of.contains(&one.id)).enumerate() {
            parts.waiting.push_back(place);
            parts.by_aim.entry(one.to.clone()).or_default().push_back(place);
            parts.begun.push(one.id);
        }
        parts
    }

    fn give(&mut self, to: &str, id: u64) {
        let taken = &mut self.taken;
        let mut free = |places: &mut VecDeque<usize>| {
            while let Some(place) = places.pop_front() {
                if taken.insert(place) {
                    return Some(place);
                }
            }
            None
        };
        let place = self.by_aim.get_mut(to).and_then(&mut free).or_else(|| free(&mut self.waiting));
        if let Some(place) = place {
            self.given.insert(self.begun[place], id);
        }
    }

    /// The id in the telling, or one that does not exist.
    fn id(&self, recorded: u64) -> u64 {
        self.given.get(&recorded).copied().unwrap_or(u64::MAX - recorded)
    }
}

/// The ids of one telling.
#[derive(Debug)]
pub(super) struct Cast<'a> {
    script: &'a Script,
    /// The line that is told.
    place: usize,
    conns: CastParts,
    lookups: CastParts,
    peers: FxHashMap<u64, u64>,
    /// The nonces of this telling, by its own connections.
    nonces: FxHashMap<u64, u64>,
}

impl<'a> Cast<'a> {
    /// For a telling of these lines.
    pub(super) fn new(script: &'a Script, kept: &[usize]) -> Self {
        let (mut conns, mut lookups) = (FxHashSet::default(), FxHashSet::default());
        for line in kept.iter().map(|place| &script.lines[*place]) {
            each_id(&mut line.input.clone(), &mut |id| match id {
                Id::Conn(conn) => drop(conns.insert(conn.as_u64())),
                Id::Lookup(lookup) => drop(lookups.insert(lookup.as_u64())),
                Id::Nonce(nonce) => drop(script.nonces.get(nonce).map(|conn| conns.insert(*conn))),
                Id::Peer(_) => {}
            });
        }
        Self {
            script,
            place: 0,
            conns: CastParts::new(&script.dials, &conns),
            lookups: CastParts::new(&script.lookups, &lookups),
            peers: FxHashMap::default(),
            nonces: FxHashMap::default(),
        }
    }

    /// A line, with the ids of this telling.
    pub(super) fn line(&mut self, place: usize) -> (Time, Input) {
        self.place = place;
        let ScriptLine { now, input, .. } = &self.script.lines[place];
        let mut input = input.clone();
        each_id(&mut input, &mut |id| match id {
            Id::Conn(conn) => *conn = ConnId::from_u64(self.conns.id(conn.as_u64())),
            Id::Lookup(lookup) => *lookup = LookupId::from_u64(self.lookups.id(lookup.as_u64())),
            Id::Peer(peer) => {
                let number = peer.as_u64();
                *peer = PeerId::from_u64(self.peers.get(&number).copied().unwrap_or(u64::MAX - number));
            }
            Id::Nonce(nonce) => *nonce = self.nonce(*nonce),
        });
        (*now, input)
    }

    fn nonce(&self, recorded: u64) -> u64 {
        let own = self.script.nonces.get(&recorded).map(|conn| self.conns.id(*conn));
        own.and_then(|conn| self.nonces.get(&conn).copied()).unwrap_or(recorded)
    }
}

/// Learns the ids of the line that is told.
impl Observer for Cast<'_> {
    fn input(&mut self, _: Time, _: &Input, reply: &Reply) {
        let (Some(recorded), Some(id)) = (self.script.lines[self.place].gave, given(reply)) else { return };
        let ids = if matches!(reply, Reply::Added(_)) { &mut self.peers } else { &mut self.conns.given };
        ids.insert(recorded, id);
    }

    fn action(&mut self, _: Time, action: &Action) {
        match IdOrigin::of(action) {
            Some(IdOrigin::Dial(id, to)) => self.conns.give(&to, id),
            Some(IdOrigin::Lookup(id, to)) => self.lookups.give(&to, id),
            Some(IdOrigin::Nonce(conn, nonce)) => drop(self.nonces.insert(conn, nonce)),
            None => {}
        }
    }
}

/// An id in an input.
enum Id<'a> {
    Conn(&'a mut ConnId),
    Lookup(&'a mut LookupId),
    Peer(&'a mut PeerId),
    Nonce(&'a mut u64),
}

fn each_id(input: &mut Input, with: &mut dyn FnMut(Id<'_>)) {
    match input {
        Input::Ready { conn, info: PeerInfo { nonce, .. } } => {
            with(Id::Conn(conn));
            if let Some(nonce) = nonce {
                with(Id::Nonce(nonce));
            }
        }
        Input::DialResult { conn, .. }
        | Input::Closed { conn, .. }
        | Input::Dropped { conn }
        | Input::Misbehavior { conn, .. }
        | Input::Activity { conn, .. }
        | Input::Disconnect { conn }
        | Input::Reconnect { conn }
        | Input::Addresses { source: Source::Peer(conn), .. } => with(Id::Conn(conn)),
        Input::LookupResult { lookup, .. } => with(Id::Lookup(lookup)),
        Input::RemovePeer { peer } | Input::DialNow { peer } | Input::SetRetry { peer, .. } => with(Id::Peer(peer)),
        // An input without such an id; a new one with an id joins those above.
        other => debug_assert!(other.conn().is_none() && other.peer().is_none(), "an id is passed over: {other}"),
    }
}
