//! What can be asked of the manager without changing it.

use alloc::vec::Vec;

use crate::book::BookView;
use crate::config::Config;
use crate::types::{ConnId, ConnState, Kind, Limits, PeerId};

use super::{BanView, ConnManager, ConnView, PeerView, Phase, Stats};

impl ConnManager {
    /// The configuration it was born with. For the limits in force see [`limits`](Self::limits).
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The limits in force.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Every connection and dial, by id.
    #[must_use]
    pub fn connections(&self) -> Vec<ConnView> {
        let mut conns: Vec<ConnView> = self.table.iter().map(crate::conn::Conn::view).collect();
        conns.sort_unstable_by_key(|conn| conn.conn);
        conns
    }

    /// A connection or dial.
    #[must_use]
    pub fn connection(&self, id: ConnId) -> Option<ConnView> {
        self.table.get(id).map(crate::conn::Conn::view)
    }

    /// How many connections or dials of a kind are in a state. Costs nothing: they are counted as they change.
    #[must_use]
    pub const fn count(&self, kind: Kind, state: ConnState) -> u32 {
        self.table.count(kind, state)
    }

    /// Every added peer, by id: whatever is being done about it.
    #[must_use]
    pub fn added_peers(&self) -> Vec<PeerView> {
        self.peers.ids().into_iter().filter_map(|id| self.added_peer(id)).collect()
    }

    /// An added peer.
    #[must_use]
    pub fn added_peer(&self, id: PeerId) -> Option<PeerView> {
        let peer = self.peers.get(id)?;
        Some(peer.view(peer.timer().map(|timer| self.timers.at(timer))))
    }

    /// Every ban that stands, the first to end first, by the wall clock of now.
    #[must_use]
    pub fn bans(&self) -> Vec<BanView> {
        let now = self.now();
        let standing = self.bans.iter().filter(|(_, ban)| ban.until > now);
        let view = |(target, ban): (_, crate::mechanisms::bans::Ban)| BanView {
            target,
            since: self.clocks.unix_of(ban.since),
            until: self.clocks.unix_at(ban.until),
        };
        standing.map(view).collect()
    }

    /// Counters since birth.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// The addresses we know.
    #[must_use]
    pub fn book(&self) -> BookView<'_> {
        BookView::new(&self.book, self.unix(), self.now())
    }

    /// Whether everything is closed and [`Event::Stopped`](crate::Event::Stopped) was emitted.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.phase == Phase::Stopped
    }
}
