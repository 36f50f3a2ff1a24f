//! The ledger: what inputs, replies and actions tell of the manager, kept once for all rules.
//!
//! It judges nothing. Rules look at it as it was before the input or action that they are shown; after a step it holds
//! what that step left. The only thing taken from the public view is what no action says: the kind of a dial and the
//! peer it is for, and how many names are being resolved.

pub(crate) mod bans;
pub(crate) mod conn;
pub(crate) mod own;
pub(crate) mod peer;
pub(crate) mod routable;

use std::sync::Arc;

use connmgr_core::{
    Action, BanTarget, CloseReason, Config, ConnId, ConnManager, Connected, DialFailure, EndReason, Event, Host, Input,
    Kind, Limits, NetworkKind, PeerAddress, PeerId, PeerInfo, PeerState, Permissions, Reply, Snapshot, Split, Target,
    Time, UnixTime,
};
use rustc_hash::FxHashMap;

use super::step::{Cause, Step, is_done};
use bans::{Bans, Key};
use conn::{Conn, Life};
use own::Own;
use peer::{LastEnd, Peers, Stable, Wait};

/// Whether the manager works, as commands and events told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Active,
    Inactive,
    Stopping,
    Stopped,
}

/// How many of a kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KindCount {
    pub(crate) dialing: u32,
    /// Ready ones among them.
    pub(crate) open: u32,
    pub(crate) ready: u32,
}

/// What inputs, replies and actions told.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) config: Arc<Config>,
    pub(crate) limits: Limits,
    pub(crate) phase: Phase,
    pub(crate) conns: FxHashMap<ConnId, Conn>,
    pub(crate) counts: [KindCount; Kind::ALL.len()],
    pub(crate) peers: Peers,
    /// Names of added peers being resolved: each holds a slot.
    pub(crate) lookups: u32,
    pub(crate) bans: Bans,
    pub(crate) own: Own,
    /// Which networks are suspected down.
    pub(crate) down: [bool; NetworkKind::ALL.len()],
    /// The highest connection id used.
    pub(crate) last_conn: u64,
    /// The share of each kind, once inputs have been heard.
    pub(crate) split: Split,
    /// The input of this step said that this v2 connection of ours died unheard.
    pub(crate) unheard: Option<ConnId>,
    /// To this address it was.
    pub(crate) unheard_address: Option<PeerAddress>,
    /// A name was given to be resolved in this step.
    resolves: bool,
    /// What the wall clock says, as last told: at this time, that.
    clock: (Time, UnixTime),
}

impl Ledger {
    pub(crate) fn new(config: &Config, snapshot: Option<&Snapshot>, unix: UnixTime, now: Time) -> Self {
        let mut ledger = Self {
            limits: config.limits,
            phase: Phase::Active,
            conns: FxHashMap::default(),
            counts: Default::default(),
            peers: Peers::default(),
            lookups: 0,
            bans: Bans::default(),
            own: Own::new(&config.own_addresses),
            down: [false; NetworkKind::ALL.len()],
            last_conn: 0,
            split: Split::new(&config.limits, config.mode, 0),
            unheard: None,
            unheard_address: None,
            resolves: false,
            clock: (now, unix),
            config: Arc::new(config.clone()),
        };
        snapshot.iter().for_each(|snapshot| ledger.restore(snapshot, unix, now));
        ledger
    }

    /// Bans of a former life: each lasts at most its own recorded duration from now.
    fn restore(&mut self, snapshot: &Snapshot, unix: UnixTime, now: Time) {
        for ban in &snapshot.bans {
            let left = ban.until.since(unix).min(ban.until.since(ban.since));
            if left.is_zero() || !self.is_bannable_target(&ban.target) {
                continue;
            }
            let until = now.after(left);
            let is_new = self.bans.get(&Key::of(&ban.target)).is_none();
            if is_new && self.bans.len() == self.config.max_bans as usize {
                let first = self.bans.first().map(|(_, key)| key.clone());
                first.iter().for_each(|key| _ = self.bans.lift(key));
            }
            self.bans.impose(&ban.target, until);
        }
        self.bans.save();
    }

    // ── what is told

