//! A run made for its page.

use std::time::Duration;

use connmgr_check::Property;
use maud::{Markup, html};

use super::axis::grouped;
use super::dialing::DialBars;
use super::findings::Findings;
use super::time_axis::{TimeScale, lasting};
use super::window::{Measured, Story, Windows};
use super::{course, figures, headline, lanes, page, verdict, zoom};
use crate::run::{RunOutcome, Terms, finish};
use crate::scenario::Scenario;
use crate::types::{Figure, Instant};
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
    let has_failed = !outcome.failures.is_empty();
    let lanes = lanes::Shown::of(diary, &words.join("\n"), *end);
    let findings = Findings::of(Some((scenario, marks)), diary, *end);
    let windows = Story::of(diary, findings.episodes(*end), measured(scenario, outcome), *end, has_failed).windows();
    let times = TimeScale::until(*end).showing(windows.opening().from, windows.opening().to);
    let is_checked = |property: Property| {
        let is_promised = (property != Property::Recovery || scenario.expect.full_within.is_some())
            && (property != Property::Canary || terms.canary);
        is_promised && terms.scrutiny != Scrutiny::None
    };
    let body = html! {
        (verdict::heading(&title, &scenario.about, outcome.verdict()))
        (headline::of_run(outcome, scenario.node.count, findings.has_faults()))
        (verdict::failures(&outcome.failures, &lanes.concerned()))
        @if has_failed { (verdict::last(diary.last(), true)) }
        (over_time(diary, &findings, &lanes, &windows, times))
        section aria-labelledby="measured" {
            h2 #measured { "Numbers" }
            div.tables { (figures::measured(outcome)) (figures::reasons(diary)) }
        }
        (figures::properties(outcome, is_checked))
        section aria-labelledby="again" {
            h2 #again { "This run" }
            (verdict::again(again))
            (facts(scenario, seen))
            @if !has_failed { (verdict::last(diary.last(), false)) }
        }
    };
    page::page(&title, times.seconds(), &body)
}

/// Figures are of all managers: of one alone they tell when it was full.
fn measured(scenario: &Scenario, outcome: &RunOutcome) -> Measured {
    if scenario.node.count != 1 {
        return Measured::default();
    }
    let figure = |figure| outcome.figures.get(figure).most.map(Duration::from_millis);
    let fill = figure(Figure::ToTarget);
    let recovery =
        scenario.healed_at().zip(figure(Figure::ToRecover)).map(|(healed, took)| (healed, healed.after(took)));
    Measured { fill, recovery }
}

/// Everything of a diary over time.
pub(super) fn over_time(
    diary: &Diary,
    findings: &Findings,
    lanes: &lanes::Shown<'_>,
    windows: &Windows,
    times: TimeScale,
) -> Markup {
    html! {
        (findings.shade(times))
        div {
            (zoom::bar(windows, times))
            (course::draw(diary, &DialBars::of(diary, windows), findings.has_faults(), times))
            (findings.draw(times))
            (lanes.draw(times))
        }
        (figures::charts(diary))
    }
}

fn facts(scenario: &Scenario, seen: &WatchedRun) -> Markup {
    let RunOutcome { seed, digest, steps, .. } = &seen.outcome;
    let managers = scenario.node.count;
    html! {
        dl.facts {
            dt { "Seed" } dd { (seed) }
            dt { "Lasted" } dd { (lasting(seen.end.since(Instant::ZERO))) }
            dt { "Steps" } dd { (grouped(*steps)) }
            dt { "Digest" } dd { code { (format!("{digest:016x}")) } }
            @if managers > 1 { dt { "Managers" } dd { (managers) "; the charts show number " (seen.node) } }
            @if seen.diary.starts > 1 { dt { "Starts" } dd { (seen.diary.starts) } }
        }
    }
}
