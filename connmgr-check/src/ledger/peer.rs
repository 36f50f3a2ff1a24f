//! The added peers, as replies and actions tell.

use std::net::IpAddr;

use connmgr_core::{Backoff, ConnId, Host, Keep, NetworkKind, PeerAddress, PeerId, Time};
use rustc_hash::FxHashMap;

/// One added peer.
#[derive(Clone, Debug)]
pub(crate) struct KnownPeer {
    pub(crate) address: PeerAddress,
    pub(crate) keep: Keep,
    /// Its own back-off, if it has one.
    pub(crate) retry: Option<Backoff>,
    /// Failed attempts in a row, from the last `ScheduleRetry`.
    pub(crate) attempt: u32,
    /// From the last `ScheduleRetry`: not dialed before this unless released.
    pub(crate) not_before: Option<Wait>,
    /// Its dial or connection. Set at the end of the step that began it.
    pub(crate) conn: Option<ConnId>,
    /// How its last connection or dial ended.
    pub(crate) last_end: LastEnd,
    /// It did not understand the v2 transport.
    pub(crate) v1_only: bool,
}

/// A wait that a `ScheduleRetry` announced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    pub(crate) until: Time,
    /// [`KnownPeers::epoch`] when it began.
    pub(crate) epoch: u64,
}

/// How the last connection or dial of a peer ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LastEnd {
    /// The dial got no answer.
    pub(crate) unanswered: bool,
    /// Its network, if that can be down.
    pub(crate) network: Option<NetworkKind>,
    /// Whether it was stable: then the back-off starts over.
    pub(crate) stable: Stable,
    /// The failures in a row that this cleared.
    pub(crate) forgotten: u32,
}

/// Whether a connection was stable when it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stable {
    /// It was not.
    #[default]
    No,
    /// It became ready in the step in which it ended, and `stable_after` is zero.
    Perhaps,
    /// It was.
    Yes,
}

/// All added peers.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownPeers {
    by_id: FxHashMap<PeerId, KnownPeer>,
    by_address: FxHashMap<PeerAddress, PeerId>,
    /// Those with a host name. Each holds a slot while the name is resolved.
    named: Vec<PeerId>,
    /// Raised when all waiting peers are released: they may be dialed at once.
    pub(crate) epoch: u64,
}

impl KnownPeers {
    pub(crate) fn insert(&mut self, id: PeerId, address: PeerAddress, keep: Keep) {
        self.by_address.insert(address.clone(), id);
        if address.name().is_some() {
            self.named.push(id);
        }
        let peer = KnownPeer {
            address,
            keep,
            retry: None,
            attempt: 0,
            not_before: None,
            conn: None,
            last_end: LastEnd::default(),
            v1_only: false,
        };
        self.by_id.insert(id, peer);
    }

    pub(crate) fn remove(&mut self, id: PeerId) {
        let Some(peer) = self.by_id.remove(&id) else { return };
        self.by_address.remove(&peer.address);
        if peer.address.name().is_some() {
            self.named.retain(|other| *other != id);
        }
    }

    pub(crate) fn get(&self, id: PeerId) -> Option<&KnownPeer> {
        self.by_id.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: PeerId) -> Option<&mut KnownPeer> {
        self.by_id.get_mut(&id)
    }

    pub(crate) fn with_address(&self, address: &PeerAddress) -> Option<PeerId> {
        self.by_address.get(address).copied()
    }

    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.by_id.len()).expect("limits keep the list under 2^32")
    }

    /// Those with a host name.
    pub(crate) fn named(&self) -> &[PeerId] {
        &self.named
    }

    /// Until when a peer must wait, unless it was released.
    pub(crate) fn waits_until(&self, peer: &KnownPeer) -> Option<Time> {
        peer.not_before.filter(|wait| wait.epoch == self.epoch).map(|wait| wait.until)
    }
}

impl KnownPeer {
    /// Whether a dial to `address` may be for this peer. A name may resolve to any address.
    pub(crate) fn may_be_at(&self, address: &PeerAddress) -> bool {
        let resolved = |host: &Host| match host {
            Host::Ip(IpAddr::V4(_) | IpAddr::V6(_)) | Host::Cjdns(_) => true,
            Host::Onion(_) | Host::I2p(_) | Host::Name(_) => false,
        };
        self.address == *address
            || (self.address.name().is_some() && self.address.port() == address.port() && resolved(address.host()))
    }
}
