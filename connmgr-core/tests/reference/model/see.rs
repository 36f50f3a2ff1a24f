//! Whether an action is required or allowed, and what it changes.

use std::time::Duration;

use connmgr_core::{
    Action, BanTarget, CloseReason, ConnId, Connected, DialError, DialFailure, EndReason, Event, Input, Keep, Kind,
    Mode, PeerAddress, PeerId, Target, Time,
};

use super::lists::AUTOMATIC;
use super::scores::CLOSE;
use super::{Model, RConn, Stage, Step};

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The dial failed.
    Failed(DialError),
    /// The other end closed it.
    Closed,
    /// The application dropped it.
    Dropped,
    /// We did.
    Ours(CloseReason),
}

impl Model {
    pub(super) fn see(&mut self, action: &Action, step: &Step<'_>) {
        if let Some((conn, reason)) = self.owed.closing.take() {
            return self.see_close_told(conn, reason, action);
        }
        if let Some(peer) = self.owed.dial.take() {
            let is_its = matches!(action, Action::Dial { conn, .. } if step.peer(*conn) == Some(peer));
            self.hold(is_its, "room is made for a peer that is not dialed");
        }
        match action {
            Action::Dial { conn, target: Target::Direct(addr), deadline, .. } => {
                self.hold(*deadline == self.now.after(self.config.dial.direct.timeout), "another deadline");
                self.see_dial(*conn, &PeerAddress::from(*addr), *deadline, step);
            }
            Action::Close { conn, reason } => self.see_close(*conn, *reason, step),
            Action::ScheduleRetry { peer, at, attempt } => self.retry_is_said(*peer, *at, *attempt),
            Action::Emit(event) => self.see_event(event, step),
            Action::Save => {}
            Action::Dial { target: Target::Proxied { .. }, .. }
            | Action::ResolveSeed { .. }
            | Action::ResolveHost { .. }
            | Action::PauseAccept { .. } => self.hold(false, "nobody asked for that"),
        }
    }

    fn see_dial(&mut self, id: ConnId, address: &PeerAddress, deadline: Time, step: &Step<'_>) {
        let Some(view) = step.conns.iter().find(|view| view.conn == id) else {
            return self.hold(false, "a dial that is gone at once");
        };
        let kind = view.kind;
        self.hold(self.active, "a dial at rest");
        self.hold(self.short_until().is_none(), "a dial for which this machine has nothing left");
        self.hold(id > self.newest, "ids count up");
        self.newest = id;
        self.hold(!self.is_in_use(address), "a dial to an address in use");
        self.hold(!self.is_banned(address.host()), "a dial to the banned");
        self.hold(!self.config.own_addresses.contains(address), "a dial to ourselves");
        self.hold(self.has_room(kind), "a dial without a slot");
        match (kind, view.peer) {
            (Kind::Added, Some(peer)) => self.see_dial_of_peer(id, address, peer),
            (Kind::Full | Kind::BlockRelay, None) => self.see_automatic_dial(address),
            _ => self.hold(false, "a dial of an unknown sort"),
        }
        self.conns.push(RConn {
            id,
            kind,
            stage: Stage::Dialing,
            since: self.now,
            deadline,
            look: None,
            is_overdue: false,
            is_trial: self.tries_network,
            address: Some(address.clone()),
            listener: None,
            no_ban: false,
            is_spared: self.peers.iter().any(|peer| view.peer == Some(peer.id) && peer.is_spared),
            account: super::Account::default(),
        });
        self.look_at(id);
        self.shortage_is_tried();
        self.tries(address);
    }

    fn see_dial_of_peer(&mut self, id: ConnId, address: &PeerAddress, peer: PeerId) {
        let fits = self.peers.iter().any(|known| known.id == peer && known.is_wanted() && known.address == *address);
        self.hold(fits, "a dial of an added peer out of turn");
        if let Some(peer) = self.peer_mut(peer) {
            peer.busy = Some(id);
        }
    }

    /// It must also be one of those that the model expects: see `plan`.
    fn see_automatic_dial(&self, address: &PeerAddress) {
        self.hold(self.config.mode == Mode::Automatic, "an automatic dial though connect-only");
        self.hold(self.group_has_room(address), "a dial into a taken group");
    }

