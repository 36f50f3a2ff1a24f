//! Charts over time: connections, the share of adversaries, dials and inbound attempts.

use std::fmt::Write as _;

use connmgr_core::Kind;
use maud::{Markup, html};

use super::axis::{HEIGHT, NumberScale, Tick, TimeScale, WIDTH, grouped, rounded, short};
use super::chart::{LegendKey, TimeChart, bars};
use crate::types::Instant;
use crate::watch::diary::{Bar, Diary, Level};

/// Outbound kinds, as they are stacked: from the ground up.
const STACK: [(&str, &str, &[Kind]); 4] = [
    ("kind0", "full", &[Kind::Full]),
    ("kind1", "block-relay", &[Kind::BlockRelay]),
    ("kind4", "added", &[Kind::Added]),
    ("kind2", "feeler, addr-fetch", &[Kind::Feeler, Kind::AddrFetch]),
];

/// All charts over time that have something to show.
pub(super) fn draw(diary: &Diary, times: TimeScale, ticks: &[Tick]) -> Markup {
    let inbound = diary.levels.changes().iter().map(|(_, level)| level.of(Kind::Inbound)).max().unwrap_or(0);
    let (dialed, came) = diary
        .bars
        .iter()
        .fold((0, 0), |(dials, came), (_, bar)| (dials + bar.dials, came + bar.accepted + bar.refused));
    html! {
        section aria-labelledby="course" {
            h2 #course { "Over time" }
            p.axes { "Since the beginning, in hours and minutes; in seconds too where they matter." }
            (outbound(diary, times).draw(ticks))
            @if diary.has_adversaries() { (adversaries(diary, times).draw(ticks)) }
            @if dialed > 0 { (dials(diary, times, dialed).draw(ticks)) }
            @if inbound > 0 { (inbounds(diary, times, inbound).draw(ticks)) }
            @if came > 0 { (arrivals(diary, times, came).draw(ticks)) }
        }
    }
}

fn outbound(diary: &Diary, times: TimeScale) -> TimeChart {
    let changes = diary.levels.changes();
    let most = changes.iter().map(|(_, level)| level.outbound()).max().unwrap_or(0);
    let scale = NumberScale::up_to(most.into());
    let is_there = |kinds: &[Kind]| changes.iter().any(|(_, level)| sum(level, kinds) > 0);
    let there: Vec<_> = STACK.into_iter().filter(|(_, _, kinds)| is_there(kinds)).collect();
    let layer = |place: usize| {
        let below: Vec<Kind> = there[..=place].iter().flat_map(|(_, _, kinds)| kinds.iter().copied()).collect();
        area(diary, times, |level| scale.y(sum(level, &below)))
    };
    TimeChart {
        title: "Outbound connections",
        about: format!("Ready at each moment; {most} at most."),
        keys: there.iter().map(|(class, name, _)| LegendKey { class, name: (*name).to_owned() }).collect(),
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
        let is_seen = times.width(pair[1].0.since(pair[0].0)) >= WIDTH / 1500.0;
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
        title: "Held by adversaries",
        about: format!("Share of ready outbound connections; {worst:.0} % at worst, {last:.0} % at the end."),
        keys: vec![LegendKey { class: "adversary", name: "to adversaries".to_owned() }],
        ticks: [0, 50, 100].map(|percent| (f64::from(percent) / 100.0, format!("{percent} %"))).into(),
        body: html! { path.adversary d=(area(diary, times, |level| rounded(HEIGHT - share(level)))) {} },
    }
}

fn dials(diary: &Diary, times: TimeScale, dialed: u64) -> TimeChart {
    let failed: u64 = diary.bars.iter().map(|(_, bar)| bar.failed).sum();
    let (width, all, some) = (diary.bars.width(), |bar: &Bar| bar.dials, |bar: &Bar| bar.failed);
    let scale = scale(diary, |bar| bar.dials.max(bar.failed));
    TimeChart {
        title: "Dials",
        about: format!(
            "In each {}; {} begun in all, {} failed.",
            short(width.as_secs_f64() * 1000.0),
            grouped(dialed),
            grouped(failed)
        ),
        keys: vec![
            LegendKey { class: "begun", name: "begun".to_owned() },
            LegendKey { class: "failed", name: "failed (line)".to_owned() },
        ],
        ticks: scale.ticks(),
        body: html! {
            path.begun d=(columns(diary, times, scale, all)) {}
            path.failed d=(tops(diary, times, scale, some)) {}
        },
    }
}

fn inbounds(diary: &Diary, times: TimeScale, most: u32) -> TimeChart {
    let scale = NumberScale::up_to(most.into());
    TimeChart {
        title: "Inbound connections",
        about: format!("Ready at each moment; {most} at most."),
        keys: vec![LegendKey { class: "kind5", name: "inbound".to_owned() }],
        ticks: scale.ticks(),
        body: html! { path.kind5 d=(area(diary, times, |level| scale.y(level.of(Kind::Inbound).into()))) {} },
    }
}

fn arrivals(diary: &Diary, times: TimeScale, came: u64) -> TimeChart {
    let (all, some) = (|bar: &Bar| bar.accepted + bar.refused, |bar: &Bar| bar.refused);
    let refused: u64 = diary.bars.iter().map(|(_, bar)| bar.refused).sum();
    let scale = scale(diary, all);
    let width = diary.bars.width().as_secs_f64() * 1000.0;
    let (came, refused) = (grouped(came), grouped(refused));
    TimeChart {
        title: "Inbound attempts",
        about: format!("In each {}; {came} in all, {refused} refused.", short(width)),
        keys: vec![
            LegendKey { class: "begun", name: "all".to_owned() },
            LegendKey { class: "failed", name: "refused (line)".to_owned() },
        ],
        ticks: scale.ticks(),
        body: html! {
            path.begun d=(columns(diary, times, scale, all)) {}
            path.failed d=(tops(diary, times, scale, some)) {}
        },
    }
}

fn scale(diary: &Diary, of: impl Fn(&Bar) -> u64) -> NumberScale {
    NumberScale::up_to(diary.bars.iter().map(|(_, bar)| of(&bar)).max().unwrap_or(0))
}

fn place(diary: &Diary, times: TimeScale, number: u64) -> f64 {
    times.x(Instant::ZERO.after(diary.bars.width().saturating_mul(u32::try_from(number).unwrap_or(u32::MAX))))
}

fn columns(diary: &Diary, times: TimeScale, scale: NumberScale, of: impl Fn(&Bar) -> u64) -> String {
    let width = times.width(diary.bars.width());
    let there = diary.bars.iter().filter(|(_, bar)| of(bar) > 0);
    bars(there.map(|(number, bar)| (place(diary, times, number), width, scale.y(of(&bar)))))
}

/// Short lines where the tops of bars would be.
fn tops(diary: &Diary, times: TimeScale, scale: NumberScale, of: impl Fn(&Bar) -> u64) -> String {
    let width = times.width(diary.bars.width());
    let there = diary.bars.iter().filter(|(_, bar)| of(bar) > 0);
    there.map(|(number, bar)| format!("M{} {}h{width}", place(diary, times, number), scale.y(of(&bar)))).collect()
}
