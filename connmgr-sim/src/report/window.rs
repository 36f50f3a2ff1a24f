//! Which parts of the time a page offers, and which one it opens on: what happened, not all of the time.
//!
//! A run without faults is about its pool getting full, one with faults about them and the recovery, and a failed one
//! about its end. Where that is most of the time, the page opens on all of it.

use std::time::Duration;

use connmgr_core::Kind;

use super::log_scale;
use super::time_axis::{lasting, round_step};
use crate::types::Instant;
use crate::watch::diary::{Diary, Level, NoteKind};

/// Faults with a button of their own.
const MOST_FAULTS: usize = 4;
/// No part is shorter than this, and no room before a fault: labels are tenths of a second.
const LEAST: Duration = Duration::from_secs(1);

/// A part of the time, and the name of its button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: Instant,
    pub(super) to: Instant,
    pub(super) name: String,
}

impl Window {
    /// Whether both show the same to the eye.
    fn looks_like(&self, other: &Self) -> bool {
        let apart = |a: Instant, b: Instant| a.since(b).max(b.since(a));
        apart(self.from, other.from).max(apart(self.to, other.to)) <= Duration::from_millis(10)
    }
}

/// The parts that a page offers, all of the time first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Windows {
    pub(super) all: Vec<Window>,
    /// The one it opens on.
    pub(super) opening: usize,
    /// It opens on a logarithmic scale of time.
    pub(super) is_log: bool,
}

impl Windows {
    pub(super) fn opening(&self) -> &Window {
        &self.all[self.opening]
    }
}

/// A fault of the world: its name, when it began and when it ended.
pub(super) type Episode = (String, Instant, Instant);

/// What was measured of the manager that is shown, where it is the only one. Else it is read off its connections.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measured {
    /// How long it took until the pool was first full.
    pub(super) fill: Option<Duration>,
    /// When all faults were over, and when the pool was full again.
    pub(super) recovery: Option<(Instant, Instant)>,
}

/// What is known of a run to choose from.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// When the process first started.
    start: Instant,
    end: Instant,
    has_failed: bool,
    measured: Measured,
    /// How many connections of the pool were ready, at each change.
    pool: Vec<(Instant, u32)>,
    /// With how many it is as full as ever.
    full: u32,
    /// When something happened, and how much.
    moments: Vec<(Instant, u64)>,
    /// In the order in which they began.
    faults: Vec<Episode>,
}

impl Story {
    pub(super) fn of(diary: &Diary, faults: Vec<Episode>, measured: Measured, end: Instant, has_failed: bool) -> Self {
        let pool: Vec<(Instant, u32)> = diary.levels.changes().iter().map(|(at, level)| (*at, pooled(level))).collect();
        let full = pool.iter().map(|(_, ready)| *ready).max().unwrap_or(0);
        let start = diary.notes.iter().find(|note| note.kind == NoteKind::Started);
        let start = start.map_or(Instant::ZERO, |note| note.at);
        let width = diary.bars.width();
        let begins = |place: u64| Instant::ZERO.after(width.saturating_mul(u32::try_from(place).unwrap_or(u32::MAX)));
        let bars = diary.bars.iter().map(|(place, bar)| (begins(place), bar.dials + bar.accepted + bar.refused));
        let changes = diary.levels.changes().iter().map(|(at, _)| (*at, 1));
        let mut faults = faults;
        faults.sort_by_key(|(_, from, to)| (*from, *to));
        Self { start, end, has_failed, measured, pool, full, moments: bars.chain(changes).collect(), faults }
    }

    pub(super) fn windows(&self) -> Windows {
        let whole = Window { from: Instant::ZERO, to: self.end, name: format!("All {}", lasting(self.length())) };
        let mut all = vec![whole];
        let opening = self.chosen().map_or(0, |window| {
            all.push(window);
            1
        });
        for window in self.fill().into_iter().chain(self.episodes()).chain(self.recovery()) {
            let is_new = all.iter().all(|other| !other.looks_like(&window));
            if is_new && self.is_part(&window) {
                all.push(window);
            }
        }
        let times = || self.moments.iter().map(|(at, _)| *at);
        let is_log = opening == 0 && !self.has_lasting_faults() && log_scale::reads_better(times, self.end);
        Windows { all, opening, is_log }
    }

    /// What the run is about, if that is a part of the time.
    fn chosen(&self) -> Option<Window> {
        let window = match (self.has_failed, self.faults.is_empty()) {
            (true, _) => self.failure(),
            (false, false) => self.trouble().filter(|window| self.holds(window, 4)),
            (false, true) => self.fill().filter(|window| self.holds(window, 2)),
        };
        window.filter(|window| self.is_part(window))
    }

