//! Bitcoin Core's policy, as published: one automatic dial at a time, half a second between two, five seconds each.
//!
//! Known of it: a choice draws at most 100 addresses, each taken with a chance that falls to 0.66^n with n failures (at
//! most 8) and to a hundredth if it was tried in the last 10 minutes; one connection a group. Added peers are tried in
//! turn; 60 s after a round in which one was tried comes the next, 2 s after one in which all were connected. Seeds:
//! all at once when nothing is known, else three at a time after 11 s (300 s from 1000 known addresses on), until two
//! full connections are there. Nothing slows it down when the network is down.

use std::time::Duration;

use connmgr_core::{ConnId, Kind, Mode, PeerAddress, PeerId, Time};

use super::desk::{ModelConn, ModelDesk, ModelStage};
use super::seeds::Seeding;
use super::subject::{ModelPolicy, Modelled};
use crate::types::Share;

/// A model of Bitcoin Core's connection manager.
pub type CoreLike = Modelled<Core, false>;
/// The same under the dial rate, rests and timeouts of ours.
pub type PacedCore = Modelled<Core, true>;

const PAUSE: Duration = Duration::from_millis(500);
const ROUND: Duration = Duration::from_secs(60);
const IDLE_ROUND: Duration = Duration::from_secs(2);
const DRAWS: u32 = 100;
const RECENTLY: Duration = Duration::from_secs(600);

/// 0.66^n in millionths.
const CHANCE: [u32; 9] = [1_000_000, 660_000, 435_600, 287_496, 189_747, 125_233, 82_654, 54_552, 36_004];

/// Core's own part.
#[derive(Clone, Debug)]
pub struct Core {
    /// The thread that opens automatic connections goes on then.
    opens_at: Time,
    /// The thread that opens added ones, and its place in the round.
    round_at: Time,
    turn: usize,
    has_tried: bool,
    seeding: Seeding,
}

impl Core {
    fn choose(desk: &mut ModelDesk, now: Time) -> Option<PeerAddress> {
        for _ in 0..DRAWS {
            let place = desk.dice.index(desk.known.len());
            let known = desk.known.get(place)?.clone();
            let is_fresh = known.last_try.is_some_and(|tried| now.since(tried) < RECENTLY);
            let chance = CHANCE[(known.failures as usize).min(8)] / if is_fresh { 100 } else { 1 };
            if desk.dice.happens(Share(chance)) && !desk.is_taken(&known.address, now) {
                return Some(known.address);
            }
        }
        None
    }

    fn open_automatic(&mut self, desk: &mut ModelDesk, now: Time) {
        let is_dialing = |conn: &ModelConn| conn.stage == ModelStage::Dialing && conn.kind != Kind::Added;
        let opens_at = self.opens_at.max(desk.may_dial_at(now));
        if desk.config.mode == Mode::ConnectOnly || opens_at > now || desk.conns.values().any(is_dialing) {
            return;
        }
        self.opens_at = now.after(PAUSE);
        let split = desk.split();
        let kind = match (desk.open(Kind::Full) < split.full, desk.open(Kind::BlockRelay) < split.block_relay) {
            (true, _) => Kind::Full,
            (false, true) => Kind::BlockRelay,
            (false, false) => return,
        };
        if let Some(address) = Self::choose(desk, now) {
            desk.dial(address, kind, now);
        }
    }

    /// One after the other, with half a second between; then a rest.
    fn open_added(&mut self, desk: &mut ModelDesk, now: Time) {
        let is_dialing = |conn: &ModelConn| conn.stage == ModelStage::Dialing && conn.kind == Kind::Added;
        if self.round_at > now || desk.conns.values().any(is_dialing) {
            return;
        }
        while let Some(added) = desk.added.get(self.turn) {
            self.turn += 1;
            if added.conn.is_none() {
                (self.round_at, self.has_tried) = (now.after(PAUSE), true);
                let peer = added.id;
                return desk.dial_added(peer, now);
            }
        }
        let rest = if std::mem::take(&mut self.has_tried) { ROUND } else { IDLE_ROUND };
        (self.turn, self.round_at) = (0, now.after(rest));
    }

    /// The thread that dialed goes on half a second after the dial's end; the other does not wait for it.
    fn pause(&mut self, kind: Kind, now: Time) {
        let goes_on_at = if kind == Kind::Added { &mut self.round_at } else { &mut self.opens_at };
        *goes_on_at = (*goes_on_at).max(now.after(PAUSE));
    }
}

fn forget(desk: &mut ModelDesk, peer: Option<PeerId>) {
    if let Some(added) = peer.and_then(|peer| desk.added_mut(peer)) {
        added.conn = None::<ConnId>;
    }
}

impl ModelPolicy for Core {
    const PATIENCE: Duration = Duration::from_secs(5);

    fn born(desk: &ModelDesk) -> Self {
        Self { opens_at: Time::ZERO, round_at: Time::ZERO, turn: 0, has_tried: false, seeding: Seeding::born(desk) }
    }

    fn plan(&mut self, desk: &mut ModelDesk, now: Time) {
        self.seeding.ask(desk, now);
        self.open_added(desk, now);
        self.open_automatic(desk, now);
    }

    fn next(&self, desk: &ModelDesk, now: Time) -> Option<Time> {
        let is_automatic = desk.config.mode == Mode::Automatic;
        let round = (!desk.added.is_empty()).then_some(self.round_at);
        let opens = is_automatic.then_some(self.opens_at.max(desk.may_dial_at(now)));
        let busy = |kinds: fn(Kind) -> bool| {
            desk.conns.values().any(|conn| conn.stage == ModelStage::Dialing && kinds(conn.kind))
        };
        let round = round.filter(|_| !busy(|kind| kind == Kind::Added));
        let opens = opens.filter(|_| !busy(|kind| kind != Kind::Added));
        [round, opens, self.seeding.next_at()].into_iter().flatten().min()
    }

    fn succeeded(&mut self, desk: &mut ModelDesk, conn: &ModelConn, now: Time) {
        self.pause(conn.kind, now);
        if let Some(known) = conn.address.as_ref().and_then(|address| desk.known_mut(address)) {
            known.failures = 0;
        }
    }

    fn failed(&mut self, desk: &mut ModelDesk, conn: &ModelConn, now: Time) {
        self.pause(conn.kind, now);
        forget(desk, conn.peer);
        if let Some(known) = conn.address.as_ref().and_then(|address| desk.known_mut(address)) {
            known.failures = known.failures.saturating_add(1);
        }
    }

    fn lost(&mut self, desk: &mut ModelDesk, conn: &ModelConn, _: Time) {
        forget(desk, conn.peer);
    }
}
