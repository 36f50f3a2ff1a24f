//! A saved failure: the whole scenario and the seed, so that it replays without the catalogue.

use serde::{Deserialize, Serialize};

use crate::run::failure::Failure;
use crate::run::outcome::{RunOutcome, Terms};
use crate::run::run;
use crate::scenario::Scenario;

/// The version of the format.
const VERSION: u32 = 1;

/// A failure and what reproduces it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    version: u32,
    /// The release in which it failed.
    pub release: String,
    /// The seed.
    pub seed: u64,
    /// Whether it was run with the canary.
    #[serde(default)]
    pub canary: bool,
    /// Which rng seeds the managers got, see [`Terms::birth`].
    #[serde(default)]
    pub birth: u32,
    /// Whether our manager was judged beside rivals.
    #[serde(default)]
    pub rivals: bool,
    /// What failed.
    pub failure: Failure,
    /// The scenario.
    pub scenario: Scenario,
}

/// Why a text is not a saved failure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoCase(String);

impl Case {
    /// The first failure of a run; none if it did not fail.
    pub fn of(scenario: &Scenario, terms: Terms, outcome: &RunOutcome) -> Option<Self> {
        Some(Self {
            version: VERSION,
            release: env!("CARGO_PKG_VERSION").to_owned(),
            seed: outcome.seed,
            canary: terms.canary,
            birth: terms.birth,
            rivals: terms.rivals,
            failure: outcome.failures.first()?.clone(),
            scenario: scenario.clone(),
        })
    }

    /// Reads a saved failure.
    ///
    /// # Errors
    /// [`NoCase`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, NoCase> {
        let case: Self = toml::from_str(text).map_err(|error| NoCase(error.to_string()))?;
        if case.version != VERSION {
            return Err(NoCase(format!("a failure of version {}; this release reads version {VERSION}", case.version)));
        }
        case.scenario.check().map_err(|error| NoCase(error.to_string()))?;
        Ok(case)
    }

    /// The text that [`Case::parse`] reads.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("a failure holds nothing that TOML can't say")
    }

    /// The same case with another failure.
    pub(crate) fn with(mut self, failure: Failure) -> Self {
        self.failure = failure;
        self
    }

    /// How it was run.
    pub fn terms(&self) -> Terms {
        Terms { canary: self.canary, birth: self.birth, rivals: self.rivals, ..Terms::default() }
    }

    /// Runs it again.
    pub fn run(&self) -> RunOutcome {
        run(&self.scenario, self.seed, self.terms())
    }
}
