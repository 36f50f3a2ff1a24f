//! The figures of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::scenario::Bound;
use crate::types::{Figure, FigureRange, Instant};
use crate::world::subject::Subject;
use crate::world::{World, WorldNode};

/// All figures of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Figures(BTreeMap<String, FigureRange>);

impl Figures {
    /// The figures of a world up to now.
    pub fn of<S: Subject>(world: &World<S>) -> Self {
        let healed = world.plan().scenario.healed_at();
        let range = |figure: Figure| {
            let values = (0..world.nodes().len()).map(|node| FigureRange::one(measure(figure, world, node, healed)));
            values.reduce(FigureRange::and).unwrap_or(FigureRange::one(None))
        };
        Self(Figure::ALL.iter().map(|figure| (figure.name().to_owned(), range(*figure))).collect())
    }

    /// A figure.
    pub fn get(&self, figure: Figure) -> FigureRange {
        self.0.get(figure.name()).copied().unwrap_or(FigureRange::one(None))
    }

    /// How a bound is exceeded, as text; `None` if it is kept, or names no figure.
    pub fn beyond(&self, bound: &Bound) -> Option<String> {
        let figure: Figure = bound.of.parse().ok()?;
        let FigureRange { least, most } = self.get(figure);
        let unit = if figure.is_duration() { 1000 } else { 1 };
        let limit = |bound: u64| bound.saturating_mul(unit);
        if let Some(max) = bound.max.filter(|max| most.is_none_or(|most| most > limit(*max))) {
            return Some(format!("{} is more than {max}", figure.text(most)));
        }
        let min = bound.min.filter(|min| least.is_some_and(|least| least < limit(*min)))?;
        Some(format!("{} is less than {min}", figure.text(least)))
    }
}

fn measure<S: Subject>(figure: Figure, world: &World<S>, node: usize, healed: Option<Instant>) -> Option<u64> {
    let WorldNode { tally, subject, .. } = &world.nodes()[node];
    match figure {
        Figure::ToTarget => tally.first_full.map(|at| millis(at.since(Instant::ZERO))),
        Figure::ToRecover => Some(millis(tally.full_after_healing?.since(healed?))),
        Figure::Short => Some(millis(tally.short_for)),
        Figure::Dials => Some(tally.dials),
        Figure::MostDials => Some(tally.most_dials_in_a_second.into()),
        Figure::DialsInFaults => Some(tally.dials_in_faults),
        Figure::Connected => Some(tally.connected),
        Figure::Ready => Some(tally.ready),
        Figure::Disconnected => Some(tally.disconnected),
        Figure::Arrivals => Some(tally.arrivals),
        Figure::Accepted => Some(tally.accepted),
        Figure::Lookups => Some(tally.lookups),
        Figure::Bans => Some(tally.bans),
        Figure::Outages => Some(tally.outages),
        Figure::Starts => Some(tally.starts),
        Figure::Book => Some(subject.as_ref().map_or(0, |subject| subject.snapshot().addresses.len() as u64)),
        Figure::Adversaries => Some(world.adversaries_of(node)),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(figure: Figure, least: Option<u64>, most: Option<u64>) -> Figures {
        Figures(BTreeMap::from([(figure.name().to_owned(), FigureRange { least, most })]))
    }

    fn bound(figure: Figure, min: Option<u64>, max: Option<u64>) -> Bound {
        Bound { of: figure.name().to_owned(), min, max }
    }

    #[test]
    fn a_bound_in_seconds_is_compared_with_milliseconds() {
        let seen = figures(Figure::ToTarget, Some(2_000), Some(3_001));
        assert_eq!(seen.beyond(&bound(Figure::ToTarget, None, Some(4))), None);
        assert_eq!(seen.beyond(&bound(Figure::ToTarget, None, Some(3))), Some("3.001 is more than 3".into()));
        assert_eq!(seen.beyond(&bound(Figure::ToTarget, Some(3), None)), Some("2.000 is less than 3".into()));
    }

    #[test]
    fn what_never_came_is_more_than_any_bound_and_less_than_none() {
        let seen = figures(Figure::ToTarget, None, None);
        assert_eq!(
            seen.beyond(&bound(Figure::ToTarget, None, Some(u64::MAX))),
            Some(format!("never is more than {}", u64::MAX))
        );
        assert_eq!(seen.beyond(&bound(Figure::ToTarget, Some(1), None)), None);
    }
}
