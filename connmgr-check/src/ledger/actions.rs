//! What each action and event adds to the ledger.

use connmgr_core::{
    Action, CloseReason, ConnId, Connected, DialError, DialFailure, EndReason, Event, Kind, PeerId, Permissions,
};

use super::bans::BanKey;
use super::conn::{self, ConnLife, KnownConn};
use super::peer::{LastEnd, Stable, Wait};
use super::{Ledger, RunPhase};
use crate::step::{StepCause, StepRecord};

impl Ledger {
    /// The manager emitted an action.
    pub(crate) fn action(&mut self, step: &StepRecord, action: &Action) {
        match action {
            Action::Dial { conn, target, transport, .. } => {
                let mut dialed = KnownConn::dialed(target, *transport, step.now);
                dialed.is_probe = self.suspected(target).is_some();
                self.last_conn = self.last_conn.max(conn.as_u64());
                self.conns.insert(*conn, dialed);
            }
            Action::Close { conn, reason } => self.closed(step, *conn, *reason),
            Action::Emit(event) => self.event(step, event),
            Action::ScheduleRetry { peer, at, attempt } => {
                let epoch = self.peers.epoch;
                if let Some(peer) = self.peers.get_mut(*peer) {
                    peer.attempt = *attempt;
                    peer.not_before = Some(Wait { until: *at, epoch });
                }
            }
            Action::Save => self.bans.save(),
            Action::ResolveHost { .. } => self.resolves = true,
            Action::ResolveSeed { .. } | Action::PauseAccept { .. } => {}
        }
    }

    fn closed(&mut self, step: &StepRecord, conn: ConnId, reason: CloseReason) {
        match reason {
            CloseReason::OwnAddress => self.meet_ourselves(step, conn),
            CloseReason::MissingServices
            | CloseReason::WrongIdentity
            | CloseReason::Duplicate
            | CloseReason::Surplus => {}
            _ => return,
        }
        // Closed by its own `Ready`: it never became ready.
        self.readying = self.readying.filter(|(readying, ..)| *readying != conn);
    }

    /// The handshake showed that we connected to ourselves: the address is our own.
    fn meet_ourselves(&mut self, step: &StepRecord, conn: ConnId) {
        let dialed = self.conns.get(&conn).filter(|conn| conn.was_dialed).and_then(|conn| conn.address.as_ref());
        if let (StepCause::Ready(..), Some(address)) = (step.cause, dialed) {
            self.own.meet(address, step.now);
        }
    }

    fn event(&mut self, step: &StepRecord, event: &Event) {
        match event {
            Event::Connected(connected) => self.connected(step, connected),
            Event::Disconnected { conn, peer, reason, .. } => self.disconnected(step, *conn, *peer, *reason),
            Event::DialFailed { conn, peer, error, .. } => self.dial_failed(step, *conn, *peer, *error),
            Event::Adopted { conn, peer, .. } => self.adopted(step, *conn, *peer),
            Event::PeerFinished { peer, .. } => {
                self.peers.remove(*peer);
                self.share();
            }
            Event::Banned { target, .. } => {
                let duration = match step.cause {
                    StepCause::Ban(duration) => duration,
                    _ => self.config.score.ban_for,
                };
                let (key, until) = (BanKey::of(target), step.now.after(duration));
                if self.bans.get(&key).is_none_or(|known| known.until < until) {
                    self.restored.forget(&key);
                }
                self.bans.impose(target, until);
            }
            Event::Unbanned { target } => {
                self.bans.lift(&BanKey::of(target));
                self.restored.forget(&BanKey::of(target));
            }
            Event::NetworkDown { network } => self.down[network.index()] = true,
            Event::NetworkUp { network } => {
                self.down[network.index()] = false;
                self.peers.epoch += 1;
                self.paces[network.index()].is_up(step.now);
            }
            Event::SeedAnswered { seed, .. } => {
                let are_back = self.seeds.record(&self.config.seeds.names, seed, true);
                if are_back {
                    self.changes.change(step.now);
                }
            }
            Event::SeedFailed { seed, .. } => _ = self.seeds.record(&self.config.seeds.names, seed, false),
            Event::LookupFailed { peer, .. } => {
                if let Some(peer) = self.peers.get_mut(*peer) {
                    peer.last_end = LastEnd::default();
                }
            }
            Event::Stopped => self.phase = RunPhase::Stopped,
            // The others change nothing in the ledger.
            _ => {}
        }
    }

    /// A dial ended in another way than for lack of resources. If it was made in a shortage, that is over, and waiting
    /// peers may be dialed.
    pub(super) fn dial_ended_otherwise(&mut self, conn: ConnId) {
        if self.short_from.is_some_and(|first| first <= conn) {
            self.short_from = None;
            self.peers.epoch += 1;
        }
    }

    fn note_resources(&mut self, conn: ConnId, error: DialFailure) {
        match error {
            DialFailure::Failed(DialError::OutOfResources) => {
                self.short_from.get_or_insert(ConnId::from_u64(self.last_conn.saturating_add(1)));
            }
            DialFailure::Failed(DialError::Cancelled) => {}
            DialFailure::Failed(_) | DialFailure::GivenUp(CloseReason::DialTimeout) => self.dial_ended_otherwise(conn),
            _ => {}
        }
    }

