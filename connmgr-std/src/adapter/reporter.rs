//! Reports facts about one connection, apart from its stream.
//!
//! The end of the connection is not among them: only the holder of the stream sees it.

use connmgr_core::{Activity, AddressInfo, ConnId, PeerInfo, Penalty};

use super::mailbox::{ConnFact, Mailbox};

/// Reports facts about one connection, from any thread. A report never waits and never fails. Reports about a
/// connection that has ended are ignored, but a late penalty still counts against its host.
///
/// It does not keep the connection open.
#[derive(Clone, Debug)]
pub struct Reporter {
    conn: ConnId,
    mailbox: Mailbox,
}

impl Reporter {
    /// Reports about this connection to this mailbox.
    pub const fn new(conn: ConnId, mailbox: Mailbox) -> Self {
        Self { conn, mailbox }
    }

    /// The connection it reports about.
    pub const fn id(&self) -> ConnId {
        self.conn
    }

    /// Reports that the handshake is done. Only the first report counts: another one is ignored.
    pub fn report_ready(&self, info: PeerInfo) {
        self.post(ConnFact::Ready(info));
    }

    /// Reports that the peer misbehaved.
    pub fn report_misbehavior(&self, penalty: Penalty) {
        self.post(ConnFact::Misbehaving(penalty));
    }

    /// Reports what the connection was good for since the last report. The pool sees by itself that bytes were read.
    pub fn report_activity(&self, activity: Activity) {
        self.post(ConnFact::Activity(activity));
    }

    /// Reports addresses that the peer sent.
    pub fn report_addresses(&self, addresses: Vec<AddressInfo>) {
        self.post(ConnFact::Addresses(addresses));
    }

    fn post(&self, fact: ConnFact) {
        self.mailbox.post(self.conn, fact);
    }
}
