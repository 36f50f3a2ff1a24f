//! Faults of the world, and what the manager found. The bands of faults are shown in every chart over time.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::axis::{HEIGHT, Tick, TimeScale, WIDTH, grouped, wide};
use super::chart::{dot, labels};
use crate::scenario::{FaultKind, Scenario};
use crate::types::Instant;
use crate::watch::diary::{Diary, DiaryNote, NoteKind};
use crate::world;

/// Bands and dots of one row, at most.
const MOST: usize = 300;

/// Faults with a button that zooms to them.
const MOST_PARTS: usize = 6;

/// From when, until when.
type Band = (Instant, Instant);

/// The rows.
#[derive(Default)]
pub(super) struct Findings {
    faults: Vec<(String, Vec<Band>)>,
    found: Vec<(String, Vec<Band>)>,
    moments: Vec<(&'static str, Vec<(Instant, String)>)>,
    left_out: u64,
}

impl Findings {
    /// From a scenario's faults and a diary.
    pub(super) fn of(scenario: Option<(&Scenario, &[world::Mark])>, diary: &Diary, end: Instant) -> Self {
        let faults = scenario.map(|(scenario, marks)| faults(scenario, marks, end)).unwrap_or_default();
        let found = found(diary, end);
        let mut moments: BTreeMap<&str, Vec<(Instant, String)>> = BTreeMap::new();
        for DiaryNote { at, kind } in diary.notes.iter() {
            let Some(row) = row_of(kind) else { continue };
            moments.entry(row).or_default().push((*at, format!("{at}: {kind}")));
        }
        Self { faults, found, moments: moments.into_iter().collect(), left_out: diary.notes.left_out() }
    }

    /// The bands under every chart over time: once on the page, used by each chart.
    pub(super) fn shade(&self, times: TimeScale) -> Markup {
        html! {
            svg.hidden aria-hidden="true" {
                defs {
                    g #bands {
                        @for (from, to) in self.shaded() { (band(times, from, to, 10.0 * HEIGHT)) }
                    }
                }
            }
        }
    }

    /// All times in which there was some fault: bands that touch are one.
    fn shaded(&self) -> Vec<Band> {
        let mut bands: Vec<Band> = self.faults.iter().flat_map(|(_, bands)| bands).copied().collect();
        bands.sort_unstable();
        let mut all: Vec<Band> = Vec::new();
        for (from, to) in bands {
            match all.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                Some(_) | None => all.push((from, to)),
            }
        }
        all.truncate(MOST);
        all
    }

    /// The first faults, each with the time right after it: from, to and name.
    pub(super) fn parts(&self, times: TimeScale) -> Vec<(f64, f64, String)> {
        let faults = self.faults.iter().flat_map(|(name, bands)| bands.iter().map(move |band| (*band, name)));
        // What is almost all of the time is no part of it.
        let is_part = |(from, to): &Band| to > from && times.x(*to) - times.x(*from) < WIDTH / 2.0;
        let mut faults: Vec<_> = faults.filter(|(band, _)| is_part(band)).collect();
        faults.sort();
        let part = |((from, to), name): (Band, &String)| {
            let (from, to) = (times.x(from), times.x(to));
            let room = ((to - from) / 4.0).clamp(WIDTH / 200.0, WIDTH / 20.0);
            ((from - room).max(0.0), (to + 2.0 * room).min(WIDTH), format!("fault: {name}"))
        };
        faults.into_iter().take(MOST_PARTS).map(part).collect()
    }

    /// The rows.
    pub(super) fn draw(&self, times: TimeScale, ticks: &[Tick]) -> Markup {
        html! {
            section aria-labelledby="findings" {
                h2 #findings { "Faults and findings" }
                table.rows {
                    caption {
                        "Faults of the world (shaded in all charts), and what the manager found"
                        @if self.left_out > 0 { "; " (grouped(self.left_out)) " later ones are left out" }
                        "."
                    }
                    thead {
                        tr {
                            th scope="col" { "What" }
                            th scope="col" { span.hidden { "When" } (labels(ticks, true)) }
                            th scope="col" { "How often" }
                        }
                    }
                    tbody {
                        @for (name, bands) in &self.faults { (spans(&format!("fault: {name}"), "fault", bands, times)) }
                        @for (name, bands) in &self.found { (spans(name, "found", bands, times)) }
                        @for (name, dots) in &self.moments { (moments(name, dots, times)) }
                        @if self.faults.is_empty() && self.found.is_empty() && self.moments.is_empty() {
                            tr { td colspan="3" { "Nothing." } }
                        }
                    }
                }
            }
        }
    }
}

