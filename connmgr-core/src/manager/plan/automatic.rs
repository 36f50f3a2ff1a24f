//! Automatic dials: a kind that has a slot free is given an address from the book, as fast as the pace allows.
//!
//! With nobody left to dial, the kind starves: it waits, asks for addresses, and dials those that rest.

use core::time::Duration;

use crate::config::{Mode, Split};
use crate::conn::Conn;
use crate::types::{CloseReason, ConnId, Event, Kind, PeerAddress};

use super::choosing::Chosen;
use super::hedge::Vacancy;
use super::{ConnManager, Timer};
use crate::manager::Starved;
use crate::manager::seeding::FAMISHED_AFTER;
use crate::manager::slots::AUTOMATIC;

/// Where fewer addresses are known for each slot, one good peer may be all there is.
const FEW_PER_SLOT: u32 = 8;
/// The first wait of a kind that found nobody to dial; doubled each time, …
const STARVED_WAIT: Duration = Duration::from_secs(1);
/// … at most so long before it looks again where some are known, …
const LOOK_AGAIN_AFTER: Duration = crate::mechanisms::pace::SLOWEST;
/// … and so long before others are asked for addresses again.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(32);
/// A block-relay connection makes room for a full one no more often.
pub(in crate::manager) const MAKE_ROOM_EVERY: Duration = Duration::from_secs(600);
/// A network that is proven may take slots of one that is not; having found nobody there, it looks again after this.
const PUSH_AGAIN_AFTER: Duration = Duration::from_secs(1);

impl ConnManager {
    pub(super) fn dial_automatic(&mut self, kind: Kind, split: &Split) {
        if self.config.mode == Mode::ConnectOnly || self.is_after_full(kind, split) {
            return;
        }
        while let Some(vacancy) = self.vacancy(kind, split) {
            if let Some(starved) = self.starved[kind.index()].filter(|starved| starved.until > self.now()) {
                // Said anew each time: the planner's one timer may have fired for another reason meanwhile.
                return self.arm_earlier(Timer::Plan, starved.until);
            }
            if self.must_pause() || self.is_too_fast(kind) {
                return;
            }
            if !self.dial_next(kind, vacancy) {
                return;
            }
        }
    }

    /// The automatic kinds, the one that is dialed first in front: that of full connections, unless they hedge. A hedge may
    /// take the last address that another kind needs, and turn out to be one too many.
    pub(super) const fn kinds_in_turn(&self) -> [Kind; 2] {
        let [full, block_relay] = AUTOMATIC;
        if self.table.without_slot(full) > 0 { [block_relay, full] } else { [full, block_relay] }
    }

    /// Whether whomever this kind could dial is left to full connections, for only they are told of others: one has a slot
    /// free, without hedging, or, where few are known, none is ready, and all that are under way make progress.
    fn is_after_full(&self, kind: Kind, split: &Split) -> bool {
        if kind != Kind::BlockRelay || !self.full_may_have_its_peers() {
            return false;
        }
        let few = (split.full + split.block_relay).saturating_mul(FEW_PER_SLOT) as usize;
        let may_be_ready_soon = || self.table.ready(Kind::Full) == 0 && self.is_promising(Kind::Full);
        let has_nobody = self.starved[Kind::Full.index()].is_some()
            && self.has_slot(Kind::Full, split)
            && self.table.without_slot(Kind::Full) == 0;
        has_nobody || self.book.len() < few && may_be_ready_soon()
    }

    fn full_may_have_its_peers(&self) -> bool {
        self.config.required.block_relay.has(self.config.required.full)
    }

    /// Where nobody is left for a full connection, and there is none, a block-relay connection may have the only peer who
    /// knows anybody: it makes room. Not where that could not be dialed, for its network is down; and not again soon: those
    /// that are left may be all there is.
    fn make_room_for_full(&mut self) {
        let may = self.table.ready(Kind::Full) == 0
            && !self.table.is_dialing(Kind::Full)
            && self.full_may_have_its_peers()
            && self.made_room.is_none_or(|at| at.after(MAKE_ROOM_EVERY) <= self.now());
        let up = self.networks_up();
        let is_up = |id: &ConnId| {
            let network = self.table.get(*id).and_then(Conn::network);
            network.is_some_and(|network| up.contains(network))
        };
        let other = self.table.ready_ids(Kind::BlockRelay).find(is_up).filter(|_| may);
        if let Some(other) = other {
            self.made_room = Some(self.now());
            self.close(other, CloseReason::MadeRoom);
        }
    }

