//! Charts over time: connections, the share of adversaries, dials and inbound attempts.

use std::fmt::Write as _;
use std::time::Duration;

use connmgr_core::Kind;
use maud::{Markup, html};

use super::axis::{HEIGHT, NumberScale, grouped, rounded};
use super::chart::{self, LegendKey, TimeChart};
use super::dialing::DialBars;
use super::time_axis::{TimeScale, lasting};
use crate::types::Instant;
use crate::watch::diary::{Bar, Diary, Level};

/// Outbound kinds, as they are stacked: from the ground up.
const STACK: [(&str, &str, &[Kind]); 4] = [
    ("kind0", "full relay", &[Kind::Full]),
    ("kind1", "block-relay only", &[Kind::BlockRelay]),
    ("kind4", "added peers", &[Kind::Added]),
    ("kind2", "feelers, address fetches", &[Kind::Feeler, Kind::AddrFetch]),
];

/// All charts over time that have something to show.
pub(super) fn draw(diary: &Diary, dialed: &DialBars, has_faults: bool, times: TimeScale) -> Markup {
    let inbound = diary.levels.changes().iter().map(|(_, level)| level.of(Kind::Inbound)).max().unwrap_or(0);
    let came: u64 = diary.bars.iter().map(|(_, bar)| bar.accepted + bar.refused).sum();
    html! {
        section aria-labelledby="course" {
            h2.hidden #course { "The pool over time" }
            (outbound(diary, has_faults, times).draw(times))
            @if diary.has_adversaries() { (adversaries(diary, times).draw(times)) }
            @if dialed.begun() > 0 { (dials(dialed, times).draw(times)) }
            @if inbound > 0 { (inbounds(diary, times, inbound).draw(times)) }
            @if came > 0 { (arrivals(diary, times, came).draw(times)) }
        }
    }
}

fn outbound(diary: &Diary, has_faults: bool, times: TimeScale) -> TimeChart {
    let changes = diary.levels.changes();
    let most = changes.iter().map(|(_, level)| level.outbound()).max().unwrap_or(0);
    let last = changes.last().map_or(0, |(_, level)| level.outbound());
    let scale = NumberScale::up_to(most.into());
    let is_there = |kinds: &[Kind]| changes.iter().any(|(_, level)| sum(level, kinds) > 0);
    let there: Vec<_> = STACK.into_iter().filter(|(_, _, kinds)| is_there(kinds)).collect();
    let layer = |place: usize| {
        let below: Vec<Kind> = there[..=place].iter().flat_map(|(_, _, kinds)| kinds.iter().copied()).collect();
        area(diary, times, |level| scale.y(sum(level, &below)))
    };
    TimeChart {
        title: "Outbound connections",
        about: "Ready at each moment.".to_owned(),
        keys: there
            .iter()
            .map(|(class, name, _)| LegendKey { class, name: (*name).to_owned() })
            .chain(has_faults.then(|| LegendKey { class: "shade", name: "fault".to_owned() }))
            .collect(),
        numbers: vec![(most.to_string(), "at most"), (last.to_string(), "at the end")],
        ticks: scale.ticks(),
        body: html! {
            @for (place, (class, _, _)) in there.iter().enumerate().rev() { path.(class) d=(layer(place)) {} }
            path.dips d=(dips(diary, times, scale)) {}
        },
    }
}

fn sum(level: &Level, kinds: &[Kind]) -> u64 {
    kinds.iter().map(|kind| u64::from(level.of(*kind))).sum()
}

/// A stair from the beginning to the end, closed along the ground.
fn area(diary: &Diary, times: TimeScale, y: impl Fn(&Level) -> f64) -> String {
    let mut path = format!("M0 {HEIGHT}");
    let mut last = HEIGHT;
    for (at, level) in diary.levels.changes() {
        let y = y(level);
        if y != last {
            write!(path, "H{}V{y}", times.x(*at)).expect("a text takes anything");
            last = y;
        }
    }
    write!(path, "H{}V{HEIGHT}z", times.x(times.end())).expect("a text takes anything");
    path
}

/// Dips by a quarter or more that are too short to be seen as gaps: a line down each.
fn dips(diary: &Diary, times: TimeScale, scale: NumberScale) -> String {
    let mut path = String::new();
    // The total that last stood for long enough to be seen.
    let mut settled = 0;
    for pair in diary.levels.changes().windows(2) {
        let [total, next] = [0, 1].map(|place: usize| u64::from(pair[place].1.outbound()));
        let is_seen = times.width(pair[1].0.since(pair[0].0)) >= times.seconds() / 1500.0;
        if is_seen {
            settled = total;
        } else if next > total && 4 * total <= 3 * settled && settled > 0 {
            let (x, from, to) = (times.x(pair[0].0), scale.y(settled), scale.y(total));
            write!(path, "M{x} {from}V{to}").expect("a text takes anything");
        }
    }
    path
}

