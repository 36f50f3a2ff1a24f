//! What is measured of a run, by name: for people, for bounds, for sweeps. Whole numbers only, so that all platforms
//! say the same.

use std::collections::BTreeMap;
use std::time::Duration;

use connmgr_check::words;
use serde::{Deserialize, Serialize};

use crate::scenario::Bound;
use crate::types::Instant;
use crate::world::subject::Subject;
use crate::world::{Node, World};

words! {
    /// Something that is measured of each manager of a run.
    Figure, UnknownFigure, "figure" {
        /// Time until the pool was first full.
        ToTarget => "seconds-to-target",
        /// Time from the end of the last fault until the pool was full.
        ToRecover => "seconds-to-recover",
        /// Time the pool was not full, since it first was.
        Short => "seconds-short",
        /// Dials begun.
        Dials => "dials",
        /// The most dials in any one second.
        MostDials => "most-dials-in-a-second",
        /// Dials begun while the interface or a network was cut off by a fault.
        DialsInFaults => "dials-in-faults",
        /// Dials that became a connection.
        Connected => "connected",
        /// Handshakes done.
        Ready => "ready",
        /// Connections lost or closed.
        Disconnected => "disconnected",
        /// Strangers who came.
        Arrivals => "arrivals",
        /// Strangers let in.
        Accepted => "accepted",
        /// Lookups begun.
        Lookups => "lookups",
        /// Bans imposed.
        Bans => "bans",
        /// Times a network was found down.
        Outages => "outages",
        /// Starts of the process.
        Starts => "starts",
        /// Addresses known at the end, as they would be saved; none while the process does not run.
        Book => "book",
    }
}

impl Figure {
    /// Whether it is a duration: measured in milliseconds, bounded and named in seconds.
    pub const fn is_duration(self) -> bool {
        matches!(self, Self::ToTarget | Self::ToRecover | Self::Short)
    }

    fn of<S: Subject>(self, node: &Node<S>, healed: Option<Instant>) -> Option<u64> {
        let tally = &node.tally;
        match self {
            Self::ToTarget => tally.first_full.map(|at| millis(at.since(Instant::ZERO))),
            Self::ToRecover => Some(millis(tally.full_after_healing?.since(healed?))),
            Self::Short => Some(millis(tally.short_for)),
            Self::Dials => Some(tally.dials),
            Self::MostDials => Some(tally.most_dials_in_a_second.into()),
            Self::DialsInFaults => Some(tally.dials_in_faults),
            Self::Connected => Some(tally.connected),
            Self::Ready => Some(tally.ready),
            Self::Disconnected => Some(tally.disconnected),
            Self::Arrivals => Some(tally.arrivals),
            Self::Accepted => Some(tally.accepted),
            Self::Lookups => Some(tally.lookups),
            Self::Bans => Some(tally.bans),
            Self::Outages => Some(tally.outages),
            Self::Starts => Some(tally.starts),
            Self::Book => Some(node.subject.as_ref().map_or(0, |subject| subject.snapshot().addresses.len() as u64)),
        }
    }

    /// A measured number as people read it, without its unit: seconds for durations, `never` for what did not come.
    pub fn text(self, value: Option<u64>) -> String {
        match value {
            None => "never".to_owned(),
            Some(millis) if self.is_duration() => format!("{}.{:03}", millis / 1000, millis % 1000),
            Some(count) => count.to_string(),
        }
    }

    /// The same for the least and the greatest among managers.
    pub fn range_text(self, range: Range) -> String {
        let Range { least, most } = range;
        if least == most { self.text(most) } else { format!("{} .. {}", self.text(least), self.text(most)) }
    }
}

/// The least and the greatest of a figure among the managers of a world. Nothing is greater than what never came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The least; none if it came at no manager.
    pub least: Option<u64>,
    /// The greatest; none if at some manager it never came.
    pub most: Option<u64>,
}

impl Range {
    const fn one(value: Option<u64>) -> Self {
        Self { least: value, most: value }
    }

    fn and(self, other: Self) -> Self {
        let least = match (self.least, other.least) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let most = self.most.zip(other.most).map(|(a, b)| a.max(b));
        Self { least, most }
    }
}

/// All figures of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Figures(BTreeMap<String, Range>);

impl Figures {
    /// What a world comes to by now.
    pub fn of<S: Subject>(world: &World<S>) -> Self {
        let healed = world.plan().scenario.healed_at();
        let range = |figure: Figure| {
            let values = world.nodes().iter().map(|node| Range::one(figure.of(node, healed)));
            values.reduce(Range::and).unwrap_or(Range::one(None))
        };
        Self(Figure::ALL.iter().map(|figure| (figure.name().to_owned(), range(*figure))).collect())
    }

    /// A figure.
    pub fn get(&self, figure: Figure) -> Range {
        self.0.get(figure.name()).copied().unwrap_or(Range::one(None))
    }

    /// What is outside a bound, for people; none if it is kept, or bounds no figure that there is.
    pub fn beyond(&self, bound: &Bound) -> Option<String> {
        let figure: Figure = bound.of.parse().ok()?;
        let Range { least, most } = self.get(figure);
        let unit = if figure.is_duration() { 1000 } else { 1 };
        let limit = |bound: u64| bound.saturating_mul(unit);
        if let Some(max) = bound.max.filter(|max| most.is_none_or(|most| most > limit(*max))) {
            return Some(format!("{} is more than {max}", figure.text(most)));
        }
        let min = bound.min.filter(|min| least.is_some_and(|least| least < limit(*min)))?;
        Some(format!("{} is less than {min}", figure.text(least)))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(figure: Figure, least: Option<u64>, most: Option<u64>) -> Figures {
        Figures(BTreeMap::from([(figure.name().to_owned(), Range { least, most })]))
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

    #[test]
    fn one_manager_where_it_never_came_makes_it_never_for_all() {
        let one = Range::one(Some(5)).and(Range::one(None)).and(Range::one(Some(3)));
        assert_eq!(one, Range { least: Some(3), most: None });
    }
}