    /// An input was told, and answered so.
    pub(crate) fn input(&mut self, step: &Step, input: &Input, reply: &Reply) {
        (self.unheard, self.unheard_address) = (None, None);
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
            }
            Input::SetLimits { limits } if is_done(reply) => {
                self.limits = *limits;
                self.share();
            }
            Input::Shutdown if self.phase != Phase::Stopped => self.phase = Phase::Stopping,
            Input::NetworkChanged if self.phase != Phase::Stopped => self.peers.epoch += 1,
            Input::OwnAddress { address } => self.own.give(address),
            Input::Ready { conn, info } => {
                if let Some(conn) = self.conns.get_mut(conn).filter(|conn| conn.life == Life::Open) {
                    conn.identity = info.identity;
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
        _ = step;
    }

    fn share(&mut self) {
        self.split = Split::new(&self.limits, self.config.mode, self.peers.len());
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
            Action::Close { conn, reason: CloseReason::OwnAddress } => self.meet_ourselves(step, *conn),
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
            Action::Close { .. } | Action::ResolveSeed { .. } | Action::PauseAccept { .. } => {}
        }
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
            Event::DialFailed { conn, peer, error, .. } => self.dial_failed(*conn, *peer, *error),
            Event::Adopted { conn, peer } => self.adopted(*conn, *peer),
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
        let Some(conn) = self.take(id) else { return };
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

    fn dial_failed(&mut self, id: ConnId, peer: Option<PeerId>, error: DialFailure) {
        let Some(conn) = self.take(id) else { return };
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

    fn take(&mut self, id: ConnId) -> Option<Conn> {
        let conn = self.conns.remove(&id)?;
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
    fn adopted(&mut self, id: ConnId, peer: PeerId) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        conn.peer = Some(peer);
        self.peers.get_mut(peer).into_iter().for_each(|peer| peer.conn = Some(id));
        let (Some(kind), true) = (conn.kind, conn.was_dialed) else { return };
        conn.kind = Some(Kind::Added);
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
        }
    }

    fn make_ready(&mut self, now: Time, id: ConnId) -> bool {
        let Some(conn) = self.conns.get_mut(&id).filter(|conn| conn.life == Life::Open) else { return false };
        conn.life = Life::Ready;
        conn.since = now;
        if let Some(kind) = conn.kind {
            self.counts[kind.index()].ready += 1;
        }
        true
    }

    // ── questions

    /// A live connection or dial.
    pub(crate) fn conn(&self, id: ConnId) -> Option<&Conn> {
        self.conns.get(&id)
    }

    /// Connections and dials of all kinds.
    pub(crate) fn live(&self) -> u32 {
        u32::try_from(self.conns.len()).expect("limits keep the table under 2^32")
    }

    pub(crate) fn count(&self, kind: Kind) -> KindCount {
        self.counts[kind.index()]
    }

    pub(crate) fn is_down(&self, network: NetworkKind) -> bool {
        self.down[network.index()]
    }

    /// The network whose health a dial to this address says something of.
    pub(crate) fn judged(&self, address: &PeerAddress) -> Option<NetworkKind> {
        conn::judged_network(address, self.config.loopback_is_public)
    }

    /// The network that a dial goes to, if that is suspected down: then the dial is a probe.
    pub(crate) fn suspected(&self, target: &Target) -> Option<NetworkKind> {
        if !self.down.contains(&true) {
            return None;
        }
        let network = self.judged(&conn::dialed_address(target));
        network.filter(|network| self.is_down(*network))
    }

    /// What the wall clock says at a time.
    pub(crate) fn unix_at(&self, at: Time) -> UnixTime {
        let (then, unix) = self.clock;
        if at >= then { unix.after(at.since(then)) } else { unix.before(then.since(at)) }
    }

    /// Whether an address's network is enabled, and a route leads there.
    pub(crate) fn is_reachable(&self, address: &PeerAddress) -> bool {
        let (networks, proxies) = (self.config.networks, &self.config.proxies);
        match address.network() {
            None => {
                let resolvable = [NetworkKind::Ipv4, NetworkKind::Ipv6].iter().any(|it| networks.contains(*it));
                proxies.all.is_some() || resolvable
            }
            Some(it @ (NetworkKind::Ipv4 | NetworkKind::Ipv6 | NetworkKind::Cjdns)) => {
                networks.contains(it) && address.port() != 0
            }
            Some(it @ (NetworkKind::Onion | NetworkKind::I2p)) => {
                networks.contains(it) && proxies.for_network(it).is_some()
            }
        }
    }

    /// Whether a handshake shows that we reached ourselves by identity.
    pub(crate) fn is_our_identity(&self, info: &PeerInfo) -> bool {
        info.identity.is_some() && info.identity == self.config.identity
    }

    /// Whether a host is banned now.
    pub(crate) fn is_banned(&self, host: &Host, now: Time) -> bool {
        self.bans.until(host, now).is_some() && self.is_bannable(host)
    }

    /// Whether a ban of this host would hit but this host.
    pub(crate) fn is_bannable(&self, host: &Host) -> bool {
        let is_proxy = |proxy: std::net::SocketAddr| host.ip() == Some(proxy.ip().to_canonical());
        let spared = host.is_loopback() && !self.config.loopback_is_public;
        self.config.max_bans > 0 && !spared && !self.config.proxies.addresses().any(is_proxy)
    }

    /// The same for whole subnets: those that hold nothing but loopback, or a proxy alone.
    fn is_bannable_target(&self, target: &BanTarget) -> bool {
        match target {
            BanTarget::Host(host) => self.is_bannable(host),
            BanTarget::Subnet(net) => {
                let is_loopback = net.network().is_loopback() && net.broadcast().is_loopback();
                let is_one = net.network() == net.broadcast();
                self.config.max_bans > 0
                    && (self.config.loopback_is_public || !is_loopback)
                    && (!is_one || self.is_bannable(&Host::from(net.network())))
            }
        }
    }
}

/// Whether an input of this sort may end lookups of peers' names.
const fn ends_lookups(cause: Cause) -> bool {
    matches!(cause, Cause::Timeout | Cause::LookupResult(_) | Cause::RemovePeer(_))
}
