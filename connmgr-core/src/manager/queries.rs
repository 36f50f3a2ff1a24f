//! Views of the manager. None changes it.

use alloc::vec::Vec;

use crate::book::BookView;
use crate::config::Config;
use crate::types::{AddedPeer, ConnId, ConnState, Kind, Limits, PeerId};

use super::{BanView, ConnManager, ConnView, PeerState, PeerView, Phase, Stats};

impl ConnManager {
    /// The configuration it was born with. [`limits`](Self::limits) returns the limits in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The limits in force: those of the configuration, or of the last [`set_limits`](Self::set_limits).
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Every connection and dial, sorted by id.
    #[must_use]
    pub fn connections(&self) -> Vec<ConnView> {
        let mut conns: Vec<ConnView> = self.table.iter().map(crate::conn::Conn::view).collect();
        conns.sort_unstable_by_key(|conn| conn.conn);
        conns
    }

    /// The connection or dial with this id; `None` if it has ended or never existed.
    #[must_use]
    pub fn connection(&self, id: ConnId) -> Option<ConnView> {
        self.table.get(id).map(crate::conn::Conn::view)
    }

    /// How many connections or dials of this kind are in this state. Constant time.
    #[must_use]
    pub const fn count(&self, kind: Kind, state: ConnState) -> u32 {
        self.table.count(kind, state)
    }

    /// Whether the limits have room for one more dial of this kind. Constant time.
    #[must_use]
    pub fn has_room_for(&self, kind: Kind) -> bool {
        self.has_slot(kind, &self.split())
    }

    /// Whether it dials and admits: false after [`set_active(false)`](Self::set_active) and once it shuts down.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.phase == Phase::Active
    }

    /// Every added peer, sorted by id.
    #[must_use]
    pub fn added_peers(&self) -> Vec<PeerView> {
        self.peers.ids().into_iter().filter_map(|id| self.added_peer(id)).collect()
    }

    /// The added peer with this id; `None` if it is not added.
    #[must_use]
    pub fn added_peer(&self, id: PeerId) -> Option<PeerView> {
        let peer = self.peers.get(id)?;
        Some(peer.view(peer.timer().map(|timer| self.timers.at(timer))))
    }

    /// The tag of an added peer; `None` if it has none or is not added. Copies nothing else of it.
    #[must_use]
    pub fn peer_tag(&self, id: PeerId) -> Option<u64> {
        self.peers.get(id)?.tag()
    }

    /// The open connection of an added peer that has one of these addresses or this identity: what stands against adding
    /// the peer again ([`AddPeerError::Duplicate`](crate::AddPeerError::Duplicate)), if it is connected.
    #[must_use]
    pub fn connection_of(&self, wanted: &AddedPeer) -> Option<ConnId> {
        let by_address = wanted.addresses.iter().map(|address| self.peers.with_address(&self.settled(address.clone())));
        let by_identity = wanted.identity.map(|identity| self.peers.with_identity(identity));
        by_address.chain(by_identity).flatten().find_map(|id| match self.peers.get(id)?.state() {
            PeerState::Connected(conn) => Some(conn),
            PeerState::Queued
            | PeerState::Resolving
            | PeerState::Dialing(_)
            | PeerState::Waiting
            | PeerState::Blocked(_) => None,
        })
    }

    /// Every ban in force, the earliest end first. Dates follow the present wall clock.
    #[must_use]
    pub fn bans(&self) -> Vec<BanView> {
        let now = self.now();
        let standing = self.bans.list().filter(|(_, ban, _)| ban.until > now);
        let view = |(target, ban, exceptions): (_, crate::mechanisms::bans::Ban, _)| BanView {
            target: self.settled_target(target),
            since: self.clocks.unix_of(ban.since),
            until: self.clocks.unix_at(ban.until),
            exceptions,
        };
        standing.map(view).collect()
    }

    /// Counters since birth.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// The known addresses.
    #[must_use]
    pub fn book(&self) -> BookView<'_> {
        BookView::new(&self.book, self.unix(), self.now())
    }

    /// Whether every connection is closed and [`Event::Stopped`](crate::Event::Stopped) was emitted.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.phase == Phase::Stopped
    }
}
