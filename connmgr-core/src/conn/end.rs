//! The other end of a connection, and the way to it.

use core::hash::{Hash, Hasher};

use crate::mechanisms::groups::{Group, Neighbourhood};
use crate::types::{Isolation, ListenerId, NetworkKind, PeerAddress, Permissions, ProxyAddress};

/// The other end of a connection, and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// We dialed.
    Outbound {
        /// The address.
        address: PeerAddress,
        /// The proxy and the circuit; `None` if dialed directly.
        via: Option<(ProxyAddress, Isolation)>,
        /// The group that the dial takes, if its kind takes one.
        group: Option<Group>,
    },
    /// Accepted; the remote host is visible.
    Visible {
        /// The remote address.
        remote: PeerAddress,
        /// That of the remote address.
        neighbourhood: Neighbourhood,
        /// The listener.
        listener: ListenerId,
        /// Its exemptions.
        permissions: Permissions,
    },
    /// Accepted from the proxy of an overlay network; the remote host is hidden.
    Hidden {
        /// The listener.
        listener: ListenerId,
        /// The overlay.
        network: NetworkKind,
        /// Its exemptions.
        permissions: Permissions,
    },
}

impl End {
    /// The exemptions that the listener gives; an outbound connection has none.
    pub(crate) const fn permissions(&self) -> Permissions {
        match self {
            Self::Outbound { .. } => Permissions::NONE,
            Self::Visible { permissions, .. } | Self::Hidden { permissions, .. } => *permissions,
        }
    }

    /// The network of the remote address or listener; `None` for a name that the proxy resolves.
    pub(super) const fn network(&self) -> Option<NetworkKind> {
        match self {
            Self::Outbound { address: remote, .. } | Self::Visible { remote, .. } => remote.network(),
            Self::Hidden { network, .. } => Some(*network),
        }
    }

    /// Where an unfinished handshake counts.
    pub(crate) const fn origin(&self) -> Option<Origin> {
        match self {
            Self::Outbound { .. } => None,
            Self::Visible { neighbourhood, .. } => Some(Origin::Near(*neighbourhood)),
            Self::Hidden { listener, .. } => Some(Origin::By(*listener)),
        }
    }
}

/// Inbound connections whose unfinished handshakes and rate count together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// Those from neighbouring hosts.
    Near(Neighbourhood),
    /// All on a listener whose remote hosts are hidden.
    By(ListenerId),
}

/// One write, because an arrival is looked up by it several times.
impl Hash for Origin {
    fn hash<H: Hasher>(&self, to: &mut H) {
        match self {
            Self::Near(neighbourhood) => neighbourhood.hash(to),
            Self::By(listener) => to.write_u64(!u64::from(listener.0)),
        }
    }
}
