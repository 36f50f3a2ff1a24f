//! Charts and tables that have no time axis: waits, spans, reasons, and what was measured.

use connmgr_check::Property;
use maud::{Markup, html};

use super::axis::{HEIGHT, NumberScale, PowerScale, Tick, WIDTH, grouped, rounded, short};
use super::chart::{SmallChart, bars, dot};
use super::headline;
use crate::run::RunOutcome;
use crate::types::Figure;
use crate::watch::diary::{self, Diary};

/// Attempts further right than this are drawn at the edge.
const MOST_ATTEMPTS: u32 = 20;

/// The charts.
pub(super) fn charts(diary: &Diary) -> Markup {
    let names = ["Time to connect", "Handshakes", "Connection lifetimes"];
    let abouts = ["From dial to connection", "From connection to ready", "From ready to the end"];
    let spans: Vec<_> = diary.spans().into_iter().zip(names.into_iter().zip(abouts)).collect();
    let has_retries = diary.retries.total() > 0;
    html! {
        @if has_retries || spans.iter().any(|(powers, _)| powers.total() > 0) {
            section aria-labelledby="spans" {
                h2 #spans { "Durations" }
                div.smalls {
                    @if has_retries { (backoff(diary).draw()) }
                    @for (powers, (title, about)) in spans {
                        @if powers.total() > 0 { (histogram(title, about, powers).draw()) }
                    }
                }
            }
        }
    }
}

/// How long added peers wait, by failed attempts in a row.
fn backoff(diary: &Diary) -> SmallChart {
    let millis = |wait: std::time::Duration| (wait.as_secs_f64() * 1000.0).max(1.0);
    let waits = || diary.retries.iter().map(|retry| millis(retry.wait));
    let scale = PowerScale::between(waits().fold(f64::MAX, f64::min), waits().fold(1.0, f64::max));
    let most = diary.retries.iter().map(|retry| retry.attempt).max().unwrap_or(1).clamp(4, MOST_ATTEMPTS);
    // Each attempt has a column, in which its dots stand side by side.
    let x = |attempt: u32, place: u32| {
        let column = f64::from(attempt.min(most)) + 0.2 + 0.6 * f64::from(place % 17) / 16.0;
        rounded(column / f64::from(most + 1) * WIDTH)
    };
    let step = most.div_ceil(8).max(1);
    let label = |attempt: u32| match attempt == MOST_ATTEMPTS {
        true => format!("≥ {attempt}"),
        false => attempt.to_string(),
    };
    let centre = |attempt: u32| (f64::from(attempt) + 0.5) / f64::from(most + 1);
    let about = "Wait before the next attempt, by failed attempts in a row.";
    let (shown, total) = (diary.retries.iter().count() as u64, diary.retries.total());
    SmallChart {
        title: "Retries of added peers",
        about: if shown == total {
            about.to_owned()
        } else {
            format!("{about} {} of {}.", grouped(shown), grouped(total))
        },
        upwards: scale.ticks(),
        along: (0..=most).step_by(step as usize).map(|attempt| (centre(attempt), label(attempt))).collect(),
        body: html! {
            @for (retry, place) in diary.retries.iter().zip(0..) {
                @let y = rounded(HEIGHT - scale.at(millis(retry.wait)) * HEIGHT);
                @let title = format!("{}: {} waits {} after {} failed", retry.at, retry.peer, short(millis(retry.wait)), retry.attempt);
                (dot(x(retry.attempt, place), y, "wait", &title))
            }
        },
    }
}

