//! The ledger: what inputs, replies and actions tell of the manager, kept once for all rules.
//!
//! It judges nothing. Rules look at it as it was before the input or action that they are shown; after a step it holds
//! what that step left. The only thing taken from the public view is what no action says: the kind of a dial and the
//! peer it is for, who has no slot, and how many names are being resolved.

pub(crate) mod bans;
mod change;
pub(crate) mod conn;
mod hear;
pub(crate) mod own;
pub(crate) mod pace;
pub(crate) mod peer;
pub(crate) mod routable;

use std::sync::Arc;
use std::time::Duration;

use connmgr_core::{
    BanTarget, Config, ConnId, Host, Kind, Limits, NetworkKind, PeerAddress, PeerInfo, Snapshot, Split, Target, Time,
    UnixTime,
};
use rustc_hash::FxHashMap;

use bans::{Bans, Key};
use change::Changes;
use conn::Conn;

use own::Own;
use pace::DialPace;
use peer::Peers;

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
    pub(crate) open: u32,
    /// Of those that are open.
    pub(crate) ready: u32,
    /// Of those being dialed, those without a slot.
    pub(crate) silent: u32,
    /// The same of those that are open.
    pub(crate) stalled: u32,
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
    /// When a change of the machine's network may have its effect.
    pub(crate) changes: Changes,
    /// A dial found the machine out of resources, and none made since, which are those from this one on, has ended
    /// otherwise.
    pub(crate) short_from: Option<ConnId>,
    /// The pace of each network.
    pub(crate) paces: [DialPace; NetworkKind::ALL.len()],
    /// The input of this step makes this automatic connection ready, or may.
    readying: Option<(ConnId, NetworkKind, bool)>,
    /// Automatic dials and connections that are not ready.
    unfinished: Vec<ConnId>,
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
            split: Split::new(&config.limits, config.mode, config.dial.max_hedged, 0),
            unheard: None,
            unheard_address: None,
            resolves: false,
            changes: Changes::default(),
            short_from: None,
            paces: [const { DialPace::new() }; NetworkKind::ALL.len()],
            readying: None,
            unfinished: Vec::new(),
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

    /// What the wall clock says at a time. Its seconds begin with those of the manager's other clock.
    pub(crate) fn unix_at(&self, at: Time) -> UnixTime {
        let (then, unix) = self.clock;
        let [at, then] = [at, then].map(|time| Duration::from_secs(time.as_nanos() / 1_000_000_000));
        unix.after(at.saturating_sub(then)).before(then.saturating_sub(at))
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
