//! Why a conversation ended, in the words of all who hear of it.

use crate::violation::Violation;
use crate::wire::WireError;

/// Why a conversation ended.
#[derive(Debug, thiserror::Error)]
pub enum End {
    /// The stream ended or broke.
    #[error(transparent)]
    Wire(WireError),
    /// The peer broke the protocol. It was reported.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// The peer speaks too old a version; that is no offence.
    #[error("speaks protocol version {0}, at least 70001 is needed")]
    Obsolete(u32),
    /// The peer left a ping unanswered for too long.
    #[error("does not answer pings")]
    Silent,
}

impl From<WireError> for End {
    /// What is no proper message is the peer's doing; everything else happens.
    fn from(error: WireError) -> Self {
        match error {
            WireError::Frame(error) => Self::Violation(Violation::Frame(error)),
            WireError::Closed | WireError::Truncated | WireError::Broken(_) | WireError::Backlog(_) => {
                Self::Wire(error)
            }
        }
    }
}

impl End {
    /// What the peer did wrong, if that was it.
    pub const fn violation(&self) -> Option<&Violation> {
        match self {
            Self::Violation(violation) => Some(violation),
            Self::Wire(_) | Self::Obsolete(_) | Self::Silent => None,
        }
    }
}