    /// Dials the next address, if there is one now. Returns whether it did.
    fn dial_next(&mut self, kind: Kind, vacancy: Vacancy) -> bool {
        let now = self.now();
        if let Some(address) = self.choose_for_trial(kind) {
            self.dial_chosen(kind, address, true);
            return true;
        }
        match (self.choose_next(kind, vacancy != Vacancy::Free), vacancy) {
            (Chosen::Address(address), _) => {
                if let Vacancy::Of(other) = vacancy {
                    self.table.give_slot(other, now);
                }
                self.dial_chosen(kind, address, false);
                true
            }
            (Chosen::Later(_) | Chosen::Nobody, Vacancy::Of(_)) => {
                self.push_again_at = now.after(PUSH_AGAIN_AFTER);
                false
            }
            (Chosen::Later(at), Vacancy::Free) => {
                // What is known has led nowhere for long: others may know better.
                if self.paces.iter().any(crate::mechanisms::pace::Pace::is_slowed) {
                    self.ask_for_addresses(ASK_AGAIN_AFTER);
                }
                self.arm_earlier(Timer::Plan, at);
                false
            }
            (Chosen::Nobody, Vacancy::Free) => {
                self.starve(kind);
                self.dial_resting(kind);
                false
            }
        }
    }

    /// The kind has found somebody to dial.
    fn dial_chosen(&mut self, kind: Kind, address: PeerAddress, is_trial: bool) {
        self.starved[kind.index()] = None;
        self.pay_for_dial();
        self.dial_from_book(kind, address, is_trial);
    }

    /// With nobody else left, dials one of those that rest.
    fn dial_resting(&mut self, kind: Kind) {
        if let Some(address) = self.choose_resting(kind) {
            self.pay_for_dial();
            self.dial_from_book(kind, address, false);
        }
    }

    /// Nobody is left to dial: wait, and ask the application and the seeds for more.
    fn starve(&mut self, kind: Kind) {
        let (since, times) =
            self.starved[kind.index()].map_or((self.now(), 0), |starved| (starved.since, starved.times));
        // First of all, for its end wakes those that starve.
        if kind == Kind::Full && self.now().since(since) >= FAMISHED_AFTER {
            self.make_room_for_full();
        }
        let wait = STARVED_WAIT.saturating_mul(1 << times.min(16));
        let is_all_down = self.networks_up().is_empty();
        // Those we know come to the end of their rest at any time; where there are none, news wakes us.
        let may_find_some = !self.book.is_empty() && !is_all_down;
        let longest = if may_find_some { LOOK_AGAIN_AFTER } else { ASK_AGAIN_AFTER };
        let until = self.now().after(wait.min(longest));
        self.starved[kind.index()] = Some(Starved { since, until, times: times.saturating_add(1) });
        self.arm_earlier(Timer::Plan, until);
        if self.book.is_empty() || !is_all_down {
            self.ask_for_addresses(wait.min(ASK_AGAIN_AFTER));
        }
    }

    /// Asks the application and the seeds for addresses, unless that was done lately; not again before `wait`.
    fn ask_for_addresses(&mut self, wait: Duration) {
        if self.ask_again_at > self.now() {
            return;
        }
        self.ask_again_at = self.now().after(wait);
        let mut enabled = self.config.networks.iter();
        let only = enabled.next().filter(|_| enabled.next().is_none());
        self.tell(Event::AddressesWanted { network: only });
        self.seed_again();
    }

    /// Something has changed that may give a starved kind somebody to dial.
    pub(in crate::manager) fn feed(&mut self) {
        let now = self.now();
        for starved in self.starved.iter_mut().flatten() {
            starved.until = now;
        }
    }
}