    pub(super) fn is_in_use(&self, address: &PeerAddress) -> bool {
        self.conns.iter().any(|conn| conn.address.as_ref() == Some(address))
    }

    pub(super) fn group_has_room(&self, address: &PeerAddress) -> bool {
        let Some(most) = self.config.groups.max_per_group else { return true };
        let same = |conn: &RConn| {
            let other = conn.address.as_ref().expect("we dialed it");
            neighbourhood(other) == neighbourhood(address)
        };
        self.count(|conn| AUTOMATIC.contains(&conn.kind) && same(conn)) < most
    }

    fn see_close(&mut self, id: ConnId, reason: CloseReason, step: &Step<'_>) {
        if reason == CloseReason::Late {
            let told = self.owed.late.take();
            return self.hold(told == Some(id), "late without a late success");
        }
        let Some(conn) = self.conn(id).cloned() else { return self.hold(false, "a close of what has ended") };
        match reason {
            CloseReason::DialTimeout | CloseReason::HandshakeTimeout => {
                let over = self.time_passes();
                self.hold(over == Some((id, reason)), &format!("not its turn to be given up, but {over:?}"));
            }
            CloseReason::MadeRoom if self.owed.closes.contains(&(id, reason)) => {}
            CloseReason::MadeRoom => self.see_room_made(&conn),
            CloseReason::LimitLowered => self.see_shrink(&conn, step),
            CloseReason::Evicted => {
                self.hold(self.owed.evicts && conn.kind == Kind::Inbound, "evicted for nobody");
                self.owed.evicts = false;
            }
            reason => self.hold(self.owed.closes.contains(&(id, reason)), "a close without that reason"),
        }
        self.owed.closing = Some((id, reason));
    }

    /// No connection is closed for a limit that is kept; added peers never are.
    fn see_shrink(&self, conn: &RConn, step: &Step<'_>) {
        let asked = matches!(step.input, Input::SetLimits { .. } | Input::AddPeer { .. } | Input::Ban { .. });
        self.hold(asked || matches!(step.input, Input::Misbehavior { .. }), "a limit that nobody lowered");
        self.hold(conn.kind != Kind::Added, "an added peer goes for a limit");
        let over_share = if conn.stage.has_slot() {
            self.held(conn.kind) > self.share(conn.kind)
        } else {
            self.without_slot(conn.kind) > self.max_without_slot(conn.kind)
        };
        let over_total = self.count(|_| true) > self.limits.total;
        self.hold(over_share || over_total, "a limit that holds");
        let younger = |other: &RConn| other.kind == conn.kind && other.id > conn.id;
        let alike = |other: &RConn| other.stage.has_slot() == conn.stage.has_slot();
        let spared = self.count(|other| younger(other) && alike(other) && !self.must_go(other.id));
        self.hold(spared == 0, "an older one goes before a younger");
    }

    /// A block-relay connection makes room for an added peer with its address, if no other connection has that address.
    fn see_room_made(&mut self, conn: &RConn) {
        let is_it = |peer: &&super::RPeer| peer.is_wanted() && Some(&peer.address) == conn.dialed();
        let peer = self.peers.iter().find(is_it).map(|peer| peer.id);
        self.hold(conn.kind == Kind::BlockRelay && peer.is_some(), "room is made for nobody");
        self.hold(self.has_room(Kind::Added) && self.short_until().is_none(), "room is made for one that has no slot");
        self.owed.dial = peer;
    }

    fn must_go(&self, id: ConnId) -> bool {
        self.owed.closes.iter().any(|(conn, _)| *conn == id)
    }

    /// After a `Close` the end is reported next.
    fn see_close_told(&mut self, id: ConnId, why: CloseReason, action: &Action) {
        let (told, peer) = match action {
            Action::Emit(Event::Disconnected { conn, peer, reason: EndReason::Ours(reason), .. })
            | Action::Emit(Event::DialFailed { conn, peer, error: DialFailure::GivenUp(reason), .. }) => {
                ((*conn, *reason), *peer)
            }
            _ => return self.hold(false, "the end of what was closed is not told next"),
        };
        self.hold(told == (id, why), "another end is told");
        self.end(id, peer, Cause::Ours(why));
    }

