//! The names of all that is measured of a run: for people, for bounds, for sweeps. Whole numbers only, so that all
//! platforms say the same.

use connmgr_check::words;
use serde::{Deserialize, Serialize};

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

    /// A measured number as people read it, without its unit: seconds for durations, `never` for what did not come.
    pub fn text(self, value: Option<u64>) -> String {
        match value {
            None => "never".to_owned(),
            Some(millis) if self.is_duration() => format!("{}.{:03}", millis / 1000, millis % 1000),
            Some(count) => count.to_string(),
        }
    }

    /// The same for the least and the greatest among managers.
    pub fn range_text(self, range: FigureRange) -> String {
        let FigureRange { least, most } = range;
        if least == most { self.text(most) } else { format!("{} .. {}", self.text(least), self.text(most)) }
    }
}

/// The least and the greatest of a figure among the managers of a world. Nothing is greater than what never came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureRange {
    /// The least; none if it came at no manager.
    pub least: Option<u64>,
    /// The greatest; none if at some manager it never came.
    pub most: Option<u64>,
}

impl FigureRange {
    pub(crate) const fn one(value: Option<u64>) -> Self {
        Self { least: value, most: value }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        let least = match (self.least, other.least) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let most = self.most.zip(other.most).map(|(a, b)| a.max(b));
        Self { least, most }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_manager_where_it_never_came_makes_it_never_for_all() {
        let one = FigureRange::one(Some(5)).and(FigureRange::one(None)).and(FigureRange::one(Some(3)));
        assert_eq!(one, FigureRange { least: Some(3), most: None });
    }
}
