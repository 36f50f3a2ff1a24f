//! The configuration: everything an operator may choose, as plain data with defaults.
//!
//! Every structure has a default or a constructor, and is built from it by struct update syntax (`Config { default_port:
//! 8333, ..Config::default() }`) or by setting fields, so that a new field breaks no caller.
//!
//! [`Config::default`] is a plain pool; [`Config::bitcoin`] adds what a Bitcoin node needs. A limit of zero means none
//! at all. [`Config::check`] checks the ranges once, at the manager's birth.

mod bitcoin;
mod book;
mod check;
mod contradictions;
mod defaults;
mod dial;
mod group_rule;
mod health;
mod inbound;
mod proxies;
mod ranges;
mod rate;
mod required;
mod score;
mod seeds;
mod split;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use core::time::Duration;

use crate::types::{Backoff, Identity, Limits, More, NetworkSet, PeerAddress, Transport};

pub use bitcoin::Chain;
pub use book::{BookConfig, BookRule};
pub use dial::{DialConfig, Patience};
pub use group_rule::GroupRule;
pub use health::HealthConfig;
pub use inbound::{InboundConfig, Listener};
pub use proxies::{IsolationMode, Proxies, Proxy};
pub use ranges::Ranges;
pub use rate::Rate;
pub use required::RequiredServices;
pub use score::ScoreConfig;
pub use seeds::{Seed, SeedConfig};
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
    /// that are said to offer services, but not [`Services::P2P_V2`](crate::Services::P2P_V2). Default: [`Transport::V1`].
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
    /// When a host is banned for misbehavior. Default: above a score of 100, for 24 h.
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
