//! Why a connection that was asked for could not be had.

use std::error::Error;
use std::fmt;

use connmgr_core::{AddPeerError, CloseReason, ConnId, DialFailure, EndReason, LookupError, Obstacle};

/// Why `connect` gives no connection. What it added is not added any more, save in
/// [`AlreadyConnected`](ConnectError::AlreadyConnected).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectError {
    /// The peer can't be added: as many are as `limits.added` allows, its description is wrong, or it is added already
    /// ([`AddPeerError::Duplicate`]) and not connected. In the last case the pool dials it on its own; `dial_now` has it
    /// dialed at once.
    NotAdded(AddPeerError),
    /// A rule forbids dialing any of its addresses now.
    Forbidden(Obstacle),
    /// Connections and dials hold every slot that `limits` leaves for added peers.
    NoSlot,
    /// The pool has this connection to it, and has handed it out already or does so as an event. It is that of an added
    /// peer with one of its addresses or its identity, added before; or it was nobody's, and belongs to the peer of this
    /// call now, which stays added until the connection ends.
    AlreadyConnected(ConnId),
    /// Its name could not be resolved.
    LookupFailed(LookupError),
    /// Every address was dialed in vain. This is how the last dial failed.
    DialFailed(DialFailure),
    /// The connection opened and ended before it could be handed out.
    Ended(EndReason),
    /// The pool is inactive (`set_active`).
    Inactive,
    /// The pool shuts down, or is gone.
    ShuttingDown,
}

impl ConnectError {
    /// A dial of the peer failed.
    pub(crate) const fn dial_failed(failure: DialFailure) -> Self {
        match failure {
            DialFailure::GivenUp(CloseReason::Shutdown) => Self::ShuttingDown,
            DialFailure::GivenUp(CloseReason::Inactive) => Self::Inactive,
            _ => Self::DialFailed(failure),
        }
    }

    /// The connection of the peer ended.
    pub(crate) const fn ended(reason: EndReason) -> Self {
        match reason {
            EndReason::Ours(CloseReason::Shutdown) => Self::ShuttingDown,
            EndReason::Ours(CloseReason::Inactive) => Self::Inactive,
            _ => Self::Ended(reason),
        }
    }
}

/// One error for one obstacle, whether it is seen at once or once a name is resolved.
impl From<AddPeerError> for ConnectError {
    fn from(error: AddPeerError) -> Self {
        match error {
            AddPeerError::OwnAddress => Self::Forbidden(Obstacle::OwnAddress),
            AddPeerError::Banned => Self::Forbidden(Obstacle::Banned),
            AddPeerError::NotDialable(why) => Self::Forbidden(Obstacle::NotDialable(why)),
            AddPeerError::Unreachable => Self::Forbidden(Obstacle::Unreachable),
            AddPeerError::ShuttingDown => Self::ShuttingDown,
            _ => Self::NotAdded(error),
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAdded(_) => f.write_str("the peer can't be added"),
            Self::Forbidden(obstacle) => write!(f, "not dialed: {obstacle}"),
            Self::NoSlot => f.write_str("not dialed: connections and dials hold every slot (`limits`)"),
            Self::AlreadyConnected(conn) => write!(f, "connected already, by {conn}"),
            Self::LookupFailed(_) => f.write_str("its name could not be resolved"),
            Self::DialFailed(DialFailure::Failed(_)) => f.write_str("the dial failed"),
            Self::DialFailed(failure) => write!(f, "the dial was given up: {failure}"),
            Self::Ended(reason) => write!(f, "the connection ended at once: {reason}"),
            Self::Inactive => f.write_str("not dialed: the pool is inactive"),
            Self::ShuttingDown => f.write_str("the pool shuts down"),
        }
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NotAdded(error) => Some(error),
            Self::LookupFailed(error) => Some(error),
            Self::DialFailed(DialFailure::Failed(error)) => Some(error),
            Self::Forbidden(_)
            | Self::NoSlot
            | Self::AlreadyConnected(_)
            | Self::DialFailed(_)
            | Self::Ended(_)
            | Self::Inactive
            | Self::ShuttingDown => None,
        }
    }
}
