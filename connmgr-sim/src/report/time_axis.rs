//! The axis of time: what part of a run is shown, its round labels, and times as text. No markup.
//!
//! Places along it are seconds since the beginning, so the page's script can show any other part, on any scale. `script/
//! axis.js` writes the same labels for the parts that a reader chooses.

use std::time::Duration;

use super::axis::Tick;
use crate::types::Instant;

/// Labels on a time axis, at most.
const MOST_TICKS: u64 = 8;

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Round times in tenths of a second: to 30 seconds, to 30 minutes, to 12 hours, to a year.
const TENTHS: [u64; 28] = [
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    300, //
    600,
    1200,
    3000,
    6000,
    9000,
    18_000, //
    36_000,
    72_000,
    108_000,
    216_000,
    432_000, //
    864_000,
    1_728_000,
    4_320_000,
    8_640_000,
    17_280_000,
    43_200_000,
    86_400_000,
    315_360_000,
];

/// The whole time of a run, and the part of it that is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeScale {
    end: u64,
    from: u64,
    to: u64,
}

impl TimeScale {
    /// All times up to an end; to a second at least.
    pub(super) fn until(end: Instant) -> Self {
        let end = end.as_nanos().max(SECOND);
        Self { end, from: 0, to: end }
    }

    /// The same, with a part of it shown.
    pub(super) fn showing(self, from: Instant, to: Instant) -> Self {
        let to = to.as_nanos().clamp(1, self.end);
        Self { from: from.as_nanos().min(to - 1), to, ..self }
    }

    /// The end of the run.
    pub(super) const fn end(self) -> Instant {
        Instant::from_nanos(self.end)
    }

    /// The end of the run, in seconds as they are drawn.
    pub(super) fn seconds(self) -> f64 {
        self.x(self.end())
    }

    /// Where a moment lies: in seconds, to a thousandth.
    pub(super) fn x(self, at: Instant) -> f64 {
        thousandths(Duration::from_nanos(at.as_nanos().min(self.end)))
    }

    /// The width of a duration.
    pub(super) fn width(self, lasted: Duration) -> f64 {
        thousandths(lasted)
    }

    /// The view of a plot of some height.
    pub(super) fn view_box(self, height: f64) -> String {
        format!("{} 0 {} {height}", self.from as f64 / 1e9, (self.to - self.from) as f64 / 1e9)
    }

    /// Labels at round times of the part that is shown.
    pub(super) fn ticks(self) -> Vec<Tick> {
        let step = round(self.to - self.from, MOST_TICKS);
        let at = |number: u64| (number * step - self.from) as f64 / (self.to - self.from) as f64;
        let numbers = self.from.div_ceil(step)..=self.to / step;
        numbers.map(|number| (at(number), moment(number * step, step))).collect()
    }

    /// What is shown, in words.
    pub(super) fn spoken(self) -> String {
        let step = round(self.to - self.from, 50);
        let whole = lasting(Duration::from_nanos(self.end));
        match (self.from, self.to) {
            (0, to) if to == self.end => format!("Showing all {whole}."),
            (from, to) => {
                let [from, to] = [from, to].map(|at| spoken(at, step));
                format!("Showing {from} to {to} of {whole}.")
            }
        }
    }
}

/// The least round duration of which a span has no more than so many.
pub(super) fn round_step(span: Duration, most: u64) -> Duration {
    Duration::from_nanos(round(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX), most))
}

fn round(span: u64, most: u64) -> u64 {
    let steps = TENTHS.iter().map(|tenths| tenths * (SECOND / 10));
    steps.into_iter().find(|step| span <= step.saturating_mul(most)).unwrap_or((span / most).max(1))
}

/// The width from one place to another, never zero: what has no width is not drawn.
pub(super) fn wide(from: f64, to: f64) -> f64 {
    (((to - from) * 1000.0).round() / 1000.0).max(0.001)
}

fn thousandths(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

/// A moment as it is written beside an axis whose labels are a step apart: `12.5 s`, `1:30`, `1 h 15 min`, `3 d`.
fn moment(nanos: u64, step: u64) -> String {
    let (secs, tenths) = (nanos / SECOND, nanos % SECOND / (SECOND / 10));
    let (days, hours, minutes) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60);
    let tenths = if step < SECOND { format!(".{tenths}") } else { String::new() };
    if nanos == 0 {
        return "0".to_owned();
    }
    match (step, secs) {
        (DAY.., _) => format!("{days} d"),
        (MINUTE.., _) => units(&[(days, "d"), (hours, "h"), (minutes, "min")]),
        (_, ..60) => format!("{secs}{tenths} s"),
        (_, ..3600) => format!("{minutes}:{:02}{tenths}", secs % 60),
        (_, ..86_400) => format!("{hours}:{minutes:02}:{:02}{tenths}", secs % 60),
        _ => format!("{days} d {hours}:{minutes:02}:{:02}{tenths}", secs % 60),
    }
}

