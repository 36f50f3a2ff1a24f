//! Everything an operator may choose, as plain data with defaults.
//!
//! [`Config::default`] is a plain pool; [`Config::bitcoin`] adds what a Bitcoin node wants. Zero means zero; what
//! is absent has its default. Ranges are checked once, by [`Config::check`].

mod bitcoin;
mod check;
mod defaults;
mod split;

use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use crate::types::{
    Backoff, HostName, Identity, Kind, Limits, ListenerId, NetworkKind, NetworkSet, PeerAddress, Services, Transport,
};

pub use bitcoin::Chain;
pub use split::Split;

/// Everything an operator may choose.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Config {
    /// Whether the manager looks for peers itself.
    pub mode: Mode,
    /// How many connections of each kind.
    pub limits: Limits,
    /// The networks we may dial and keep addresses of. Onion and I2P also need a proxy in `proxies`.
    pub networks: NetworkSet,
    /// By which proxy each network is reached.
    pub proxies: Proxies,
    /// The port of seeds' addresses, and the one preferred when choosing whom to dial; 0 for no preference.
    pub default_port: u16,
    /// What a peer must offer to be of use.
    pub required: RequiredServices,
    /// How to speak to peers of which nothing else is known.
    pub transport: Transport,
    /// Our own addresses, never dialed. More may be learnt.
    pub own_addresses: Vec<PeerAddress>,
    /// Our own identity, where the protocol has one.
    pub identity: Option<Identity>,
    /// Treat 127.0.0.0/8 as an ordinary network, with groups and bans. For tests and regtest.
    pub loopback_is_public: bool,
    /// How dials are made.
    pub dial: DialConfig,
    /// How long a peer may take from `Connected` until it is ready.
    pub handshake_timeout: Duration,
    /// How long an addr-fetch connection may last in all.
    pub addr_fetch_timeout: Duration,
    /// When an added peer is dialed again.
    pub retry: Backoff,
    /// How long a connection must have been ready before it proves anything: before the back-off of its peer, failures of
    /// its address and the slow pace of its network are forgotten.
    pub stable_after: Duration,
    /// Whether automatic connections keep apart.
    pub groups: GroupRule,
    /// When a network is taken for down.
    pub health: HealthConfig,
    /// DNS seeds and fixed seeds.
    pub seeds: SeedConfig,
    /// What gets a host banned.
    pub score: ScoreConfig,
    /// How many bans may stand at once; the one that ends first makes room. At most 1 million.
    pub max_bans: u32,
    /// Who may come in.
    pub inbound: InboundConfig,
    /// The sockets we listen on.
    pub listeners: Vec<Listener>,
    /// What is kept of addresses.
    pub book: BookConfig,
    /// How many actions one input may cause at the most; due work beyond that follows 1 ms later. At least 16.
    pub max_actions_per_input: u32,
}

/// Whether the manager looks for peers itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Mode {
    /// Dial addresses from the book and from seeds, besides the added peers.
    Automatic,
    /// Dial the added peers and nobody else: no seeds, no book, ever.
    ConnectOnly,
}

/// By which proxy each network is reached; absent means directly (IPv4, IPv6, CJDNS) or not at all (onion, I2P).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Proxies {
    /// For everything that has no entry of its own, names and lookups included; but not for I2P, where only a proxy
    /// of I2P leads.
    pub all: Option<Proxy>,
    /// For onion services.
    pub onion: Option<Proxy>,
    /// For I2P; there is no other way to it.
    pub i2p: Option<Proxy>,
}

impl Proxies {
    /// The proxy for a network.
    pub const fn for_network(&self, kind: NetworkKind) -> Option<Proxy> {
        match (kind, self.onion) {
            (NetworkKind::Ipv4 | NetworkKind::Ipv6 | NetworkKind::Cjdns, _) | (NetworkKind::Onion, None) => self.all,
            (NetworkKind::Onion, own) => own,
            (NetworkKind::I2p, _) => self.i2p,
        }
    }

    /// Every configured proxy's address.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        [self.all, self.onion, self.i2p].into_iter().flatten().map(|proxy| proxy.address)
    }
}

/// A SOCKS5 proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    /// Give each connection a circuit of its own, by a fresh user name and password.
    pub isolate: bool,
    /// It understands Tor's RESOLVE, so seeds can be looked up through it. Otherwise the seed's name is dialed as
    /// an addr-fetch.
    pub resolves: bool,
}

/// What a peer must offer to be of use, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct RequiredServices {
    /// For full connections.
    pub full: Services,
    /// For block-relay connections.
    pub block_relay: Services,
}

impl RequiredServices {
    /// What a connection of this kind must offer.
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
    /// Patience with dials that go straight to the target.
    pub direct: Patience,
    /// Patience with dials through a proxy.
    pub proxied: Patience,
    /// How many automatic dials and handshakes of one kind may go on without a slot, beside those that hold one.
    /// Absent: twice as many as the kind has slots. Zero: a dial keeps its slot until it ends. They count to
    /// [`Limits::total`]; see [`Split::hedged`] for the room that is kept for them.
    pub max_hedged: Option<u32>,
    /// How fast automatic dials may follow one another. Dials into a network that lead nowhere follow more slowly by
    /// themselves: from the 640th on, down to one in 10 s, until a connection is stable.
    pub rate: Rate,
    /// An address is preferably not dialed again before this. Exactly this is allowed.
    pub spacing: Duration,
    /// An address is never dialed again automatically before this, even when nobody else is known. Doubled for each
    /// failure in a row, up to `spacing`; up to a minute where nobody else is left, one dial in 10 s. Where a network
    /// comes back to life, this alone counts.
    pub min_spacing: Duration,
    /// How long a lookup may take.
    pub lookup_timeout: Duration,
}

