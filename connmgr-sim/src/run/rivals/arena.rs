//! Whom ours is compared with: plain and paced models, in the same world with the same chances.

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

/// Whom ours is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rival {
    /// [`ParallelPlain`].
    Parallel,
    /// [`ParallelPlain`], in one network alone: where another is dead, it shows what the living one can give.
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

/// A while for other networks that answer, and are of no use.
const ANSWERS: Duration = Duration::from_secs(5);

/// A world at its beginning, with one subject or another to be born into it.
#[derive(Clone, Debug)]
pub(super) struct Arena {
    pub(super) plan: Arc<WorldMap>,
    config: Config,
}

impl Arena {
    /// Of a scenario. Nothing it expects is judged.
    pub(super) fn new(scenario: &Scenario, seed: u64) -> Result<Self, ConfigError> {
        let config = crate::scenario::config::of(scenario);
        config.check()?;
        let healed_at = scenario.healed_at().map(Instant::span);
        let unjudged = Scenario { expect: Expect { healed_at, ..Expect::default() }, ..scenario.clone() };
        Ok(Self { plan: Arc::new(WorldMap::new(unjudged, seed)), config })
    }

    /// All who can be compared in this world.
    pub(super) fn rivals(&self) -> Vec<Rival> {
        let networks = self.networks();
        let within = networks.iter().filter(|_| networks.len() > 1).map(|network| Rival::Within(*network));
        let plain = [Rival::Parallel].into_iter().chain(within);
        plain.chain([Rival::OneAtATime, Rival::CoreLike, Rival::BtcdLike]).collect()
    }

    /// Whether a rival has the same task by the same rules. btcd asks its seeds at once, whomever it knows. Who lives in
    /// one network shows how soon a pool can be filled, and no more: it has no connections that break in others, needs no
    /// dials to find that they are dead, and no hedging, which the operator may have limited.
    pub(super) fn is_fair(&self, rival: Rival, criterion: Criterion) -> bool {
        let scenario = &self.plan.scenario;
        match rival {
            Rival::BtcdLike => scenario.seeds.is_empty() || scenario.book.knows.is_empty(),
            Rival::Within(_) => criterion == Criterion::Fill && self.hedges(),
            Rival::Parallel | Rival::OneAtATime | Rival::CoreLike => true,
        }
    }

    /// Whether all slots may be given away by silent dials: the operator lets them, and the total has room.
    fn hedges(&self) -> bool {
        let split = connmgr_core::Split::new(&self.config.limits, self.config.mode, None, 0);
        let room = self.config.limits.total.saturating_sub(split.reserved());
        room.min(self.config.dial.max_hedged.unwrap_or(u32::MAX)) >= self.slots()
    }

    /// How long ours may look where a rival does not look as often, or not at all: until silent dials have given their
    /// slots away, twice at least, and once for each network; and a while for those that answer, and are of no use. Where
    /// the operator limited hedging, a dial into another network keeps its slot to the end of its handshake.
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

    /// Silent dials that the operator allows beyond one for each slot.
    pub(super) fn hedged_beyond(&self) -> u32 {
        self.config.dial.max_hedged.unwrap_or(0).saturating_sub(self.slots())
    }

    fn networks(&self) -> Vec<NetworkKind> {
        let has = |network: &NetworkKind| self.plan.scenario.hosts.iter().any(|spec| spec.network == *network);
        NetworkKind::ALL.into_iter().filter(has).collect()
    }

    /// Whether this world gives all the same task.
    ///
    /// Not where nobody can hold a full pool, or connections that were ready end soon: who is full for a moment has met
    /// many at once by luck. Nor where the machine sleeps and its clock stands still: an answer that comes too late comes
    /// in time for who happened to dial right before. Nor where peers are added: they have retries of their own, which
    /// the operator chose, and it is luck whether their addresses are connected already. Nor where hosts are of no use
    /// before they turn, or get themselves banned: who remembers that avoids them. Nor where nearly all are needed, and the
    /// operator has limited hedging. Nor where seeds can't be asked through
    /// the proxy: plain policies ask them beside it.
    pub(super) fn is_comparable(&self, criterion: Criterion) -> bool {
        let scenario = &self.plan.scenario;
        let spoils = |fault: &FaultKind| match fault {
            FaultKind::Suspend(monotonic) => *monotonic == Monotonic::Stops,
            // When it is noticed is luck, and whom it hits: who is full before has more to lose.
            FaultKind::HalfHanging(_) | FaultKind::NatReset => criterion == Criterion::Again,
            _ => false,
        };
        let turns = |spec: &HostSpec| {
            spec.turns.is_some() && behaves(spec, is_remembered) || criterion == Criterion::Again && turns_bad(spec)
        };
        let asks_beside = scenario.proxy.is_some_and(|proxy| proxy.for_all && !proxy.resolves);
        // Each wrong choice then holds up a slot for as long as a dial takes, and who is asked first is luck.
        let is_lottery = !self.hedges() && needs_nearly_all(&self.plan, self.slots());
        scenario.peers.is_empty()
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
        world.expect("the configuration was checked, and networks alone make none wrong")
    }

    /// Slots of automatic connections at the beginning.
    pub(super) fn slots(&self) -> u32 {
        let added = self.plan.scenario.peers.iter().filter(|spec| spec.at.0.is_zero()).map(|spec| spec.count).sum();
        let max_hedged = self.config.dial.max_hedged;
        let split = connmgr_core::Split::new(&self.config.limits, self.config.mode, max_hedged, added);
        split.full + split.block_relay
    }
}

/// Whether hosts do so at any time.
fn behaves(spec: &HostSpec, so: fn(&HostBehavior) -> bool) -> bool {
    so(&spec.behavior) || spec.turns.as_ref().is_some_and(|turn| so(&turn.into))
}

/// Whether a manager remembers of hosts for long that they were so.
const fn is_remembered(behavior: &HostBehavior) -> bool {
    matches!(behavior, HostBehavior::Mirror | HostBehavior::Useless | HostBehavior::Misbehave { .. })
}

/// Whether hosts turn and keep the connections that they have, or make new ones that don't count: so that who is full is
/// not full of good.
fn turns_bad(spec: &HostSpec) -> bool {
    let is_ready = |behavior: &HostBehavior| matches!(behavior, HostBehavior::ReadyThenClose(_));
    spec.turns.as_ref().is_some_and(|turn| turn.into != HostBehavior::Accept && (!turn.hang_up || is_ready(&turn.into)))
}

/// Whether a ready connection to hosts lasts as long as that.
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

/// A subject's runs in one world: each birth has another order of choices.
pub(super) trait Runs {
    /// One of them; and what it exceeded of its budget.
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
