//! The names of the figures that are measured in a run, used in bounds, sweeps and tables. Whole numbers only, so that
//! all platforms agree.

use connmgr_check::words;
use serde::{Deserialize, Serialize};

words! {
    /// A figure, measured for each manager of a run.
    Figure, UnknownFigure, "figure" {
        /// Time until the pool was first full.
        ToTarget => "seconds-to-target",
        /// Time from the end of the last fault until the pool was full.
        ToRecover => "seconds-to-recover",
        /// Time during which the pool was not full, counted from when it was first full.
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
        /// Inbound connections offered.
        Arrivals => "arrivals",
        /// Inbound connections admitted.
        Accepted => "accepted",
        /// Lookups begun.
        Lookups => "lookups",
        /// Bans imposed.
        Bans => "bans",
        /// Times a network was found down.
        Outages => "outages",
        /// Starts of the process.
        Starts => "starts",
        /// Addresses in the book at the end; 0 if the process is not running.
        Book => "book",
        /// Outbound connections with adversaries at the end.
        Adversaries => "adversaries",
    }
}

impl Figure {
    /// Whether it is a duration: measured in milliseconds, bounded and named in seconds.
    pub const fn is_duration(self) -> bool {
        matches!(self, Self::ToTarget | Self::ToRecover | Self::Short)
    }

    /// A measured number as text, without its unit: seconds for durations, `never` if it was not reached.
    pub fn text(self, value: Option<u64>) -> String {
        match value {
            None => "never".to_owned(),
            Some(millis) if self.is_duration() => format!("{}.{:03}", millis / 1000, millis % 1000),
            Some(count) => count.to_string(),
        }
    }

    /// The range over all managers as text.
    pub fn range_text(self, range: FigureRange) -> String {
        let FigureRange { least, most } = range;
        if least == most { self.text(most) } else { format!("{} .. {}", self.text(least), self.text(most)) }
    }
}

/// The least and the greatest of a figure over the managers of a world. "Never" counts as greater than any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureRange {
    /// The least; `None` if no manager reached it.
    pub least: Option<u64>,
    /// The greatest; `None` if some manager never reached it.
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
