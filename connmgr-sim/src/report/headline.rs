//! The numbers that tell most about a run, above everything else.

use std::time::Duration;

use maud::{Markup, html};

use super::axis::grouped;
#[cfg(feature = "cli")]
use super::dialing::DialBars;
use super::time_axis::lasting;
use crate::run::RunOutcome;
use crate::types::{Figure, FigureRange};
#[cfg(feature = "cli")]
use crate::watch::diary::Diary;

/// Numbers of a run, from the least to the greatest of its managers. With faults, also when the pool had recovered.
pub(super) fn of_run(outcome: &RunOutcome, managers: u32, has_faults: bool) -> Markup {
    let figure = |figure: Figure| ranged(figure, outcome.figures.get(figure));
    let mut tiles = vec![("Pool first full after", figure(Figure::ToTarget))];
    if has_faults {
        tiles.push(("Full again after the last fault", figure(Figure::ToRecover)));
    }
    if outcome.figures.get(Figure::Short).most != Some(0) {
        tiles.push(("Not full in between", figure(Figure::Short)));
    }
    tiles.push(("Dials", figure(Figure::Dials)));
    tiles.push(("Connections made ready", figure(Figure::Ready)));
    if managers > 1 {
        tiles.push(("Managers; charts show one", grouped(managers.into())));
    }
    draw(&tiles)
}

/// Numbers of a trace.
#[cfg(feature = "cli")]
pub(super) fn of_trace(diary: &Diary, dials: &DialBars) -> Markup {
    let [_, handshakes, _] = diary.spans();
    draw(&[
        ("Dials", grouped(dials.begun())),
        ("Dials failed", grouped(dials.failed())),
        ("Connections made ready", grouped(handshakes.total())),
    ])
}

/// Each number with what it counts.
pub(super) fn draw(tiles: &[(&str, String)]) -> Markup {
    html! {
        dl.tiles { @for (name, number) in tiles { div { dt { (name) } dd { (number) } } } }
    }
}

/// A range of a figure as one reads it.
pub(super) fn ranged(figure: Figure, range: FigureRange) -> String {
    let FigureRange { least, most } = range;
    if least == most { plain(figure, most) } else { format!("{} to {}", plain(figure, least), plain(figure, most)) }
}

/// A figure's number as one reads it, with its unit.
pub(super) fn plain(figure: Figure, number: Option<u64>) -> String {
    match number {
        None => "never".to_owned(),
        Some(millis) if figure.is_duration() => lasting(Duration::from_millis(millis)),
        Some(count) => grouped(count),
    }
}

/// What a figure is, in plain words.
pub(super) const fn meaning(figure: Figure) -> &'static str {
    match figure {
        Figure::ToTarget => "Time until the pool was first full",
        Figure::ToRecover => "Time from the end of the last fault until the pool was full",
        Figure::Short => "Time during which the pool was not full again",
        Figure::Dials => "Dials",
        Figure::MostDials => "Most dials in one second",
        Figure::DialsInFaults => "Dials while cut off by a fault",
        Figure::Connected => "Dials that became a connection",
        Figure::Ready => "Handshakes done",
        Figure::Disconnected => "Connections lost or closed",
        Figure::Arrivals => "Inbound connections offered",
        Figure::Accepted => "Inbound connections admitted",
        Figure::Lookups => "Lookups of names",
        Figure::Bans => "Bans",
        Figure::Outages => "Times a network was found down",
        Figure::Starts => "Starts of the process",
        Figure::Book => "Addresses in the book at the end",
        Figure::Adversaries => "Outbound connections with adversaries at the end",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_unit() {
        let range = |least, most| FigureRange { least, most };
        assert_eq!(ranged(Figure::ToTarget, range(Some(31_200), Some(31_200))), "31.2 s");
        assert_eq!(ranged(Figure::ToTarget, range(Some(850), None)), "850 ms to never");
        assert_eq!(ranged(Figure::Dials, range(Some(1234), Some(1234))), "1\u{202f}234");
    }
}
