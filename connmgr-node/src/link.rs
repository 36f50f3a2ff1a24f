//! One connection of the pool: its session, and where the session's news go.
//!
//! News for the manager are orders to the runtime, which holds the stream; news for the operator go to the board.

use std::io::{Read, Write};
use std::time::Instant;

use connmgr_core::{Activity, AddressInfo, Chain, ConnId, Connected, Event, PeerInfo, Penalty, Services};
use connmgr_std::Reporter;

use crate::board::Board;
use crate::end::SessionEnd;
use crate::handshake::Hello;
use crate::news::News;
use crate::pump::{Pump, PumpTurn};
use crate::session::{Session, SessionConfig};

/// Makes the link of each connection. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LinkFactory {
    chain: Chain,
    board: Board,
}

impl LinkFactory {
    /// Makes links for this chain that report to this board.
    pub const fn new(chain: Chain, board: Board) -> Self {
        Self { chain, board }
    }

    /// The link of a connection that has opened.
    pub fn open(&self, info: &Connected) -> PeerLink {
        self.board.event(&Event::Connected(info.clone()));
        let remote = info.address.as_ref().and_then(|address| address.socket_addr());
        let hello = Hello { remote, services: services(self.chain), ..Hello::new(info.kind, info.nonce) };
        let pump = Pump::new(Session::new(hello, SessionConfig::new(self.chain)));
        PeerLink { conn: info.conn, pump, board: self.board.clone(), is_following: false }
    }
}

/// The services we announce: none, for we keep no blocks. But nodes disconnect from peers they dialed that have none, so
/// on regtest, where that misleads no one, we announce some.
fn services(chain: Chain) -> Services {
    match chain {
        Chain::Mainnet | Chain::Testnet4 | Chain::Signet => Services::NONE,
        Chain::Regtest => Services::NETWORK | Services::WITNESS,
    }
}

/// What a link asks of the runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Report this to the manager.
    Report(LinkReport),
    /// Ask the manager for at most so many addresses, and answer by [`PeerLink::tell_addresses`].
    Sample(u32),
    /// Drop the connection. The last order.
    Close,
}

/// A report to the manager about a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkReport {
    /// The handshake is done.
    Ready(PeerInfo),
    /// The peer misbehaved.
    Misbehaving(Penalty),
    /// What the connection was useful for.
    Activity(Activity),
    /// The peer told addresses.
    Addresses(Vec<AddressInfo>),
}

impl LinkReport {
    /// Sends it by the connection's reporter.
    pub fn send(self, reporter: &Reporter) {
        match self {
            Self::Ready(info) => reporter.ready(info),
            Self::Misbehaving(penalty) => reporter.misbehaving(penalty),
            Self::Activity(activity) => reporter.activity(activity),
            Self::Addresses(addresses) => reporter.addresses(addresses),
        }
    }
}

/// The session of one connection, with where its news go.
#[derive(Debug)]
pub struct PeerLink {
    conn: ConnId,
    pump: Pump,
    board: Board,
    is_following: bool,
}

impl PeerLink {
    /// Reads and writes as far as the stream allows without waiting. Not to be called after [`Order::Close`].
    pub fn turn(&mut self, stream: &mut (impl Read + Write), now: Instant) -> PumpTurn<Order> {
        loop {
            match self.pump.turn(stream, now) {
                PumpTurn::Done(news) => {
                    if let Some(order) = self.handle(news) {
                        return PumpTurn::Done(order);
                    }
                }
                PumpTurn::Again => return PumpTurn::Again,
                PumpTurn::Wait(until) => return PumpTurn::Wait(until),
            }
        }
    }

    /// Answers [`Order::Sample`].
    pub fn tell_addresses(&mut self, addresses: &[AddressInfo]) {
        self.pump.session().tell_addresses(addresses);
    }

    fn handle(&mut self, news: News) -> Option<Order> {
        match news {
            News::Ready(peer) => {
                self.board.ready(self.conn, &peer);
                self.is_following = self.board.follow();
                if self.is_following {
                    self.pump.session().follow_headers();
                }
                Some(Order::Report(LinkReport::Ready(peer.info)))
            }
            News::Addresses(addresses) => Some(Order::Report(LinkReport::Addresses(addresses))),
            News::Activity(activity) => Some(Order::Report(LinkReport::Activity(activity))),
            News::Misbehaving(violation) => {
                self.board.connection(self.conn, &format!("misbehaves: {violation}"));
                Some(Order::Report(LinkReport::Misbehaving(violation.penalty())))
            }
            News::Tip(height) => {
                self.board.tip(self.conn, height);
                None
            }
            News::AddressesWanted(count) => Some(Order::Sample(count)),
            // This node keeps no headers.
            News::HeadersWanted(_) => {
                self.pump.session().tell_headers(Vec::new());
                None
            }
            News::Ended(end) => {
                self.tell_end(&end);
                Some(Order::Close)
            }
        }
    }

    fn tell_end(&self, end: &SessionEnd) {
        match end {
            SessionEnd::Obsolete(_) | SessionEnd::Silent => self.board.connection(self.conn, &end.to_string()),
            // Reported already: the violation when it happened, the rest by the manager.
            SessionEnd::Violation(_) | SessionEnd::Wire(_) => {}
        }
    }
}

impl Drop for PeerLink {
    fn drop(&mut self) {
        if self.is_following {
            self.board.unfollow();
        }
    }
}
