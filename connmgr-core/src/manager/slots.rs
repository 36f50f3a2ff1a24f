//! Which dials and connections hold a slot, give one up, or take one.
//!
//! A slot is held by what is ready or promising: a dial or handshake that has made progress within `hedge_after` of its
//! route. One without progress gives its slot up. When it makes progress it takes a slot again: a free one, else that
//! of one that is less far. If there is none it goes on without a slot, unless ready connections hold every slot. So a
//! pool fills even if every answer is slow, and ready connections never exceed the target.

use core::time::Duration;

use crate::config::{Patience, Split};
use crate::conn::{Conn, End};
use crate::types::{ConnId, DialRule, Kind, Time};

use super::{ConnManager, ConnState};

/// The kinds that the planner fills from the book, in order.
pub(super) const AUTOMATIC: [Kind; 2] = [Kind::Full, Kind::BlockRelay];

/// How many dials and handshakes of a kind may go on without a slot, for each of its slots. With fewer, a pool whose
/// peers mostly accept and stay silent fills slowly; with more, slow answers would cost over three dials a slot.
const HEDGED_PER_SLOT: u32 = 2;

impl ConnManager {
    /// Whether one more connection of this kind fits into its share and into the total.
    #[inline]
    pub(super) fn has_slot(&self, kind: Kind, split: &Split) -> bool {
        self.slot_rule(kind, split).is_none()
    }

    /// Why no more connection of this kind fits, if none does.
    #[inline]
    pub(super) fn slot_rule(&self, kind: Kind, split: &Split) -> Option<DialRule> {
        let (share, lookups) = (split.of(kind), self.peers.lookups());
        let held = self.table.slots_held(kind) + if kind == Kind::Added { lookups } else { 0 };
        if share == 0 {
            Some(DialRule::NoSlots)
        } else if held >= share {
            Some(DialRule::SlotsTaken)
        } else if self.table.len() + lookups >= self.limits.total {
            Some(DialRule::TotalReached)
        } else {
            None
        }
    }

    /// Takes a slot for an opened dial or a finished handshake that has none: a free one, else that of one that is less
    /// far. Returns whether it got one.
    pub(super) fn take_slot(&mut self, kind: Kind, is_ready: bool) -> bool {
        let (held, share) = (self.table.slots_held(kind), self.split().of(kind));
        if held != share {
            return held < share;
        }
        let behind = self.furthest_behind(kind, is_ready);
        if let Some(other) = behind {
            self.table.give_slot(other, self.now());
        }
        behind.is_some()
    }

    /// What makes no progress comes first, then the youngest dial, then the youngest handshake.
    fn furthest_behind(&self, kind: Kind, is_ready: bool) -> Option<ConnId> {
        let is_behind = |id: &ConnId| is_ready || self.table.get(*id).is_some_and(|conn| !conn.is_open());
        let overdue = self.table.overdue(kind).find(is_behind);
        let dialing = || self.table.dialing(kind).next();
        let handshaking = || self.table.youngest_handshaking(kind).filter(is_behind);
        overdue.or_else(dialing).or_else(handshaking)
    }

    /// A dial or handshake has made no progress for `hedge_after`, or that of an added peer for `attempt_delay`.
    pub(super) fn handle_no_progress(&mut self, id: ConnId) {
        let Some(conn) = self.table.get(id) else { return };
        let deadline = conn.deadline();
        let is_of_use = conn.kind() != Kind::Added || self.may_race(conn);
        if is_of_use && matches!(conn.state(), ConnState::Dialing | ConnState::Handshaking) {
            self.table.make_overdue(id);
        }
        self.arm_conn(id, deadline);
    }

    /// A dial or handshake has made progress: arms its timer for the end of `hedge_after`, or for its deadline.
    #[inline]
    pub(super) fn arm_progress_timer(&mut self, id: ConnId) {
        let Some(conn) = self.table.get(id) else { return };
        let at = self.next_step_of(conn);
        self.arm_conn(id, at);
    }

    /// When the timer of a dial or handshake is due that has made progress now, or begins.
    #[inline]
    pub(super) fn next_step_of(&self, conn: &Conn) -> Time {
        let patience = if conn.kind() == Kind::Added {
            (!conn.is_open() && self.may_race(conn)).then(|| self.attempt_delay(conn))
        } else {
            let may_hedge = self.may_hedge(conn.kind()) && !conn.notes.is_trial;
            may_hedge.then(|| self.patience(is_proxied(conn)).hedge_after)
        };
        let deadline = conn.deadline();
        patience.map_or(deadline, |patience| deadline.min(self.now().after(patience)))
    }

    /// How long a dial of an added peer is alone.
    pub(super) fn attempt_delay(&self, conn: &Conn) -> Duration {
        let delay = self.config.dial.attempt_delay;
        if is_proxied(conn) { delay.max(self.config.dial.proxied.hedge_after) } else { delay }
    }

    pub(super) fn patience(&self, is_proxied: bool) -> Patience {
        if is_proxied { self.config.dial.proxied } else { self.config.dial.direct }
    }

    /// Whether something of this kind is under way and nothing of it is overdue.
    pub(super) fn is_promising(&self, kind: Kind) -> bool {
        let makes_none = self.table.without_slot(kind) > 0 || self.table.first_overdue(kind).is_some();
        self.may_hedge(kind) && self.table.is_dialing(kind) && !makes_none
    }

    pub(super) fn has_hedge_room(&self, kind: Kind) -> bool {
        self.table.without_slot(kind) < self.max_hedged(kind)
    }

    /// Whether a dial or handshake of this kind may give its slot up.
    fn may_hedge(&self, kind: Kind) -> bool {
        kind.is_automatic() && self.max_hedged(kind) > 0
    }

    /// How many dials and handshakes of this kind may go on without a slot.
    pub(super) fn max_hedged(&self, kind: Kind) -> u32 {
        let usual = || self.split().of(kind).saturating_mul(HEDGED_PER_SLOT);
        self.config.dial.max_hedged.unwrap_or_else(usual)
    }
}

/// Whether a connection that we dialed goes through a proxy.
const fn is_proxied(conn: &Conn) -> bool {
    matches!(conn.end(), End::Outbound { via: Some(_), .. })
}
