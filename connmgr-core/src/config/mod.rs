//! The configuration: everything an operator may choose, as plain data with defaults.
//!
//! Every structure has a default or a constructor, and is built from it by struct update syntax (`Config { default_port:
//! 8333, ..Config::default() }`) or by setting fields, so that a new field breaks no caller.
//!
//! [`Config::default`] is a plain pool; [`Config::bitcoin`] adds what a Bitcoin node needs. A limit of zero means none
//! at all. [`Config::check`] checks the ranges once, at the manager's birth.

mod bitcoin;
mod check;
mod contradictions;
mod defaults;
mod ranges;
mod split;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use core::time::Duration;

use crate::types::{
    AsnTable, Backoff, HostName, Identity, Kind, Limits, ListenerId, More, NetworkKind, NetworkSet, PeerAddress,
    Permissions, ProxyAddress, Services, Transport,
};

pub use bitcoin::Chain;
pub use ranges::Ranges;
pub use split::Split;

/// Everything an operator may choose. The defaults given are those of [`Config::default`]; [`options`](crate::options) is
/// the same in one table, with the values of [`Config::bitcoin`] and the origin of each number.
///
/// A limit of 0 means none at all. A range is given where there is one; else every value is allowed. [`Config::check`]
/// checks them.
///
/// Build it from a default, by struct update syntax or by setting fields. It, its sections and their parts may gain fields
/// in any version; a literal or a pattern without `..` does not compile.
///
/// ```
/// use connmgr_core::{Chain, Config};
///
/// let config = Config { handshake_timeout: core::time::Duration::from_secs(20), ..Config::bitcoin(Chain::Signet) };
///
/// let mut other = Config::default();
/// other.limits.full = 4;
/// # let _ = (config, other);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Config {
    /// Whether the manager finds peers itself. Default: [`Mode::Automatic`].
    pub mode: Mode,
    /// How many connections of each kind. Default: 8 full ones, 2 addr-fetches and 8 added peers out of 125. Each at most
    /// 1 million; those to keep must fit into the total.
    pub limits: Limits,
    /// The networks whose addresses we dial and keep. Default: all. Onion and I2P also need a proxy in `proxies`. At least
    /// one that can be reached.
    pub networks: NetworkSet,
    /// The proxies of the networks. Default: none.
    pub proxies: Proxies,
    /// The port of addresses from DNS seeds, and the port preferred in choosing addresses, until dials have led nowhere for
    /// long. 0 (the default): no preference; not allowed with seeds.
    pub default_port: u16,
    /// The services a peer must offer. Default: none. [`Config::bitcoin`]: `NETWORK` and `WITNESS`.
    pub required: RequiredServices,
    /// The transport of dials to addresses that are not known to need v1: those where v2 was not understood, and those
    /// that are said to offer services, but not [`Services::P2P_V2`]. Default: [`Transport::V1`].
    pub transport: Transport,
    /// Our own addresses, which are never dialed. Default: none. At most 1024. The adapters add those they listen
    /// on: of a listener on `0.0.0.0` or `::` those that the machine has. More may be reported later, up to 1024 in all.
    pub own_addresses: Vec<PeerAddress>,
    /// Our own identity, if the protocol has one (a public key or its hash): a peer that tells it is this node itself.
    /// Default: none.
    pub identity: Option<Identity>,
    /// The ranges in which peers may be. Default: the public internet.
    pub ranges: Ranges,
    /// How dials are made: patience, pace, and how long an address rests.
    pub dial: DialConfig,
    /// The longest time from [`Connected`](crate::Event::Connected) until the application reports the connection ready.
    /// Later, it is closed. Default: 60 s, as Bitcoin Core. At least 1 ms.
    pub handshake_timeout: Duration,
    /// The longest time an addr-fetch connection lasts once it is ready. Default: 5 min, as Bitcoin Core. At least 1 ms.
    pub addr_fetch_timeout: Duration,
    /// The back-off between attempts at an added peer that has none of its own. Default: 5 s, doubled each time, at most
    /// 300 s (btcd's bounds), with jitter. Both waits at least 1 ms, the longest not below the first.
    pub retry: Backoff,
    /// A connection that has been ready for this long is stable: the back-off of its added peer, the failures of its
    /// address and the slow pace of its network are reset. Default: 60 s.
    pub stable_after: Duration,
    /// How many automatic connections one group of addresses may have. Default: 1.
    pub groups: GroupRule,
    /// When a network counts as down.
    pub health: HealthConfig,
    /// DNS seeds and fixed seeds.
    pub seeds: SeedConfig,
    /// When a host is banned for misbehaviour. Default: above a score of 100, for 24 h.
    pub score: ScoreConfig,
    /// How many bans may exist at once. Beyond that, the ban that ends first is lifted. Default: 100 000. At most 1
    /// million. With 0 nothing can be banned.
    pub max_bans: u32,
    /// Whom to let in, and how fast.
    pub inbound: InboundConfig,
    /// The sockets we listen on, as the manager knows them. Default: none. Their ids must differ. The builders of the
    /// adapters open sockets and fill this in (`listen`, `listen_with`).
    pub listeners: Vec<Listener>,
    /// What the book keeps.
    pub book: BookConfig,
    /// How many actions one input may emit: a bound on the time of a step. Further due work follows 1 ms later. Default:
    /// 256. At least 16.
    pub max_actions_per_input: u32,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

