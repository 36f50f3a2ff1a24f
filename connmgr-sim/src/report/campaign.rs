//! A campaign's page: which scenarios failed, how to see each failure again, and how every figure is spread.

use maud::{Markup, html};

use super::axis::grouped;
use super::strip::Five;
use super::{page, verdict};
use crate::Verdict;
use crate::failure::Failure;
use crate::figures::Figure;
use crate::results::{Results, ScenarioResults};

/// Failures that are listed.
const MOST_FAILURES: usize = 1000;

/// Draws a page. `again` is the command that gives the same.
pub fn campaign(results: &Results, again: &str) -> String {
    let failures: Vec<(&str, u64, &Failure)> = results.failures().collect();
    let about = format!(
        "{} runs of {} scenarios, {} steps; {} failures.",
        grouped(results.runs() as u64),
        results.scenarios.len(),
        grouped(results.steps()),
        grouped(failures.len() as u64)
    );
    let body = html! {
        (verdict::heading("Campaign", &about, results.verdict()))
        (verdict::again(again))
        dl.facts { dt { "Digest" } dd { code { (format!("{:016x}", results.digest())) } } }
        (page::filter("scenarios and failures"))
        (listed(&failures))
        (scenarios(results))
        section aria-labelledby="figures" {
            h2 #figures { "Figures" }
            p { "Of each run the greatest among its managers. Line: from least to greatest; box: the middle half; mark: "
                "the median. The scale of each figure is that of a square root, from zero." }
            @for figure in Figure::ALL { (distribution(*figure, results)) }
        }
    };
    page::page("Campaign", 0.0, &body)
}

fn listed(failures: &[(&str, u64, &Failure)]) -> Markup {
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
                            strong { (scenario) ", seed " (seed) ": " (failure.rule) } " — " (failure)
                            br; code { (format!("connmgr-sim run {scenario} --seed {seed}")) }
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
                caption { "What came of each" }
                thead {
                    tr {
                        @for head in ["Scenario", "Verdict", "Runs", "Failed", "Steps", "Promised states not reached"] {
                            th scope="col" { (head) }
                        }
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
    let verdict = if missed.is_empty() { worst } else { worst.max(Verdict::MissedProbe) };
    let (class, sign) = if verdict == Verdict::Kept { ("kept", "✓") } else { ("broken", "✗") };
    html! {
        tr.step tabindex="-1" {
            th scope="row" { (scenario.name) }
            td.(class) { span aria-hidden="true" { (sign) } " " (verdict) }
            td { (grouped(scenario.outcomes.len() as u64)) }
            td { (grouped(failed as u64)) }
            td { (grouped(steps)) }
            td { (missed.join(", ")) }
        }
    }
}

fn distribution(figure: Figure, results: &Results) -> Markup {
    let rows: Vec<(&ScenarioResults, Five, usize)> =
        results.scenarios.iter().filter_map(|it| five(figure, it)).collect();
    let top = rows.iter().map(|(_, five, _)| five.greatest).max().unwrap_or(0);
    let of = |number| figure.text(Some(number));
    html! {
        @if top > 0 {
            table.plain.wide.strips {
                caption { (figure) }
                thead {
                    tr {
                        th scope="col" { "Scenario" }
                        th scope="col" { "From 0 to " (of(top)) }
                        @for head in ["Least", "Lower", "Median", "Upper", "Greatest", "Never"] { th scope="col" { (head) } }
                    }
                }
                tbody {
                    @for (scenario, five, never) in rows {
                        @let numbers = [five.least, five.lower, five.median, five.upper, five.greatest].map(of);
                        tr.step tabindex="-1" {
                            th scope="row" { (scenario.name) }
                            td { (five.draw(top, &numbers.join(", "))) }
                            @for number in &numbers { td { (number) } }
                            td { @if never > 0 { (never) } }
                        }
                    }
                }
            }
        }
    }
}

/// How a figure is spread over a scenario's runs, and in how many it never came; none where it always is zero.
fn five(figure: Figure, scenario: &ScenarioResults) -> Option<(&ScenarioResults, Five, usize)> {
    let values = scenario.outcomes.iter().map(|outcome| outcome.figures.get(figure).most);
    let came: Vec<u64> = values.flatten().collect();
    let never = scenario.outcomes.len() - came.len();
    let five = Five::of(came)?;
    (five.greatest > 0 || never > 0).then_some((scenario, five, never))
}
