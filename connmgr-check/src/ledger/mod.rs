//! The ledger: what inputs, replies and actions tell of the manager, kept once for all rules.
//!
//! It checks nothing. From the public view it takes only what no action tells: the kind of a dial and its added peer,
//! which dials and handshakes have no slot, and how many names are being resolved.

mod actions;
pub(crate) mod bans;
mod change;
pub(crate) mod conn;
mod inputs;
pub(crate) mod own;
pub(crate) mod pace;
pub(crate) mod peer;
mod redials;
mod restored;
pub(crate) mod routable;
mod seeds;
mod settle;

use std::sync::Arc;
use std::time::Duration;

use connmgr_core::{
    BanTarget, Config, ConnId, Groups, Host, Kind, Limits, NetworkKind, PeerAddress, PeerInfo, ProxyAddress, SavedBan,
    Snapshot, Split, Target, Time, Transport, UnixTime,
};
use rustc_hash::FxHashMap;

use crate::bucket::TokenBucket;

use bans::{BanKey, KnownBans};
use change::Changes;
use conn::KnownConn;
use own::Own;
use pace::DialPace;
use peer::KnownPeers;
use redials::Redials;
use restored::RestoredBans;
use seeds::SeedResults;

/// Whether the manager is active, as commands and events tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunPhase {
    Active,
    Inactive,
    Stopping,
    Stopped,
}

/// The connections and dials of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KindUsage {
    pub(crate) dialing: u32,
    pub(crate) open: u32,
    /// Open ones that are ready.
    pub(crate) ready: u32,
    /// Dials without a slot.
    pub(crate) silent: u32,
    /// Open connections without a slot.
    pub(crate) stalled: u32,
}

/// What inputs, replies and actions tell of one manager.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) config: Arc<Config>,
    pub(crate) groups: Groups,
    pub(crate) limits: Limits,
    pub(crate) phase: RunPhase,
    pub(crate) conns: FxHashMap<ConnId, KnownConn>,
    pub(crate) counts: [KindUsage; Kind::ALL.len()],
    pub(crate) peers: KnownPeers,
    /// Names of added peers being resolved. Each holds a slot.
    pub(crate) lookups: u32,
    pub(crate) bans: KnownBans,
    restored: RestoredBans,
    pub(crate) own: Own,
    /// The networks that are down.
    pub(crate) down: [bool; NetworkKind::ALL.len()],
    /// The highest connection id used.
    pub(crate) last_conn: u64,
    /// How the slots are split among the kinds.
    pub(crate) split: Split,
    /// The v2 connection that ended in this step before its peer sent anything.
    pub(crate) unheard: Option<ConnId>,
    /// The repetitions as v1 that may come in this step.
    redials: Redials,
    /// The rate of automatic dials.
    dial_credit: TokenBucket,
    /// This step began a lookup of a peer's name.
    resolves: bool,
    /// When a change of the machine's network may have its effect.
    pub(crate) changes: Changes,
    /// What seeds answered last.
    seeds: SeedResults,
    /// Set while the machine is out of resources: the first dial made since then. The shortage is over when this dial or
    /// a later one ends otherwise.
    pub(crate) short_from: Option<ConnId>,
    /// The pace of each network.
    pub(crate) paces: [DialPace; NetworkKind::ALL.len()],
    /// The automatic connection that this step makes ready, its network, and whether that is certain.
    readying: Option<(ConnId, NetworkKind, bool)>,
    /// Automatic dials and connections that are not ready.
    unfinished: Vec<ConnId>,
    /// The last reading of the wall clock, and when it was.
    clock: (Time, UnixTime),
}

