//! The rivals of our manager, in the same world with the same draws.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use connmgr_core::{Config, ConfigError, NetworkKind, NetworkSet, Patience};

use super::budget::Meter;
use super::course::{RunCourse, RunGoal, run};
use super::criterion::Criterion;
use crate::run::failure::Failure;
use crate::scenario::map::WorldMap;
use crate::scenario::random::{Outlook, needs_nearly_all, outlook};
use crate::scenario::{Expect, FaultKind, HostBehavior, HostSpec, Monotonic, Scenario, TimeSpread};
use crate::subject::models::{OneAtATime, PacedBtcd, PacedCore, ParallelPlain};
use crate::types::Instant;
use crate::world::subject::Subject;
use crate::world::{Scrutiny, World};

/// A rival of our manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rival {
    /// [`ParallelPlain`].
    Parallel,
    /// [`ParallelPlain`] in one network alone: if another is dead, it shows what the living one allows.
    Within(NetworkKind),
    /// [`OneAtATime`].
    OneAtATime,
    /// [`PacedCore`].
    CoreLike,
    /// [`PacedBtcd`].
    BtcdLike,
}

impl fmt::Display for Rival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parallel => f.pad("N at a time"),
            Self::Within(network) => f.pad(&format!("N in {network}")),
            Self::OneAtATime => f.pad("one at a time"),
            Self::CoreLike => f.pad("core-like"),
            Self::BtcdLike => f.pad("btcd-like"),
        }
    }
}

/// Allowed for other networks that answer and turn out useless.
const ANSWERS: Duration = Duration::from_secs(5);

/// A world at its beginning, in which any subject can be run.
#[derive(Clone, Debug)]
pub(super) struct Arena {
    pub(super) plan: Arc<WorldMap>,
    config: Config,
}

impl Arena {
    /// From a scenario. Its promises are not judged.
    pub(super) fn new(scenario: &Scenario, seed: u64) -> Result<Self, ConfigError> {
        let config = crate::scenario::config::of(scenario);
        config.check()?;
        let healed_at = scenario.healed_at().map(Instant::span);
        let unjudged = Scenario { expect: Expect { healed_at, ..Expect::default() }, ..scenario.clone() };
        Ok(Self { plan: Arc::new(WorldMap::new(unjudged, seed)), config })
    }

    /// All rivals in this world.
    pub(super) fn rivals(&self) -> Vec<Rival> {
        let networks = self.networks();
        let is_one_of_many = networks.len() > 1;
        // A configuration that leads nowhere is refused.
        let leads_there = |network: &NetworkKind| {
            let config = Config { networks: NetworkSet::EMPTY.with(*network), ..self.config.clone() };
            config.check().is_ok()
        };
        let within = networks.into_iter().filter(|network| is_one_of_many && leads_there(network)).map(Rival::Within);
        let plain = [Rival::Parallel].into_iter().chain(within);
        plain.chain([Rival::OneAtATime, Rival::CoreLike, Rival::BtcdLike]).collect()
    }

    /// Whether a rival has the same task under the same rules. btcd asks its seeds at once even if it knows addresses.
    /// A rival in one network only shows how soon a pool can be filled: it loses no connections in other networks,
    /// needs no dials to find them dead, and no hedging, which the operator may have limited.
    pub(super) fn is_fair(&self, rival: Rival, criterion: Criterion) -> bool {
        let scenario = &self.plan.scenario;
        match rival {
            Rival::BtcdLike => scenario.seeds.is_empty() || scenario.book.knows.is_empty(),
            Rival::Within(_) => criterion == Criterion::Fill && self.hedges(),
            Rival::Parallel | Rival::OneAtATime | Rival::CoreLike => true,
        }
    }

    /// Whether silent dials may give up all slots: the operator allows it, and the total has room.
    fn hedges(&self) -> bool {
        let split = connmgr_core::Split::new(&self.config.limits, self.config.mode, None, 0);
        let room = self.config.limits.total.saturating_sub(split.reserved());
        room.min(self.config.dial.max_hedged.unwrap_or(u32::MAX)) >= self.slots()
    }

