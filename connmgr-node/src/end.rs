//! Why a session ended.

use bitcoin::p2p::Magic;

use crate::violation::ProtocolViolation;
use crate::wire::WireError;

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
pub enum SessionEnd {
    /// The stream ended or broke.
    #[error(transparent)]
    Wire(WireError),
    /// The peer broke the protocol. [`News::Misbehaving`](crate::news::News::Misbehaving) came before.
    #[error(transparent)]
    Violation(#[from] ProtocolViolation),
    /// The peer speaks too old a version. That is no violation.
    #[error("speaks protocol version {0}, at least 70001 is needed")]
    Obsolete(u32),
    /// The peer left a ping unanswered for too long.
    #[error("does not answer pings")]
    Silent,
    /// The peer read nothing for too long while bytes waited for it.
    #[error("does not read what is sent to it")]
    Unread,
    /// The peer's first bytes are no message of our network. That is no violation: Bitcoin Core dials with the v2
    /// transport first, whose first bytes look random, and dials again with v1 when it is closed without an answer.
    #[error("speaks another protocol (it begins with {0}): the v2 transport, or another network's")]
    Foreign(Magic),
}

impl From<WireError> for SessionEnd {
    /// A malformed message is a violation; everything else can happen to any peer.
    fn from(error: WireError) -> Self {
        match error {
            WireError::Frame(error) => Self::Violation(ProtocolViolation::Frame(error)),
            WireError::Closed | WireError::Truncated | WireError::Broken(_) | WireError::Backlog(_) => {
                Self::Wire(error)
            }
        }
    }
}

impl SessionEnd {
    /// The violation, if that was the reason.
    pub const fn violation(&self) -> Option<&ProtocolViolation> {
        match self {
            Self::Violation(violation) => Some(violation),
            Self::Wire(_) | Self::Obsolete(_) | Self::Silent | Self::Unread | Self::Foreign(_) => None,
        }
    }
}
