//! How far a pool is from its end.

use connmgr_core::Time;

/// How far a pool is from its end.
///
/// ```text
/// Running ──► Saving ──► Ended
///    └─────────────────────┘     without a state directory
/// ```
#[derive(Clone, Copy, Debug)]
pub(super) enum PoolLife {
    /// The manager has not stopped, or that was not noticed yet.
    Running,
    /// It has, and the disk may take until then.
    Saving(Time),
    /// All is done.
    Ended,
}

impl PoolLife {
    pub(super) const fn is_running(self) -> bool {
        matches!(self, Self::Running)
    }

    /// When it goes on by itself.
    pub(super) const fn deadline(self) -> Option<Time> {
        match self {
            Self::Saving(until) => Some(until),
            Self::Running | Self::Ended => None,
        }
    }
}
