//! A run made for its page.

use connmgr_check::Property;
use maud::{Markup, html};

use super::axis::{Tick, TimeScale, WIDTH, grouped};
use super::findings::Findings;
use super::{course, figures, lanes, page, verdict};
use crate::run::{RunOutcome, Terms, finish};
use crate::scenario::Scenario;
use crate::types::Instant;
use crate::watch::Real;
use crate::watch::diary::Diary;
use crate::world::{Mark, Scrutiny, World};

/// A run with a diary.
struct WatchedRun {
    outcome: RunOutcome,
    diary: Box<Diary>,
    marks: Vec<Mark>,
    node: u32,
    end: Instant,
}

/// Runs a scenario with a seed, and draws a page. `again` is the command that gives the same.
///
/// One manager is shown: the first, or the one that failed.
pub fn run(scenario: &Scenario, seed: u64, terms: Terms, again: &str) -> (RunOutcome, String) {
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

/// `None` if the world could not begin.
fn see(scenario: &Scenario, seed: u64, terms: Terms) -> Option<WatchedRun> {
    let seen = watching(scenario, seed, terms, 0)?;
    match seen.outcome.failures.first().map(|failure| failure.node) {
        Some(node @ 1..) => watching(scenario, seed, terms, node),
        Some(0) | None => Some(seen),
    }
}

fn watching(scenario: &Scenario, seed: u64, terms: Terms, node: u32) -> Option<WatchedRun> {
    // The canary sits at the first manager only, whichever is looked at.
    let mut watch = Terms { canary: terms.canary && node == 0, ..terms }.watch();
    watch.diary = Some(Box::default());
    let begun = std::panic::catch_unwind(|| World::<Real>::watched(scenario.clone(), seed, terms.scrutiny, watch));
    let mut world = begun.ok()?.ok()?.watching(node);
    let outcome = finish(&mut world);
    let diary = world.watch_mut().diary.take()?;
    let end = world.now().max(diary.now());
    Some(WatchedRun { outcome, diary, marks: world.marks().to_vec(), node, end })
}

fn draw(scenario: &Scenario, terms: Terms, seen: &WatchedRun, again: &str) -> String {
    let WatchedRun { outcome, diary, marks, end, .. } = seen;
    let title = format!("{}, seed {}", scenario.name, outcome.seed);
    let words: Vec<&str> = outcome.failures.iter().map(|failure| failure.what.as_str()).collect();
    let lanes = lanes::Shown::of(diary, &words.join("\n"), *end);
    let times = TimeScale::until(*end);
    let is_checked = |property: Property| {
        let is_promised = (property != Property::Recovery || scenario.expect.full_within.is_some())
            && (property != Property::Canary || terms.canary);
        is_promised && terms.scrutiny != Scrutiny::None
    };
    let findings = Findings::of(Some((scenario, marks)), diary, *end);
    let body = html! {
        (verdict::heading(&title, &scenario.about, outcome.verdict()))
        (verdict::again(again))
        (facts(scenario, seen))
        (verdict::failures(&outcome.failures, &lanes.concerned()))
        (verdict::last(diary.last(), !outcome.failures.is_empty()))
        (over_time(diary, &findings, &lanes, times))
        section aria-labelledby="measured" {
            h2 #measured { "Results" }
            div.tables { (figures::measured(outcome)) (figures::reasons(diary)) }
        }
        (figures::properties(outcome, is_checked))
    };
    page::page(&title, times.seconds(), &body)
}

/// Everything of a diary over time.
pub(super) fn over_time(diary: &Diary, findings: &Findings, lanes: &lanes::Shown<'_>, times: TimeScale) -> Markup {
    let ticks: Vec<Tick> = times.ticks();
    html! {
        (findings.shade(times))
        (zoom(&parts(diary, findings, times)))
        (course::draw(diary, times, &ticks))
        (findings.draw(times, &ticks))
        (figures::charts(diary))
        (lanes.draw(times, &ticks))
    }
}

/// Intervals worth a look: until the pool was first as full as ever, and the first faults.
fn parts(diary: &Diary, findings: &Findings, times: TimeScale) -> Vec<(f64, f64, String)> {
    let changes = diary.levels.changes();
    let most = changes.iter().map(|(_, level)| level.outbound()).max().unwrap_or(0);
    let full = changes.iter().find(|(_, level)| level.outbound() == most).map_or(WIDTH, |(at, _)| times.x(*at));
    let is_early = full < WIDTH / 5.0;
    let beginning = is_early.then(|| (0.0, full.mul_add(1.5, WIDTH / 2000.0), "the beginning".to_owned()));
    beginning.into_iter().chain(findings.parts(times)).collect()
}

fn zoom(parts: &[(f64, f64, String)]) -> Markup {
    html! {
        div.zoom role="group" aria-label="Part of the time that is shown" {
            button #nearer type="button" { "Nearer " kbd { "+" } }
            button #farther type="button" { "Farther " kbd { "−" } }
            button #earlier type="button" { "Earlier " kbd { "h" } }
            button #later type="button" { "Later " kbd { "l" } }
            button #whole type="button" { "All " kbd { "0" } }
            @for (from, to, name) in parts {
                button type="button" data-from=(from / WIDTH) data-to=(to / WIDTH) { (name) }
            }
            output #part {}
        }
    }
}

fn facts(scenario: &Scenario, seen: &WatchedRun) -> Markup {
    let RunOutcome { seed, digest, steps, .. } = &seen.outcome;
    let managers = scenario.node.count;
    html! {
        dl.facts {
            dt { "Seed" } dd { (seed) }
            dt { "Digest" } dd { code { (format!("{digest:016x}")) } }
            dt { "Lasted" } dd { (seen.end) }
            dt { "Steps" } dd { (grouped(*steps)) }
            @if managers > 1 { dt { "Managers" } dd { (managers) ", of which this page shows number " (seen.node) } }
            @if seen.diary.starts > 1 { dt { "Starts" } dd { (seen.diary.starts) } }
        }
    }
}
