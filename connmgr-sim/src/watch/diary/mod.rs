//! A diary of one manager: what a report shows, collected during the run in bounded memory.
//!
//! It is an [`Observer`], judges nothing, and knows neither the world nor the page. Where
//! there is too much it keeps the most telling, and counts what it left out. One diary spans all runs of a
//! process; its times are the world's ([`Diary::begin`]).

mod lane;
mod levels;
mod notes;

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use connmgr_core::driver::Observer;
use connmgr_core::{
    Action, ConnId, ConnManager, Connected, DialFailure, Event, Input, PeerAddress, PeerId, Refusal, Reply, Target,
    Time,
};
use rustc_hash::FxHashSet;

use crate::types::Instant;

pub use lane::{Lane, LaneEnding, Lanes, Tells};
pub use levels::{Bar, Bars, Level, LevelHistory, PowerCounts, thin};
pub use notes::{DiaryNote, DiaryNotes, NoteKind, Retries, Retry};

/// Inputs and actions that are remembered word for word: the last ones.
const LAST: usize = 60;
/// Reasons that are kept apart; only a forged trace has more.
const MOST_REASONS: usize = 256;

/// The diary of one manager.
#[derive(Clone, Debug, Default)]
pub struct Diary {
    /// The world's time when the manager's clock was zero.
    zero: Instant,
    now: Instant,
    /// How often the process started.
    pub starts: u32,
    adversaries: Arc<FxHashSet<PeerAddress>>,
    /// Connections and dials.
    pub lanes: Lanes,
    /// Dials of this step whose kind is not known yet.
    fresh: Vec<ConnId>,
    level: Level,
    /// Ready connections over time.
    pub levels: LevelHistory,
    /// Dials and inbound attempts over time.
    pub bars: Bars,
    /// Waits of added peers before their next attempt.
    pub retries: Retries,
    /// Bans, seeds, networks, starts.
    pub notes: DiaryNotes,
    /// Why dials failed and connections ended, and how often.
    pub endings: BTreeMap<String, u64>,
    /// Why inbound connections were refused, and how often.
    pub refusals: BTreeMap<Refusal, u64>,
    dialing: PowerCounts,
    shaking: PowerCounts,
    living: PowerCounts,
    last: VecDeque<(Instant, String)>,
}

impl Diary {
    /// The addresses of adversaries, whose share of the connections is shown.
    pub fn beware(&mut self, adversaries: FxHashSet<PeerAddress>) {
        self.adversaries = Arc::new(adversaries);
    }

    /// A process starts, its clock at zero, at this time of the world.
    pub fn begin(&mut self, zero: Instant) {
        self.zero = zero;
        self.now = self.now.max(zero);
        self.starts += 1;
        self.note(NoteKind::Started);
    }

    /// The manager's clock stood still for this long.
    pub fn stood_still(&mut self, lasted: std::time::Duration) {
        self.zero = self.zero.after(lasted);
    }

    /// The process is gone, and its connections with it.
    pub fn end(&mut self, now: Instant) {
        self.now = self.now.max(now);
        for conn in self.lanes.open_ids() {
            self.finish(conn, LaneEnding::Died);
        }
        self.note(NoteKind::Ended);
    }

    /// The last moment it has seen.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Whether there are adversaries.
    pub fn has_adversaries(&self) -> bool {
        !self.adversaries.is_empty()
    }

    /// How long dials that succeeded took, handshakes took, and connections that were ready lasted, in milliseconds.
    pub const fn spans(&self) -> [&PowerCounts; 3] {
        [&self.dialing, &self.shaking, &self.living]
    }

    /// The last inputs and actions, oldest first.
    pub fn last(&self) -> impl Iterator<Item = (Instant, &str)> {
        self.last.iter().map(|(at, text)| (*at, text.as_str()))
    }

    fn tick(&mut self, now: Time) {
        let at = if now == Time::MAX { self.now } else { self.zero.after(now.since(Time::ZERO)) };
        self.now = self.now.max(at);
    }

    fn note(&mut self, kind: NoteKind) {
        self.notes.push(DiaryNote { at: self.now, kind });
    }

    /// Remembers a line, in the room of the oldest.
    fn remember(&mut self, what: std::fmt::Arguments<'_>) {
        let mut text = match self.last.len() {
            LAST => self.last.pop_front().map(|(_, text)| text).unwrap_or_default(),
            _ => String::new(),
        };
        text.clear();
        text.write_fmt(what).expect("a text takes anything");
        self.last.push_back((self.now, text));
    }

    fn dial(&mut self, conn: ConnId, target: &Target) {
        let address = match target {
            Target::Direct(socket) => PeerAddress::from(*socket),
            Target::Proxied { address, .. } => address.clone(),
        };
        self.bars.add(self.now, |bar| bar.dials += 1);
        let is_adversary = self.adversaries.contains(&address);
        self.lanes.open(Lane { is_adversary, ..Lane::new(conn, self.starts, Some(address), self.now) });
        self.fresh.push(conn);
    }

    fn accept(&mut self, remote: std::net::SocketAddr, answer: &Result<ConnId, Refusal>) {
        self.bars.add(self.now, |bar| if answer.is_ok() { bar.accepted += 1 } else { bar.refused += 1 });
        match answer {
            Ok(conn) => {
                let address = Some(PeerAddress::from(remote));
                let lane = Lane::new(*conn, self.starts, address, self.now);
                self.lanes.open(Lane { kind: Some(connmgr_core::Kind::Inbound), ..lane });
            }
            Err(refusal) => *self.refusals.entry(*refusal).or_default() += 1,
        }
    }

