//! The results of a campaign or a shard, as data that can be stored and merged.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::run::failure::{Failure, RunVerdict};
use crate::run::outcome::RunOutcome;
use crate::run::shard::Shard;
use crate::scenario::{Scenario, Span, random};

/// The version of the format.
const VERSION: u32 = 1;

/// The results of a campaign or a shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Results {
    version: u32,
    /// Which campaign.
    #[serde(with = "crate::types::hex")]
    key: u64,
    /// Which part of it, from 0 on.
    shard: u32,
    /// Of how many.
    shards: u32,
    /// By scenario, in the order of the campaign.
    pub scenarios: Vec<ScenarioResults>,
}

/// The results of one scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScenarioResults {
    /// Its name.
    pub name: String,
    /// Its name on a command line: its own name, unless it was read from a file; [`random::PREFIX`] for random
    /// worlds.
    pub source: String,
    /// The first seed of the whole campaign.
    first_seed: u64,
    /// The seed after the last.
    end_seed: u64,
    /// The probes it promises.
    promised: Vec<String>,
    /// How often each probe was reached.
    probes: BTreeMap<String, u64>,
    /// Each run, in the order of seeds.
    pub outcomes: Vec<RunOutcome>,
}

/// Why shards can't be merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There are none.
    #[error("there is nothing to put together")]
    Nothing,
    /// It is of another version.
    #[error("results of version {0}; this release reads version {VERSION}")]
    Version(u32),
    /// They are not of one campaign: other scenarios, seeds, or another release.
    #[error("not all of one campaign: other scenarios, seeds or another release")]
    OtherCampaign,
    /// A shard is there twice.
    #[error("shard {0} is there twice")]
    Twice(u32),
    /// A shard is missing.
    #[error("shard {0} is missing")]
    Missing(u32),
    /// Runs are missing.
    #[error("runs are missing")]
    Incomplete,
}

impl Results {
    pub(crate) fn new(key: u64, shard: Shard, scenarios: Vec<ScenarioResults>) -> Self {
        Self { version: VERSION, key, shard: shard.index(), shards: shard.count(), scenarios }
    }

    /// Merges all shards of one campaign, in any order.
    ///
    /// # Errors
    /// [`MergeError`] when they are not of one campaign, or not all of it.
    pub fn merge(mut parts: Vec<Self>) -> Result<Self, MergeError> {
        parts.sort_by_key(|part| part.shard);
        let first = parts.first().ok_or(MergeError::Nothing)?;
        let (key, shards) = (first.key, first.shards);
        let names: Vec<&String> = first.scenarios.iter().map(|scenario| &scenario.name).collect();
        for (part, index) in parts.iter().zip(0..) {
            if part.version != VERSION {
                return Err(MergeError::Version(part.version));
            }
            let is_alike = part.scenarios.iter().map(|scenario| &scenario.name).eq(names.iter().copied());
            if (part.key, part.shards) != (key, shards) || !is_alike {
                return Err(MergeError::OtherCampaign);
            }
            match part.shard.cmp(&index) {
                std::cmp::Ordering::Equal => {}
                std::cmp::Ordering::Less => return Err(MergeError::Twice(part.shard)),
                std::cmp::Ordering::Greater => return Err(MergeError::Missing(index)),
            }
        }
        let there = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        if there < shards {
            return Err(MergeError::Missing(there));
        }
        let mut parts = parts.into_iter();
        let mut whole = parts.next().ok_or(MergeError::Nothing)?;
        parts.for_each(|part| whole.scenarios.iter_mut().zip(part.scenarios).for_each(|(own, other)| own.join(other)));
        whole.scenarios.iter_mut().for_each(|scenario| scenario.outcomes.sort_by_key(|outcome| outcome.seed));
        (whole.shard, whole.shards) = (0, 1);
        if whole.scenarios.iter().all(ScenarioResults::is_complete) { Ok(whole) } else { Err(MergeError::Incomplete) }
    }

    /// Whether it is the whole campaign, so that missed probes count.
    pub const fn is_whole(&self) -> bool {
        self.shards == 1
    }

    /// How many runs.
    pub fn runs(&self) -> usize {
        self.scenarios.iter().map(|scenario| scenario.outcomes.len()).sum()
    }

    /// Steps of all runs.
    pub fn steps(&self) -> u64 {
        self.scenarios.iter().flat_map(|scenario| &scenario.outcomes).map(|outcome| outcome.steps).sum()
    }

