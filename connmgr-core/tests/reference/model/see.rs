//! Whether an action is necessary or allowed, and what it changes.

use connmgr_core::{
    Action, BanTarget, CloseReason, ConnId, Connected, DialError, DialFailure, EndReason, Event, Input, Keep, Kind,
    Mode, PeerAddress, PeerId, Target,
};

use super::lists::AUTOMATIC;
use super::scores::CLOSE;
use super::{Model, RConn, Stage, Step};

impl Model {
    pub(super) fn see(&mut self, action: &Action, step: &Step<'_>) {
        if let Some((conn, reason)) = self.owed.closing.take() {
            return self.see_close_told(conn, reason, action);
        }
        match action {
            Action::Dial { conn, target: Target::Direct(addr), deadline, .. } => {
                self.hold(*deadline == self.now.after(self.config.dial.direct.timeout), "another deadline");
                self.see_dial(*conn, &PeerAddress::from(*addr), step);
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

    fn see_dial(&mut self, id: ConnId, address: &PeerAddress, step: &Step<'_>) {
        let Some(view) = step.conns.iter().find(|view| view.conn == id) else {
            return self.hold(false, "a dial that is gone at once");
        };
        let kind = view.kind;
        self.hold(self.active, "a dial at rest");
        self.hold(id > self.newest, "ids count up");
        self.newest = id;
        self.hold(!self.is_in_use(address), "a dial to an address in use");
        self.hold(!self.is_banned(address.host()), "a dial to the banned");
        self.hold(!self.config.own_addresses.contains(address), "a dial to ourselves");
        self.hold(self.has_room(kind), "a dial without a slot");
        match (kind, view.peer) {
            (Kind::Added, Some(peer)) => self.see_dial_of_peer(id, address, peer),
            (Kind::Full | Kind::BlockRelay, None) => self.see_automatic_dial(kind, address),
            _ => self.hold(false, "a dial of an unknown sort"),
        }
        // Of addresses that are not in the book nothing is remembered.
        if step.book.contains(address) {
            note(&mut self.dialed, address, self.now);
        }
        let conn = RConn {
            id,
            kind,
            stage: Stage::Dialing,
            since: self.now,
            is_overdue: false,
            address: Some(address.clone()),
            listener: None,
            no_ban: false,
            account: super::Account::default(),
        };
        self.touch(&conn);
        self.conns.push(conn);
    }

    fn see_dial_of_peer(&mut self, id: ConnId, address: &PeerAddress, peer: PeerId) {
        let fits = self.peers.iter().any(|known| known.id == peer && known.is_wanted() && known.address == *address);
        self.hold(fits, "a dial of an added peer out of turn");
        if let Some(peer) = self.peer_mut(peer) {
            peer.busy = Some(id);
        }
    }

    fn see_automatic_dial(&mut self, kind: Kind, address: &PeerAddress) {
        self.hold(self.config.mode == Mode::Automatic, "an automatic dial though connect-only");
        self.hold(self.told.contains(address), "a dial to an address nobody told");
        self.hold(self.group_has_room(address), "a dial into a taken group");
        let last = self.dialed.iter().find(|(known, _)| known == address).map(|(_, at)| *at);
        let rested = last.is_none_or(|last| self.is_long_ago(last, self.config.dial.min_spacing));
        self.hold(rested, "an address is dialed again too soon");
        let offers = !self.useless.contains(address) || kind != Kind::Full;
        let undemanding = self.config.required.full == connmgr_core::Services::NONE;
        self.hold(offers || undemanding, "a full dial to a peer that said it is of no use");
        let (rate, now) = (self.config.dial.rate, self.now);
        let in_time = self.dial_credit.take(&rate, now);
        self.hold(in_time, "automatic dials follow one another too fast");
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
            CloseReason::LimitLowered => self.see_shrink(&conn, step),
            CloseReason::Evicted => {
                self.hold(self.owed.evicts && conn.kind == Kind::Inbound, "evicted for nobody");
                self.owed.evicts = false;
            }
            reason => self.hold(self.owed.closes.contains(&(id, reason)), "a close without that reason"),
        }
        self.owed.closing = Some((id, reason));
    }

    /// Nobody goes for a limit that holds; added peers never.
    fn see_shrink(&self, conn: &RConn, step: &Step<'_>) {
        let asked = matches!(step.input, Input::SetLimits { .. } | Input::AddPeer { .. } | Input::Ban { .. });
        self.hold(asked || matches!(step.input, Input::Misbehavior { .. }), "a limit that nobody lowered");
        self.hold(conn.kind != Kind::Added, "an added peer goes for a limit");
        // Whoever must go goes before others give their slots back.
        let newly_silent = self.count(|other| other.kind == conn.kind && self.newly_silent.contains(&other.id));
        let over_share = match conn.stage {
            Stage::Silent => self.silent(conn.kind) - newly_silent > self.max_silent(conn.kind),
            Stage::Dialing | Stage::Open | Stage::Ready => self.held(conn.kind) + newly_silent > self.share(conn.kind),
        };
        let over_total = self.count(|_| true) > self.limits.total;
        self.hold(over_share || over_total, "a limit that holds");
        let younger = |other: &RConn| other.kind == conn.kind && other.id > conn.id;
        let was_silent = |other: &RConn| other.stage == Stage::Silent && !self.newly_silent.contains(&other.id);
        let alike = |other: &RConn| was_silent(other) == was_silent(conn);
        let spared = self.count(|other| younger(other) && alike(other) && !self.must_go(other.id));
        self.hold(spared == 0, "an older one goes before a younger");
    }

    fn must_go(&self, id: ConnId) -> bool {
        self.owed.closes.iter().any(|(conn, _)| *conn == id)
    }

    /// After a `Close` its end is told next.
    fn see_close_told(&mut self, id: ConnId, why: CloseReason, action: &Action) {
        let (told, peer) = match action {
            Action::Emit(Event::Disconnected { conn, peer, reason: EndReason::Ours(reason) })
            | Action::Emit(Event::DialFailed { conn, peer, error: DialFailure::GivenUp(reason), .. }) => {
                ((*conn, *reason), *peer)
            }
            _ => return self.hold(false, "the end of what was closed is not told next"),
        };
        self.hold(told == (id, why), "another end is told");
        self.end(id, peer, why == CloseReason::DialTimeout);
    }

    /// A connection is over.
    fn end(&mut self, id: ConnId, peer: Option<PeerId>, unanswered: bool) {
        let at = self.conns.iter().position(|conn| conn.id == id).expect("it was live when it was closed");
        let conn = self.conns.remove(at);
        if let Some(owner) = self.peer_of(id).map(|owner| owner.id) {
            self.hold(peer == Some(owner), "the end of another peer's connection");
        }
        self.touch(&conn);
        self.ended.extend(conn.host().cloned().map(|host| (id, host, conn.no_ban)));
        self.owed.closes.retain(|(closed, _)| *closed != id);
        self.peer_lost(&conn, unanswered);
    }

    pub(super) fn touch(&mut self, conn: &RConn) {
        if let Some(address) = &conn.address {
            note(&mut self.touched, address, self.now);
        }
    }

    fn see_event(&mut self, event: &Event, step: &Step<'_>) {
        match event {
            Event::Connected(connected) => self.see_connected(connected, step),
            Event::Disconnected { conn, peer, reason: EndReason::Theirs(_) } => self.see_end(*conn, *peer, false),
            Event::DialFailed { conn, peer, error: DialFailure::Failed(error), .. } => {
                self.see_end(*conn, *peer, !matches!(error, DialError::Refused | DialError::Reset));
            }
            Event::Disconnected { .. } | Event::DialFailed { .. } => self.hold(false, "an end without its close"),
            Event::Adopted { conn, peer } => self.see_adopted(*conn, *peer),
            Event::PeerFinished { peer } => {
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
            Event::Unbanned { target } => self.hold(!self.stands(target), "the end of a ban that stands"),
            Event::AddressesWanted { .. } => self.hold(self.config.mode == Mode::Automatic, "nobody is looked for"),
            other => self.hold(false, &format!("nothing has caused {other:?}")),
        }
    }

    fn stands(&self, target: &BanTarget) -> bool {
        self.bans.iter().any(|ban| ban.target == *target && ban.until > self.now)
    }

    fn see_end(&mut self, id: ConnId, peer: Option<PeerId>, unanswered: bool) {
        let told = self.owed.ends.take();
        self.hold(told == Some(id), "an end that nobody reported");
        self.end(id, peer, unanswered);
    }

    fn see_connected(&mut self, connected: &Connected, step: &Step<'_>) {
        let told = self.owed.opens.take();
        self.hold(told == Some(connected.conn), "connected without a success");
        if let Input::Accept { remote, listener } = step.input {
            return self.let_in(connected, PeerAddress::from(*remote), *listener);
        }
        let now = self.now;
        let at = self.conns.iter().position(|conn| conn.id == connected.conn).expect("it was live");
        self.hold(self.conns[at].kind == connected.kind, "connected as another kind");
        self.conns[at].stage = Stage::Open;
        self.conns[at].since = now;
        let conn = self.conns[at].clone();
        self.touch(&conn);
        let id = connected.conn;
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
            stage: Stage::Open,
            since: self.now,
            is_overdue: false,
            address: known.network.is_none().then_some(remote),
            listener: Some(listener),
            no_ban: known.permissions.no_ban,
            account: super::Account::default(),
        };
        self.conns.push(conn);
    }

    fn see_adopted(&mut self, id: ConnId, peer: PeerId) {
        let owner = self.peers.iter().find(|known| known.id == peer && known.is_wanted()).cloned();
        let conn = self.conn(id).filter(|conn| conn.kind == Kind::Full && conn.is_open()).cloned();
        let fits = match (&owner, &conn) {
            (Some(owner), Some(conn)) => conn.address.as_ref() == Some(&owner.address),
            _ => false,
        };
        self.hold(fits, "an adoption that does not fit");
        self.conns.iter_mut().filter(|conn| conn.id == id).for_each(|conn| conn.kind = Kind::Added);
        if let Some(owner) = self.peer_mut(peer) {
            owner.busy = Some(id);
        }
    }
}

/// Notes when something happened to an address last.
fn note(list: &mut Vec<(PeerAddress, connmgr_core::Time)>, address: &PeerAddress, now: connmgr_core::Time) {
    list.retain(|(known, _)| known != address);
    list.push((address.clone(), now));
}

/// The group of an address: an IPv4 /16, an IPv6 /32.
fn neighbourhood(address: &PeerAddress) -> Vec<u8> {
    match address.host().ip().expect("the pool has IP addresses") {
        std::net::IpAddr::V4(ip) => ip.octets()[..2].to_vec(),
        std::net::IpAddr::V6(ip) => ip.octets()[..4].to_vec(),
    }
}
