//! A sweep: one scenario at several values of a parameter, and a figure at each.

use crate::run::campaign::Campaign;
use crate::run::outcome::{RunOutcome, Terms};
use crate::run::results::ScenarioResults;
use crate::run::shard::Shard;
use crate::scenario::{Expect, Scenario, ScenarioError, Span};
use crate::types::{Figure, Instant};
use crate::world::Scrutiny;

/// One scenario at several values of a parameter.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The name of the parameter.
    pub parameter: String,
    /// What is measured.
    pub figure: Figure,
    /// Seeds at each value, from the first on.
    pub seeds: u64,
    /// The first seed.
    pub first_seed: u64,
    values: Vec<String>,
    scenarios: Vec<Scenario>,
}

/// The figure at one value, over all seeds. `None` where it was never reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The value.
    pub value: String,
    /// The least.
    pub least: Option<u64>,
    /// The median.
    pub median: Option<u64>,
    /// The greatest.
    pub most: Option<u64>,
}

impl Sweep {
    /// Sets the field of a scenario at a path such as `hosts.0.reachable` to each value in turn.
    ///
    /// # Errors
    /// When there is no such field, or a value does not fit.
    pub fn of_field(scenario: &Scenario, path: &str, values: &[String], figure: Figure) -> Result<Self, ScenarioError> {
        let at = |value: &String| scenario.with_field(path, value);
        let scenarios = values.iter().map(at).collect::<Result<_, _>>()?;
        Ok(Self::new(path, figure, values.to_vec(), scenarios))
    }

    /// The time to target against the share of addresses that answer.
    pub fn reachable() -> Self {
        let values = ["4 %", "11 %", "15 %", "25 %", "60 %", "100 %"].map(str::to_owned);
        let scenario = crate::scenario::catalogue::find("scarce").expect("it is in the catalogue");
        let scenarios = values.iter().map(|value| scenario.with_field("hosts.0.reachable", value));
        let scenarios = scenarios.collect::<Result<_, _>>().expect("every value is a share");
        Self::new("share of addresses that answer", Figure::ToTarget, values.to_vec(), scenarios)
    }

    /// The time to recover against the length of an outage.
    pub fn outage() -> Self {
        let spans = [10, 60, 300, 1800, 3600, 6 * 3600, 24 * 3600, 72 * 3600].map(Span::secs);
        let scenario = crate::scenario::catalogue::find("outage").expect("it is in the catalogue");
        let scenarios = spans.iter().map(|span| {
            let mut scenario = scenario.clone();
            scenario.faults.iter_mut().for_each(|fault| fault.lasts = Some(*span));
            scenario.duration = Span(span.0 + std::time::Duration::from_secs(2 * 3600));
            scenario
        });
        Self::new(
            "length of the outage",
            Figure::ToRecover,
            spans.map(|span| span.to_string()).to_vec(),
            scenarios.collect(),
        )
    }

    fn new(parameter: &str, figure: Figure, values: Vec<String>, scenarios: Vec<Scenario>) -> Self {
        let mut scenarios = scenarios;
        for (number, scenario) in scenarios.iter_mut().enumerate() {
            // Nothing is judged: the promises were made for other values.
            let healed_at = scenario.healed_at().map(Instant::span);
            scenario.expect = Expect { healed_at, ..Expect::default() };
            scenario.name = format!("{}-{number}", scenario.name);
        }
        Self { parameter: parameter.to_owned(), figure, seeds: 9, first_seed: 1, values, scenarios }
    }

    /// How many runs it takes.
    pub fn len(&self) -> usize {
        self.campaign().len()
    }

    /// Whether there is nothing to run.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Makes every run, on so many threads, and tells when one is done. What comes of it does not depend on them.
    pub fn run(&self, jobs: usize, done: &(dyn Fn(&Scenario, &RunOutcome) + Sync)) -> Vec<Point> {
        let results = self.campaign().run(jobs, done);
        let points = self.values.iter().zip(&results.scenarios);
        points.map(|(value, results)| point(value, results, self.figure)).collect()
    }

    fn campaign(&self) -> Campaign {
        Campaign {
            scenarios: self.scenarios.clone(),
            first_seed: self.first_seed,
            seeds: Some(self.seeds),
            random: 0,
            terms: Terms { scrutiny: Scrutiny::None, ..Terms::default() },
            shard: Shard::WHOLE,
        }
    }

    /// The points as comma-separated values: durations in seconds, nothing where a figure never came.
    pub fn csv(&self, points: &[Point]) -> String {
        let text = |value: Option<u64>| value.map_or(String::new(), |value| self.figure.text(Some(value)));
        let line = |point: &Point| {
            let Point { value, least, median, most } = point;
            format!("{},{},{},{}\n", quoted(value), text(*least), text(*median), text(*most))
        };
        let head = format!("{},{} least,median,most\n", quoted(&self.parameter), self.figure);
        std::iter::once(head).chain(points.iter().map(line)).collect()
    }
}

fn point(value: &str, results: &ScenarioResults, figure: Figure) -> Point {
    // What never came is greater than all that did.
    let values = results.outcomes.iter().map(|outcome| outcome.figures.get(figure).most.unwrap_or(u64::MAX));
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    let at = |place: usize| values.get(place).copied().filter(|value| *value < u64::MAX);
    let last = values.len().saturating_sub(1);
    Point { value: value.to_owned(), least: at(0), median: at(last / 2), most: at(last) }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Scenario {
        let mut scenario = Scenario::new("small", Span::minutes(30));
        scenario.hosts.push(crate::scenario::HostSpec::new("all", 200));
        scenario.book.knows.push(crate::scenario::Acquaintance {
            of: "all".into(),
            count: None,
            seen_within: Span::days(1),
            tried: false,
        });
        scenario
    }

    #[test]
    fn fewer_who_answer_take_longer() {
        let values = ["100 %".to_owned(), "15 %".to_owned()];
        let mut sweep = Sweep::of_field(&small(), "hosts.0.reachable", &values, Figure::ToTarget).expect("a field");
        sweep.seeds = 3;
        let points = sweep.run(2, &|_, _| ());
        assert!(points[0].most < points[1].least, "{points:?}");
        assert_eq!(points, sweep.run(1, &|_, _| ()));
        assert!(sweep.csv(&points).starts_with("hosts.0.reachable,seconds-to-target least,median,most\n100 %,"));
    }

    #[test]
    fn a_wrong_path_or_value_is_an_error_that_names_it() {
        let error = |path: &str, value: &str| {
            Sweep::of_field(&small(), path, &[value.to_owned()], Figure::Dials).expect_err("a mistake").to_string()
        };
        assert!(error("hosts.7.reachable", "4 %").contains("`7` is not there"));
        assert!(error("hosts.0.reachible", "4 %").contains("did you mean `reachable`"));
        assert!(error("hosts.0.reachable", "lots").contains("is not a share"));
    }
}
