//! The criteria by which our manager and a rival are compared.

use std::time::Duration;

use connmgr_check::Property;

use super::course::{Cap, Reached, RunCourse};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Criterion {
    /// Milliseconds until the pool is first full.
    Fill,
    /// Dials until then.
    Dials,
    /// Milliseconds from the end of the last fault until it is full again.
    Again,
}

impl Criterion {
    pub(super) const ALL: [Self; 3] = [Self::Fill, Self::Dials, Self::Again];

    pub(super) const fn property(self) -> Property {
        match self {
            Self::Fill => Property::FillTime,
            Self::Dials => Property::FillDials,
            Self::Again => Property::RecoveryTime,
        }
    }

    /// The number; `None` if it was not reached within the cap.
    pub(super) fn of(self, course: &RunCourse, cap: Cap) -> Option<u64> {
        let reached = match self {
            Self::Fill | Self::Dials => course.fill,
            Self::Again => course.again,
        };
        let Reached { after, dials } = reached.filter(|it| it.after <= cap.within && it.dials <= cap.dials)?;
        Some(if self == Self::Dials { dials } else { millis(after) })
    }

    /// The number as text.
    pub(super) fn text(self, value: Option<u64>) -> String {
        match (self, value) {
            (_, None) => "never".to_owned(),
            (Self::Dials, Some(dials)) => format!("{dials} dials"),
            (Self::Fill | Self::Again, Some(millis)) => format!("{}.{:03} s", millis / 1000, millis % 1000),
        }
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