    /// From the start of the process until the pool was first full.
    fn fill(&self) -> Option<Window> {
        let seen = || Some(self.full_again(self.start).filter(|_| self.full > 0)?.since(self.start));
        let took = self.measured.fill.or_else(seen)?;
        // A little longer, up to a round time.
        let least = (took + took / 4).max(LEAST);
        let step = round_step(least, 20);
        let steps = least.as_nanos().div_ceil(step.as_nanos().max(1));
        let to = self.start.after(step * u32::try_from(steps).unwrap_or(1));
        Some(Window { from: self.start, to, name: format!("Until full: {}", lasting(took)) })
    }

    /// Since circumstances last changed.
    fn failure(&self) -> Option<Window> {
        let marks = self.faults.iter().flat_map(|(_, from, to)| [*from, *to]).filter(|at| *at < self.end);
        let last = marks.max().filter(|at| *at > Instant::ZERO)?;
        let from = earlier(last, (self.end.since(last) / 4).max(LEAST));
        Some(Window { from, to: self.end, name: "The failure".to_owned() })
    }

    /// From the first fault until the pool was full after the last one.
    fn trouble(&self) -> Option<Window> {
        let (from, to) = (self.faults.first()?.1, self.faults.iter().map(|fault| fault.2).max()?);
        let name = match &self.faults[..] {
            [(name, ..)] => format!("Fault: {name}"),
            _ => "All faults".to_owned(),
        };
        Some(self.around(from, self.full_again(to).unwrap_or(to), name))
    }

    /// Each of the first faults, until the pool was full again.
    fn episodes(&self) -> impl Iterator<Item = Window> {
        let is_only = self.faults.len() == 1;
        (1..).zip(&self.faults).take(MOST_FAULTS).map(move |(number, (name, from, to))| {
            let number = if is_only { String::new() } else { format!(" {number}") };
            self.around(*from, self.full_again(*to).unwrap_or(*to), format!("Fault{number}: {name}"))
        })
    }

    /// From the end of the last fault until the pool was full, if that took a while.
    fn recovery(&self) -> Option<Window> {
        let seen = || {
            let end = self.faults.iter().map(|fault| fault.2).max()?;
            Some((end, self.full_again(end)?))
        };
        let (end, full) = self.measured.recovery.or_else(seen).filter(|_| !self.faults.is_empty())?;
        let took = full.since(end);
        (took >= Duration::from_secs(1)).then(|| self.around(end, full, format!("Recovery: {}", lasting(took))))
    }

    fn around(&self, from: Instant, to: Instant, name: String) -> Window {
        let room = (to.since(from) / 4).max(LEAST);
        Window { from: earlier(from, room), to: to.after(room).min(self.end), name }
    }

    /// When the pool was full, from some time on.
    fn full_again(&self, since: Instant) -> Option<Instant> {
        let before = self.pool.partition_point(|(at, _)| *at <= since);
        let is_full = before.checked_sub(1).is_some_and(|place| self.pool[place].1 >= self.full);
        let later = || self.pool[before..].iter().find(|(_, ready)| *ready >= self.full).map(|(at, _)| *at);
        if is_full { Some(since) } else { later() }
    }

    fn length(&self) -> Duration {
        self.end.since(Instant::ZERO)
    }

    /// What is most of the time is no part of it: all of it shows that as well.
    fn is_part(&self, window: &Window) -> bool {
        window.to > window.from && window.to.since(window.from) < self.length() / 2
    }

    /// A logarithmic scale would press them together at the right edge.
    fn has_lasting_faults(&self) -> bool {
        self.faults.iter().any(|(_, from, to)| from < to)
    }

    /// Whether at least one in so many of the things that happened is in a window.
    fn holds(&self, window: &Window, one_in: u64) -> bool {
        let sum = |is_in: &dyn Fn(Instant) -> bool| -> u64 {
            self.moments.iter().filter(|(at, _)| is_in(*at)).map(|(_, count)| *count).sum()
        };
        one_in * sum(&|at| (window.from..window.to).contains(&at)) >= sum(&|_| true)
    }
}

/// Connections that the manager chose to keep: visits by feelers come and go, and added peers are the operator's.
fn pooled(level: &Level) -> u32 {
    [Kind::Full, Kind::BlockRelay].into_iter().map(|kind| level.of(kind)).sum()
}

