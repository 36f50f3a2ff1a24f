//! Violations of the protocol, and their penalties.
//!
//! The manager bans a host above 100 points. What only a malicious or broken peer does costs more than that at once (Bitcoin
//! Core discourages the peer for it at once); what Core bears without a score costs nothing here either, for another
//! honest version may do it. Nothing here closes a connection.

use connmgr_core::Penalty;

use crate::frame::FrameError;

/// Enough to be banned at once.
const BAN: Penalty = Penalty { persistent: 101, transient: 0 };
/// Reported, and borne.
const NONE: Penalty = Penalty { persistent: 0, transient: 0 };
/// Six of these within a minute get a host banned.
const SMALL: Penalty = Penalty { persistent: 0, transient: 20 };

/// What a peer did wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolViolation {
    /// It sent a malformed message.
    #[error(transparent)]
    Frame(FrameError),
    /// It sent very many messages without finishing its handshake.
    #[error("{0} messages and no handshake")]
    EndlessHandshake(u32),
    /// It announced a feature after its `verack`, which must come before it (BIP 155, BIP 339).
    #[error("`{0}` after the handshake")]
    LateFeature(&'static str),
    /// More addresses than one message may carry.
    #[error("{0} addresses in one message, at most 1000 are allowed")]
    TooManyAddresses(usize),
    /// More headers than one message may carry.
    #[error("{0} headers in one message, at most 2000 are allowed")]
    TooManyHeaders(usize),
    /// The headers of one message do not follow one another.
    #[error("headers that do not follow one another")]
    BrokenChain,
    /// A header lacks the work that it claims, or claims less than this network requires of any block.
    #[error("a header without its proof of work")]
    NoWork,
}

impl ProtocolViolation {
    /// Its penalty.
    pub const fn penalty(&self) -> Penalty {
        match self {
            Self::Frame(FrameError::Magic(_) | FrameError::TooLong { .. })
            | Self::TooManyAddresses(_)
            | Self::TooManyHeaders(_)
            | Self::BrokenChain
            | Self::NoWork => BAN,
            Self::EndlessHandshake(_) => SMALL,
            Self::Frame(FrameError::Checksum(_) | FrameError::Malformed(_)) | Self::LateFeature(_) => NONE,
        }
    }

    /// Whether the session must end.
    pub const fn is_fatal(&self) -> bool {
        match self {
            Self::Frame(error) => error.is_fatal(),
            Self::EndlessHandshake(_)
            | Self::LateFeature(_)
            | Self::TooManyAddresses(_)
            | Self::TooManyHeaders(_)
            | Self::BrokenChain
            | Self::NoWork => true,
        }
    }
}