/// Whether the manager finds peers itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Mode {
    /// Dial added peers, and addresses from the book and from seeds.
    Automatic,
    /// Dial only added peers. No seeds and no book. With [`Limits::added`] 0 nothing is dialed: a pool that only listens,
    /// or, without a listener, one that does nothing until [`set_limits`](crate::ConnManager::set_limits) raises it.
    ConnectOnly,
}

/// The proxies of the networks. A network without one is reached directly (IPv4, IPv6, CJDNS) or not at all (onion,
/// I2P).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Proxies {
    /// For every network without an entry of its own, and for names and lookups. Not for I2P, which only an I2P proxy
    /// reaches. Default: none.
    pub all: Option<Proxy>,
    /// For onion services. Default: none, and then `all` applies.
    pub onion: Option<Proxy>,
    /// For I2P. Default: none, and then I2P can't be reached.
    pub i2p: Option<Proxy>,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

impl Proxies {
    /// The proxy of a network, if any.
    pub const fn for_network(&self, kind: NetworkKind) -> Option<&Proxy> {
        match (kind, &self.onion) {
            (NetworkKind::Ipv4 | NetworkKind::Ipv6 | NetworkKind::Cjdns, _) | (NetworkKind::Onion, None) => {
                self.all.as_ref()
            }
            (NetworkKind::Onion, own) => own.as_ref(),
            (NetworkKind::I2p, _) => self.i2p.as_ref(),
        }
    }

    /// The address of every configured proxy.
    pub fn addresses(&self) -> impl Iterator<Item = &ProxyAddress> {
        [&self.all, &self.onion, &self.i2p].into_iter().flatten().map(|proxy| &proxy.address)
    }
}

/// A SOCKS5 proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Proxy {
    /// Its address: an IP address or a name, and a port that is not 0.
    pub address: ProxyAddress,
    /// Whether each connection gets a circuit of its own, by a fresh user name and password. [`IsolationMode::Preferred`]
    /// suits Tor and others.
    pub isolation: IsolationMode,
    /// Whether it may support Tor's RESOLVE, so that seeds are looked up through it. Otherwise, and once it has refused
    /// a lookup as unsupported, a seed's name is dialed as an addr-fetch.
    pub resolves: bool,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

impl Proxy {
    /// The proxy at this address. Isolation is preferred, and it may support Tor's RESOLVE: right for Tor, and good for
    /// others.
    #[must_use]
    pub const fn new(address: ProxyAddress) -> Self {
        Self { address, isolation: IsolationMode::Preferred, resolves: true, _more: More(()) }
    }

    /// Whether each connection gets a circuit of its own.
    #[must_use]
    pub const fn isolation(mut self, isolation: IsolationMode) -> Self {
        self.isolation = isolation;
        self
    }

    /// Whether it may support Tor's RESOLVE.
    #[must_use]
    pub const fn resolves(mut self, resolves: bool) -> Self {
        self.resolves = resolves;
        self
    }
}

/// Whether each connection through a proxy gets a circuit of its own. Tor separates connections with different user names
/// and passwords; most other proxies know none, and the two cannot be told apart before they are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum IsolationMode {
    /// Only a user name and password are offered. A proxy that takes none is not used: every dial fails with
    /// [`DialError::ProxyMethod`](crate::DialError::ProxyMethod).
    Required,
    /// "No authentication" is offered as well. Where the proxy chooses it, connections may share circuits, and adapters
    /// say so once.
    #[default]
    Preferred,
    /// Only "no authentication" is offered: connections may share circuits.
    Off,
}

/// The services a peer must offer, by kind. A peer without them is not chosen, and its connection is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct RequiredServices {
    /// For full connections. Default: none.
    pub full: Services,
    /// For block-relay connections. Default: none.
    pub block_relay: Services,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

