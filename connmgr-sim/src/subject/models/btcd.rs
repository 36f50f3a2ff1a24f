//! btcd's policy, as published: eight dials at a time, forgotten back-off, twenty-five failures and then five seconds.
//!
//! Known of it: a failed automatic dial is replaced at once, until 25 have failed in a row; from then on each after 5
//! s. An added peer waits 5 s × n, at most 300 s, and n is forgotten when TCP succeeds. Addresses tried less than 10
//! minutes ago are skipped for the first 30 of at most 100 draws. All seeds are asked once, at the start. A dial may
//! take 30 s.

use std::collections::VecDeque;
use std::time::Duration;

use connmgr_core::{Kind, Mode, PeerAddress, PeerId, Time};

use super::desk::{ModelConn, ModelDesk};
use super::seeds::may_ask;
use super::subject::{ModelPolicy, Modelled};

/// A model of btcd's connection manager.
pub type BtcdLike = Modelled<Btcd, false>;
/// The same under the dial rate, rests and timeouts of ours.
pub type PacedBtcd = Modelled<Btcd, true>;

const RETRY: Duration = Duration::from_secs(5);
const LONGEST_RETRY: Duration = Duration::from_secs(300);
const PATIENT_FAILURES: u32 = 25;
const DRAWS: u32 = 100;
const CHOOSY_DRAWS: u32 = 30;
const RECENTLY: Duration = Duration::from_secs(600);

/// btcd's own part.
#[derive(Clone, Debug)]
pub struct Btcd {
    failures: u32,
    /// When each free slot asks for an address again.
    slots: VecDeque<Time>,
    has_asked_seeds: bool,
}

impl Btcd {
    /// It knows one kind only: as many of it as the others keep of both.
    fn wanted(desk: &ModelDesk) -> usize {
        let split = desk.split();
        (split.full + split.block_relay) as usize
    }

    /// As many slots as there should be, after limits have changed or a connection has become an added peer's.
    fn set_slots(&mut self, desk: &ModelDesk, now: Time) {
        let held = desk.count(Kind::Full) as usize;
        self.slots.resize(Self::wanted(desk).saturating_sub(held), now);
    }

    /// One of at most 100 draws; none if they yield nobody.
    fn choose(desk: &mut ModelDesk, now: Time) -> Option<PeerAddress> {
        for draw in 0..DRAWS {
            let place = desk.dice.index(desk.known.len());
            let known = desk.known.get(place)?;
            let is_fresh = known.last_try.is_some_and(|tried| now.since(tried) < RECENTLY);
            if (is_fresh && draw < CHOOSY_DRAWS) || desk.is_taken(&known.address, now) {
                continue;
            }
            return Some(known.address.clone());
        }
        None
    }

    fn dial_added(desk: &mut ModelDesk, now: Time) {
        let due = desk.added.iter().filter(|added| added.conn.is_none() && added.retry_at <= now);
        let due: Vec<PeerId> = due.map(|added| added.id).collect();
        due.into_iter().for_each(|peer| desk.dial_added(peer, now));
    }

    fn free(&mut self, desk: &mut ModelDesk, conn: &ModelConn, now: Time, has_failed: bool) {
        if let Some(added) = conn.peer.and_then(|peer| desk.added_mut(peer)) {
            added.conn = None;
            added.failures = added.failures.saturating_add(1);
            added.retry_at = now.after(RETRY.saturating_mul(added.failures).min(LONGEST_RETRY));
        } else if conn.kind == Kind::Full {
            self.failures = if has_failed { self.failures.saturating_add(1) } else { self.failures };
            let waits = has_failed && self.failures >= PATIENT_FAILURES;
            self.slots.push_back(if waits { now.after(RETRY) } else { now });
        }
    }
}

impl ModelPolicy for Btcd {
    const PATIENCE: Duration = Duration::from_secs(30);

    fn born(desk: &ModelDesk) -> Self {
        Self { failures: 0, slots: vec![Time::ZERO; Self::wanted(desk)].into(), has_asked_seeds: false }
    }

    fn plan(&mut self, desk: &mut ModelDesk, now: Time) {
        if !self.has_asked_seeds && desk.config.mode == Mode::Automatic && may_ask(desk) {
            self.has_asked_seeds = true;
            let names: Vec<_> = desk.config.seeds.names.iter().map(|seed| seed.name.clone()).collect();
            names.iter().for_each(|name| desk.resolve(name, None, now));
        }
        Self::dial_added(desk, now);
        self.set_slots(desk, now);
        for _ in 0..self.slots.len() {
            let Some(at) = self.slots.pop_front() else { break };
            let at = at.max(desk.may_dial_at(now));
            if at > now {
                self.slots.push_back(at);
                continue;
            }
            match Self::choose(desk, now) {
                Some(address) => _ = desk.dial(address, Kind::Full, now),
                // It has nobody to dial: a failure like any other.
                None => {
                    self.failures = self.failures.saturating_add(1);
                    self.slots.push_back(now.after(RETRY));
                }
            }
        }
    }

    fn next(&self, desk: &ModelDesk, _: Time) -> Option<Time> {
        let retries = desk.added.iter().filter(|added| added.conn.is_none()).map(|added| added.retry_at);
        self.slots.iter().copied().chain(retries).min()
    }

    fn succeeded(&mut self, desk: &mut ModelDesk, conn: &ModelConn, _: Time) {
        self.failures = 0;
        if let Some(added) = conn.peer.and_then(|peer| desk.added_mut(peer)) {
            added.failures = 0;
        }
    }

    fn failed(&mut self, desk: &mut ModelDesk, conn: &ModelConn, now: Time) {
        self.free(desk, conn, now, true);
    }

    fn lost(&mut self, desk: &mut ModelDesk, conn: &ModelConn, now: Time) {
        self.free(desk, conn, now, false);
    }
}
