//! The simplest policies: a fixed number of dials at a time, each to a random address that may be dialed, all equally
//! likely. No hedging, no memory of good addresses, no slowing down but the dial rate and the rests of addresses.
//!
//! Our manager must never be worse than these.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use connmgr_core::{Kind, Mode, PeerAddress, PeerId, Time};

use super::desk::{ModelConn, ModelDesk, ModelStage};
use super::seeds::Seeding;
use super::subject::{ModelPolicy, Modelled};

/// Dials one address at a time, the next when its dial has ended.
pub type OneAtATime = Modelled<Plain<1>, true>;
/// Dials as many addresses at a time as connections are missing.
pub type ParallelPlain = Modelled<Plain<{ u32::MAX }>, true>;

/// Draws for one choice.
const DRAWS: u32 = 100;
/// The wait after a choice without a result.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const AUTOMATIC: [Kind; 2] = [Kind::Full, Kind::BlockRelay];

/// A plain policy with at most so many automatic dials at a time.
#[derive(Clone, Debug)]
pub struct Plain<const WIDTH: u32> {
    seeding: Seeding,
    /// Addresses that may be dialed, in no order.
    rested: Vec<usize>,
    /// The others, and when they may be.
    resting: BinaryHeap<Reverse<(Time, usize)>>,
    look_at: Time,
}

impl<const WIDTH: u32> Plain<WIDTH> {
    /// The kind that has a free slot, if another dial may be made.
    fn wanted(desk: &ModelDesk) -> Option<Kind> {
        let is_dial = |conn: &&ModelConn| conn.stage == ModelStage::Dialing && AUTOMATIC.contains(&conn.kind);
        let dials = desk.conns.values().filter(is_dial).count();
        let split = desk.split();
        let wanted = AUTOMATIC.into_iter().find(|kind| desk.count(*kind) < split.of(*kind));
        wanted.filter(|_| dials < WIDTH as usize && desk.config.mode == Mode::Automatic)
    }

    fn choose(&mut self, desk: &mut ModelDesk, now: Time) -> Option<PeerAddress> {
        let news = self.rested.len() + self.resting.len()..desk.known.len();
        self.rested.extend(news);
        while let Some(Reverse((_, place))) = self.resting.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.resting.pop();
            let rested_at = desk.rested_at(&desk.known[place].address);
            if rested_at > now { self.resting.push(Reverse((rested_at, place))) } else { self.rested.push(place) }
        }
        for _ in 0..DRAWS {
            let drawn = desk.dice.index(self.rested.len());
            let place = *self.rested.get(drawn)?;
            let address = &desk.known[place].address;
            if !desk.is_taken(address, now) {
                let address = address.clone();
                self.rested.swap_remove(drawn);
                self.resting.push(Reverse((now.after(desk.config.dial.min_spacing), place)));
                return Some(address);
            }
        }
        None
    }

    fn dial_automatic(&mut self, desk: &mut ModelDesk, now: Time) {
        while let Some(kind) = Self::wanted(desk) {
            let at = self.look_at.max(desk.may_dial_at(now));
            if at > now {
                return;
            }
            let Some(address) = self.choose(desk, now) else {
                self.look_at = now.after(LOOK_AGAIN);
                return;
            };
            desk.dial(address, kind, now);
        }
    }

    fn wait(desk: &mut ModelDesk, peer: Option<PeerId>, now: Time) {
        let retry = desk.config.retry;
        if let Some(added) = peer.and_then(|peer| desk.added_mut(peer)) {
            added.conn = None;
            added.failures = added.failures.saturating_add(1);
            added.retry_at = now.after(retry.wait(added.failures));
        }
    }
}

impl<const WIDTH: u32> ModelPolicy for Plain<WIDTH> {
    /// Bitcoin Core's. Unused: a paced model has our timeout.
    const PATIENCE: Duration = Duration::from_secs(5);

    fn born(desk: &ModelDesk) -> Self {
        let (rested, resting) = (Vec::new(), BinaryHeap::new());
        Self { seeding: Seeding::born(desk), rested, resting, look_at: Time::ZERO }
    }

    fn plan(&mut self, desk: &mut ModelDesk, now: Time) {
        self.seeding.ask(desk, now);
        let due = desk.added.iter().filter(|added| added.conn.is_none() && added.retry_at <= now);
        let due: Vec<PeerId> = due.map(|added| added.id).collect();
        due.into_iter().for_each(|peer| desk.dial_added(peer, now));
        self.dial_automatic(desk, now);
    }

    fn next(&self, desk: &ModelDesk, now: Time) -> Option<Time> {
        let retries = desk.added.iter().filter(|added| added.conn.is_none()).map(|added| added.retry_at);
        let looks = Self::wanted(desk).map(|_| self.look_at.max(desk.may_dial_at(now)));
        retries.chain(looks).chain(self.seeding.next_at()).min()
    }

    fn succeeded(&mut self, desk: &mut ModelDesk, conn: &ModelConn, _: Time) {
        if let Some(added) = conn.peer.and_then(|peer| desk.added_mut(peer)) {
            added.failures = 0;
        }
    }

    fn failed(&mut self, desk: &mut ModelDesk, conn: &ModelConn, now: Time) {
        Self::wait(desk, conn.peer, now);
    }

    fn lost(&mut self, desk: &mut ModelDesk, conn: &ModelConn, now: Time) {
        Self::wait(desk, conn.peer, now);
    }
}