impl RequiredServices {
    /// The services a connection of this kind must have.
    pub const fn of(&self, kind: Kind) -> Services {
        match kind {
            Kind::Full => self.full,
            Kind::BlockRelay => self.block_relay,
            Kind::Feeler | Kind::AddrFetch | Kind::Added | Kind::Inbound => Services::NONE,
        }
    }
}

/// How dials are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct DialConfig {
    /// For dials without a proxy. Default: `timeout` 5 s (as Bitcoin Core), `hedge_after` 1 s.
    pub direct: Patience,
    /// For dials through a proxy. Default: `timeout` 30 s (as btcd), `hedge_after` 5 s.
    pub proxied: Patience,
    /// How many automatic dials and handshakes of one kind may go on without a slot, beside those with one. `None` (the
    /// default): twice the kind's slots. 0: a dial keeps its slot until it ends. They count towards [`Limits::total`];
    /// [`Split::hedged`] is the room kept for them.
    pub max_hedged: Option<u32>,
    /// The rate of all automatic dials. Default: 64 at once, then one more every 100 ms. A network whose dials yield
    /// nothing slows down further, from its 640th dial on, to one dial in 10 s; a stable connection restores full
    /// speed. At least 1 at once.
    pub rate: Rate,
    /// An address is preferably not dialed again automatically within this time. Default: 10 min, as btcd and Bitcoin Core.
    /// Not below `min_spacing`.
    pub spacing: Duration,
    /// An address is not dialed again automatically within this time. Default: 30 s. At least 1 ms. It doubles with
    /// each failure, up to `spacing`; if no other address is left, up to a minute, and then one dial in 10 s. After a
    /// network recovers, it does not double.
    ///
    /// A failure is also a connection that the other end closes before it has been ready for
    /// [`stable_after`](Config::stable_after). Three dials need no rest: one to an address that was connected when the
    /// last run ended, a probe of a network that is down to an address that answered before, and the second dial of a
    /// peer that did not understand v2.
    pub min_spacing: Duration,
    /// The longest time a lookup of a name may take, a seed's or a peer's. Default: 30 s. At least 1 ms.
    pub lookup_timeout: Duration,
    /// If an added peer has several addresses, the next is dialed beside one that has been silent for this time (RFC
    /// 8305), where inbound connections leave room. Through a proxy, not before `proxied.hedge_after`. Default: 250 ms.
    /// At least 1 ms.
    pub attempt_delay: Duration,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

/// How long a dial may take, and how long it keeps its slot without progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Patience {
    /// The longest time from the dial until it is open, what a proxy does included. At least 1 ms.
    pub timeout: Duration,
    /// After this time without progress, an automatic dial or handshake gives its slot to another, as soon as fewer
    /// than `max_hedged` go without. It takes a slot again when it makes progress. At least 1 ms. From `timeout`
    /// on, a dial keeps its slot until it ends, and only handshakes give theirs up.
    pub hedge_after: Duration,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

impl Patience {
    /// Both times.
    #[must_use]
    pub const fn new(timeout: Duration, hedge_after: Duration) -> Self {
        Self { timeout, hedge_after, _more: More(()) }
    }
}

/// A token bucket: a burst, then a steady rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Rate {
    /// How many at once. 0: none at all, unless `interval` is 0.
    pub burst: u32,
    /// The time until one more is allowed. 0: no limit.
    pub interval: Duration,
}

/// How many automatic connections one group of addresses may have. Addresses that lie close together often belong to one
/// operator, who must not have all connections of a node.
///
/// | addresses | one group is |
/// |---|---|
/// | IPv4 | a /16: `203.0.0.0` to `203.0.255.255` |
/// | IPv6 | a /32, and in the tunnel broker's `2001:470::/32` a /36 |
/// | IPv6 that contains IPv4 (6to4, Teredo, NAT64, mapped) | the /16 of the IPv4 address |
/// | private, shared and own ranges (see [`Ranges`]) | an IPv4 /24 or an IPv6 /64 |
/// | loopback | as on the internet: `127.0.0.1` to `127.0.255.255`, at every port; `::1` |
/// | onion, I2P | the first 4 bits: 16 groups in each network |
/// | CJDNS | the first 12 bits: 16 groups |
/// | with a table in `asn`: IPv4 and IPv6 that has a number in it, apart from private, shared and own ranges | all of its autonomous system |
///
/// The rule is for full and block-relay connections, which the manager chooses. Added peers, inbound connections and
/// addr-fetches have no group and take none. Where all peers are in one group, as on a LAN or one machine, set no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct GroupRule {
    /// Automatic connections and dials to one group at a time. Default: 1, as btcd and Bitcoin Core. At least 1. `None`: no
    /// limit, for small networks.
    pub max_per_group: Option<u32>,
    /// Whether onion, I2P and CJDNS are exempt, because they have few groups. Default: no. [`Config::bitcoin`]: yes, as
    /// Bitcoin Core.
    pub exempt_overlays: bool,
    /// Which autonomous system announces an IPv4 or IPv6 address: all addresses of one system are one group, wherever they
    /// lie. The rule of prefixes is for those without a number. Private, shared and own ranges and overlays keep their
    /// groups. Default: none. It must be [loaded](AsnTable::is_loaded).
    pub asn: Option<AsnTable>,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

