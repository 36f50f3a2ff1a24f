//! One connection of the pool, from its opening to its end: a conversation, and what becomes of its news.
//!
//! What concerns the manager goes to it by the runtime, which holds the stream; what concerns the operator goes to the
//! board. What follows from it is the manager's to decide.

use std::io::{Read, Write};
use std::time::Instant;

use connmgr_core::{Activity, AddressInfo, Chain, ConnId, Connected, Event, PeerInfo, Penalty, Services};
use connmgr_std::Reporter;

use crate::board::Board;
use crate::end::End;
use crate::handshake::Hello;
use crate::news::News;
use crate::pump::{Pump, Turn};
use crate::session::{Session, SessionConfig};

/// Who meets the peers that the pool connects to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Host {
    chain: Chain,
    board: Board,
}

impl Host {
    /// One who talks of this chain, and writes on this board.
    pub const fn new(chain: Chain, board: Board) -> Self {
        Self { chain, board }
    }

    /// A connection has opened: the conversation to be held on it.
    pub fn meet(&self, info: &Connected) -> Link {
        self.board.event(&Event::Connected(info.clone()));
        let remote = info.address.as_ref().and_then(|address| address.socket_addr());
        let hello = Hello { remote, services: services(self.chain), ..Hello::new(info.kind, info.nonce) };
        let pump = Pump::new(Session::new(hello, SessionConfig::new(self.chain)));
        Link { conn: info.conn, pump, board: self.board.clone(), is_following: false }
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

/// What a link wants of the runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Tell the manager this of the connection.
    Tell(Fact),
    /// Ask the manager for at most so many addresses, and answer by [`Link::tell_addresses`].
    Sample(u32),
    /// Let go of the connection. The last of its orders.
    Close,
}

/// What the manager is told of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The handshake is done.
    Ready(PeerInfo),
    /// The peer misbehaved.
    Misbehaving(Penalty),
    /// What the connection has been good for.
    Activity(Activity),
    /// The peer told addresses.
    Addresses(Vec<AddressInfo>),
}

impl Fact {
    /// Tells it by the reporter of its connection.
    pub fn tell(self, reporter: &Reporter) {
        match self {
            Self::Ready(info) => reporter.ready(info),
            Self::Misbehaving(penalty) => reporter.misbehaving(penalty),
            Self::Activity(activity) => reporter.activity(activity),
            Self::Addresses(addresses) => reporter.addresses(addresses),
        }
    }
}

/// One connection's conversation.
#[derive(Debug)]
pub struct Link {
    conn: ConnId,
    pump: Pump,
    board: Board,
    is_following: bool,
}

impl Link {
    /// Talks as far as the stream allows without waiting. Not to be called after [`Order::Close`].
    pub fn turn(&mut self, stream: &mut (impl Read + Write), now: Instant) -> Turn<Order> {
        loop {
            match self.pump.turn(stream, now) {
                Turn::Done(news) => {
                    if let Some(order) = self.handle(news) {
                        return Turn::Done(order);
                    }
                }
                Turn::Again => return Turn::Again,
                Turn::Wait(until) => return Turn::Wait(until),
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
                Some(Order::Tell(Fact::Ready(peer.info)))
            }
            News::Addresses(addresses) => Some(Order::Tell(Fact::Addresses(addresses))),
            News::Activity(activity) => Some(Order::Tell(Fact::Activity(activity))),
            News::Misbehaving(violation) => {
                self.board.connection(self.conn, &format!("misbehaves: {violation}"));
                Some(Order::Tell(Fact::Misbehaving(violation.penalty())))
            }
            News::Tip(height) => {
                self.board.tip(self.conn, height);
                None
            }
            News::AddressesWanted(count) => Some(Order::Sample(count)),
            // This node keeps none.
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

    fn tell_end(&self, end: &End) {
        match end {
            End::Obsolete(_) | End::Silent => self.board.connection(self.conn, &end.to_string()),
            // Told already: the violation when it happened, the rest by the manager.
            End::Violation(_) | End::Wire(_) => {}
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if self.is_following {
            self.board.unfollow();
        }
    }
}