impl Ledger {
    pub(crate) fn new(config: &Config, snapshot: Option<&Snapshot>, unix: UnixTime, now: Time) -> Self {
        let mut ledger = Self {
            limits: config.limits,
            phase: RunPhase::Active,
            conns: FxHashMap::default(),
            counts: Default::default(),
            peers: KnownPeers::default(),
            lookups: 0,
            bans: KnownBans::default(),
            restored: RestoredBans::new(now),
            own: Own::new(config.own_addresses.iter().map(|own| own.clone().settled(config.networks))),
            down: [false; NetworkKind::ALL.len()],
            last_conn: 0,
            split: Split::new(&config.limits, config.mode, config.dial.max_hedged, 0),
            unheard: None,
            redials: Redials::default(),
            dial_credit: TokenBucket::default(),
            resolves: false,
            changes: Changes::default(),
            seeds: SeedResults::new(&config.seeds.names),
            short_from: None,
            paces: [const { DialPace::new() }; NetworkKind::ALL.len()],
            readying: None,
            unfinished: Vec::new(),
            clock: (now, unix),
            config: Arc::new(config.clone()),
            groups: Groups::new(config),
        };
        if let Some(snapshot) = snapshot {
            ledger.restore(snapshot, unix);
        }
        ledger
    }

    /// Restores bans.
    fn restore(&mut self, snapshot: &Snapshot, unix: UnixTime) {
        let is_trusted = restored::is_credible(unix, snapshot);
        for ban in &snapshot.bans {
            self.judge(ban, is_trusted);
        }
        self.except(snapshot.bans.iter().flat_map(|ban| &ban.exceptions).map(BanKey::of));
        self.bans.save();
    }

    /// Parts of banned subnets are not banned.
    fn except(&mut self, exceptions: impl Iterator<Item = BanKey>) {
        for key in exceptions {
            if self.bans.end_around(&key).is_some() {
                self.bans.except(key);
            }
        }
    }

    /// The wall clock was set: bans with dates of a file are judged anew.
    fn judge_restored(&mut self) {
        let exceptions = self.bans.exceptions().to_vec();
        let dated = core::mem::take(&mut self.restored.dated);
        for key in dated.iter().map(|ban| BanKey::of(&ban.target)) {
            if self.bans.get(&key).is_some() {
                self.bans.lift(&key);
            }
        }
        for ban in &dated {
            self.judge(ban, false);
        }
        self.except(exceptions.into_iter());
        self.bans.save();
    }

    /// A ban of a file lasts at most its recorded duration from birth.
    fn judge(&mut self, ban: &SavedBan, is_trusted: bool) {
        let (now, unix) = self.clock;
        let own = ban.until.since(ban.since).saturating_sub(now.since(self.restored.at));
        let left = ban.until.since(unix).min(own);
        if own.is_zero() || !self.is_bannable_target(&ban.target) {
            return;
        }
        if !is_trusted || (ban.since <= unix && !left.is_zero()) {
            self.restored.dated.push(ban.clone());
        }
        if left.is_zero() {
            return;
        }
        let key = BanKey::of(&ban.target);
        if self.bans.get(&key).is_none() && self.bans.len() == self.config.max_bans as usize {
            if let Some((_, first)) = self.bans.first().cloned() {
                self.bans.lift(&first);
                self.restored.forget(&first);
            }
        }
        self.bans.impose(&ban.target, now.after(left));
    }

    /// A connection or dial that has not ended.
    pub(crate) fn conn(&self, id: ConnId) -> Option<&KnownConn> {
        self.conns.get(&id)
    }

    /// Connections and dials of all kinds.
    pub(crate) fn live(&self) -> u32 {
        u32::try_from(self.conns.len()).expect("limits keep the table under 2^32")
    }

    pub(crate) fn count(&self, kind: Kind) -> KindUsage {
        self.counts[kind.index()]
    }

    /// Whether a dial may repeat, as v1, a v2 connection that ended before its peer sent anything.
    pub(crate) fn repeats_unheard(&self, conn: &KnownConn) -> bool {
        conn.transport == Transport::V1 && conn.address.as_ref().is_some_and(|address| self.may_be_repeated(address))
    }

