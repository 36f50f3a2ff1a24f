//! How the ledger is written: what each input, reply and action tells, and what the view adds at the end of a step.

use connmgr_core::{
    Action, CloseReason, ConnId, ConnManager, ConnState, Connected, DialError, DialFailure, EndReason, Event, Input,
    Kind, PeerId, PeerState, Permissions, Reply, Split, Time,
};

use super::bans::Key;
use super::conn::{self, Conn, Life};
use super::peer::{LastEnd, Stable, Wait};
use super::{Ledger, Phase};
use crate::step::{Cause, Step, is_done};

/// Kinds whose dials and handshakes may go on without a slot.
const AUTOMATIC: [Kind; 2] = [Kind::Full, Kind::BlockRelay];

impl Ledger {
    // ── what is told

    /// An input was told, and answered so.
    pub(crate) fn input(&mut self, step: &Step, input: &Input, reply: &Reply) {
        (self.unheard, self.unheard_address, self.readying) = (None, None, None);
        match input {
            Input::NetworkChanged if self.phase != Phase::Stopped => self.changes.change(step.now),
            _ => self.changes.pass(step),
        }
        match input {
            Input::Clock { unix } => self.clock = (step.now, *unix),
            Input::AddPeer { address, keep } => {
                if let Reply::Added(Ok(id)) = reply {
                    self.peers.insert(*id, address.clone(), *keep);
                    self.share();
                }
            }
            Input::RemovePeer { peer } if is_done(reply) => {
                self.peers.remove(*peer);
                self.share();
            }
            Input::SetRetry { peer, retry } if is_done(reply) => {
                self.peers.get_mut(*peer).into_iter().for_each(|peer| peer.retry = *retry);
            }
            Input::DialNow { peer } if is_done(reply) => {
                self.peers.get_mut(*peer).into_iter().for_each(|peer| peer.not_before = None);
            }
            Input::SetActive { active } if is_done(reply) => {
                self.phase = if *active { Phase::Active } else { Phase::Inactive };
                self.peers.epoch += u64::from(*active);
                if *active {
                    self.paces.iter_mut().for_each(|pace| pace.start_over(step.now));
                }
            }
            Input::SetLimits { limits } if is_done(reply) => {
                self.limits = *limits;
                self.share();
            }
            Input::Shutdown if self.phase != Phase::Stopped => self.phase = Phase::Stopping,
            Input::OwnAddress { address } => self.own.give(address),
            Input::Ready { conn, info } => {
                if let Some(told) = self.conns.get_mut(conn).filter(|told| told.life == Life::Open) {
                    told.identity = info.identity;
                    self.readying = told.automatic_network().map(|network| (*conn, network, true));
                }
            }
            Input::DialResult { conn, result: Ok(()) } => {
                if self.conns.get(conn).is_some_and(|conn| !conn.is_open()) {
                    self.dial_ended_otherwise(*conn);
                }
            }
            Input::Closed { conn, cause: connmgr_core::CloseCause::Unheard } => self.note_unheard(*conn),
            Input::Reconnect { conn } if is_done(reply) => {
                let peer = self.conns.get(conn).and_then(|conn| conn.peer).and_then(|id| self.peers.get_mut(id));
                peer.into_iter().for_each(|peer| (peer.not_before, peer.conn) = (None, None));
            }
            Input::Timeout
            | Input::DialResult { .. }
            | Input::Closed { .. }
            | Input::Addresses { .. }
            | Input::LookupResult { .. }
            | Input::Misbehavior { .. }
            | Input::Activity { .. }
            | Input::AcceptError { .. }
            | Input::NetworkChanged
            | Input::Accept { .. }
            | Input::RemovePeer { .. }
            | Input::Disconnect { .. }
            | Input::Reconnect { .. }
            | Input::DialNow { .. }
            | Input::SetRetry { .. }
            | Input::Ban { .. }
            | Input::Unban { .. }
            | Input::ResetScore { .. }
            | Input::SampleAddresses { .. }
            | Input::SetActive { .. }
            | Input::SetLimits { .. }
            | Input::Shutdown => {}
        }
    }

