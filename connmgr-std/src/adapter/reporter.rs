//! What an application holds to tell the manager of one connection, apart from its stream.
//!
//! That the connection has ended is not among it: only who holds the stream can tell.

use connmgr_core::{Activity, AddressInfo, ConnId, PeerInfo, Penalty};

use super::mailbox::{ConnFact, Mailbox};

/// Tells facts about one connection, from anywhere. Facts never wait and never fail; those of a connection that has
/// ended are ignored, except that a late penalty still reaches its host.
///
/// It does not keep the connection open.
#[derive(Clone, Debug)]
pub struct Reporter {
    conn: ConnId,
    mailbox: Mailbox,
}

impl Reporter {
    /// Tells of this connection, by this mailbox.
    pub const fn new(conn: ConnId, mailbox: Mailbox) -> Self {
        Self { conn, mailbox }
    }

    /// The connection it tells of.
    pub const fn id(&self) -> ConnId {
        self.conn
    }

    /// The handshake is done.
    pub fn ready(&self, info: PeerInfo) {
        self.post(ConnFact::Ready(info));
    }

    /// The peer misbehaved.
    pub fn misbehaving(&self, penalty: Penalty) {
        self.post(ConnFact::Misbehaving(penalty));
    }

    /// What the connection has been good for since the last time. That bytes were read of it need not be told: the pool
    /// sees that.
    pub fn activity(&self, activity: Activity) {
        self.post(ConnFact::Activity(activity));
    }

    /// The peer told us these addresses.
    pub fn addresses(&self, addresses: Vec<AddressInfo>) {
        self.post(ConnFact::Addresses(addresses));
    }

    fn post(&self, fact: ConnFact) {
        self.mailbox.post(self.conn, fact);
    }
}
