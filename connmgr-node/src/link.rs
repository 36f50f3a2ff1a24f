//! One connection of the pool, from its opening to its end: a session, and its reports carried to the manager.
//!
//! Each report is one fact of the connection, and a line for the operator where it is of interest. What follows from
//! it is the manager's to decide.

use connmgr_core::{Activity, AddressInfo, Chain, ConnId, Services};
use connmgr_tokio::{Connection, Handle};

use crate::board::Board;
use crate::handshake::{Hello, Peer};
use crate::reports::Reports;
use crate::session::{End, Session, SessionConfig};
use crate::violation::Violation;

/// Talks on a connection until it ends.
pub async fn talk(connection: Connection, chain: Chain, handle: Handle, board: Board) {
    let conn = connection.id();
    let remote = connection.address().and_then(|address| address.socket_addr());
    let hello = Hello { remote, services: services(chain), ..Hello::new(connection.kind(), connection.nonce()) };
    let link = Link { conn, handle, board: board.clone(), is_following: false };
    match Session::run(connection, &hello, &SessionConfig::new(chain), link).await {
        end @ (End::Obsolete(_) | End::Silent) => board.connection(conn, &end.to_string()),
        // Told already: the violation when it happened, the rest by the manager.
        End::Violation(_) | End::Wire(_) => {}
    }
}

/// What we offer: nothing, for we keep no blocks. But nodes leave those they dialed that have none to offer, so on
/// regtest, where nobody is misled, we say that we have some.
fn services(chain: Chain) -> Services {
    match chain {
        Chain::Mainnet | Chain::Testnet4 | Chain::Signet => Services::NONE,
        Chain::Regtest => Services::NETWORK | Services::WITNESS,
    }
}

/// Carries what a session learns to where it belongs.
#[derive(Debug)]
struct Link {
    conn: ConnId,
    handle: Handle,
    board: Board,
    is_following: bool,
}

impl Reports<Connection> for Link {
    fn ready(&mut self, connection: &Connection, peer: &Peer) {
        connection.ready(peer.info);
        self.board.ready(self.conn, peer);
    }

    fn wants_headers(&mut self) -> bool {
        self.is_following = self.board.follow();
        self.is_following
    }

    fn addresses(&mut self, connection: &Connection, addresses: Vec<AddressInfo>) {
        connection.addresses(addresses);
    }

    fn activity(&mut self, connection: &Connection, activity: Activity) {
        connection.activity(activity);
    }

    fn misbehaving(&mut self, connection: &Connection, violation: &Violation) {
        connection.misbehaving(violation.penalty());
        self.board.connection(self.conn, &format!("misbehaves: {violation}"));
    }

    fn tip(&mut self, _: &Connection, height: u32) {
        self.board.tip(self.conn, height);
    }

    async fn sample_addresses(&mut self, count: u32) -> Vec<AddressInfo> {
        self.handle.sample_addresses(None, count).await
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if self.is_following {
            self.board.unfollow();
        }
    }
}