/// When a network counts as down, and how it is probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct HealthConfig {
    /// Failures in a row on our side or the route's that take a network down. Default: 3. At least 1. On our side (no
    /// route, no such address family) as many as addresses are known if those are more, up to 64, because some networks
    /// are routed in part.
    pub own_failures: u32,
    /// Dials in a row without any answer (a refusal is one) that take a network down. Default: 25, as btcd. At least 1. As
    /// many as addresses are known if those are more, up to 256: where 4 % answer, fewer are often silent by chance.
    pub silent_dials: u32,
    /// The number of groups that these dials must cover. Default: 8. At most 16. If fewer groups are known, all of
    /// them, but at least two.
    pub silent_groups: u32,
    /// The time that these dials must cover. Default: 30 s.
    pub silent_for: Duration,
    /// An open connection proves that its network is up for this long after its network's last sign of life. Default:
    /// 150 s. Of two connections to one identity, one that has shown no life for this long goes. Adapters report arriving
    /// bytes every 30 s, or five times in this time if it is shorter than 150 s.
    pub traffic_within: Duration,
    /// The wait before the first probe; it doubles with each further one. Default: 1 s. At least 1 ms.
    pub first_probe: Duration,
    /// The longest wait between probes. Default: 32 s. At least 1 ms, and not below `first_probe`.
    pub max_probe: Duration,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

/// DNS seeds and fixed seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct SeedConfig {
    /// The DNS seeds, in order of preference. Default: none. Each name once, with or without a final dot.
    pub names: Vec<Seed>,
    /// Addresses of last resort, for networks of which no address is known or none ever answered. Default: none.
    pub fixed: Vec<PeerAddress>,
    /// How many seeds are asked at a time if some addresses are known. If none is, all are asked. Default: 3, as Bitcoin
    /// Core. At least 1.
    pub batch: u32,
    /// The wait before each batch if few addresses are known. Default: 11 s, as Bitcoin Core. At least 1 ms.
    pub delay: Duration,
    /// The wait before each batch if many addresses are known. Default: 300 s, as Bitcoin Core. At least 1 ms.
    pub delay_when_known: Duration,
    /// How many known addresses are many. Default: 1000, as Bitcoin Core.
    pub many: u32,
    /// With this many ready full connections no seed is asked, unless a kind has found no address to dial for 10 s.
    /// Default: 2, as Bitcoin Core.
    pub enough: u32,
    /// The wait before fixed seeds are used. Default: 60 s, as Bitcoin Core. Where there is no other source (no seed can be
    /// asked, no address is known, no peer is added) they are used at once.
    pub fixed_after: Duration,
    /// How many different addresses of one answer are used. Default: 32, as Bitcoin Core. At least 1 where there
    /// are seeds.
    pub keep: u32,
    /// The back-off after a seed's failure. Default: 30 s, doubled each time, at most 1 h, with jitter. Both waits at
    /// least 1 ms, the longest not below the first.
    pub retry: Backoff,
    /// When a seed that answered may be asked again, if the pool still lacks addresses. Default: 10 min.
    pub again_after: Duration,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

/// A DNS seed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Seed {
    /// Its host name, without a port. It is asked as absolute, whether it ends in a dot or not.
    pub name: HostName,
    /// Whether it answers `x49.name` with peers that offer the services 0x49. If that name fails, the bare one is asked.
    pub filters_services: bool,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

impl Seed {
    /// The seed of this name, which does not filter by services.
    #[must_use]
    pub const fn new(name: HostName) -> Self {
        Self { name, filters_services: false, _more: More(()) }
    }

    /// Whether it filters by services.
    #[must_use]
    pub const fn filters_services(mut self, filters: bool) -> Self {
        self.filters_services = filters;
        self
    }
}