    fn connected(&mut self, info: &Connected) {
        let now = self.now;
        let Some(lane) = self.lanes.get_mut(info.conn) else { return };
        lane.kind = Some(info.kind);
        lane.peer = info.peer;
        lane.connected = Some(now);
        let took = now.since(lane.begun);
        if !info.kind.is_inbound() {
            self.dialing.add_millis(took);
        }
    }

    fn ready(&mut self, conn: ConnId) {
        let now = self.now;
        let Some(lane) = self.lanes.get_mut(conn) else { return };
        let (Some(connected), None) = (lane.connected, lane.ready) else { return };
        lane.ready = Some(now);
        let seen = (lane.kind, lane.is_adversary);
        self.shaking.add_millis(now.since(connected));
        self.level.add(seen.0, seen.1);
        self.levels.push(now, self.level);
    }

    fn adopted(&mut self, conn: ConnId, peer: PeerId) {
        let Some(lane) = self.lanes.get_mut(conn) else { return };
        let before = lane.kind.replace(connmgr_core::Kind::Added);
        lane.peer = Some(peer);
        if lane.ready.is_some() {
            self.level.remove(before, lane.is_adversary);
            self.level.add(lane.kind, lane.is_adversary);
            self.levels.push(self.now, self.level);
        }
    }

    fn dial_failed(&mut self, conn: ConnId, peer: Option<PeerId>, error: DialFailure) {
        self.bars.add(self.now, |bar| bar.failed += 1);
        if let Some(lane) = self.lanes.get_mut(conn) {
            lane.peer = peer;
            lane.kind = lane.kind.or_else(|| peer.map(|_| connmgr_core::Kind::Added));
        }
        self.finish(conn, LaneEnding::Failed(error));
    }

    fn finish(&mut self, conn: ConnId, ending: LaneEnding) {
        let Some(lane) = self.lanes.end(conn, self.now, ending) else { return };
        if let Some(ready) = lane.ready {
            self.living.add_millis(self.now.since(ready));
            self.level.remove(lane.kind, lane.is_adversary);
            self.levels.push(self.now, self.level);
        }
        let reason = ending.to_string();
        if self.endings.len() < MOST_REASONS || self.endings.contains_key(&reason) {
            *self.endings.entry(reason).or_default() += 1;
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Connected(info) => self.connected(info),
            Event::Disconnected { conn, reason, .. } => self.finish(*conn, LaneEnding::Ended(*reason)),
            Event::DialFailed { conn, peer, error, .. } => self.dial_failed(*conn, *peer, *error),
            Event::Adopted { conn, peer, .. } => self.adopted(*conn, *peer),
            Event::Banned { target, .. } => self.note(NoteKind::Banned(target.clone())),
            Event::Unbanned { target } => self.note(NoteKind::Unbanned(target.clone())),
            Event::NetworkDown { network } => self.note(NoteKind::Down(*network)),
            Event::NetworkUp { network } => self.note(NoteKind::Up(*network)),
            Event::SeedAnswered { seed, added } => self.note(NoteKind::SeedAnswered(seed.clone(), *added)),
            Event::SeedFailed { seed, error } => self.note(NoteKind::SeedFailed(seed.clone(), *error)),
            // The others are among the last lines, and in no chart.
            _ => {}
        }
    }
}

impl Observer for Diary {
    fn input(&mut self, now: Time, input: &Input, reply: &Reply) {
        self.tick(now);
        match reply {
            Reply::Noted | Reply::Learnt(_) | Reply::Addresses(_) | Reply::Done(Ok(())) => {
                self.remember(format_args!("told: {input}"));
            }
            Reply::Accepted(Ok(conn)) => self.remember(format_args!("told: {input}: {conn}")),
            Reply::Accepted(Err(refusal)) => self.remember(format_args!("told: {input}: refused, {refusal}")),
            Reply::Added(Ok(peer)) => self.remember(format_args!("told: {input}: {peer}")),
            Reply::Added(Err(error)) => self.remember(format_args!("told: {input}: refused, {error}")),
            Reply::Done(Err(error)) => self.remember(format_args!("told: {input}: refused, {error}")),
        }
        // What comes of the others is said in actions.
        if let (Input::Accept { remote, .. }, Reply::Accepted(answer)) = (input, reply) {
            self.accept(*remote, answer);
        }
        if let Input::Ready { conn, .. } = input {
            self.ready(*conn);
        }
    }

    fn action(&mut self, now: Time, action: &Action) {
        self.tick(now);
        self.remember(format_args!("did: {action}"));
        match action {
            Action::Dial { conn, target, .. } => self.dial(*conn, target),
            Action::ScheduleRetry { peer, at, attempt } => {
                let (peer, attempt, wait) = (*peer, *attempt, at.since(now));
                self.retries.push(Retry { at: self.now, peer, attempt, wait });
            }
            Action::Emit(event) => self.event(event),
            Action::Close { .. }
            | Action::ResolveSeed { .. }
            | Action::ResolveHost { .. }
            | Action::PauseAccept { .. }
            | Action::Save => {}
        }
    }

    fn settled(&mut self, _: Time, manager: &ConnManager) {
        for conn in self.fresh.drain(..) {
            if let (Some(view), Some(lane)) = (manager.connection(conn), self.lanes.get_mut(conn)) {
                (lane.kind, lane.peer) = (Some(view.kind), view.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests;
