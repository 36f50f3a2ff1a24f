//! A campaign's page: which scenarios failed, how to see each failure again, and how every figure is spread.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::axis::grouped;
use super::strip::Five;
use super::{headline, page, verdict};
use crate::run::failure::{Failure, RunVerdict};
use crate::run::results::{Results, ScenarioResults};
use crate::types::Figure;

/// Failures that are listed.
const MOST_FAILURES: usize = 1000;
/// What is said of a figure beside its picture.
const HEADS: [&str; 6] = ["Least", "Middle half", "Median", "Greatest", "Seed", "Never"];

/// Draws a page. `again` is the command that gives the same.
pub fn campaign(results: &Results, again: &str) -> String {
    let failures: Vec<(&ScenarioResults, u64, &Failure)> = results.failures().collect();
    let tiles = [
        ("Failures", grouped(failures.len() as u64)),
        ("Runs", grouped(results.runs() as u64)),
        ("Scenarios", grouped(results.scenarios.len() as u64)),
        ("Steps", grouped(results.steps())),
    ];
    let body = html! {
        (verdict::heading("Campaign", "Many runs: every scenario with many seeds.", results.verdict()))
        (headline::draw(&tiles))
        (page::filter("scenarios and failures"))
        (listed(&failures))
        (scenarios(results))
        section aria-labelledby="figures" {
            h2 #figures { "Measurements" }
            p.axes {
                "One value for each run: the greatest among its managers. Line: from the least to the greatest. Box: the "
                "middle half of the runs. Mark: the median. The scale is that of a square root, from zero. Seed: the first "
                "that gives the greatest. Never: runs in which it was not reached."
            }
            @for figure in Figure::ALL { (distribution(*figure, results)) }
        }
        section aria-labelledby="again" {
            h2 #again { "This campaign" }
            (verdict::again(again))
            dl.facts { dt { "Digest" } dd { code { (format!("{:016x}", results.digest())) } } }
        }
    };
    page::page("Campaign", 0.0, &body)
}

fn listed(failures: &[(&ScenarioResults, u64, &Failure)]) -> Markup {
    html! {
        @if !failures.is_empty() {
            section aria-labelledby="failed" {
                h2 #failed { "Failures" }
                @if failures.len() > MOST_FAILURES {
                    p { "The first " (grouped(MOST_FAILURES as u64)) " of " (grouped(failures.len() as u64)) "." }
                }
                ol.failures {
                    @for (scenario, seed, failure) in failures.iter().take(MOST_FAILURES) {
                        li.step tabindex="-1" {
                            strong { (scenario.name) ", seed " (seed) } " — " (failure)
                            br; code { (scenario.again(*seed)) }
                        }
                    }
                }
            }
        }
    }
}

fn scenarios(results: &Results) -> Markup {
    html! {
        section aria-labelledby="scenarios" {
            h2 #scenarios { "Scenarios" }
            table.plain.wide {
                caption { "Results by scenario" }
                thead {
                    tr {
                        th scope="col" { "Scenario" }
                        th.text scope="col" { "Verdict" }
                        @for head in ["Runs", "Failed", "Steps"] { th scope="col" { (head) } }
                        th.text scope="col" { "Promised states not reached" }
                    }
                }
                tbody { @for scenario in &results.scenarios { (row(scenario, results.is_whole())) } }
            }
        }
    }
}

fn row(scenario: &ScenarioResults, is_whole: bool) -> Markup {
    let failed = scenario.outcomes.iter().filter(|outcome| !outcome.failures.is_empty()).count();
    let steps: u64 = scenario.outcomes.iter().map(|outcome| outcome.steps).sum();
    let missed: Vec<&str> = scenario.missed().filter(|_| is_whole).collect();
    let worst = scenario.outcomes.iter().map(|outcome| outcome.verdict()).max().unwrap_or_default();
    let verdict = if missed.is_empty() { worst } else { worst.max(RunVerdict::MissedProbe) };
    let (class, sign) = if verdict == RunVerdict::Kept { ("kept", "✓") } else { ("broken", "✗") };
    html! {
        tr.step tabindex="-1" {
            th scope="row" { (scenario.name) }
            td.text.(class) { span aria-hidden="true" { (sign) } " " (verdict) }
            td { (grouped(scenario.outcomes.len() as u64)) }
            td { (grouped(failed as u64)) }
            td { (grouped(steps)) }
            td.text { @if missed.is_empty() { (if is_whole { "none" } else { "–" }) } @else { (missed.join(", ")) } }
        }
    }
}

fn distribution(figure: Figure, results: &Results) -> Markup {
    let rows: Vec<FigureSpread<'_>> = results.scenarios.iter().filter_map(|it| FigureSpread::of(figure, it)).collect();
    let top = rows.iter().map(|row| row.five.greatest).max().unwrap_or(0);
    let of = |number| headline::plain(figure, Some(number));
    html! {
        @if top > 0 {
            table.plain.wide.strips {
                caption { (headline::meaning(figure)) " " code { (figure) } }
                thead {
                    tr {
                        th scope="col" { "Scenario" }
                        th.text scope="col" { "0 to " (of(top)) }
                        @for head in HEADS { th scope="col" { (head) } }
                    }
                }
                tbody {
                    @for FigureSpread { scenario, five, worst, never } in rows {
                        @let [least, lower, median, upper, greatest] =
                            [five.least, five.lower, five.median, five.upper, five.greatest].map(of);
                        @let half = if lower == upper { lower } else { format!("{lower} – {upper}") };
                        @let numbers = [least, half, median, greatest];
                        tr.step tabindex="-1" {
                            th scope="row" { (scenario.name) }
                            td { (five.draw(top, &numbers.join(", "))) }
                            @for number in &numbers { td { (number) } }
                            td { (worst) }
                            td { (never) }
                        }
                    }
                }
            }
        }
    }
}

/// The distribution of a figure over a scenario's runs.
struct FigureSpread<'a> {
    scenario: &'a ScenarioResults,
    five: Five,
    /// The first seed with the greatest.
    worst: u64,
    /// In how many runs it was never reached.
    never: usize,
}

impl<'a> FigureSpread<'a> {
    /// None where the figure always is zero.
    fn of(figure: Figure, scenario: &'a ScenarioResults) -> Option<Self> {
        let outcomes = scenario.outcomes.iter();
        let came = outcomes.filter_map(|outcome| Some((outcome.figures.get(figure).most?, outcome.seed)));
        let came: Vec<(u64, u64)> = came.collect();
        let never = scenario.outcomes.len() - came.len();
        let (_, worst) = *came.iter().max_by_key(|(number, seed)| (*number, Reverse(*seed)))?;
        let five = Five::of(came.into_iter().map(|(number, _)| number).collect())?;
        (five.greatest > 0 || never > 0).then_some(Self { scenario, five, worst, never })
    }
}