/// When a host is banned for misbehaviour. [`BanScore`](crate::BanScore) says how penalties add up and fade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ScoreConfig {
    /// A host whose score is above this is banned; above half of it, a warning is emitted. Default: 100, as btcd. With 0,
    /// any penalty bans.
    pub threshold: u32,
    /// How long such a ban lasts. Default: 24 h, as btcd and Bitcoin Core.
    pub ban_for: Duration,
    /// How many hosts' scores are kept. Beyond that, the one raised longest ago is forgotten. Default: 4096. At least
    /// 1.
    pub max_hosts: u32,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

/// Inbound admission: decided before a byte is exchanged. Groups here are IPv4 /24 and IPv6 /64, not those of
/// [`GroupRule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct InboundConfig {
    /// Connections from one host at a time. Default: 5, as dcrd. At least 1 where we listen.
    pub per_host: u32,
    /// Unfinished handshakes of one group at a time, or of one listener whose remote hosts are hidden. Default: 8, from
    /// btcd and dcrd. At least 1 where we listen.
    pub half_open: u32,
    /// The rate of new connections of one group, or of one listener whose remote hosts are hidden. Default: 3 at once,
    /// then one more every 5 s, from btcd and dcrd. At least 1 at once where we listen.
    ///
    /// A connection that the application drops during its handshake costs nothing of it, at most `half_open` times at once:
    /// one more time every 12 intervals, and as often as a burst for each handshake of the group that is finished.
    pub rate: Rate,
    /// The pause after `accept` has failed; it doubles with each further failure. Default: 50 ms. At least 1 ms.
    pub first_pause: Duration,
    /// The longest such pause. Default: 5 s. At least 1 ms, and not below `first_pause`.
    pub max_pause: Duration,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

/// A socket we listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Listener {
    /// Its number, chosen by the caller. Unique among the listeners.
    pub id: ListenerId,
    /// `None`: remote hosts are visible. An overlay: every connection comes from the local proxy, so limits of a group
    /// apply to the listener instead, and limits of a host do not apply. Not IPv4 or IPv6.
    pub network: Option<NetworkKind>,
    /// The exemptions of its connections.
    pub permissions: Permissions,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

impl Listener {
    /// A socket at which remote hosts are visible, without exemptions.
    #[must_use]
    pub const fn new(id: ListenerId) -> Self {
        Self { id, network: None, permissions: Permissions::NONE, _more: More(()) }
    }

    /// The network whose local proxy every connection comes from.
    #[must_use]
    pub const fn network(mut self, network: Option<NetworkKind>) -> Self {
        self.network = network;
        self
    }

    /// The exemptions of its connections.
    #[must_use]
    pub const fn permissions(mut self, permissions: Permissions) -> Self {
        self.permissions = permissions;
        self
    }
}

/// What the book keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct BookConfig {
    /// How many addresses are kept. Beyond that, a bad or old one makes room. Default: 81 920, as Bitcoin Core, which is
    /// also the most: the book has 65 536 places for new addresses and 16 384 for those that were ready. At least 1 where
    /// automatic connections are wanted.
    pub max_addresses: u32,
    /// How many addresses a peer may tell us on one connection. Default: 1000 at once, then one more every 10 s, as Bitcoin
    /// Core allows those whom it asked.
    pub gossip: Rate,
    /// How many addresses of one call are used; the rest is ignored. Applies to gossip, to answers of seeds, and to the
    /// names of added peers. Default: 1000, as Bitcoin Core.
    pub max_per_call: u32,
    /// The shortest time between two `Save` actions for changes of the book. The first comes within a minute of the first
    /// address learnt. Default: 15 min, as Bitcoin Core.
    pub save_every: Duration,
    /// For experiments: a rule of the book that is switched off, to see what it is good for. Default: none.
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub without: Option<BookRule>,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

/// A rule of the book that experiments may switch off.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum BookRule {
    /// One source group reaches only some buckets of the table of new addresses.
    SourceLimit,
    /// One address group from one source group reaches one bucket.
    GroupLimit,
    /// A tried address gives its place up only after a test.
    TestBeforeEvict,
    /// Most choices are from the table of tried addresses.
    TriedShare,
    /// One address group has at most an eighth of the draws.
    GroupShare,
    /// In a full bucket, a new address takes only the place of a bad one.
    Incumbents,
}

impl BookRule {
    /// Every rule.
    pub const ALL: [Self; 6] = [
        Self::SourceLimit,
        Self::GroupLimit,
        Self::TestBeforeEvict,
        Self::TriedShare,
        Self::GroupShare,
        Self::Incumbents,
    ];
}
