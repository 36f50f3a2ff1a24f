//! Commands, facts and views of a pool, for the loop that turns it: answered at once.
//!
//! Their effects, events included, are there at the next [`Pool::next_event`].

use std::time::Duration;

use connmgr_core::{
    Activity, AddPeerError, AddedPeer, AddressCounts, AddressInfo, Backoff, BanTarget, BanView, BookCounts,
    CommandError, ConnId, ConnView, Explanation, Host, Input, Limits, NetworkKind, PeerAddress, PeerId, PeerInfo,
    PeerView, Penalty, Reply, Source, Stats,
};
use connmgr_std::{ConnectError, NotACommand};

use crate::pool::Pool;

/// Commands.
impl Pool {
    connmgr_std::command_methods!(direct);

    /// Dials a peer once, now. What comes of it is one of these events, which carry the id that this returns:
    /// [`PoolEvent::Connected`](crate::PoolEvent::Connected), or
    /// [`PoolEvent::ConnectFailed`](crate::PoolEvent::ConnectFailed); or [`Event::Adopted`](connmgr_core::Event::Adopted),
    /// if the pool has a connection to one of its addresses already, which is the peer's from then on. Before
    /// `ConnectFailed`, `DialFailed`, `LookupFailed` and `PeerFinished` come as for any added peer.
    ///
    /// The peer is an added one with [`Keep::Once`](connmgr_core::Keep::Once), whatever its description says, so it may
    /// have a name, several addresses, an identity or a tag, and limits, bans and proxies apply. It waits for nothing:
    /// where it can't be dialed now, that is the error. Once its connection has ended it is not dialed again.
    /// [`Pool::remove_peer`] gives it up.
    ///
    /// # Errors
    /// [`ConnectError`], where the peer can't be dialed, or is added and connected already. Then no event follows.
    pub fn connect(&mut self, peer: impl Into<AddedPeer>) -> Result<PeerId, ConnectError> {
        let now = self.engine.wake(&mut self.net);
        self.engine.connect(peer.into(), now, &mut self.net)
    }

    /// Gives a command as data. Every other method that gives one is a shorthand for this.
    ///
    /// # Errors
    /// [`NotACommand`] for an [`Input`] of which [`Input::is_command`] is false. What the manager itself refuses is in
    /// the [`Reply`].
    pub fn ask(&mut self, command: Input) -> Result<Reply, NotACommand> {
        NotACommand::check(&command)?;
        Ok(self.apply(&command))
    }
}

/// Facts about one connection. They never fail. Facts about a connection that has ended are ignored, but a late penalty
/// still counts against its host. [`Pool::reporter`] reports the same from other threads.
impl Pool {
    /// Reports that the handshake is done. Otherwise the connection is closed at the handshake's deadline.
    /// Only the first report counts: another one is ignored, and so is what it says of the peer.
    pub fn report_ready(&mut self, conn: ConnId, info: PeerInfo) {
        self.apply(&Input::Ready { conn, info });
    }

    /// Reports that the peer misbehaved.
    pub fn report_misbehavior(&mut self, conn: ConnId, penalty: Penalty) {
        self.apply(&Input::Misbehavior { conn, penalty });
    }

    /// Reports what the connection was good for since the last report. The pool sees by itself that bytes were read.
    pub fn report_activity(&mut self, conn: ConnId, activity: Activity) {
        self.apply(&Input::Activity { conn, activity });
    }

    /// Reports addresses that the peer sent.
    pub fn report_addresses(&mut self, conn: ConnId, addresses: Vec<AddressInfo>) {
        self.apply(&Input::Addresses { source: Source::Peer(conn), addresses });
    }
}

/// Views.
impl Pool {
    /// Every connection and dial, by id.
    pub fn connections(&self) -> Vec<ConnView> {
        self.manager().connections()
    }

    /// Every added peer, by id.
    pub fn added_peers(&self) -> Vec<PeerView> {
        self.manager().added_peers()
    }

    /// Every ban, the earliest end first.
    pub fn bans(&self) -> Vec<BanView> {
        self.manager().bans()
    }

    /// What is known of an address, whether it may be dialed now, and if not, which rules forbid it and until when.
    pub fn explain(&self, address: &PeerAddress) -> Explanation {
        self.manager().explain(address, self.now())
    }

    /// How many addresses the book knows, by table and network.
    pub fn book_counts(&self) -> BookCounts {
        self.manager().book().counts()
    }

    /// Counters since the start.
    pub fn stats(&self) -> Stats {
        self.manager().stats()
    }
}