    fn share(&mut self) {
        self.split = Split::new(&self.limits, self.config.mode, self.config.dial.max_hedged, self.peers.len());
    }

    /// A v2 connection died unheard: its peer is spoken to as v1 from now on.
    fn note_unheard(&mut self, id: ConnId) {
        let Some(conn) = self.conns.get(&id) else { return };
        if !conn.died_unheard() {
            return;
        }
        (self.unheard, self.unheard_address) = (Some(id), conn.address.clone());
        conn.peer.and_then(|id| self.peers.get_mut(id)).into_iter().for_each(|peer| peer.v1_only = true);
    }

    // ── what is asked for

    /// An action was asked for.
    pub(crate) fn action(&mut self, step: &Step, action: &Action) {
        match action {
            Action::Dial { conn, target, transport, .. } => {
                let mut dialed = Conn::dialed(target, *transport, step.now);
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

    fn closed(&mut self, step: &Step, conn: ConnId, reason: CloseReason) {
        match reason {
            CloseReason::OwnAddress => self.meet_ourselves(step, conn),
            CloseReason::MissingServices | CloseReason::Duplicate | CloseReason::Surplus => {}
            _ => return,
        }
        // The handshake is done, and the connection was never ready.
        self.readying = self.readying.filter(|(readying, ..)| *readying != conn);
    }

    /// A handshake showed that we reached ourselves: the address is ours.
    fn meet_ourselves(&mut self, step: &Step, conn: ConnId) {
        let dialed = self.conns.get(&conn).filter(|conn| conn.was_dialed).and_then(|conn| conn.address.as_ref());
        if let (Cause::Ready(..), Some(address)) = (step.cause, dialed) {
            self.own.meet(address);
        }
    }

    fn event(&mut self, step: &Step, event: &Event) {
        match event {
            Event::Connected(connected) => self.connected(step, connected),
            Event::Disconnected { conn, peer, reason } => self.disconnected(step, *conn, *peer, *reason),
            Event::DialFailed { conn, peer, error, .. } => self.dial_failed(step, *conn, *peer, *error),
            Event::Adopted { conn, peer } => self.adopted(step, *conn, *peer),
            Event::PeerFinished { peer } => {
                self.peers.remove(*peer);
                self.share();
            }
            Event::Banned { target, .. } => {
                let duration = match step.cause {
                    Cause::Ban(duration) => duration,
                    _ => self.config.score.ban_for,
                };
                self.bans.impose(target, step.now.after(duration));
            }
            Event::Unbanned { target } => _ = self.bans.lift(&Key::of(target)),
            Event::NetworkDown { network } => self.down[network.index()] = true,
            Event::NetworkUp { network } => {
                self.down[network.index()] = false;
                self.peers.epoch += 1;
                self.paces[network.index()].is_up(step.now);
            }
            Event::LookupFailed { peer, .. } => {
                if let Some(peer) = self.peers.get_mut(*peer) {
                    peer.last_end = LastEnd::default();
                }
            }
            Event::Stopped => self.phase = Phase::Stopped,
            // Events that tell the ledger nothing; the enum may grow.
            _ => {}
        }
    }

    /// A dial has ended, not for want of resources: if it was made in a shortage, that is over, and peers that it held
    /// up go on.
    fn dial_ended_otherwise(&mut self, conn: ConnId) {
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
            DialFailure::GivenUp(_) => {}
        }
    }

    fn connected(&mut self, step: &Step, connected: &Connected) {
        let id = connected.conn;
        if connected.kind.is_inbound() {
            self.last_conn = self.last_conn.max(id.as_u64());
            let listener = self.config.listeners.iter().find(|listener| Some(listener.id) == connected.listener);
            let permissions = listener.map_or(Permissions::default(), |listener| listener.permissions);
            self.conns.insert(id, Conn::accepted(connected, permissions, step.now));
            self.counts[Kind::Inbound.index()].open += 1;
            return;
        }
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if let Some(kind) = conn.kind {
            let count = &mut self.counts[kind.index()];
            count.dialing = count.dialing.saturating_sub(1);
        }
        conn.life = Life::Open;
        conn.kind = Some(connected.kind);
        conn.address.clone_from(&connected.address);
        conn.peer = connected.peer;
        conn.nonce = connected.nonce;
        conn.since = step.now;
        self.counts[connected.kind.index()].open += 1;
    }

    fn disconnected(&mut self, step: &Step, id: ConnId, peer: Option<PeerId>, reason: EndReason) {
        let Some(conn) = self.take(step, id) else { return };
        let Some(peer) = peer.and_then(|id| self.peers.get_mut(id)).filter(|peer| peer.conn == Some(id)) else {
            return;
        };
        let (stable_after, loopback) = (self.config.stable_after, self.config.loopback_is_public);
        let just_ready = matches!(step.cause, Cause::Ready(ready, _) if ready == id);
        let stable = match conn.life {
            Life::Ready if step.now.since(conn.since) >= stable_after => Stable::Yes,
            Life::Open if just_ready && stable_after.is_zero() => Stable::Perhaps,
            Life::Ready | Life::Open | Life::Dialing => Stable::No,
        };
        let dialed = conn.address.as_ref().filter(|_| conn.was_dialed);
        let network = dialed.and_then(|address| conn::judged_network(address, loopback));
        let unanswered = reason == EndReason::Ours(CloseReason::DialTimeout);
        // A back-off is forgotten at once, though the notice that says so may never come (at rest there is none).
        let forgotten = if stable == Stable::Yes { core::mem::take(&mut peer.attempt) } else { 0 };
        peer.last_end = LastEnd { unanswered, network, stable, forgotten };
        peer.conn = None;
    }

    fn dial_failed(&mut self, step: &Step, id: ConnId, peer: Option<PeerId>, error: DialFailure) {
        self.note_resources(id, error);
        let Some(conn) = self.take(step, id) else { return };
        let Some(peer) = peer.and_then(|id| self.peers.get_mut(id)) else { return };
        let unanswered = match error {
            DialFailure::Failed(error) => !error.is_answer(),
            DialFailure::GivenUp(reason) => reason == CloseReason::DialTimeout,
        };
        let loopback = self.config.loopback_is_public;
        let network = conn.address.as_ref().and_then(|address| conn::judged_network(address, loopback));
        peer.last_end = LastEnd { unanswered, network, ..LastEnd::default() };
        peer.conn = None;
    }

    fn take(&mut self, step: &Step, id: ConnId) -> Option<Conn> {
        let conn = self.conns.remove(&id)?;
        self.unfinished.retain(|other| *other != id);
        if let Some(network) = conn.automatic_network() {
            let pace = &mut self.paces[network.index()];
            match conn.life {
                Life::Dialing | Life::Open => pace.failed(step.now),
                Life::Ready => pace.left(id, true, self.config.stable_after, step.now),
            }
        }
        if let Some(kind) = conn.kind {
            let count = &mut self.counts[kind.index()];
            match conn.life {
                Life::Dialing => count.dialing = count.dialing.saturating_sub(1),
                Life::Open => count.open = count.open.saturating_sub(1),
                Life::Ready => {
                    count.open = count.open.saturating_sub(1);
                    count.ready = count.ready.saturating_sub(1);
                }
            }
        }
        Some(conn)
    }

    /// One that we chose becomes the peer's kind; one that came in keeps its own.
    fn adopted(&mut self, step: &Step, id: ConnId, peer: PeerId) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if let Some(network) = conn.automatic_network() {
            self.paces[network.index()].left(id, false, self.config.stable_after, step.now);
            self.unfinished.retain(|other| *other != id);
            // Whether it was ready before is not known.
            self.readying
                .iter_mut()
                .filter(|(readying, ..)| *readying == id)
                .for_each(|(.., is_sure)| *is_sure = false);
        }
        conn.peer = Some(peer);
        self.peers.get_mut(peer).into_iter().for_each(|peer| peer.conn = Some(id));
        let (Some(kind), true) = (conn.kind, conn.was_dialed) else { return };
        conn.kind = Some(Kind::Added);
        (conn.has_slot, conn.was_adopted) = (true, true);
        let is_ready = u32::from(conn.life == Life::Ready);
        let from = &mut self.counts[kind.index()];
        from.open = from.open.saturating_sub(1);
        from.ready = from.ready.saturating_sub(is_ready);
        let to = &mut self.counts[Kind::Added.index()];
        to.open += 1;
        to.ready += is_ready;
    }

    // ── the end of a step

    /// All actions of a step were seen: what they did not say is taken from the view.
    pub(crate) fn settle(&mut self, step: &mut Step, manager: &ConnManager) {
        for id in &step.dials {
            self.learn_dial(*id, manager);
        }
        if let Cause::Ready(id, _) = step.cause {
            step.made_ready = self.make_ready(step.now, id).then_some(id);
        }
        step.took_slot = self.took_slot(step);
        self.learn_slots(step, manager);
        // In which order a timeout did things is not known.
        self.peers.epoch += u64::from(self.changes.may_have_effect());
        self.changes.settle(step);
        self.keep_pace(step);
        if core::mem::take(&mut self.resolves) || (self.lookups > 0 && ends_lookups(step.cause)) {
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
            let peer = view.peer.and_then(|id| self.peers.get_mut(id));
            peer.into_iter().for_each(|peer| peer.conn = Some(id));
            self.counts[view.kind.index()].dialing += 1;
            if view.kind.takes_group() {
                self.unfinished.push(id);
            }
        }
    }

    /// Whether what had no slot before this step has made progress, and so has one.
    fn took_slot(&self, step: &Step) -> bool {
        let (Cause::DialResult(id, Ok(())) | Cause::Ready(id, _)) = step.cause else { return false };
        self.conns.get(&id).is_some_and(|conn| !conn.has_slot && conn.is_open())
    }

    /// Who has no slot. It changes with their number, or where somebody makes progress.
    fn learn_slots(&mut self, step: &mut Step, manager: &ConnManager) {
        let mut changes = matches!(step.cause, Cause::DialResult(_, Ok(())) | Cause::Ready(..));
        for kind in AUTOMATIC {
            let count = &mut self.counts[kind.index()];
            let without = [ConnState::Silent, ConnState::Stalled].map(|state| manager.count(kind, state));
            changes |= without != [count.silent, count.stalled];
            [count.silent, count.stalled] = without;
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

    /// What came of this step for the pace of each network, and its dials.
    fn keep_pace(&mut self, step: &mut Step) {
        if let Some((id, network, is_sure)) = self.readying.take() {
            let pace = &mut self.paces[network.index()];
            pace.ready(is_sure, step.now);
            let stays = |conn: &Conn| conn.life == Life::Ready && conn.automatic_network().is_some();
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
            let Some(conn) = self.conns.get(id) else { continue };
            let Some(network) = conn.automatic_network() else { continue };
            let repeats = self.unheard_address.is_some() && conn.address == self.unheard_address;
            let in_time = self.paces[network.index()].dial(!conn.is_probe && !repeats, step.now);
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
        let Some(conn) = self.conns.get_mut(&id).filter(|conn| conn.life == Life::Open) else { return false };
        conn.life = Life::Ready;
        conn.since = now;
        self.unfinished.retain(|other| *other != id);
        if let Some(kind) = conn.kind {
            self.counts[kind.index()].ready += 1;
        }
        // What kept all added peers away may be over.
        self.peers.epoch += u64::from(conn.peer.is_some());
        true
    }
}

/// Whether an input of this sort may end lookups of peers' names.
const fn ends_lookups(cause: Cause) -> bool {
    matches!(cause, Cause::Timeout | Cause::LookupResult(_) | Cause::RemovePeer(_))
}
