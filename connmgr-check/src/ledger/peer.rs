//! The added peers, as replies and actions tell.

use std::collections::BTreeSet;
use std::net::IpAddr;

use connmgr_core::{AddedPeer, ConnId, Host, Identity, NetworkKind, NetworkSet, PeerAddress, PeerId, Time};
use rustc_hash::FxHashMap;

/// One added peer.
#[derive(Clone, Debug)]
pub(crate) struct KnownPeer {
    /// As it was added. The back-off is as it was set last.
    pub(crate) wanted: AddedPeer,
    /// Failed attempts in a row, from the last `ScheduleRetry`.
    pub(crate) attempt: u32,
    /// From the last `ScheduleRetry`: not dialed before this unless released.
    pub(crate) not_before: Option<Wait>,
    /// Its dials and its connection. Each is noted at the end of the step that began it.
    pub(crate) conns: Vec<ConnId>,
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
    by_identity: FxHashMap<Identity, PeerId>,
    /// Those with a host name. Each holds a slot while the name is resolved.
    named: Vec<PeerId>,
    /// Raised when all waiting peers are released: they may be dialed at once.
    pub(crate) epoch: u64,
}

impl KnownPeers {
    pub(crate) fn insert(&mut self, id: PeerId, wanted: AddedPeer) {
        for address in &wanted.addresses {
            self.by_address.insert(address.clone(), id);
        }
        if let Some(identity) = wanted.identity {
            self.by_identity.insert(identity, id);
        }
        let peer = KnownPeer {
            wanted,
            attempt: 0,
            not_before: None,
            conns: Vec::new(),
            last_end: LastEnd::default(),
            v1_only: false,
        };
        if peer.has_name() {
            self.named.push(id);
        }
        self.by_id.insert(id, peer);
    }

    pub(crate) fn remove(&mut self, id: PeerId) {
        let Some(peer) = self.by_id.remove(&id) else { return };
        for address in &peer.wanted.addresses {
            self.by_address.remove(address);
        }
        if let Some(identity) = peer.wanted.identity {
            self.by_identity.remove(&identity);
        }
        if peer.has_name() {
            self.named.retain(|other| *other != id);
        }
    }

    pub(crate) fn get(&self, id: PeerId) -> Option<&KnownPeer> {
        self.by_id.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: PeerId) -> Option<&mut KnownPeer> {
        self.by_id.get_mut(&id)
    }

    /// Whether a peer with one of these addresses or this identity was added.
    pub(crate) fn has(&self, wanted: &AddedPeer) -> bool {
        wanted.addresses.iter().any(|address| self.by_address.contains_key(address))
            || wanted.identity.is_some_and(|identity| self.by_identity.contains_key(&identity))
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
    /// Whether one of its addresses is a host name.
    pub(crate) fn has_name(&self) -> bool {
        self.wanted.addresses.iter().any(|address| address.name().is_some())
    }

    /// Whether a dial to `address` may be for this peer. A name may resolve to any address.
    pub(crate) fn may_be_at(&self, address: &PeerAddress) -> bool {
        let is_resolved = match address.host() {
            Host::Ip(IpAddr::V4(_) | IpAddr::V6(_)) | Host::Cjdns(_) => true,
            Host::Onion(_) | Host::I2p(_) | Host::Name(_) => false,
        };
        let leads_there = |own: &PeerAddress| own.name().is_some() && own.port() == address.port() && is_resolved;
        self.wanted.addresses.iter().any(|own| own == address || leads_there(own))
    }
}

/// The peer with its addresses as the networks in use name them, each once.
pub(crate) fn settled(peer: &AddedPeer, networks: NetworkSet) -> AddedPeer {
    let mut peer = peer.clone();
    let mut seen = BTreeSet::new();
    peer.addresses = peer.addresses.into_iter().map(|address| address.settled(networks)).collect();
    peer.addresses.retain(|address| seen.insert(address.clone()));
    peer
}