fn adversaries(diary: &Diary, times: TimeScale) -> TimeChart {
    let share = |level: &Level| 100.0 * f64::from(level.adversaries) / f64::from(level.outbound().max(1));
    let worst = diary.levels.changes().iter().map(|(_, level)| share(level)).fold(0.0, f64::max);
    let last = diary.levels.changes().last().map_or(0.0, |(_, level)| share(level));
    TimeChart {
        title: "Held by attackers",
        about: "Share of the ready outbound connections.".to_owned(),
        keys: vec![LegendKey { class: "adversary", name: "to attackers".to_owned() }],
        numbers: vec![(format!("{worst:.0} %"), "at worst"), (format!("{last:.0} %"), "at the end")],
        ticks: [0, 50, 100].map(|percent| (f64::from(percent) / 100.0, format!("{percent} %"))).into(),
        body: html! { path.adversary d=(area(diary, times, |level| rounded(HEIGHT - share(level)))) {} },
    }
}

fn dials(dialed: &DialBars, times: TimeScale) -> TimeChart {
    let scale = NumberScale::up_to(dialed.bars.values().map(|(begun, failed)| *begun.max(failed)).max().unwrap_or(0));
    let of = |place: fn(&(u64, u64)) -> u64| dialed.bars.iter().map(move |(number, bar)| (*number, place(bar)));
    TimeChart {
        title: "Dials",
        about: format!("In each {}.", lasting(dialed.width)),
        keys: vec![
            LegendKey { class: "begun", name: "begun".to_owned() },
            LegendKey { class: "failed", name: "failed".to_owned() },
        ],
        numbers: vec![(grouped(dialed.begun()), "begun"), (grouped(dialed.failed()), "failed")],
        ticks: scale.ticks(),
        body: html! {
            path.begun d=(columns(of(|bar| bar.0), dialed.width, times, scale)) {}
            path.failed d=(tops(of(|bar| bar.1), dialed.width, times, scale)) {}
        },
    }
}

fn inbounds(diary: &Diary, times: TimeScale, most: u32) -> TimeChart {
    let scale = NumberScale::up_to(most.into());
    TimeChart {
        title: "Inbound connections",
        about: "Ready at each moment.".to_owned(),
        keys: vec![LegendKey { class: "kind5", name: "inbound".to_owned() }],
        numbers: vec![(most.to_string(), "at most")],
        ticks: scale.ticks(),
        body: html! { path.kind5 d=(area(diary, times, |level| scale.y(level.of(Kind::Inbound).into()))) {} },
    }
}

fn arrivals(diary: &Diary, times: TimeScale, came: u64) -> TimeChart {
    let of = |count: fn(&Bar) -> u64| diary.bars.iter().map(move |(number, bar)| (number, count(&bar)));
    let all = || of(|bar| bar.accepted + bar.refused);
    let width = diary.bars.width();
    let refused: u64 = diary.bars.iter().map(|(_, bar)| bar.refused).sum();
    let scale = NumberScale::up_to(all().map(|(_, count)| count).max().unwrap_or(0));
    TimeChart {
        title: "Inbound attempts",
        about: format!("Connections offered in each {}.", lasting(width)),
        keys: vec![
            LegendKey { class: "begun", name: "offered".to_owned() },
            LegendKey { class: "failed", name: "refused".to_owned() },
        ],
        numbers: vec![(grouped(came), "offered"), (grouped(refused), "refused")],
        ticks: scale.ticks(),
        body: html! {
            path.begun d=(columns(all(), width, times, scale)) {}
            path.failed d=(tops(of(|bar| bar.refused), width, times, scale)) {}
        },
    }
}

/// Where a bar begins, by its number.
fn place(number: u64, width: Duration, times: TimeScale) -> f64 {
    times.x(Instant::ZERO.after(width.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX))))
}

fn columns(bars: impl Iterator<Item = (u64, u64)>, width: Duration, times: TimeScale, scale: NumberScale) -> String {
    let there = bars.filter(|(_, count)| *count > 0);
    chart::bars(there.map(|(number, count)| (place(number, width, times), times.width(width), scale.y(count))))
}

/// Short lines where the tops of bars would be.
fn tops(bars: impl Iterator<Item = (u64, u64)>, width: Duration, times: TimeScale, scale: NumberScale) -> String {
    let there = bars.filter(|(_, count)| *count > 0);
    let top = |(number, count)| format!("M{} {}h{}", place(number, width, times), scale.y(count), times.width(width));
    there.map(top).collect()
}