    fn connected(&mut self, step: &StepRecord, connected: &Connected) {
        let id = connected.conn;
        if connected.kind.is_inbound() {
            self.last_conn = self.last_conn.max(id.as_u64());
            let listener = self.config.listeners.iter().find(|listener| Some(listener.id) == connected.listener);
            let permissions = listener.map_or(Permissions::default(), |listener| listener.permissions);
            self.conns.insert(id, KnownConn::accepted(connected, permissions, step.now));
            self.usage.of_mut(Kind::Inbound).open += 1;
            return;
        }
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if let Some(kind) = conn.kind {
            let count = self.usage.of_mut(kind);
            count.dialing = count.dialing.saturating_sub(1);
        }
        conn.life = ConnLife::Open;
        conn.kind = Some(connected.kind);
        conn.address.clone_from(&connected.address);
        conn.peer = connected.peer;
        conn.nonce = connected.nonce;
        conn.since = step.now;
        self.usage.of_mut(connected.kind).open += 1;
    }

    fn disconnected(&mut self, step: &StepRecord, id: ConnId, peer: Option<PeerId>, reason: EndReason) {
        let Some(conn) = self.take(step, id) else { return };
        let Some(peer) = peer.and_then(|id| self.peers.get_mut(id)).filter(|peer| peer.conns.contains(&id)) else {
            return;
        };
        let (stable_after, ranges) = (self.config.stable_after, &self.config.ranges);
        let just_ready = matches!(step.cause, StepCause::Ready(ready, _) if ready == id);
        let stable = match conn.life {
            ConnLife::Ready if step.now.since(conn.since) >= stable_after => Stable::Yes,
            ConnLife::Open if just_ready && stable_after.is_zero() => Stable::Perhaps,
            ConnLife::Ready | ConnLife::Open | ConnLife::Dialing => Stable::No,
        };
        let dialed = conn.address.as_ref().filter(|_| conn.was_dialed);
        let network = dialed.and_then(|address| conn::health_network(address, ranges));
        let unanswered = reason == EndReason::Ours(CloseReason::DialTimeout);
        // The back-off starts over at once. The retry that shows it may never come: while inactive there is none.
        let forgotten = if stable == Stable::Yes { core::mem::take(&mut peer.attempt) } else { 0 };
        peer.last_end = LastEnd { unanswered, network, stable, forgotten };
        peer.conns.retain(|other| *other != id);
    }

    fn dial_failed(&mut self, step: &StepRecord, id: ConnId, peer: Option<PeerId>, error: DialFailure) {
        self.note_resources(id, error);
        let Some(conn) = self.take(step, id) else { return };
        let Some(peer) = peer.and_then(|id| self.peers.get_mut(id)) else { return };
        let unanswered = match error {
            DialFailure::Failed(error) => !error.is_answer(),
            other => other == DialFailure::GivenUp(CloseReason::DialTimeout),
        };
        let network = conn.address.as_ref().and_then(|address| conn::health_network(address, &self.config.ranges));
        peer.conns.retain(|other| *other != id);
        // What another dial, or the end of the attempt, made superfluous did not fail.
        if error != DialFailure::GivenUp(CloseReason::Superseded) {
            peer.last_end = LastEnd { unanswered, network, ..LastEnd::default() };
        }
    }

    fn take(&mut self, step: &StepRecord, id: ConnId) -> Option<KnownConn> {
        let conn = self.conns.remove(&id)?;
        self.unfinished.retain(|other| *other != id);
        if let Some(network) = conn.automatic_network() {
            let pace = &mut self.paces[network.index()];
            match conn.life {
                ConnLife::Dialing | ConnLife::Open => pace.failed(step.now),
                ConnLife::Ready => pace.left(id, true, self.config.stable_after, step.now),
            }
        }
        if let Some(kind) = conn.kind {
            let count = self.usage.of_mut(kind);
            match conn.life {
                ConnLife::Dialing => count.dialing = count.dialing.saturating_sub(1),
                ConnLife::Open => count.open = count.open.saturating_sub(1),
                ConnLife::Ready => {
                    count.open = count.open.saturating_sub(1);
                    count.ready = count.ready.saturating_sub(1);
                }
            }
        }
        Some(conn)
    }

    /// An automatic connection becomes one of kind `Added`; an inbound one keeps its kind.
    fn adopted(&mut self, step: &StepRecord, id: ConnId, peer: PeerId) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if let Some(network) = conn.automatic_network() {
            self.paces[network.index()].left(id, false, self.config.stable_after, step.now);
            self.unfinished.retain(|other| *other != id);
            // It is not known whether it was ready before it was adopted.
            if let Some((_, _, is_sure)) = self.readying.as_mut().filter(|(readying, ..)| *readying == id) {
                *is_sure = false;
            }
        }
        conn.peer = Some(peer);
        if let Some(peer) = self.peers.get_mut(peer) {
            conn.is_spared = peer.wanted.permissions.no_ban;
            peer.conns.push(id);
        }
        let (Some(kind), true) = (conn.kind, conn.was_dialed) else { return };
        conn.kind = Some(Kind::Added);
        (conn.has_slot, conn.was_adopted) = (true, true);
        let is_ready = u32::from(conn.life == ConnLife::Ready);
        let from = self.usage.of_mut(kind);
        from.open = from.open.saturating_sub(1);
        from.ready = from.ready.saturating_sub(is_ready);
        let to = self.usage.of_mut(Kind::Added);
        to.open += 1;
        to.ready += is_ready;
    }
}