    /// How much longer ours may take because it also looks into networks that a rival ignores or visits less often: at
    /// least two rounds, and one for each network, until silent dials give up their slots, and a while for those that
    /// answer and turn out useless. Where the operator limited hedging, a dial into another network keeps its slot
    /// until its handshake ends.
    pub(super) fn looks_elsewhere(&self, rival: Rival) -> Duration {
        let own = if let Rival::Within(network) = rival { Some(network) } else { None };
        let others: Vec<NetworkKind> = self.networks().into_iter().filter(|other| Some(*other) != own).collect();
        let (dial, proxies) = (self.config.dial, &self.config.proxies);
        let patience = |other: &NetworkKind| match proxies.for_network(*other) {
            Some(_) => dial.proxied,
            None => dial.direct,
        };
        let longest = |of: fn(Patience) -> Duration| others.iter().map(patience).map(of).max().unwrap_or_default();
        let rounds = u32::try_from(others.len().max(2)).expect("a handful");
        match own {
            _ if !self.hedges() && self.networks().len() > 1 => {
                (longest(|patience| patience.timeout) + self.config.handshake_timeout) * rounds
            }
            // A turn of each network may take all slots that there are.
            None if self.networks().len() > self.slots() as usize => {
                longest(|patience| patience.hedge_after) * rounds + ANSWERS
            }
            None => Duration::ZERO,
            Some(_) => longest(|patience| patience.hedge_after) * rounds + ANSWERS,
        }
    }

    /// How many silent dials the operator allows beyond one for each slot.
    pub(super) fn hedged_beyond(&self) -> u32 {
        self.config.dial.max_hedged.unwrap_or(0).saturating_sub(self.slots())
    }

    fn networks(&self) -> Vec<NetworkKind> {
        let has = |network: &NetworkKind| self.plan.scenario.hosts.iter().any(|spec| spec.network == *network);
        NetworkKind::ALL.into_iter().filter(has).collect()
    }

    /// Whether all policies have the same task in this world.
    ///
    /// Not comparable are worlds in which nobody can hold a full pool, or ready connections end soon: there a pool is
    /// full for a moment by chance. Worlds in which the machine sleeps while its clock stands still: late answers count
    /// for the policy that dialed just before. Worlds with added peers: the operator chose their retries, and chance decides
    /// whether their addresses are connected already. Worlds in which the operator bans subnets: simple policies dial
    /// there. Worlds whose hosts are useless before they turn, or get banned: a
    /// manager that remembers this avoids them. Worlds that need nearly all peers while the operator has limited
    /// hedging. Worlds whose seeds can't be asked through the proxy: simple policies ask them without it.
    pub(super) fn is_comparable(&self, criterion: Criterion) -> bool {
        let scenario = &self.plan.scenario;
        let spoils = |fault: &FaultKind| match fault {
            FaultKind::Suspend(monotonic) => *monotonic == Monotonic::Stops,
            // Chance decides when it is noticed and which connections it hits; a fuller pool has more to lose.
            FaultKind::HalfHanging(_) | FaultKind::NatReset => criterion == Criterion::Again,
            _ => false,
        };
        let turns = |spec: &HostSpec| {
            spec.turns.is_some() && behaves(spec, is_remembered) || criterion == Criterion::Again && turns_bad(spec)
        };
        let asks_beside = scenario.proxy.is_some_and(|proxy| proxy.for_all && !proxy.resolves);
        // Each wrong choice then blocks a slot for as long as a dial takes, and chance decides the order of choices.
        let is_lottery = !self.hedges() && needs_nearly_all(&self.plan, self.slots());
        scenario.peers.is_empty()
            && scenario.bans.is_empty()
            && !is_lottery
            && (scenario.seeds.is_empty() || !asks_beside)
            && outlook(&self.plan) != Outlook::Cannot
            && scenario.hosts.iter().all(|spec| lasts(spec, self.config.stable_after) && !turns(spec))
            && !scenario.faults.iter().any(|spec| spoils(&spec.fault))
    }

    /// The world before a subject of ours is born.
    pub(super) fn start<S: Subject>(&self) -> Start<S> {
        Start(self.world(self.config.clone()))
    }

    /// The world before a rival is born.
    pub(super) fn start_rival(&self, rival: Rival) -> Box<dyn Runs> {
        match rival {
            Rival::Parallel => Box::new(self.start::<ParallelPlain>()),
            Rival::Within(network) => {
                let config = Config { networks: NetworkSet::EMPTY.with(network), ..self.config.clone() };
                Box::new(Start(self.world::<ParallelPlain>(config)))
            }
            Rival::OneAtATime => Box::new(self.start::<OneAtATime>()),
            Rival::CoreLike => Box::new(self.start::<PacedCore>()),
            Rival::BtcdLike => Box::new(self.start::<PacedBtcd>()),
        }
    }

