//! The stages of a pool's end.

use connmgr_core::Time;

/// The stages of a pool's end.
///
/// ```text
/// Running ──► Saving ──► Ended
///    └─────────────────────┘     without a state directory
/// ```
#[derive(Clone, Copy, Debug)]
pub(super) enum PoolLife {
    /// The manager has not stopped, or the engine has not noticed it.
    Running,
    /// The manager has stopped. The disk is waited for until this time.
    Saving(Time),
    /// Nothing is left to do.
    Ended,
}

impl PoolLife {
    pub(super) const fn is_running(self) -> bool {
        matches!(self, Self::Running)
    }

    /// When the stage ends by itself.
    pub(super) const fn deadline(self) -> Option<Time> {
        match self {
            Self::Saving(until) => Some(until),
            Self::Running | Self::Ended => None,
        }
    }
}
