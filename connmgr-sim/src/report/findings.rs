//! Faults of the world, and what the manager found. The bands of faults are shown in every chart over time.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::axis::{HEIGHT, grouped};
use super::chart::{dot, labels};
use super::fault_name;
use super::time_axis::{TimeScale, wide};
use super::window::Episode;
use crate::scenario::Scenario;
use crate::types::Instant;
use crate::watch::diary::{Diary, DiaryNote, NoteKind};
use crate::world;

/// Bands and dots of one row, at most.
const MOST: usize = 300;

/// From when, until when.
type Band = (Instant, Instant);

/// The rows.
#[derive(Default)]
pub(super) struct Findings {
    /// The world is simulated: of the faults of another nothing is known.
    is_simulated: bool,
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
        let (moments, left_out) = (moments.into_iter().collect(), diary.notes.left_out());
        Self { is_simulated: scenario.is_some(), faults, found, moments, left_out }
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

    /// Each occurrence of each fault. What lasts from the beginning to the end is a circumstance, and no episode.
    pub(super) fn episodes(&self, end: Instant) -> Vec<Episode> {
        let of = |(name, bands): &(String, Vec<Band>)| {
            bands.iter().map(|(from, to)| (name.clone(), *from, *to)).collect::<Vec<Episode>>()
        };
        let all = self.faults.iter().flat_map(of);
        all.filter(|(_, from, to)| (*from, *to) != (Instant::ZERO, end)).collect()
    }

    pub(super) fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// The rows.
    pub(super) fn draw(&self, times: TimeScale) -> Markup {
        html! {
            section aria-labelledby="findings" {
                h2 #findings { @if self.is_simulated { "Faults and findings" } @else { "Findings" } }
                table.rows {
                    caption {
                        @if self.has_faults() { "Faults are shaded in every chart." }
                        @if self.left_out > 0 { " The last " (grouped(self.left_out)) " findings are left out." }
                    }
                    thead {
                        tr {
                            th scope="col" { "What" }
                            th scope="col" { span.hidden { "When" } (labels(&times.ticks(), true)) }
                            th scope="col" { "How often" }
                        }
                    }
                    @if self.is_simulated {
                        tbody {
                            (group("Faults of the simulated world"))
                            @for (name, bands) in &self.faults { (spans(name, "fault", bands, times)) }
                            @if self.faults.is_empty() { (nothing()) }
                        }
                    }
                    tbody {
                        (group("What the manager noticed"))
                        @for (name, bands) in &self.found { (spans(name, "found", bands, times)) }
                        @for (name, dots) in &self.moments { (moments(name, dots, times)) }
                        @if self.found.is_empty() && self.moments.is_empty() { (nothing()) }
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
        NoteKind::Banned(_) => Some("peers banned"),
        NoteKind::Unbanned(_) => Some("bans ended"),
        NoteKind::SeedAnswered(..) => Some("seeds answered"),
        NoteKind::SeedFailed(..) => Some("seeds failed"),
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
    let name =
        |fault: u16| scenario.faults.get(usize::from(fault)).map_or(String::new(), |spec| fault_name::of(&spec.fault));
    turns(scenario, end).chain(rows.into_iter().map(|(fault, bands)| (name(fault), bands))).collect()
}

/// When hosts and seeds change their behavior, from the first on.
fn turns(scenario: &Scenario, end: Instant) -> impl Iterator<Item = (String, Vec<Band>)> {
    let hosts = scenario.hosts.iter().filter_map(|spec| Some((&spec.name, spec.turns.as_ref()?.at)));
    let seeds = scenario.seeds.iter().filter_map(|spec| Some((&spec.name, spec.turns?.at)));
    let turns = hosts.chain(seeds).map(|(name, at)| (name, Instant::ZERO.after(at.0)));
    turns.filter(move |(_, at)| *at < end).map(|(name, at)| (format!("behavior of {name} changes"), vec![(at, at)]))
}

fn found(diary: &Diary, end: Instant) -> Vec<(String, Vec<Band>)> {
    let mut rows: BTreeMap<String, Vec<Band>> = BTreeMap::new();
    for DiaryNote { at, kind } in diary.notes.iter() {
        let (row, begins) = match kind {
            NoteKind::Down(network) => (format!("{network} found down"), true),
            NoteKind::Up(network) => (format!("{network} found down"), false),
            NoteKind::Ended => ("process not running".to_owned(), true),
            NoteKind::Started => ("process not running".to_owned(), false),
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

/// The heading of some rows.
pub(super) fn group(name: &str) -> Markup {
    html! { tr.group { th colspan="3" scope="rowgroup" { (name) } } }
}

fn nothing() -> Markup {
    html! { tr { td colspan="3" { "None." } } }
}

fn band(times: TimeScale, from: Instant, to: Instant, height: f64) -> Markup {
    let (x, to) = (times.x(from), times.x(to));
    // Copies in the charts take no style that is matched by `svg *`.
    html! { rect vector-effect="non-scaling-stroke" x=(x) y="-9" width=(wide(x, to)) height=(height + 18.0) {} }
}

fn spans(name: &str, class: &str, bands: &[Band], times: TimeScale) -> Markup {
    let often = if bands.len() == 1 { "once".to_owned() } else { format!("{} times", grouped(bands.len() as u64)) };
    html! {
        tr {
            th scope="row" title=(name) { (name) }
            td {
                svg.lane.time.(class) viewBox=(times.view_box(12.0)) preserveAspectRatio="none" role="img" {
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
                svg.lane.time.moments viewBox=(times.view_box(12.0)) preserveAspectRatio="none" role="img" aria-label=(name) {
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