/// How long a dial may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Patience {
    /// In all, before it is given up.
    pub timeout: Duration,
    /// Without progress, before an automatic dial, or a handshake after it, gives its slot to another: then, or as soon
    /// as fewer than `max_hedged` go without. It takes one again when it makes progress.
    pub hedge_after: Duration,
}

/// A token bucket: so many at once, then so many a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Rate {
    /// How many at once.
    pub burst: u32,
    /// The time in which one more becomes allowed. Zero: no limit.
    pub interval: Duration,
}

/// Whether automatic connections keep apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct GroupRule {
    /// Automatic connections and dials to one group at a time; absent: any number, for small networks.
    pub max_per_group: Option<u32>,
    /// Onion, I2P and CJDNS have too few groups to keep apart: exempt them.
    pub exempt_overlays: bool,
}

/// When a network is taken for down, and how it is probed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct HealthConfig {
    /// Failures in a row that were ours or the route's. At least 1. Of our own (no route, no such address family), as
    /// many more as addresses are known, up to 64: some networks are routed in part.
    pub own_failures: u32,
    /// Dials in a row without any answer. At least 1. As many more as addresses are known, up to 256: in a world in which
    /// 4 % answer, fewer are silent by chance.
    pub silent_dials: u32,
    /// The groups these must be spread over (at most 16; when fewer are known at all, those, but
    /// never one alone).
    pub silent_groups: u32,
    /// The time these must be spread over.
    pub silent_for: Duration,
    /// A connection that has shown no life for this long is no proof that its network is up. Life is what comes by it: the
    /// adapters see to that, and look every 30 s, or five times in this time where it is shorter than 150 s.
    pub traffic_within: Duration,
    /// The first wait before a probe; each further one is doubled.
    pub first_probe: Duration,
    /// The longest wait between probes.
    pub max_probe: Duration,
}

/// DNS seeds and fixed seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct SeedConfig {
    /// The seeds, in order of preference.
    pub names: Vec<Seed>,
    /// Addresses of last resort, for networks of which no address is known, or none that answers.
    pub fixed: Vec<PeerAddress>,
    /// How many seeds are asked at a time when some addresses are known. At least 1.
    pub batch: u32,
    /// The wait before each batch when few addresses are known.
    pub delay: Duration,
    /// The wait before each batch when many addresses are known.
    pub delay_when_known: Duration,
    /// How many addresses are many.
    pub many: u32,
    /// Ready full connections at which no more seeds are asked, unless nobody has been left to dial for 10 s.
    pub enough: u32,
    /// When fixed seeds are used.
    pub fixed_after: Duration,
    /// Addresses kept of one answer, each counted once.
    pub keep: u32,
    /// When a seed that failed may be asked again.
    pub retry: Backoff,
    /// When a seed that answered may be asked again, should the pool starve.
    pub again_after: Duration,
}

/// A DNS seed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Seed {
    /// Its name, without a port.
    pub name: HostName,
    /// It answers `x49.name` with peers that offer services 0x49.
    pub filters_services: bool,
}

/// What gets a host banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ScoreConfig {
    /// A score above this gets the host banned; above half of it, a warning is given.
    pub threshold: u32,
    /// How long such a ban lasts.
    pub ban_for: Duration,
    /// How many hosts' scores are kept; the one least recently raised makes room. At least 1.
    pub max_hosts: u32,
}

/// Who may come in. A group, here, is an IPv4 /24 or an IPv6 /64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct InboundConfig {
    /// Connections from one host.
    pub per_host: u32,
    /// Unfinished handshakes of one group, or on one listener where hosts can't be seen.
    pub half_open: u32,
    /// New connections of one group, or on one listener where hosts can't be seen.
    pub rate: Rate,
    /// The first pause after `accept` fails; each further one is doubled.
    pub first_pause: Duration,
    /// The longest such pause.
    pub max_pause: Duration,
}

/// A socket we listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Listener {
    /// Its number, chosen by the caller, unique.
    pub id: ListenerId,
    /// Absent: remote hosts can be seen. Onion or I2P: every remote is the local proxy, so that what is counted by
    /// host is counted by listener.
    pub network: Option<NetworkKind>,
    /// What those who come in by it are spared.
    pub permissions: Permissions,
}

/// What an inbound connection is spared. The two are independent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Permissions {
    /// Misbehaviour is counted but bans nobody, and bans are not looked at.
    pub no_ban: bool,
    /// Per-host, per-group, half-open and rate limits do not apply. The total does.
    pub no_limit: bool,
}

/// What is kept of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct BookConfig {
    /// Addresses kept; a bad or old one makes room. At most 1 million.
    pub max_addresses: u32,
    /// Addresses one peer may tell us.
    pub gossip: Rate,
    /// Addresses looked at in one call; the rest of the list is ignored. So it is with the answers of seeds and of added
    /// peers' names.
    pub max_per_call: u32,
    /// The shortest time between two `Save` for the book's sake.
    pub save_every: Duration,
}
