//! The managers, their added peers, and inbound connections to them.

use std::net::{IpAddr, Ipv4Addr};

use connmgr_core::{Chain, Config, Limits};
use serde::{Deserialize, Serialize};

use super::{Span, TimeSpread};
use crate::types::Share;

/// The managers of a world: all of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct NodeSpec {
    /// How many.
    pub count: u32,
    /// What their configuration starts from.
    pub base: Base,
    /// Limits in place of those.
    pub limits: Option<Limits>,
    /// Dial only the added peers.
    pub connect_only: bool,
    /// Whether they listen, so that others and each other can connect to them.
    pub listens: bool,
    /// Whether they are known: gossiped, and in seeds' answers.
    pub is_known: bool,
    /// Whether each has an identity of its own, by which two connections to one peer are noticed.
    pub has_identity: bool,
    /// Whether they prefer the encrypted transport.
    pub prefers_v2: bool,
    /// Other parts of the configuration, as in a configuration file; applied last.
    pub config: toml::Table,
    /// Their starts are spread over this time.
    pub start_within: Span,
    /// How long our application takes for a handshake, the round trip apart.
    pub handshake: TimeSpread,
    /// How often each open connection is pinged.
    pub ping_every: Span,
    /// How long a save takes to reach the disk.
    pub save_takes: Span,
}

impl Default for NodeSpec {
    fn default() -> Self {
        Self {
            count: 1,
            base: Base::Bitcoin,
            limits: None,
            connect_only: false,
            listens: false,
            is_known: false,
            has_identity: false,
            prefers_v2: false,
            config: toml::Table::new(),
            start_within: Span::default(),
            handshake: TimeSpread::Fixed(Span::millis(5)),
            ping_every: Span::secs(120),
            save_takes: Span::millis(50),
        }
    }
}

/// What a configuration starts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Base {
    /// [`Config::default`].
    Plain,
    /// [`Config::bitcoin`] of mainnet. Its seeds give way to those of the scenario.
    #[default]
    Bitcoin,
}

impl Base {
    /// The configuration itself.
    pub fn config(self) -> Config {
        match self {
            Self::Plain => Config::default(),
            Self::Bitcoin => Config::bitcoin(Chain::Mainnet),
        }
    }
}

/// Peers that the operator added, at each manager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PeerSpec {
    /// The population they belong to, or `nodes` for the managers of the world: each adds those after it.
    pub of: String,
    /// How many of it.
    pub count: u32,
    /// By their name instead of their address.
    #[serde(default)]
    pub by_name: bool,
    /// Populations whose hosts are further addresses of them: the first peer is also at the first host of each, and so
    /// on.
    #[serde(default)]
    pub or: Vec<String>,
    /// Each is wanted with the identity that its first address tells.
    #[serde(default)]
    pub identified: bool,
    /// Their misbehavior bans them, as it does everybody else.
    #[serde(default)]
    pub bannable: bool,
    /// For one connection only.
    #[serde(default)]
    pub once: bool,
    /// When they are added.
    #[serde(default)]
    pub at: Span,
    /// When they are removed again; absent: never.
    #[serde(default)]
    pub removed_at: Option<Span>,
}

impl PeerSpec {
    /// So many of a population, added by address at the beginning and kept.
    pub fn new(of: impl Into<String>, count: u32) -> Self {
        Self {
            of: of.into(),
            count,
            by_name: false,
            or: Vec::new(),
            identified: false,
            bannable: false,
            once: false,
            at: Span::default(),
            removed_at: None,
        }
    }
}

/// Inbound connections to each manager from outside the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InboundSpec {
    /// A name for reports.
    pub name: String,
    /// The time between two arrivals.
    pub every: TimeSpread,
    /// From when on.
    #[serde(default)]
    pub from: Span,
    /// Until when; absent: the end.
    #[serde(default)]
    pub until: Option<Span>,
    /// How many hosts they come from.
    pub hosts: u32,
    /// How many /24 groups these hosts are in.
    #[serde(default = "one")]
    pub groups: u32,
    /// All come from one host, each from its own port: peers behind one NAT.
    #[serde(default)]
    pub behind_nat: bool,
    /// How long the handshake takes; absent: it is never done.
    #[serde(default)]
    pub handshake: Option<TimeSpread>,
    /// How long they stay once ready; absent: until they are closed.
    #[serde(default)]
    pub stays: Option<TimeSpread>,
    /// The share of them that misbehaves right after the handshake, enough for a ban.
    #[serde(default)]
    pub misbehaves: Share,
    /// How many addresses each gossips once ready.
    #[serde(default)]
    pub tells: u32,
    /// The population they gossip about.
    #[serde(default)]
    pub tells_about: Option<String>,
}

impl InboundSpec {
    /// The address of one of its hosts, if it is the `sort`-th kind: from 150.0.0.0 on, a /12 for each.
    pub(crate) fn home(&self, sort: u16, host: u32) -> IpAddr {
        let first = (150 << 24) + (u32::from(sort % 64) << 20);
        let groups = self.groups.max(1);
        let (group, within) = (host % groups, 1 + host / groups % 254);
        let ip = if self.behind_nat { first + 1 } else { first + ((group & 0xfff) << 8) + within };
        IpAddr::V4(Ipv4Addr::from_bits(ip))
    }

    /// Every address of its hosts, once.
    pub(crate) fn homes(&self, sort: u16) -> Vec<IpAddr> {
        let mut homes: Vec<IpAddr> = (0..self.hosts).map(|host| self.home(sort, host)).collect();
        homes.sort_unstable();
        homes.dedup();
        homes
    }
}

const fn one() -> u32 {
    1
}
