//! A run made for its page.

use maud::{Markup, html};

use super::axis::{Tick, Times, grouped};
use super::befell::Befell;
use super::{course, figures, lanes, page, verdict};
use crate::check::Property;
use crate::diary::Diary;
use crate::run::{Outcome, Terms, finish};
use crate::subject::Real;
use crate::watch::Watch;
use crate::world::{Mark, Scrutiny, World};
use crate::{Instant, Scenario};

/// A run that was looked at closely.
struct Seen {
    outcome: Outcome,
    diary: Box<Diary>,
    marks: Vec<Mark>,
    node: u32,
    end: Instant,
}

/// Runs a scenario with a seed, and draws a page. `again` is the command that gives the same.
///
/// One manager is shown: the first, or the one that failed.
pub fn run(scenario: &Scenario, seed: u64, terms: Terms, again: &str) -> (Outcome, String) {
    let Some(seen) = see(scenario, seed, terms) else {
        let outcome = crate::run(scenario, seed, terms);
        let body = html! {
            (verdict::heading(&scenario.name, &scenario.about, outcome.verdict()))
            (verdict::again(again))
            (verdict::failures(&outcome.failures, &[]))
        };
        let page = page::page(&scenario.name, 0.0, &body);
        return (outcome, page);
    };
    let page = draw(scenario, terms, &seen, again);
    (seen.outcome, page)
}

/// None when the world could not even begin.
fn see(scenario: &Scenario, seed: u64, terms: Terms) -> Option<Seen> {
    let seen = watching(scenario, seed, terms, 0)?;
    match seen.outcome.failures.first().map(|failure| failure.node) {
        Some(node @ 1..) => watching(scenario, seed, terms, node),
        Some(0) | None => Some(seen),
    }
}

fn watching(scenario: &Scenario, seed: u64, terms: Terms, node: u32) -> Option<Seen> {
    let mut watch = Watch::default();
    watch.diary = Some(Box::default());
    let begun = std::panic::catch_unwind(|| World::<Real>::watched(scenario.clone(), seed, terms.scrutiny, watch));
    let mut world = begun.ok()?.ok()?.watching(node);
    let outcome = finish(&mut world);
    let diary = world.take_diary()?;
    let end = world.now().max(diary.now());
    Some(Seen { outcome, diary, marks: world.marks().to_vec(), node, end })
}

fn draw(scenario: &Scenario, terms: Terms, seen: &Seen, again: &str) -> String {
    let Seen { outcome, diary, marks, end, .. } = seen;
    let title = format!("{}, seed {}", scenario.name, outcome.seed);
    let words: Vec<&str> = outcome.failures.iter().map(|failure| failure.what.as_str()).collect();
    let lanes = lanes::Shown::of(diary, &words.join("\n"));
    let times = Times::until(*end);
    let is_checked = |property: Property| {
        terms.scrutiny != Scrutiny::None && (property != Property::Recovery || scenario.expect.full_within.is_some())
    };
    let befell = Befell::of(Some((scenario, marks)), diary, *end);
    let body = html! {
        (verdict::heading(&title, &scenario.about, outcome.verdict()))
        (verdict::again(again))
        (facts(scenario, seen))
        (verdict::failures(&outcome.failures, &lanes.concerned()))
        (verdict::last(diary.last(), !outcome.failures.is_empty()))
        (over_time(diary, &befell, &lanes, times))
        section aria-labelledby="measured" {
            h2 #measured { "What came of it" }
            div.tables { (figures::measured(outcome)) (figures::reasons(diary)) }
        }
        (figures::properties(outcome, is_checked))
    };
    page::page(&title, times.seconds(), &body)
}

/// All that a diary tells.
pub(super) fn over_time(diary: &Diary, befell: &Befell, lanes: &lanes::Shown<'_>, times: Times) -> Markup {
    let ticks: Vec<Tick> = times.ticks();
    html! {
        (befell.shade(times))
        (zoom())
        (course::draw(diary, times, &ticks))
        (befell.draw(times, &ticks))
        (figures::charts(diary))
        (lanes.draw(times, &ticks))
    }
}

fn zoom() -> Markup {
    html! {
        div.zoom role="group" aria-label="Part of the time that is shown" {
            button #nearer type="button" { "Nearer " kbd { "+" } }
            button #farther type="button" { "Farther " kbd { "−" } }
            button #earlier type="button" { "Earlier " kbd { "h" } }
            button #later type="button" { "Later " kbd { "l" } }
            button #whole type="button" { "All " kbd { "0" } }
            output #part {}
        }
    }
}

fn facts(scenario: &Scenario, seen: &Seen) -> Markup {
    let Outcome { seed, digest, steps, .. } = &seen.outcome;
    let managers = scenario.node.count;
    html! {
        dl.facts {
            dt { "Seed" } dd { (seed) }
            dt { "Digest" } dd { code { (format!("{digest:016x}")) } }
            dt { "Lasted" } dd { (seen.end) }
            dt { "Steps" } dd { (grouped(*steps)) }
            @if managers > 1 { dt { "Managers" } dd { (managers) ", of which this page shows number " (seen.node) } }
            @if seen.diary.starts() > 1 { dt { "Starts" } dd { (seen.diary.starts()) } }
        }
    }
}
