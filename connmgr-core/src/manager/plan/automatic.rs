//! Automatic dials: each free slot gets an address from the book, at the pace of the networks.
//!
//! A kind that finds no address starves: it waits, asks for addresses, and dials addresses that rest.

use core::time::Duration;

use crate::config::{Mode, Split};
use crate::conn::Conn;
use crate::types::{CloseReason, ConnId, DialRule, Event, Kind, Time};

use super::choosing::{Chosen, NextDial};
use super::hedge::Vacancy;
use super::{ConnManager, Timer};
use crate::manager::Starved;
use crate::manager::seeding::LONG_STARVED_AFTER;
use crate::manager::slots::AUTOMATIC;

/// With fewer known addresses for each slot, a single good peer may be all there is.
const FEW_PER_SLOT: u32 = 8;
/// The first wait of a kind that found no address. It doubles each time, …
const STARVED_WAIT: Duration = Duration::from_secs(1);
/// … up to this while some addresses are known, …
const LOOK_AGAIN_AFTER: Duration = crate::mechanisms::pace::SLOWEST;
/// … and up to this while none is, and between two requests for addresses.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(32);
/// The shortest time from one block-relay connection that makes room for a full one to the next.
pub(in crate::manager) const MAKE_ROOM_EVERY: Duration = Duration::from_secs(600);
/// A proven network may take slots from dials into an unproven one. If it finds no address to dial, it tries again
/// after this.
const TAKE_SLOTS_AGAIN_AFTER: Duration = Duration::from_secs(1);

impl ConnManager {
    /// Whether [`dial_automatic`](Self::dial_automatic) can have anything to do. Mostly ready connections hold every slot, or
    /// a kind without addresses waits; and this is asked after every input.
    #[inline]
    pub(super) fn may_dial_automatic(&self, kind: Kind, split: &Split) -> bool {
        self.may_have_vacancy(kind, split) && !self.waits_for_addresses(kind)
    }

    /// Whether a kind that found no address looks again later, and the planner's timer is set for that.
    fn waits_for_addresses(&self, kind: Kind) -> bool {
        self.looks_again_at(kind, self.now()).is_some_and(|until| self.is_planned_by(until))
    }

    pub(super) fn dial_automatic(&mut self, kind: Kind, split: &Split) {
        let mut next = self.vacancy(kind, split);
        if next.is_none() || self.idle_rule(kind, split).is_some() {
            return;
        }
        while let Some(vacancy) = next {
            if let Some(until) = self.looks_again_at(kind, self.now()) {
                // Armed again each time: the planner's single timer may have fired for another reason.
                return self.arm_earlier(Timer::Plan, until);
            }
            if self.pause_if_needed() || self.wait_for_rate(kind) {
                return;
            }
            if !self.dial_next(kind, vacancy) {
                return;
            }
            next = self.vacancy(kind, split);
        }
    }

    /// Why nothing of this kind is dialed from the book at all, if so.
    pub(in crate::manager) fn idle_rule(&self, kind: Kind, split: &Split) -> Option<DialRule> {
        if self.config.mode == Mode::ConnectOnly {
            Some(DialRule::ConnectOnly)
        } else if self.yields_to_full(kind, split) {
            Some(DialRule::AfterFull)
        } else {
            None
        }
    }

    /// When a kind that found no address looks again; `None`: it may look now.
    pub(in crate::manager) fn looks_again_at(&self, kind: Kind, now: Time) -> Option<Time> {
        self.starved[kind.index()].map(|starved| starved.until).filter(|until| *until > now)
    }

    /// The automatic kinds in the order in which they are dialed: full connections first, unless they hedge. A hedge
    /// may turn out to be surplus, and must not take the last address that another kind needs.
    pub(super) const fn kinds_in_turn(&self) -> [Kind; 2] {
        let [full, block_relay] = AUTOMATIC;
        if self.table.without_slot(full) > 0 { [block_relay, full] } else { [full, block_relay] }
    }

