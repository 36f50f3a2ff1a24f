//! What the replies and actions told of the added peers.

use std::net::IpAddr;

use connmgr_core::{Backoff, ConnId, Host, Keep, NetworkKind, PeerAddress, PeerId, Time};
use rustc_hash::FxHashMap;

/// One added peer.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: PeerAddress,
    pub(crate) keep: Keep,
    /// Its own back-off, if it has one.
    pub(crate) retry: Option<Backoff>,
    /// Failed attempts in a row, as the last retry notice said.
    pub(crate) attempt: u32,
    /// The last retry notice: not dialed before this, unless something releases it.
    pub(crate) not_before: Option<Wait>,
    /// Its dial or connection, from the end of the step that began it.
    pub(crate) conn: Option<ConnId>,
    /// How its last connection or dial ended.
    pub(crate) last_end: LastEnd,
    /// It did not understand the encrypted transport.
    pub(crate) v1_only: bool,
}

/// A wait that a retry notice announced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    pub(crate) until: Time,
    /// How many general releases (a network back, activity) there had been when it began.
    pub(crate) epoch: u64,
}

/// How the last connection or dial of a peer ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LastEnd {
    /// Nobody answered the dial.
    pub(crate) unanswered: bool,
    /// In which network, if outages concern it.
    pub(crate) network: Option<NetworkKind>,
    /// It was ready for so long that its back-off is to be forgotten.
    pub(crate) stable: Stable,
    /// How many failures in a row that made it forget.
    pub(crate) forgotten: u32,
}

/// Whether a connection was stable when it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stable {
    /// It was not.
    #[default]
    No,
    /// It became ready in the step in which it ended, and no time at all is enough.
    Perhaps,
    /// It was.
    Yes,
}

/// All added peers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peers {
    by_id: FxHashMap<PeerId, Peer>,
    by_address: FxHashMap<PeerAddress, PeerId>,
    /// Those with a name, which holds a slot while it is resolved.
    named: Vec<PeerId>,
    /// Raised by whatever lets all waiting peers be dialed at once.
    pub(crate) epoch: u64,
}

impl Peers {
    pub(crate) fn insert(&mut self, id: PeerId, address: PeerAddress, keep: Keep) {
        self.by_address.insert(address.clone(), id);
        if address.name().is_some() {
            self.named.push(id);
        }
        let peer = Peer {
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

    pub(crate) fn get(&self, id: PeerId) -> Option<&Peer> {
        self.by_id.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: PeerId) -> Option<&mut Peer> {
        self.by_id.get_mut(&id)
    }

    pub(crate) fn with_address(&self, address: &PeerAddress) -> Option<PeerId> {
        self.by_address.get(address).copied()
    }

    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.by_id.len()).expect("limits keep the list under 2^32")
    }

    /// Those with a name.
    pub(crate) fn named(&self) -> &[PeerId] {
        &self.named
    }

    /// Until when the last retry notice has a peer wait, if nothing released it since.
    pub(crate) fn waits_until(&self, peer: &Peer) -> Option<Time> {
        peer.not_before.filter(|wait| wait.epoch == self.epoch).map(|wait| wait.until)
    }
}

impl Peer {
    /// Whether a dial to `address` may be one of an attempt at this peer: names resolve to anything.
    pub(crate) fn may_be_at(&self, address: &PeerAddress) -> bool {
        let resolved = |host: &Host| match host {
            Host::Ip(IpAddr::V4(_) | IpAddr::V6(_)) => true,
            Host::Onion(_) | Host::I2p(_) | Host::Cjdns(_) | Host::Name(_) => false,
        };
        self.address == *address
            || (self.address.name().is_some() && self.address.port() == address.port() && resolved(address.host()))
    }
}
