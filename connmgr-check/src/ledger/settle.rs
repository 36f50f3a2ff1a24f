//! The end of a step: what its actions did not say is taken from the public view.

use connmgr_core::{ConnId, ConnManager, ConnState, Kind, PeerId, PeerState, Time};

use super::Ledger;
use super::conn::{ConnLife, KnownConn};
use crate::step::{StepCause, StepRecord};

/// Kinds whose dials and handshakes may go on without a slot.
const HEDGED: [Kind; 3] = [Kind::Full, Kind::BlockRelay, Kind::Added];

impl Ledger {
    /// The step is over. Takes from the view what its actions did not tell.
    pub(crate) fn settle(&mut self, step: &mut StepRecord, manager: &ConnManager) {
        for id in &step.dials {
            self.learn_dial(*id, manager);
        }
        if let StepCause::Ready(id, _) = step.cause {
            step.made_ready = self.make_ready(step.now, id).then_some(id);
        }
        step.took_slot = self.took_slot(step);
        self.learn_slots(step, manager);
        // The order in which a timeout did things is not known.
        self.peers.epoch += u64::from(self.changes.may_have_effect());
        self.changes.settle(step);
        self.keep_pace(step);
        self.settle_redials(step);
        // Whatever ends an attempt or lets another dial of it go ahead ends its lookup.
        if core::mem::take(&mut self.resolves) || self.lookups > 0 {
            let resolving = |id: &&PeerId| manager.added_peer(**id).is_some_and(|it| it.state == PeerState::Resolving);
            let count = self.peers.named().iter().filter(resolving).count();
            self.lookups = u32::try_from(count).expect("fewer than peers");
        }
    }

    fn learn_dial(&mut self, id: ConnId, manager: &ConnManager) {
        let (Some(conn), Some(view)) = (self.conns.get_mut(&id), manager.connection(id)) else { return };
        if conn.kind.is_none() {
            conn.kind = Some(view.kind);
            conn.peer = view.peer;
            conn.address = view.address;
            if let Some(peer) = view.peer.and_then(|id| self.peers.get_mut(id)) {
                peer.conns.push(id);
                conn.is_spared = peer.wanted.permissions.no_ban;
            }
            self.usage.of_mut(view.kind).dialing += 1;
            if view.kind.takes_group() {
                self.unfinished.push(id);
            }
        }
    }

    /// Whether a dial or handshake without a slot made progress in this step, and so took one.
    fn took_slot(&self, step: &StepRecord) -> bool {
        let (StepCause::DialResult(id, Ok(())) | StepCause::Ready(id, _)) = step.cause else { return false };
        self.conns.get(&id).is_some_and(|conn| !conn.has_slot && conn.is_open())
    }

    /// Takes from the view which dials and handshakes have no slot. That changes only when their number does, or when one
    /// of them makes progress.
    fn learn_slots(&mut self, step: &mut StepRecord, manager: &ConnManager) {
        let mut changes = matches!(step.cause, StepCause::DialResult(_, Ok(())) | StepCause::Ready(..));
        for kind in HEDGED {
            let without = [ConnState::Silent, ConnState::Stalled].map(|state| manager.count(kind, state));
            let count = self.count(kind);
            if without != [count.silent, count.stalled] {
                let count = self.usage.of_mut(kind);
                [count.silent, count.stalled] = without;
                changes = true;
            }
        }
        if !changes {
            return;
        }
        for id in &self.unfinished {
            if let (Some(conn), Some(view)) = (self.conns.get_mut(id), manager.connection(*id)) {
                let had_slot = std::mem::replace(&mut conn.has_slot, view.state.holds_slot());
                step.stalled |= had_slot && view.state == ConnState::Stalled;
            }
        }
    }

    /// Applies the step to the pace of each network, and checks the dials of the step against it.
    fn keep_pace(&mut self, step: &mut StepRecord) {
        if let Some((id, network, is_sure)) = self.readying.take() {
            let pace = &mut self.paces[network.index()];
            pace.ready(is_sure, step.now);
            let stays = |conn: &KnownConn| conn.life == ConnLife::Ready && conn.automatic_network().is_some();
            if self.conns.get(&id).is_some_and(stays) {
                pace.stays(id, step.now);
            }
        }
        for pace in &mut self.paces {
            pace.pass(step, self.config.stable_after);
            if self.changes.may_have_effect() {
                pace.may_start_over(step.now);
            }
        }
        for id in &step.dials {
            let Some(conn) = self.conns.get(id).filter(|conn| conn.kind.is_some_and(Kind::takes_group)) else {
                continue;
            };
            if !conn.is_probe && !self.dial_credit.take(&self.config.dial.rate, step.now) {
                step.over_rate.get_or_insert(*id);
            }
            let Some(network) = conn.automatic_network() else { continue };
            let is_exempt = conn.is_probe || self.repeats_unheard(conn);
            let in_time = self.paces[network.index()].dial(!is_exempt, step.now);
            if !in_time {
                step.too_fast.get_or_insert((*id, network));
            }
        }
        for pace in &mut self.paces {
            match pace.turn() {
                Some(true) => step.slowed = true,
                Some(false) => step.restored = true,
                None => {}
            }
        }
    }

    fn make_ready(&mut self, now: Time, id: ConnId) -> bool {
        let Some(conn) = self.conns.get_mut(&id).filter(|conn| conn.life == ConnLife::Open) else { return false };
        conn.life = ConnLife::Ready;
        conn.since = now;
        self.unfinished.retain(|other| *other != id);
        if let Some(kind) = conn.kind {
            self.usage.of_mut(kind).ready += 1;
        }
        // An added peer is ready: what kept all of them away may be over.
        self.peers.epoch += u64::from(conn.peer.is_some());
        true
    }
}