/// Which row of moments a note belongs to; none if its row is one of spans.
const fn row_of(kind: &NoteKind) -> Option<&'static str> {
    match kind {
        NoteKind::Started | NoteKind::Ended | NoteKind::Down(_) | NoteKind::Up(_) => None,
        NoteKind::Banned(_) => Some("bans begin"),
        NoteKind::Unbanned(_) => Some("bans end"),
        NoteKind::SeedAnswered(..) => Some("seeds answer"),
        NoteKind::SeedFailed(..) => Some("seeds fail"),
    }
}

fn faults(scenario: &Scenario, marks: &[world::Mark], end: Instant) -> Vec<(String, Vec<Band>)> {
    let mut rows: BTreeMap<u16, Vec<Band>> = BTreeMap::new();
    for mark in marks {
        let bands = rows.entry(mark.fault).or_default();
        let spec = scenario.faults.get(usize::from(mark.fault));
        match (mark.begins, bands.last_mut()) {
            (false, Some(last)) => last.1 = mark.at,
            // A jump is over at once; a state without an end lasts.
            (true, _) => {
                let is_jump = spec.is_some_and(|spec| spec.fault.is_jump() && spec.lasts.is_none());
                bands.push((mark.at, if is_jump { mark.at } else { end }));
            }
            (false, None) => {}
        }
    }
    let name = |fault: u16| scenario.faults.get(usize::from(fault)).map_or(String::new(), |spec| named(&spec.fault));
    rows.into_iter().map(|(fault, bands)| (name(fault), bands)).collect()
}

/// A fault as its scenario writes it.
fn named(fault: &FaultKind) -> String {
    let text = toml::Value::try_from(fault).map(|value| match value {
        toml::Value::String(name) => name,
        other => other.to_string(),
    });
    text.unwrap_or_default().trim_matches(['{', '}', ' ']).replace('"', "")
}

fn found(diary: &Diary, end: Instant) -> Vec<(String, Vec<Band>)> {
    let mut rows: BTreeMap<String, Vec<Band>> = BTreeMap::new();
    for DiaryNote { at, kind } in diary.notes.iter() {
        let (row, begins) = match kind {
            NoteKind::Down(network) => (format!("{network} found down"), true),
            NoteKind::Up(network) => (format!("{network} found down"), false),
            NoteKind::Ended => ("no process".to_owned(), true),
            NoteKind::Started => ("no process".to_owned(), false),
            NoteKind::Banned(_) | NoteKind::Unbanned(_) | NoteKind::SeedAnswered(..) | NoteKind::SeedFailed(..) => {
                continue;
            }
        };
        if *kind == NoteKind::Ended {
            // What it had found is forgotten with it.
            rows.values_mut().flatten().filter(|band| band.1 == end).for_each(|band| band.1 = *at);
        }
        match (begins, rows.get_mut(&row).and_then(|bands| bands.last_mut())) {
            (true, _) => rows.entry(row).or_default().push((*at, end)),
            (false, Some(last)) => last.1 = *at,
            (false, None) => {}
        }
    }
    rows.into_iter().collect()
}

fn band(times: TimeScale, from: Instant, to: Instant, height: f64) -> Markup {
    let (x, to) = (times.x(from), times.x(to));
    html! { rect vector-effect="non-scaling-stroke" x=(x) y="-9" width=(wide(x, to)) height=(height + 18.0) {} }
}

fn spans(name: &str, class: &str, bands: &[Band], times: TimeScale) -> Markup {
    let often = if bands.len() == 1 { "once".to_owned() } else { format!("{} times", grouped(bands.len() as u64)) };
    html! {
        tr {
            th scope="row" title=(name) { (name) }
            td {
                svg.lane.time.(class) viewBox="0 0 10000 12" preserveAspectRatio="none" role="img" aria-label=(spoken(bands)) {
                    @for (from, to) in bands.iter().take(MOST) { (band(times, *from, *to, 12.0)) }
                    title { (spoken(bands)) }
                }
            }
            td { (often) @if bands.len() > MOST { ", the first " (MOST) " are shown" } }
        }
    }
}

fn moments(name: &str, dots: &[(Instant, String)], times: TimeScale) -> Markup {
    // Where there are more than are drawn, every so-many-th is.
    let step = dots.len().div_ceil(MOST).max(1);
    html! {
        tr {
            th scope="row" { (name) }
            td {
                svg.lane.time.moments viewBox="0 0 10000 12" preserveAspectRatio="none" role="img" aria-label=(name) {
                    @for (at, title) in dots.iter().step_by(step) { (dot(times.x(*at), 6.0, "moment", title)) }
                }
            }
            td { (grouped(dots.len() as u64)) @if step > 1 { ", one in " (step) " is shown" } }
        }
    }
}

fn spoken(bands: &[Band]) -> String {
    let some =
        bands.iter().take(5).map(|(from, to)| if from == to { from.to_string() } else { format!("{from} to {to}") });
    let mut text = some.collect::<Vec<_>>().join(", ");
    if bands.len() > 5 {
        text += &format!(" and {} more", bands.len() - 5);
    }
    text
}
