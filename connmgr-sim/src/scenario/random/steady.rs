//! The intervals in which a world does not change, for the checks of needless work.

use std::ops::Range;

use crate::scenario::{HostBehavior, HostSpec, Scenario};
use crate::types::Instant;

/// The intervals in which a world does not change: no fault begins or ends, no population or seed turns, no peer is
/// added or removed, no ban of the operator begins or ends, and no inbound stream starts or stops. In order; empty ones
/// are left out.
///
/// Empty where hosts churn, answer in windows, misbehave, or end connections that were stable: there the world changes
/// all the time. A connection that ends before `stable_after` is no change.
pub fn steady(scenario: &Scenario) -> Vec<Range<Instant>> {
    let stable_after = crate::scenario::config::of(scenario).stable_after;
    let is_restless = |spec: &HostSpec| {
        let turned = spec.turns.as_ref().map(|turn| &turn.into);
        let lasts = |life: &crate::scenario::TimeSpread| life.most() >= stable_after;
        let behaves_so = |behavior: &HostBehavior| match behavior {
            HostBehavior::ReadyThenClose(life) => lasts(life),
            other => matches!(other, HostBehavior::Misbehave { .. } | HostBehavior::Windows { .. }),
        };
        let behaviors = [Some(&spec.behavior), turned];
        spec.churn.is_some()
            || spec.session.as_ref().is_some_and(lasts)
            || behaviors.into_iter().flatten().any(behaves_so)
    };
    if scenario.hosts.iter().any(is_restless) {
        return Vec::new();
    }
    let changes = changes(scenario);
    let pairs = changes.iter().zip(changes.iter().skip(1));
    pairs.map(|(from, to)| *from..*to).filter(|range| !range.is_empty()).collect()
}

/// Every moment at which something changes, in order, with the beginning and the end.
pub(crate) fn changes(scenario: &Scenario) -> Vec<Instant> {
    let end = Instant::ZERO.after(scenario.duration.0);
    let mut changes = vec![Instant::ZERO, end, Instant::ZERO.after(scenario.node.start_within.0)];
    for spec in &scenario.faults {
        for (begins, ends) in spec.times(end) {
            changes.extend([Some(begins), ends].into_iter().flatten());
        }
    }
    let turns = scenario.hosts.iter().filter_map(|spec| Some(spec.turns.as_ref()?.at));
    let seeds = scenario.seeds.iter().filter_map(|spec| Some(spec.turns?.at));
    let peers = scenario.peers.iter().flat_map(|spec| [Some(spec.at), spec.removed_at]).flatten();
    let inbound = scenario.inbound.iter().flat_map(|spec| [Some(spec.from), spec.until]).flatten();
    changes.extend(turns.chain(seeds).chain(peers).chain(inbound).map(|at| Instant::ZERO.after(at.0)));
    changes.extend(scenario.bans.iter().flat_map(|spec| spec.changes(end)));
    changes.retain(|at| *at <= end);
    changes.sort_unstable();
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{FaultKind, FaultSpec, HostTurn, Span};
    use crate::types::Share;

    fn minutes(from: u64, to: u64) -> Range<Instant> {
        Instant::from_secs(from * 60)..Instant::from_secs(to * 60)
    }

    fn world(behavior: HostBehavior) -> Scenario {
        let mut scenario = Scenario::new("world", Span::minutes(10));
        scenario.hosts.push(HostSpec { behavior, ..HostSpec::new("hosts", 20) });
        scenario
    }

    #[test]
    fn what_begins_ends_and_turns_parts_the_time() {
        let mut scenario = world(HostBehavior::Refuse);
        assert_eq!(steady(&scenario), [minutes(0, 10)]);
        scenario.hosts[0].turns = Some(HostTurn { at: Span::minutes(7), into: HostBehavior::Accept, hang_up: false });
        let (at, lasts) = (Span::minutes(2), Some(Span::minutes(1)));
        let (every, times, share, chance) = (Some(Span::minutes(3)), None, Share::ALL, Share::ALL);
        scenario.faults.push(FaultSpec { fault: FaultKind::Interface, at, lasts, every, times, share, chance });
        let parts = [(0, 2), (2, 3), (3, 5), (5, 6), (6, 7), (7, 8), (8, 9), (9, 10)];
        assert_eq!(steady(&scenario), parts.map(|(from, to)| minutes(from, to)));
    }

    #[test]
    fn a_world_is_restless_where_good_connections_end() {
        let lives = |secs| HostBehavior::ReadyThenClose(Span::secs(secs).into());
        assert_eq!(steady(&world(lives(1))), [minutes(0, 10)]);
        assert_eq!(steady(&world(lives(600))), []);
        let mut scenario = world(HostBehavior::Accept);
        scenario.hosts[0].session = Some(Span::secs(600).into());
        assert_eq!(steady(&scenario), []);
    }
}