    /// A connection has ended.
    fn end(&mut self, id: ConnId, peer: Option<PeerId>, cause: Cause) {
        let at = self.conns.iter().position(|conn| conn.id == id).expect("it was live when it was closed");
        let conn = self.conns.remove(at);
        if let Some(owner) = self.peer_of(id).map(|owner| owner.id) {
            self.hold(peer == Some(owner), "the end of another peer's connection");
        }
        if let (Cause::Failed(DialError::Refused | DialError::Reset), Some(address)) = (cause, conn.dialed()) {
            self.pace_of(address).has_answered = true;
        }
        self.ended.extend(conn.host().cloned().map(|host| (id, host, conn.is_spared)));
        self.owed.closes.retain(|(closed, _)| *closed != id);
        self.end_is_noted(&conn, cause);
        if !conn.is_open() {
            self.shortage_begins_or_ends(id, cause);
        }
        self.end_counts(&conn, cause);
        if conn.is_open() {
            self.feed();
        }
        self.peer_lost(&conn, cause.is_silence());
    }

    /// What the end of a dial tells about the machine's resources.
    fn shortage_begins_or_ends(&mut self, id: ConnId, cause: Cause) {
        match cause {
            Cause::Failed(DialError::OutOfResources) => self.is_short(),
            Cause::Failed(DialError::Cancelled) => {}
            Cause::Failed(_) | Cause::Ours(CloseReason::DialTimeout) => self.is_not_short(id),
            Cause::Closed | Cause::Dropped | Cause::Ours(_) => {}
        }
    }

    fn see_event(&mut self, event: &Event, step: &Step<'_>) {
        match event {
            Event::Connected(connected) => self.see_connected(connected, step),
            Event::Disconnected { conn, peer, reason: EndReason::Theirs(_), .. } => {
                self.see_end(*conn, *peer, Cause::Closed);
            }
            Event::Disconnected { conn, peer, reason: EndReason::Dropped, .. } => {
                self.see_end(*conn, *peer, Cause::Dropped);
            }
            Event::DialFailed { conn, peer, error: DialFailure::Failed(error), .. } => {
                self.see_end(*conn, *peer, Cause::Failed(*error));
            }
            Event::Disconnected { .. } | Event::DialFailed { .. } => self.hold(false, "an end without its close"),
            Event::Adopted { conn, peer, .. } => self.see_adopted(*conn, *peer),
            Event::PeerFinished { peer, .. } => {
                let at = self.peers.iter().position(|known| known.id == *peer);
                let fits = at.is_some_and(|at| self.peers[at].keep == Keep::Once && self.peers[at].owes_retry);
                self.hold(fits, "a peer finished out of turn");
                self.peers.remove(at.expect("checked above"));
            }
            Event::ScoreWarning { score, .. } => {
                let expected = self.owed.warning.take();
                let near = expected.is_some_and(|expected| (expected - f64::from(*score)).abs() <= CLOSE);
                self.hold(near, "a warning of another score");
            }
            Event::Banned { target, .. } => self.hold(self.stands(target), "a ban of nobody"),
            Event::Unbanned { target } => self.end_of_ban(target),
            Event::Refused { counts } => {
                let (since, refused) = core::mem::take(&mut self.refused);
                let is_due = since.is_some_and(|since| since.after(Duration::from_secs(1)) <= self.now);
                self.hold(is_due && *counts == refused, "other refusals are told than came, or too early");
            }
            other => self.hold(false, &format!("nothing has caused {other:?}")),
        }
    }

    fn stands(&self, target: &BanTarget) -> bool {
        self.bans.iter().any(|ban| ban.target == *target && ban.until > self.now)
    }

    fn see_end(&mut self, id: ConnId, peer: Option<PeerId>, cause: Cause) {
        let told = self.owed.ends.take();
        self.hold(told == Some((id, cause)), "an end that nobody reported");
        self.end(id, peer, cause);
    }