    /// The digests of all runs, folded into one.
    pub fn digest(&self) -> u64 {
        let digest = |outcome: &RunOutcome| crate::types::fold(outcome.seed, outcome.digest);
        let of = |scenario: &ScenarioResults| {
            scenario.outcomes.iter().map(digest).fold(crate::types::text_key(&scenario.name), crate::types::fold)
        };
        self.scenarios.iter().map(of).fold(0, crate::types::fold)
    }

    /// Every failure, with its scenario and seed, in the order of the campaign.
    pub fn failures(&self) -> impl Iterator<Item = (&ScenarioResults, u64, &Failure)> {
        self.scenarios.iter().flat_map(|scenario| {
            let outcomes = scenario.outcomes.iter();
            outcomes
                .flat_map(move |outcome| outcome.failures.iter().map(move |failure| (scenario, outcome.seed, failure)))
        })
    }

    /// The probes that were promised and never reached; empty for a shard, which can't know.
    pub fn missed(&self) -> impl Iterator<Item = (&str, &str)> {
        let whole = self.is_whole();
        let scenarios = self.scenarios.iter().filter(move |_| whole);
        scenarios.flat_map(|scenario| scenario.missed().map(|probe| (&*scenario.name, probe)))
    }

    /// The worst verdict.
    pub fn verdict(&self) -> RunVerdict {
        let missed = self.missed().map(|_| RunVerdict::MissedProbe);
        self.failures().map(|(_, _, failure)| failure.verdict).chain(missed).max().unwrap_or_default()
    }

    /// The first run whose result differs in another run of the same campaign, by scenario and seed.
    pub fn differs_from(&self, other: &Self) -> Option<(String, u64)> {
        let both = self.scenarios.iter().zip(&other.scenarios);
        let first = |(one, two): (&ScenarioResults, &ScenarioResults)| {
            let differs = |(a, b): &(&RunOutcome, &RunOutcome)| a != b;
            let seed = one.outcomes.iter().zip(&two.outcomes).find(differs).map(|(outcome, _)| outcome.seed)?;
            Some((one.name.clone(), seed))
        };
        both.filter_map(first).next()
    }
}

impl ScenarioResults {
    /// The command that runs one of its seeds again.
    pub fn again(&self, seed: u64) -> String {
        let (command, source) = match &*self.source {
            random::PREFIX => ("rivals", format!("{}{seed}", random::PREFIX)),
            named => ("run", named.to_owned()),
        };
        let quoted = shlex::Quoter::new().allow_nul(true).quote(&source).unwrap_or_default();
        format!("connmgr-sim {command} {quoted} --seed {seed}")
    }

    /// Of random worlds, each run with the seed it is drawn from.
    pub(crate) fn random(seeds: Range<u64>) -> Self {
        let source = random::PREFIX.to_owned();
        Self { source, ..Self::new(&Scenario::new("random", Span::default()), seeds) }
    }

    pub(crate) fn new(scenario: &Scenario, seeds: Range<u64>) -> Self {
        Self {
            name: scenario.name.clone(),
            source: scenario.name.clone(),
            first_seed: seeds.start,
            end_seed: seeds.end,
            promised: scenario.expect.probes.clone(),
            probes: BTreeMap::new(),
            outcomes: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, outcome: RunOutcome) {
        for (probe, times) in outcome.probes.reached() {
            self.reached(probe.name(), times);
        }
        self.outcomes.push(outcome);
    }

    /// The probes it promises and did not reach in these runs.
    pub fn missed(&self) -> impl Iterator<Item = &str> {
        self.promised.iter().map(String::as_str).filter(|probe| !self.probes.contains_key(*probe))
    }

    /// How often each probe was reached.
    pub const fn probes(&self) -> &BTreeMap<String, u64> {
        &self.probes
    }

    fn reached(&mut self, probe: &str, times: u64) {
        let count = self.probes.entry(probe.to_owned()).or_default();
        *count = count.saturating_add(times);
    }

    fn join(&mut self, other: Self) {
        other.probes.iter().for_each(|(probe, times)| self.reached(probe, *times));
        self.outcomes.extend(other.outcomes);
    }

    fn is_complete(&self) -> bool {
        self.outcomes.iter().map(|outcome| outcome.seed).eq(self.first_seed..self.end_seed)
    }
}
