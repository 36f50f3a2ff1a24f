//! One connection of the pool: its session, and where the session's news go.
//!
//! News for the manager are orders to the runtime, which holds the stream; news for the operator go to the board.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use connmgr_core::{Activity, AddressInfo, Chain, ConnId, Connected, Event, PeerInfo, Penalty, Services};
use connmgr_std::Reporter;

use crate::board::{Board, FollowRank};
use crate::end::SessionEnd;
use crate::handshake::Hello;
use crate::news::News;
use crate::pump::{Pump, PumpTurn};
use crate::session::{Session, SessionConfig};

/// A peer that leaves a request for headers unanswered for so long is followed only if there is nobody better.
const HEADERS_PATIENCE: Duration = Duration::from_secs(8);

/// How often a link asks whether it may follow headers.
const FOLLOW_EVERY: Duration = Duration::from_secs(3);

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
        let follow = FollowState { is_outbound: !info.kind.is_inbound(), is_following: false, was_late: false };
        PeerLink { conn: info.conn, pump, board: self.board.clone(), follow, ask_at: None }
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
    /// Ask the manager what to answer to this peer's getaddr, and tell it by [`PeerLink::tell_addresses`].
    AnswerGetaddr,
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
            Self::Ready(info) => reporter.report_ready(info),
            Self::Misbehaving(penalty) => reporter.report_misbehavior(penalty),
            Self::Activity(activity) => reporter.report_activity(activity),
            Self::Addresses(addresses) => reporter.report_addresses(addresses),
        }
    }
}

/// The session of one connection, with where its news go.
#[derive(Debug)]
pub struct PeerLink {
    conn: ConnId,
    pump: Pump,
    board: Board,
    follow: FollowState,
    /// When it asks next whether it may follow headers; absent before the handshake is done.
    ask_at: Option<Instant>,
}

/// Whether the peer's headers are followed.
#[derive(Clone, Copy, Debug)]
struct FollowState {
    is_outbound: bool,
    is_following: bool,
    /// Whether the last request for headers was answered late or not at all.
    was_late: bool,
}

impl PeerLink {
    /// Reads and writes as far as the stream allows without waiting. Not to be called after [`Order::Close`].
    pub fn turn(&mut self, stream: &mut (impl Read + Write), now: Instant) -> PumpTurn<Order> {
        loop {
            if self.ask_at.is_some_and(|at| at <= now) {
                self.follow_if_allowed(now);
            }
            match self.pump.turn(stream, now) {
                PumpTurn::Done(news) => {
                    if let Some(order) = self.handle(news, now) {
                        return PumpTurn::Done(order);
                    }
                }
                PumpTurn::Again => return PumpTurn::Again,
                PumpTurn::Wait(until) => return PumpTurn::Wait([until, self.ask_at].into_iter().flatten().min()),
            }
        }
    }

    /// Answers [`Order::AnswerGetaddr`].
    pub fn tell_addresses(&mut self, addresses: &[AddressInfo]) {
        self.pump.session().tell_addresses(addresses);
    }

    /// Follows the peer's headers, or leaves them, as the board says.
    fn follow_if_allowed(&mut self, now: Instant) {
        self.ask_at = now.checked_add(FOLLOW_EVERY);
        let session = self.pump.session();
        if !session.is_talking() {
            return;
        }
        if self.follow.is_following {
            let is_late = |asked| now.saturating_duration_since(asked) >= HEADERS_PATIENCE;
            self.follow.was_late = session.asked_for_headers().is_some_and(is_late);
        }
        let rank = FollowRank { answers: !self.follow.was_late, is_outbound: self.follow.is_outbound };
        let may_follow = self.board.follow(self.conn, rank);
        match (std::mem::replace(&mut self.follow.is_following, may_follow), may_follow) {
            (false, true) => session.follow_headers(now),
            (true, false) => session.leave_headers(),
            (true, true) | (false, false) => {}
        }
    }

    fn handle(&mut self, news: News, now: Instant) -> Option<Order> {
        match news {
            News::Ready(peer) => {
                self.board.ready(self.conn, &peer);
                self.follow_if_allowed(now);
                Some(Order::Report(LinkReport::Ready(peer.info)))
            }
            News::Addresses(addresses) => Some(Order::Report(LinkReport::Addresses(addresses))),
            News::Activity(activity) => Some(Order::Report(LinkReport::Activity(activity))),
            News::Misbehaving(violation) => {
                let penalty = violation.penalty();
                if penalty == Penalty::default() {
                    self.board.connection(self.conn, &format!("borne: {violation}"));
                    return None;
                }
                self.board.connection(self.conn, &format!("misbehaves: {violation}"));
                Some(Order::Report(LinkReport::Misbehaving(penalty)))
            }
            News::Tip(height) => {
                self.board.tip(self.conn, height);
                None
            }
            News::AddressesWanted(_) => Some(Order::AnswerGetaddr),
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
            SessionEnd::Obsolete(_) | SessionEnd::Silent | SessionEnd::Unread | SessionEnd::Foreign(_) => {
                self.board.connection(self.conn, &end.to_string());
            }
            // Reported already: the violation when it happened, the rest by the manager.
            SessionEnd::Violation(_) | SessionEnd::Wire(_) => {}
        }
    }
}

impl Drop for PeerLink {
    fn drop(&mut self) {
        self.board.unfollow(self.conn);
    }
}