    /// Whether a v2 connection to this address may be repeated as v1 in this step.
    pub(crate) fn may_be_repeated(&self, address: &PeerAddress) -> bool {
        self.redials.contains(address)
    }

    /// Whether a repetition of this kind may have to wait: for resources, or, if it is automatic, for the rate or behind
    /// another that waits.
    pub(crate) fn may_wait(&self, kind: Kind, now: Time) -> bool {
        let is_too_fast = || self.dial_credit.ready_at(&self.config.dial.rate, now) > now;
        self.short_from.is_some() || kind.takes_group() && (is_too_fast() || !self.redials.is_empty())
    }

    pub(crate) fn is_down(&self, network: NetworkKind) -> bool {
        self.down[network.index()]
    }

    /// The network whose health a dial to this address tells something about.
    pub(crate) fn health_network(&self, address: &PeerAddress) -> Option<NetworkKind> {
        conn::health_network(address, &self.config.ranges)
    }

    /// The network that a dial goes to, if it is down: then the dial is a probe.
    pub(crate) fn suspected(&self, target: &Target) -> Option<NetworkKind> {
        if !self.down.contains(&true) {
            return None;
        }
        let network = self.health_network(&conn::dialed_address(target));
        network.filter(|network| self.is_down(*network))
    }

    /// What the wall clock says at a time. Both clocks change seconds together.
    pub(crate) fn unix_at(&self, at: Time) -> UnixTime {
        let (then, unix) = self.clock;
        let [at, then] = [at, then].map(|time| Duration::from_secs(time.as_nanos() / 1_000_000_000));
        unix.after(at.saturating_sub(then)).before(then.saturating_sub(at))
    }

    /// Whether the network of an address is enabled and has a route.
    pub(crate) fn is_reachable(&self, address: &PeerAddress) -> bool {
        let (networks, proxies) = (self.config.networks, &self.config.proxies);
        match address.network() {
            None => {
                let resolvable = [NetworkKind::Ipv4, NetworkKind::Ipv6].iter().any(|it| networks.contains(*it));
                proxies.all.is_some() || resolvable
            }
            Some(it @ (NetworkKind::Ipv4 | NetworkKind::Ipv6 | NetworkKind::Cjdns)) => {
                networks.contains(it) && (address.zone().is_none() || proxies.for_network(it).is_none())
            }
            Some(it @ (NetworkKind::Onion | NetworkKind::I2p)) => {
                networks.contains(it) && proxies.for_network(it).is_some()
            }
        }
    }

    /// Whether the peer reported our own identity.
    pub(crate) fn is_our_identity(&self, info: &PeerInfo) -> bool {
        info.identity.is_some() && info.identity == self.config.identity
    }

    /// Whether a host is banned now.
    pub(crate) fn is_banned(&self, host: &Host, now: Time) -> bool {
        self.bans.until(host, now).is_some() && self.is_bannable(host)
    }

    /// Whether this host can be banned: many peers may share loopback or a proxy.
    pub(crate) fn is_bannable(&self, host: &Host) -> bool {
        let is_proxy = |proxy: &ProxyAddress| proxy.ip().is_some_and(|ip| host.ip() == Some(ip.to_canonical()));
        let spared = host.is_loopback() && !self.config.ranges.loopback;
        self.config.max_bans > 0 && !spared && !self.config.proxies.addresses().any(is_proxy)
    }

    /// The same for a subnet: it can't be banned if it is all loopback, or one address that can't be banned.
    fn is_bannable_target(&self, target: &BanTarget) -> bool {
        match target {
            BanTarget::Host(host) => self.is_bannable(host),
            BanTarget::Subnet(net) => {
                let is_loopback = net.network().is_loopback() && net.broadcast().is_loopback();
                let is_one = net.network() == net.broadcast();
                self.config.max_bans > 0
                    && (self.config.ranges.loopback || !is_loopback)
                    && (!is_one || self.is_bannable(&Host::from(net.network())))
            }
        }
    }
}
