//! Who holds a slot, who gives one up, and who takes one.
//!
//! A success beats a hope. A slot is held by what is ready, and by what is promising: a dial, or a handshake after it,
//! that has made progress within `hedge_after` of its route. What makes none gives its slot up, and takes one again
//! when it does: a free one, else that of something that has come less far. Whoever finds none goes on without, as long as
//! not every slot is held by what is ready. So a pool in which every answer is slow fills as well, and never holds more
//! than its target.

use crate::config::{Patience, Split};
use crate::conn::{Conn, End};
use crate::types::{ConnId, Kind};

use super::{ConnManager, ConnState, Timer};

/// The kinds that the planner fills from the book, in order.
pub(super) const AUTOMATIC: [Kind; 2] = [Kind::Full, Kind::BlockRelay];

/// As many dials and handshakes of a kind as it has slots, times this, may go on without a slot: where three in four
/// don't answer, a quarter of what is under way is then worth waiting for.
const HEDGED_PER_SLOT: u32 = 2;

impl ConnManager {
    /// Whether one more connection of this kind fits: into its share and into the total.
    pub(super) fn has_slot(&self, kind: Kind, split: &Split) -> bool {
        let lookups = self.peers.lookups();
        let held = self.table.slots_held(kind) + if kind == Kind::Added { lookups } else { 0 };
        held < split.of(kind) && self.table.len() + lookups < self.limits.total
    }

    /// Gets a slot for a dial that opens, or a handshake that is done, without one: a free one, else one of what has
    /// come less far. Returns whether there is any.
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

    /// A connection of an automatic kind has made no progress for `hedge_after`.
    pub(super) fn no_progress(&mut self, id: ConnId) {
        let Some(conn) = self.table.get(id) else { return };
        let deadline = conn.deadline();
        if matches!(conn.state(), ConnState::Dialing | ConnState::Handshaking) {
            self.table.make_overdue(id);
        }
        self.arm(Timer::Conn(id), deadline);
    }

    /// A dial or handshake that makes progress now is looked at again when it makes none, or is to be given up.
    pub(super) fn look_for_progress(&mut self, id: ConnId) {
        let Some(conn) = self.table.get(id) else { return };
        let patient_until = self.now().after(self.patience(is_proxied(conn)).hedge_after);
        let gives_slot = self.may_hedge(conn.kind()) && !conn.notes.is_trial;
        self.arm(Timer::Conn(id), if gives_slot { conn.deadline().min(patient_until) } else { conn.deadline() });
    }

    pub(super) fn patience(&self, is_proxied: bool) -> Patience {
        if is_proxied { self.config.dial.proxied } else { self.config.dial.direct }
    }

    /// Whether something of this kind is under way, and all of it makes progress, as far as is known.
    pub(super) fn is_promising(&self, kind: Kind) -> bool {
        let makes_none = self.table.without_slot(kind) > 0 || self.table.first_overdue(kind).is_some();
        self.may_hedge(kind) && self.table.is_dialing(kind) && !makes_none
    }

    pub(super) fn has_hedge_room(&self, kind: Kind) -> bool {
        self.table.without_slot(kind) < self.max_hedged(kind)
    }

    /// Whether a dial or handshake of this kind may leave its slot to another.
    fn may_hedge(&self, kind: Kind) -> bool {
        kind.is_automatic() && self.max_hedged(kind) > 0
    }

    /// How many dials and handshakes of this kind may go on without a slot.
    pub(super) fn max_hedged(&self, kind: Kind) -> u32 {
        let usual = || self.split().of(kind).saturating_mul(HEDGED_PER_SLOT);
        self.config.dial.max_hedged.unwrap_or_else(usual)
    }
}

/// Whether a connection that we dialed is reached through a proxy.
const fn is_proxied(conn: &Conn) -> bool {
    matches!(conn.end(), End::Outbound { via: Some(_), .. })
}
