//! A scenario: a world, its hosts and its faults, as plain data.
//!
//! It runs nothing: [`World::new`](crate::World::new) makes a world of it and a seed. Everything
//! in it can be written as TOML, can be removed (this is how failures shrink), and has a bound.

mod ban;
mod book;
pub mod catalogue;
mod check;
pub mod config;
mod expect;
mod fault;
mod field;
mod host;
pub(crate) mod known;
pub(crate) mod land;
pub mod map;
mod network;
mod node;
pub(crate) mod published;
pub mod random;
mod read;
mod spread;
mod stays;

use crate::types::Instant;
use serde::{Deserialize, Serialize};

pub use crate::types::Span;
pub use ban::{BanSpec, BannedSubnet};
pub use book::{Acquaintance, BookSpec};
pub use expect::{Bound, Expect};
pub use fault::{FaultKind, FaultSpec, Monotonic, OwnError, OwnFailures, ShareOf};
pub use host::{Churn, Gossip, HostBehavior, HostSpec, HostTurn};
pub use network::{NamesSpec, ProxyFault, ProxySpec, SeedBehavior, SeedSpec, SeedTurn};
pub use node::{Base, InboundSpec, NodeSpec, PeerSpec};
pub use read::ScenarioError;
pub use spread::TimeSpread;

/// The version of the format; another is refused.
pub const SCENARIO_VERSION: u32 = 1;

/// A world, its hosts and its faults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// [`SCENARIO_VERSION`].
    pub version: u32,
    /// Its name: letters, digits and hyphens.
    pub name: String,
    /// What it shows, in a sentence.
    pub about: String,
    /// How long it lasts.
    pub duration: Span,
    /// The managers.
    #[serde(default)]
    pub node: NodeSpec,
    /// The hosts around them, in populations.
    #[serde(default)]
    pub hosts: Vec<HostSpec>,
    /// Peers that the operator added.
    #[serde(default)]
    pub peers: Vec<PeerSpec>,
    /// Inbound connections from outside the world.
    #[serde(default)]
    pub inbound: Vec<InboundSpec>,
    /// Subnets that the operator bans.
    #[serde(default)]
    pub bans: Vec<BanSpec>,
    /// What the managers know at the start.
    #[serde(default)]
    pub book: BookSpec,
    /// DNS seeds.
    #[serde(default)]
    pub seeds: Vec<SeedSpec>,
    /// Names of added peers.
    #[serde(default)]
    pub names: NamesSpec,
    /// The proxy, if there is one.
    #[serde(default)]
    pub proxy: Option<ProxySpec>,
    /// What goes wrong, and when.
    #[serde(default)]
    pub faults: Vec<FaultSpec>,
    /// What it promises.
    #[serde(default)]
    pub expect: Expect,
}

impl Scenario {
    /// An empty world with this name: one manager and no hosts.
    pub fn new(name: &str, duration: Span) -> Self {
        Self { version: SCENARIO_VERSION, name: name.to_owned(), duration, ..Self::default() }
    }

    /// Whether a process may end without a word, so that the next one starts with what was saved before.
    pub fn crashes(&self) -> bool {
        self.faults.iter().any(|spec| spec.fault.crashes())
    }

    /// When the world is healthy again: as `expect.healed-at` says, or when the last fault has ended and every `turns`
    /// and every beginning and end of a ban has happened. `None` if a fault lasts to the end.
    pub fn healed_at(&self) -> Option<Instant> {
        if let Some(at) = self.expect.healed_at {
            return Some(Instant::ZERO.after(at.0));
        }
        let end = Instant::ZERO.after(self.duration.0);
        let hosts = self.hosts.iter().filter_map(|spec| Some(spec.turns.as_ref()?.at));
        let seeds = self.seeds.iter().filter_map(|spec| Some(spec.turns?.at));
        let bans = self.bans.iter().flat_map(|spec| spec.changes(end));
        let turns = hosts.chain(seeds).map(|at| Instant::ZERO.after(at.0));
        let mut last = turns.chain(bans).max().unwrap_or(Instant::ZERO);
        for spec in &self.faults {
            for (begins, ends) in spec.times(end) {
                let over = ends.or_else(|| spec.fault.is_jump().then_some(begins));
                last = last.max(over?);
            }
        }
        Some(last)
    }
}