    /// Whether this kind leaves the known addresses to full connections, because only those bring new addresses. It
    /// does while a full slot is free for lack of addresses. With few addresses, it does so also until a full
    /// connection is ready, as long as the full dials make progress.
    fn yields_to_full(&self, kind: Kind, split: &Split) -> bool {
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

    /// With no full connection and no address for one, closes a block-relay connection, since its peer may be the only
    /// one that knows others. Its network must be up, so that the peer can be dialed again. Not often, because the few
    /// peers left may be all there are.
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
        if let Some(chosen) = self.choose_for_trial(kind) {
            self.dial_chosen(kind, chosen, true);
            return true;
        }
        match (self.choose_next(kind, vacancy != Vacancy::Free), vacancy) {
            (NextDial::To(chosen), _) => {
                if let Vacancy::TakenFrom(other) = vacancy {
                    self.table.give_slot(other, now);
                }
                self.dial_chosen(kind, chosen, false);
                true
            }
            (NextDial::Later(_) | NextDial::Nobody, Vacancy::TakenFrom(_)) => {
                self.take_slots_again_at = now.after(TAKE_SLOTS_AGAIN_AFTER);
                false
            }
            (NextDial::Later(at), Vacancy::Free) => {
                // The known addresses have led nowhere for long: others may know better ones.
                if self.paces.iter().any(crate::mechanisms::pace::Pace::is_slowed) {
                    self.ask_for_addresses(kind, ASK_AGAIN_AFTER);
                }
                self.arm_earlier(Timer::Plan, at);
                false
            }
            (NextDial::Nobody, Vacancy::Free) => {
                self.starve(kind);
                self.dial_resting(kind);
                false
            }
        }
    }

    /// Dials an address; the kind no longer starves.
    fn dial_chosen(&mut self, kind: Kind, chosen: Chosen, is_trial: bool) {
        self.starved[kind.index()] = None;
        self.pay_for_dial();
        self.dial_from_book(kind, chosen, is_trial);
    }

    /// Dials an address that rests, because there is no other.
    fn dial_resting(&mut self, kind: Kind) {
        if let Some(chosen) = self.choose_resting(kind) {
            self.pay_for_dial();
            self.dial_from_book(kind, chosen, false);
        }
    }

    /// No address is left to dial: waits, and asks the application and the seeds for more.
    fn starve(&mut self, kind: Kind) {
        let (since, times) =
            self.starved[kind.index()].map_or((self.now(), 0), |starved| (starved.since, starved.times));
        // First, because closing a connection wakes the starved kinds.
        if kind == Kind::Full && self.now().since(since) >= LONG_STARVED_AFTER {
            self.make_room_for_full();
        }
        let wait = STARVED_WAIT.saturating_mul(1 << times.min(16));
        let is_all_down = self.networks_up().is_empty();
        // Known addresses end their rest at any time. If none is known, an input will wake the kind.
        let may_find_some = !self.book.is_empty() && !is_all_down;
        let longest = if may_find_some { LOOK_AGAIN_AFTER } else { ASK_AGAIN_AFTER };
        let until = self.now().after(wait.min(longest));
        self.starved[kind.index()] = Some(Starved { since, until, times: times.saturating_add(1) });
        self.arm_earlier(Timer::Plan, until);
        if self.book.is_empty() || !is_all_down {
            self.ask_for_addresses(kind, wait.min(ASK_AGAIN_AFTER));
        }
    }

    /// Asks the application and the seeds for addresses for this kind, at most once in `wait`.
    fn ask_for_addresses(&mut self, kind: Kind, wait: Duration) {
        if self.ask_again_at > self.now() {
            return;
        }
        self.ask_again_at = self.now().after(wait);
        let only = self.config.networks.only();
        let held_back = self.held_back(kind);
        self.tell(Event::AddressesWanted { network: only, held_back });
        self.seed_again();
    }

    /// Something has changed that may give a starved kind an address to dial.
    pub(in crate::manager) fn wake_starved(&mut self) {
        let now = self.now();
        for starved in self.starved.iter_mut().flatten() {
            starved.until = now;
        }
    }
}
