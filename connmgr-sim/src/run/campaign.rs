//! A campaign: many seeds of many scenarios, and random worlds, on all cores or spread over machines in shards.
//!
//! Results do not depend on the number of threads or shards: the work list is fixed, each run stands
//! alone, and results are in the order of the list.

use std::borrow::Cow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::run::failure::{Failure, RunVerdict};
use crate::run::outcome::{RunOutcome, Terms};
use crate::run::results::{Results, ScenarioResults};
use crate::run::run;
use crate::run::shard::Shard;
use crate::scenario::Scenario;

/// Seeds of a scenario by default: more where a run is quick.
const SEEDS_OF_ONE: u64 = 200;
const SEEDS_OF_FEW: u64 = 20;
const SEEDS_OF_MANY: u64 = 3;
/// More managers than this are many.
const FEW: u32 = 20;

/// Many seeds of many scenarios.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The scenarios, each by a name of its own.
    pub scenarios: Vec<Scenario>,
    /// The first seed.
    pub first_seed: u64,
    /// How many of each scenario; absent: 200 of those with one manager, 3 of those with more than 20, else 20.
    pub seeds: Option<u64>,
    /// How many random worlds beside the scenarios: one for each seed from the first on, run with that seed.
    pub random: u64,
    /// How each run is made.
    pub terms: Terms,
    /// Which part of the work is done here.
    pub shard: Shard,
}

/// One run to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Item {
    /// Which scenario; one beyond the last for a random world.
    scenario: usize,
    seed: u64,
}

impl Campaign {
    /// A whole campaign of scenarios, from seed 1 on.
    pub fn new(scenarios: Vec<Scenario>) -> Self {
        Self { scenarios, first_seed: 1, seeds: None, random: 0, terms: Terms::default(), shard: Shard::WHOLE }
    }

    /// How many runs this part of it has.
    pub fn len(&self) -> usize {
        self.work().len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes every run of this part on `jobs` threads, and calls `done` after each, in any order.
    pub fn run(&self, jobs: usize, done: &(dyn Fn(&Scenario, &RunOutcome) + Sync)) -> Results {
        let work = self.work();
        let outcomes = Mutex::new(vec![None; work.len()]);
        let next = AtomicUsize::new(0);
        let labour = || {
            while let Some((place, item)) = take(&next, &work) {
                let scenario = self.scenario(*item);
                let outcome = run(&scenario, item.seed, self.terms(*item));
                done(&scenario, &outcome);
                outcomes.lock().expect("nobody panics while holding it")[place] = Some(outcome);
            }
        };
        std::thread::scope(|scope| (0..jobs.max(1)).for_each(|_| drop(scope.spawn(labour))));
        let outcomes = outcomes.into_inner().expect("nobody panics while holding it").into_iter().flatten();
        self.results(work.iter().zip(outcomes))
    }

    /// Runs everything twice, on one thread and on `jobs` threads, and compares.
    ///
    /// # Errors
    /// The first run with two results.
    pub fn run_twice(
        &self,
        jobs: usize,
        done: &(dyn Fn(&Scenario, &RunOutcome) + Sync),
    ) -> Result<Results, Box<(String, Failure)>> {
        let (alone, together) = (self.run(1, done), self.run(jobs, done));
        match alone.differs_from(&together) {
            None => Ok(alone),
            Some((scenario, seed)) => {
                let what = format!("seed {seed} came to one thing on one thread, and to another on {jobs}");
                let verdict = RunVerdict::NonDeterminism;
                let rule = "determinism".to_owned();
                let failure = Failure { verdict, rule, at: Default::default(), node: 0, step: 0, what };
                Err(Box::new((scenario, failure)))
            }
        }
    }

    /// A number for release, scenarios and seeds, equal for all shards of a campaign.
    pub fn key(&self) -> u64 {
        let release = format!("{} {} {:?}", env!("CARGO_PKG_VERSION"), connmgr_core::TRACE_VERSION, self.terms);
        let texts = self.scenarios.iter().map(|scenario| crate::types::text_key(&scenario.to_toml()));
        let numbers = [self.first_seed, self.seeds.unwrap_or(u64::MAX), self.random].into_iter().chain(texts);
        numbers.fold(crate::types::text_key(&release), crate::types::fold)
    }

    /// The seeds of a scenario.
    pub fn seeds_of(&self, scenario: &Scenario) -> std::ops::Range<u64> {
        let usual = match scenario.node.count {
            0..=1 => SEEDS_OF_ONE,
            2..=FEW => SEEDS_OF_FEW,
            _ => SEEDS_OF_MANY,
        };
        self.first_seed..self.first_seed.saturating_add(self.seeds.unwrap_or(usual))
    }

    /// The seeds of the random worlds.
    pub fn random_seeds(&self) -> std::ops::Range<u64> {
        self.first_seed..self.first_seed.saturating_add(self.random)
    }

    /// Random worlds promise nothing, so that our manager is judged beside rivals in them.
    fn terms(&self, item: Item) -> Terms {
        let rivals = self.terms.rivals || item.scenario >= self.scenarios.len();
        Terms { rivals, ..self.terms }
    }

    /// Random worlds are drawn when they are run: thousands of them would fill the memory.
    fn scenario(&self, item: Item) -> Cow<'_, Scenario> {
        let named = self.scenarios.get(item.scenario);
        named.map_or_else(|| Cow::Owned(crate::scenario::random::scenario(item.seed)), Cow::Borrowed)
    }