    fn world<S: Subject>(&self, config: Config) -> World<S> {
        let world = World::on(Arc::clone(&self.plan), config, Scrutiny::None, S::Watch::default());
        world.expect("the configuration was checked")
    }

    /// Slots of automatic connections at the beginning.
    pub(super) fn slots(&self) -> u32 {
        let added = self.plan.scenario.peers.iter().filter(|spec| spec.at.0.is_zero()).map(|spec| spec.count).sum();
        let max_hedged = self.config.dial.max_hedged;
        let split = connmgr_core::Split::new(&self.config.limits, self.config.mode, max_hedged, added);
        split.full + split.block_relay
    }
}

/// Whether hosts behave so before or after a turn.
fn behaves(spec: &HostSpec, so: fn(&HostBehavior) -> bool) -> bool {
    so(&spec.behavior) || spec.turns.as_ref().is_some_and(|turn| so(&turn.into))
}

/// Whether a manager remembers this behavior for long.
const fn is_remembered(behavior: &HostBehavior) -> bool {
    matches!(behavior, HostBehavior::Mirror | HostBehavior::Useless | HostBehavior::Misbehave { .. })
}

/// Whether hosts turn bad but keep their connections, or accept new ones that do not count, so that a full pool may
/// hold bad ones.
fn turns_bad(spec: &HostSpec) -> bool {
    let is_ready = |behavior: &HostBehavior| matches!(behavior, HostBehavior::ReadyThenClose(_));
    spec.turns.as_ref().is_some_and(|turn| turn.into != HostBehavior::Accept && (!turn.hang_up || is_ready(&turn.into)))
}

/// Whether a ready connection to these hosts lasts that long.
fn lasts(spec: &HostSpec, stable_after: Duration) -> bool {
    let is_long = |life: &TimeSpread| life.least() >= stable_after;
    let behaves_so = |behavior: &HostBehavior| match behavior {
        HostBehavior::ReadyThenClose(life) => is_long(life),
        HostBehavior::Windows { .. } | HostBehavior::Misbehave { .. } => false,
        _ => true,
    };
    let turned = spec.turns.as_ref().map(|turn| &turn.into);
    [Some(&spec.behavior), turned].into_iter().flatten().all(behaves_so)
        && spec.session.as_ref().is_none_or(is_long)
        && spec.churn.as_ref().is_none_or(|churn| is_long(&churn.up))
}

/// The runs of a subject in one world. Each birth has another order of choices.
pub(super) trait Runs {
    /// One run, and its excesses of the budget.
    fn course(&self, birth: u32, goal: RunGoal) -> (RunCourse, Vec<Failure>);
}

/// A world before its subject is born.
pub(super) struct Start<S: Subject>(World<S>);

impl<S: Subject> Runs for Start<S> {
    fn course(&self, birth: u32, goal: RunGoal) -> (RunCourse, Vec<Failure>) {
        let mut world = self.0.clone().born(birth);
        let mut meter = Meter::new(&world.plan().scenario, 0);
        let course = run(&mut world, goal, &mut meter, false).unwrap_or_default();
        (course, meter.close(&world))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Acquaintance, Span};

    /// A pool of ten among so many hosts, with so many silent dials beyond the slots allowed.
    fn is_comparable(hosts: u32, max_hedged: Option<u32>) -> bool {
        let mut scenario = Scenario::new("world", Span::minutes(10));
        scenario.hosts.push(HostSpec::new("hosts", hosts));
        let (of, seen_within) = ("hosts".to_owned(), Span::days(1));
        scenario.book.knows.push(Acquaintance { of, count: None, seen_within, tried: false });
        let dial = max_hedged.map(|most| toml::Table::from_iter([("max_hedged".to_owned(), i64::from(most).into())]));
        scenario.node.config = dial.map(|dial| ("dial".to_owned(), dial.into())).into_iter().collect();
        let arena = Arena::new(&scenario, 1).expect("a sound configuration");
        assert_eq!(arena.slots(), 10);
        arena.is_comparable(Criterion::Fill)
    }

    #[test]
    fn it_is_a_lottery_where_nearly_all_are_needed_and_hedging_is_limited() {
        assert!(!is_comparable(15, Some(9)), "each wrong choice holds up a slot");
        assert!(is_comparable(16, Some(9)), "there are others to choose");
        assert!(is_comparable(15, Some(10)), "all slots may be given away");
        assert!(is_comparable(15, None));
    }
}