fn histogram(title: &'static str, about: &str, powers: &diary::PowerCounts) -> SmallChart {
    let counts = powers.counts();
    let is_there = |count: &u64| *count > 0;
    let first = counts.iter().position(is_there).unwrap_or(0).saturating_sub(1);
    let end = (counts.iter().rposition(is_there).unwrap_or(0) + 2).min(counts.len()).max(first + 4).min(counts.len());
    let shown = &counts[first..end];
    let width = WIDTH / shown.len() as f64;
    let scale = NumberScale::up_to(shown.iter().copied().max().unwrap_or(0));
    let columns = shown.iter().enumerate().filter(|(_, count)| is_there(count));
    let columns = columns.map(|(place, count)| (rounded(place as f64 * width), rounded(width * 0.92), scale.y(*count)));
    SmallChart {
        title,
        about: format!("{about}; {} in all.", grouped(powers.total())),
        upwards: scale.ticks(),
        along: powers_ticks(first, shown.len()),
        body: html! { path.begun d=(bars(columns)) {} },
    }
}

/// The least size of every so-many-th column.
fn powers_ticks(first: usize, columns: usize) -> Vec<Tick> {
    let size = |column: usize| if column == 0 { 0.0 } else { 2_f64.powf(column as f64 - 1.0) };
    // Four labels have room where three charts stand side by side.
    let step = columns.div_ceil(4).max(1);
    (0..columns).step_by(step).map(|place| (place as f64 / columns as f64, short(size(first + place)))).collect()
}

/// Why dials and connections ended, and why inbound connections were refused.
pub(super) fn reasons(diary: &Diary) -> Markup {
    let mut endings: Vec<(&String, &u64)> = diary.endings.iter().collect();
    endings.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    html! {
        table.plain {
            caption { "Why dials and connections ended" }
            thead { tr { th scope="col" { "Why" } th scope="col" { "How often" } } }
            tbody { @for (reason, count) in endings { tr { th scope="row" { (reason) } td { (grouped(*count)) } } } }
        }
        @if !diary.refusals.is_empty() {
            table.plain {
                caption { "Why inbound connections were refused" }
                thead { tr { th scope="col" { "Why" } th scope="col" { "How often" } } }
                tbody {
                    @for (refusal, count) in &diary.refusals {
                        tr { th scope="row" { (refusal) } td { (grouped(*count)) } }
                    }
                }
            }
        }
    }
}

/// What was measured, and which notable states were reached.
pub(super) fn measured(outcome: &RunOutcome) -> Markup {
    let reached: Vec<_> = outcome.probes.reached().collect();
    html! {
        table.plain {
            caption { "Measurements" }
            thead { tr { th scope="col" { "What" } th scope="col" { "Value" } } }
            tbody {
                @for figure in Figure::ALL {
                    @let value = headline::ranged(*figure, outcome.figures.get(*figure));
                    tr { th scope="row" title=(figure) { (headline::meaning(*figure)) } td { (value) } }
                }
            }
        }
        @if !reached.is_empty() {
            table.plain {
                caption { "Notable states reached" }
                thead { tr { th scope="col" { "State" } th scope="col" { "How often" } } }
                tbody {
                    @for (probe, times) in reached { tr { th scope="row" { (probe) } td { (grouped(times)) } } }
                }
            }
        }
    }
}

/// Every property that was checked, and whether it held.
pub(super) fn properties(outcome: &RunOutcome, is_checked: impl Fn(Property) -> bool) -> Markup {
    let is_broken = |property: &Property| outcome.failures.iter().any(|failure| failure.property() == Some(*property));
    let sign = |property: &Property| match (is_broken(property), is_checked(*property)) {
        (true, _) => ("broken", "✗", "broken"),
        (false, true) => ("kept", "✓", "kept"),
        (false, false) => ("unchecked", "–", "not checked"),
    };
    html! {
        section aria-labelledby="properties" {
            h2 #properties { "Promises" }
            p.axes { "✓ kept, ✗ broken, – not checked in this run." }
            ul.properties {
                @for property in Property::ALL {
                    @let (class, sign, spoken) = sign(property);
                    li.(class) title=(property.about()) {
                        span aria-hidden="true" { (sign) } " " (property) span.hidden { ": " (spoken) }
                    }
                }
            }
        }
    }
}
