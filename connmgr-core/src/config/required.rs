//! The services that a peer must offer.

use crate::types::{Kind, More, Services};

/// The services a peer must offer, by kind. A peer without them is not chosen, and its connection is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct RequiredServices {
    /// For full connections. Default: none.
    pub full: Services,
    /// For block-relay connections. Default: none.
    pub block_relay: Services,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

impl RequiredServices {
    /// The services a connection of this kind must have.
    pub const fn of(&self, kind: Kind) -> Services {
        match kind {
            Kind::Full => self.full,
            Kind::BlockRelay => self.block_relay,
            Kind::Feeler | Kind::AddrFetch | Kind::Added | Kind::Inbound => Services::NONE,
        }
    }
}
