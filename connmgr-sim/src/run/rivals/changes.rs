//! When a world changes according to its scenario.
//!
//! Churn, in which hosts come and go one by one, is no change.

use std::time::Duration;

use crate::scenario::{HostBehavior, HostSpec, Scenario};
use crate::types::Instant;

/// Windows of a behavior that are considered, at most.
const MOST_WINDOWS: u32 = 10_000;
const HOUR: Duration = Duration::from_secs(3600);

/// A stretch of at most an hour in which nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: Instant,
    pub(super) to: Instant,
    /// Hours since the last change when it begins.
    pub(super) hour: u32,
}

/// The moments of change before the end, in order; the beginning is the first.
pub(super) fn changes(scenario: &Scenario) -> Vec<Instant> {
    let end = Instant::ZERO.after(scenario.duration.0);
    let mut changes = crate::scenario::random::changes(scenario);
    changes.extend(scenario.hosts.iter().flat_map(|spec| windows_of(spec, end)));
    changes.retain(|at| *at < end);
    changes.sort_unstable();
    changes.dedup();
    changes
}

/// When the windows of a population open and close.
fn windows_of(spec: &HostSpec, end: Instant) -> Vec<Instant> {
    let turned = spec.turns.as_ref().map(|turn| &turn.into);
    let behaviors = [Some(&spec.behavior), turned].into_iter().flatten();
    let edges = behaviors.filter_map(|behavior| match behavior {
        HostBehavior::Windows { period, open } => Some((period.0.max(Duration::from_millis(1)), open.0)),
        _ => None,
    });
    let of = |(period, open): (Duration, Duration)| {
        let opens = (0..MOST_WINDOWS).map(move |number| Instant::ZERO.after(period * number));
        opens.take_while(move |opens| *opens < end).flat_map(move |opens| [opens, opens.after(open)])
    };
    edges.flat_map(of).collect()
}

/// A scenario split into windows of at most an hour, which start anew at each change.
pub(super) fn windows(scenario: &Scenario) -> Vec<Window> {
    let end = Instant::ZERO.after(scenario.duration.0);
    let changes = changes(scenario);
    let ends = changes.iter().copied().skip(1).chain([end]);
    let hours = |(begins, ends): (Instant, Instant)| {
        let window = move |hour: u32| {
            let from = begins.after(HOUR * hour);
            Window { from, to: from.after(HOUR).min(ends), hour }
        };
        (0..).map(window).take_while(move |window| window.from < ends)
    };
    changes.iter().copied().zip(ends).flat_map(hours).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{FaultKind, FaultSpec, Span};
    use crate::types::Share;

    #[test]
    fn hours_are_counted_from_the_last_change() {
        let mut scenario = Scenario::new("one", Span::hours(3));
        let (at, lasts) = (Span::minutes(10), Some(Span::minutes(90)));
        let (fault, share) = (FaultKind::Interface, Share::ALL);
        scenario.faults.push(FaultSpec { fault, at, lasts, every: None, times: None, share, chance: share });
        let minutes = |at: Instant| at.as_secs() / 60;
        let seen: Vec<_> = windows(&scenario).iter().map(|it| (minutes(it.from), minutes(it.to), it.hour)).collect();
        assert_eq!(seen, [(0, 10, 0), (10, 70, 0), (70, 100, 1), (100, 160, 0), (160, 180, 1)]);
    }

    #[test]
    fn windows_of_hosts_are_changes() {
        let mut scenario = Scenario::new("one", Span::minutes(10));
        let behavior = HostBehavior::Windows { period: Span::minutes(4), open: Span::minutes(1) };
        scenario.hosts.push(HostSpec { behavior, ..HostSpec::new("some", 1) });
        let seen: Vec<u64> = changes(&scenario).iter().map(|at| at.as_secs() / 60).collect();
        assert_eq!(seen, [0, 1, 4, 5, 8, 9]);
    }
}
