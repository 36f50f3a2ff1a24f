//! When something happened, to the nanosecond.

use core::time::Duration;

use crate::types::{Time, nanos};

/// When something happened: nanoseconds since birth, negative before; or never.
///
/// Exact, so that spacing is neither a nanosecond more nor less. Reaches 292 years in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment(pub(super) i64);

impl Moment {
    pub(super) const NEVER: Self = Self(i64::MIN);

    pub(super) fn at(now: Time) -> Self {
        Self(i64::try_from(now.as_nanos()).unwrap_or(i64::MAX))
    }

    /// The moment `ago` before `now`, at most 292 years before birth.
    pub(super) fn before(now: Time, ago: Duration) -> Self {
        let ago = i64::try_from(nanos(ago)).unwrap_or(i64::MAX);
        Self(Self::at(now).0.saturating_sub(ago).max(i64::MIN + 1))
    }

    pub(super) const fn is_never(self) -> bool {
        self.0 == Self::NEVER.0
    }

    /// How long ago it was; `None` for never.
    pub(super) fn ago(self, now: Time) -> Option<Duration> {
        self.nanos_ago(now).map(Duration::from_nanos)
    }

    /// The same in nanoseconds: what is compared often is not made a `Duration` of.
    pub(super) fn nanos_ago(self, now: Time) -> Option<u64> {
        let now = Self::at(now).0;
        let ago = if now > self.0 { now.abs_diff(self.0) } else { 0 };
        (!self.is_never()).then_some(ago)
    }
}