/// A moment in a sentence: beside an axis `1:30` is clear, here it would not be.
fn spoken(nanos: u64, step: u64) -> String {
    let secs = nanos / SECOND;
    match (step, secs) {
        (..MINUTE, 60..) => {
            units(&[(secs / 86_400, "d"), (secs / 3600 % 24, "h"), (secs / 60 % 60, "min"), (secs % 60, "s")])
        }
        // A zero after the point says nothing here; along an axis it keeps labels alike.
        _ => moment(nanos, step).replace(".0 s", " s"),
    }
}

/// A duration in words, as exactly as one reads it: `850 ms`, `31.2 s`, `4 min 23 s`, `1 d 2 h`.
pub(super) fn lasting(time: Duration) -> String {
    let (secs, millis) = (time.as_secs(), time.as_millis());
    match millis {
        0 => "0 s".to_owned(),
        1..1000 => format!("{millis} ms"),
        1000..60_000 => format!("{:.1} s", time.as_secs_f64()).replace(".0 s", " s"),
        60_000..3_600_000 => units(&[(secs / 60, "min"), (secs % 60, "s")]),
        3_600_000..86_400_000 => units(&[(secs / 3600, "h"), (secs / 60 % 60, "min")]),
        _ => units(&[(secs / 86_400, "d"), (secs / 3600 % 24, "h")]),
    }
}

fn units(parts: &[(u64, &str)]) -> String {
    let some = parts.iter().filter(|(number, _)| *number > 0);
    some.map(|(number, unit)| format!("{number} {unit}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(end: u64, from: u64, to: u64) -> Vec<String> {
        let times =
            TimeScale::until(Instant::from_nanos(end)).showing(Instant::from_nanos(from), Instant::from_nanos(to));
        times.ticks().into_iter().map(|tick| tick.1).collect()
    }

    #[test]
    fn labels_are_round_times_of_what_is_shown() {
        let whole = |end: u64| labels(end, 0, end);
        assert_eq!(whole(HOUR), ["0", "10 min", "20 min", "30 min", "40 min", "50 min", "1 h"]);
        assert_eq!(whole(30 * HOUR), ["0", "6 h", "12 h", "18 h", "1 d", "1 d 6 h"]);
        assert_eq!(whole(365 * DAY)[..3], ["0", "50 d", "100 d"]);
        assert_eq!(whole(SECOND)[..3], ["0", "0.2 s", "0.4 s"]);
        assert_eq!(labels(2 * HOUR, 0, 38 * SECOND), ["0", "5 s", "10 s", "15 s", "20 s", "25 s", "30 s", "35 s"]);
        assert_eq!(labels(2 * HOUR, 58 * SECOND, 62 * SECOND)[..3], ["58.0 s", "58.5 s", "59.0 s"]);
        assert_eq!(labels(2 * HOUR, HOUR, HOUR + 2 * MINUTE)[..2], ["1:00:00", "1:00:20"]);
        assert!(whole(u64::MAX).len() as u64 <= MOST_TICKS + 1);
    }

    #[test]
    fn labels_are_few_however_long_it_lasts() {
        for secs in [0, 1, 59, 7200, 93_600, 31_536_000, 1_000_000_000] {
            let ticks = TimeScale::until(Instant::from_secs(secs)).ticks();
            assert!((2..=9).contains(&ticks.len()), "{secs}: {ticks:?}");
            assert!(ticks.iter().all(|(at, _)| (0.0..=1.0).contains(at)));
        }
    }

    #[test]
    fn what_is_shown_is_said_in_words() {
        let times = TimeScale::until(Instant::from_secs(7200));
        assert_eq!(times.spoken(), "Showing all 2 h.");
        let part = |from: u64, to: u64| times.showing(Instant::from_secs(from), Instant::from_secs(to)).spoken();
        assert_eq!(part(0, 38), "Showing 0 to 38 s of 2 h.");
        assert_eq!(part(1125, 1575), "Showing 18 min 45 s to 26 min 15 s of 2 h.");
    }

    #[test]
    fn a_plot_shows_the_part_and_keeps_the_rest() {
        let times = TimeScale::until(Instant::from_secs(7200)).showing(Instant::from_secs(60), Instant::from_secs(90));
        assert_eq!(times.view_box(100.0), "60 0 30 100");
        assert_eq!(times.x(Instant::from_secs(3600)), 3600.0);
    }

    #[test]
    fn durations_are_written_as_one_reads_them() {
        let texts = [0, 850, 31_200, 60_000, 263_000, 86_286_671, 93_600_000].map(Duration::from_millis).map(lasting);
        assert_eq!(texts, ["0 s", "850 ms", "31.2 s", "1 min", "4 min 23 s", "23 h 58 min", "1 d 2 h"]);
    }
}