    fn work(&self) -> Vec<Item> {
        let of = |(scenario, spec): (usize, &Scenario)| self.seeds_of(spec).map(move |seed| Item { scenario, seed });
        let random = self.random_seeds().map(|seed| Item { scenario: self.scenarios.len(), seed });
        let whole = self.scenarios.iter().enumerate().flat_map(of).chain(random);
        whole.enumerate().filter(|(place, _)| self.shard.has(*place)).map(|(_, item)| item).collect()
    }

    fn results<'a>(&self, outcomes: impl Iterator<Item = (&'a Item, RunOutcome)>) -> Results {
        let mut scenarios: Vec<ScenarioResults> =
            self.scenarios.iter().map(|scenario| ScenarioResults::new(scenario, self.seeds_of(scenario))).collect();
        scenarios.extend((self.random > 0).then(|| ScenarioResults::random(self.random_seeds())));
        outcomes.for_each(|(item, outcome)| scenarios[item.scenario].add(outcome));
        Results::new(self.key(), self.shard, scenarios)
    }
}

fn take<'a>(next: &AtomicUsize, work: &'a [Item]) -> Option<(usize, &'a Item)> {
    let place = next.fetch_add(1, Ordering::Relaxed);
    Some((place, work.get(place)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{HostSpec, PeerSpec, Span};

    /// Two small worlds with a peer each, quick to run.
    fn campaign() -> Campaign {
        let scenarios = ["one", "two"].map(|name| {
            let mut scenario = Scenario::new(name, Span::minutes(5));
            scenario.hosts.push(HostSpec::new("honest", 5));
            let of = "honest".to_owned();
            let at = Span::default();
            scenario.peers.push(PeerSpec { at, ..PeerSpec::new(of, 2) });
            scenario
        });
        Campaign { seeds: Some(4), ..Campaign::new(scenarios.into()) }
    }

    fn quietly(campaign: &Campaign, jobs: usize) -> Results {
        campaign.run(jobs, &|_, _| {})
    }

    #[test]
    fn the_number_of_jobs_changes_nothing() {
        let campaign = campaign();
        let alone = quietly(&campaign, 1);
        assert_eq!(alone.runs(), 8);
        assert_eq!(alone, quietly(&campaign, 3));
        assert_eq!(alone.digest(), quietly(&campaign, 3).digest());
    }

    #[test]
    fn another_first_seed_is_another_campaign() {
        let other = Campaign { first_seed: 2, ..campaign() };
        assert_ne!(other.key(), campaign().key());
        assert_ne!(quietly(&other, 1).digest(), quietly(&campaign(), 1).digest());
    }

    #[test]
    fn random_worlds_come_to_the_same_whoever_works_and_each_is_run_again_by_its_seed() {
        let campaign = |first_seed| Campaign { first_seed, random: 20, ..Campaign::new(Vec::new()) };
        let alone = quietly(&campaign(7), 1);
        assert_eq!((alone.runs(), &*alone.scenarios[0].name), (20, "random"));
        assert_eq!(alone, quietly(&campaign(7), 3));
        assert_ne!(alone.digest(), quietly(&campaign(8), 1).digest());
        let outcome = &alone.scenarios[0].outcomes[4];
        let terms = Terms { rivals: true, ..Terms::default() };
        assert_eq!(run(&crate::scenario::random::scenario(11), 11, terms), *outcome);
        assert_eq!(alone.scenarios[0].again(11), "connmgr-sim rivals random:11 --seed 11");
    }

    #[test]
    fn shards_put_together_are_the_whole() {
        let shard = |index| Campaign { shard: Shard::new(index, 3).expect("one of three"), random: 4, ..campaign() };
        let whole = Campaign { random: 4, ..campaign() };
        let shards: Vec<Results> = [2, 0, 1].map(|index| quietly(&shard(index), 1)).into();
        assert_eq!(Results::merge(shards), Ok(quietly(&whole, 2)));
    }
}