fn earlier(at: Instant, by: Duration) -> Instant {
    Instant::ZERO.after(at.since(Instant::ZERO).saturating_sub(by))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;

    fn at(secs: u64) -> Instant {
        Instant::from_secs(secs)
    }

    /// Two hours in which eight connections get ready, the last after 31 seconds.
    fn cold_start() -> Story {
        let pool: Vec<(Instant, u32)> = [2, 3, 5, 8, 12, 20, 25, 31].map(at).into_iter().zip(1..).collect();
        let moments = (0..31).map(|second| (at(second), 2)).collect();
        Story { end: at(2 * HOUR), pool, full: 8, moments, ..Story::default() }
    }

    fn opens_on(story: &Story) -> (String, u64, u64) {
        let windows = story.windows();
        let Window { from, to, name } = windows.opening();
        (name.clone(), from.as_secs(), to.as_secs())
    }

    fn fault(from: u64, to: u64) -> Episode {
        ("interface down".to_owned(), at(from), at(to))
    }

    #[test]
    fn a_cold_start_fills_the_picture() {
        assert_eq!(opens_on(&cold_start()), ("Until full: 31 s".into(), 0, 40));
        assert_eq!(cold_start().windows().all[0].name, "All 2 h");
    }

    #[test]
    fn a_process_that_starts_late_is_shown_from_its_start() {
        let mut late = cold_start();
        late.start = at(600);
        late.pool.iter_mut().for_each(|change| change.0 = change.0.after(Duration::from_secs(600)));
        late.moments.iter_mut().for_each(|moment| moment.0 = moment.0.after(Duration::from_secs(600)));
        assert_eq!(opens_on(&late), ("Until full: 31 s".into(), 600, 640));
    }

    #[test]
    fn a_run_in_which_most_happens_later_is_shown_whole() {
        let mut flood = cold_start();
        flood.moments.extend((60..2 * HOUR).map(|second| (at(second), 1)));
        assert_eq!(opens_on(&flood), ("All 2 h".into(), 0, 2 * HOUR));
        assert!(!flood.windows().is_log, "the flood is all over the time");
        assert!(flood.windows().all.iter().any(|window| window.name == "Until full: 31 s"));
    }

    #[test]
    fn a_fault_and_its_recovery_fill_the_picture() {
        let mut story = cold_start();
        story.faults = vec![fault(HOUR, HOUR + 600)];
        story.pool.extend([(at(HOUR + 1), 0), (at(HOUR + 620), 8)]);
        story.moments.push((at(HOUR + 610), 25));
        assert_eq!(opens_on(&story), ("Fault: interface down".into(), HOUR - 155, HOUR + 775));
        assert!(story.windows().all.iter().any(|window| window.name == "Recovery: 20 s"));
    }

    #[test]
    fn a_fault_that_changed_little_does_not_hide_what_happened_before() {
        let mut story = cold_start();
        story.faults = vec![fault(HOUR, HOUR + 600)];
        assert_eq!(opens_on(&story).0, "All 2 h");
    }

    #[test]
    fn what_was_measured_wins_over_what_the_connections_show() {
        let mut story = cold_start();
        story.faults = vec![fault(HOUR, HOUR + 600)];
        story.measured =
            Measured { fill: Some(Duration::from_secs(40)), recovery: Some((at(HOUR + 600), at(HOUR + 700))) };
        let names: Vec<String> = story.windows().all.into_iter().map(|window| window.name).collect();
        assert_eq!(names[1..], ["Until full: 40 s", "Fault: interface down", "Recovery: 1 min 40 s"]);
    }

    #[test]
    fn faults_throughout_the_time_are_shown_whole() {
        let mut story = cold_start();
        story.faults = vec![fault(600, 700), fault(6000, 6100)];
        let names: Vec<String> = story.windows().all.into_iter().map(|window| window.name).collect();
        assert_eq!(opens_on(&story).0, "All 2 h");
        assert_eq!(names[2..], ["Fault 1: interface down", "Fault 2: interface down"]);
    }

    #[test]
    fn a_failure_fills_the_picture_from_the_last_change_on() {
        let mut story = cold_start();
        (story.has_failed, story.end) = (true, at(6160));
        story.faults = vec![fault(600, 700), fault(6000, 6100)];
        assert_eq!(opens_on(&story), ("The failure".into(), 6085, 6160));
        story.faults.clear();
        assert_eq!(opens_on(&story).0, "All 1 h 42 min", "nothing changed: all of it led there");
    }

    #[test]
    fn a_run_that_was_over_at_once_is_shown_whole() {
        let windows = Story::default().windows();
        assert_eq!((windows.opening, windows.all.len()), (0, 1));
    }
}