    fn see_connected(&mut self, connected: &Connected, step: &Step<'_>) {
        let told = self.owed.opens.take();
        self.hold(told == Some(connected.conn), "connected without a success");
        if let Input::Accept { remote, listener } = step.input {
            return self.let_in(connected, PeerAddress::from(*remote), *listener);
        }
        let (id, now, deadline) = (connected.conn, self.now, self.now.after(self.config.handshake_timeout));
        let stage = if self.owed.opens_without_slot { Stage::Stalled } else { Stage::Handshaking };
        let conn = self.conn_mut(id);
        (conn.stage, conn.since, conn.deadline, conn.is_overdue) = (stage, now, deadline, false);
        let same_kind = conn.kind == connected.kind;
        self.hold(same_kind, "connected as another kind");
        self.look_at(id);
        if let Some(peer) = self.peers.iter_mut().find(|peer| peer.busy == Some(id)) {
            peer.unanswered = false;
        }
    }

    fn let_in(&mut self, connected: &Connected, remote: PeerAddress, listener: connmgr_core::ListenerId) {
        let known = self.config.listeners.iter().find(|known| known.id == listener).copied();
        let known = known.expect("it was let in by a listener we know");
        self.hold(connected.conn > self.newest, "ids count up");
        self.hold(connected.kind == Kind::Inbound && !self.owed.evicts, "let in without room");
        self.newest = connected.conn;
        let conn = RConn {
            id: connected.conn,
            kind: Kind::Inbound,
            stage: Stage::Handshaking,
            since: self.now,
            deadline: self.now.after(self.config.handshake_timeout),
            look: None,
            is_overdue: false,
            is_trial: false,
            address: known.network.is_none().then_some(remote),
            listener: Some(listener),
            no_ban: known.permissions.no_ban,
            is_spared: known.permissions.no_ban,
            account: super::Account::default(),
        };
        self.conns.push(conn);
        self.look_at(connected.conn);
    }

    fn see_adopted(&mut self, id: ConnId, peer: PeerId) {
        let owner = self.peers.iter().find(|known| known.id == peer && known.is_wanted()).cloned();
        let conn = self.conn(id).filter(|conn| conn.kind == Kind::Full && conn.is_open()).cloned();
        let fits = match (&owner, &conn) {
            (Some(owner), Some(conn)) => conn.address.as_ref() == Some(&owner.address),
            _ => false,
        };
        self.hold(fits, "an adoption that does not fit");
        self.hold(self.has_room(Kind::Added), "an adoption without a slot");
        let adopted = self.conn_mut(id);
        (adopted.kind, adopted.is_overdue) = (Kind::Added, false);
        adopted.is_spared = owner.is_some_and(|owner| owner.is_spared);
        match adopted.stage {
            Stage::Stalled => adopted.stage = Stage::Handshaking,
            Stage::Ready => adopted.look = None,
            Stage::Dialing | Stage::Silent | Stage::Handshaking => {}
        }
        if let Some(owner) = self.peer_mut(peer) {
            owner.busy = Some(id);
        }
    }
}

/// The address of a dial.
pub(super) fn target(target: &Target) -> PeerAddress {
    match target {
        Target::Direct(addr) => PeerAddress::from(*addr),
        Target::Proxied { address, .. } => address.clone(),
    }
}

impl Cause {
    /// Whether there was no answer.
    const fn is_silence(self) -> bool {
        match self {
            Self::Failed(error) => !matches!(error, DialError::Refused | DialError::Reset),
            Self::Closed | Self::Dropped => false,
            Self::Ours(reason) => matches!(reason, CloseReason::DialTimeout),
        }
    }
}

/// The group of an address: an IPv4 /16, an IPv6 /32.
fn neighbourhood(address: &PeerAddress) -> Vec<u8> {
    match address.host().ip().expect("the pool has IP addresses") {
        std::net::IpAddr::V4(ip) => ip.octets()[..2].to_vec(),
        std::net::IpAddr::V6(ip) => ip.octets()[..4].to_vec(),
    }
}
