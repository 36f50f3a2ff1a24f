//! A naive connection manager that judges another.
//!
//! Everything is a list, walked from its beginning. Each step goes through three stages: what the input makes
//! necessary is written down ([`hear`]), each action must be necessary or allowed ([`see`]), and at the end nothing
//! necessary may be left undone ([`settle`]).

mod bans;
mod credit;
mod hear;
mod inbound;
mod lists;
mod peers;
mod scores;
mod see;
mod settle;
mod shares;

use std::collections::VecDeque;
use std::time::Duration;

use connmgr_core::{
    Action, BanView, CloseReason, Config, ConnId, ConnView, Host, Input, Limits, PeerAddress, PeerView, Reply, Time,
};

use bans::RBan;
use credit::Credit;
use inbound::Near;
use lists::{RConn, Stage};
use peers::RPeer;
use scores::Account;

/// So many steps are told with a failure.
const REMEMBERED_STEPS: usize = 10;

/// What was told, and all that can be seen after it.
pub(crate) struct Step<'a> {
    pub(crate) now: Time,
    pub(crate) input: &'a Input,
    pub(crate) reply: &'a Reply,
    pub(crate) actions: &'a [Action],
    /// A deadline had come when the input was told.
    pub(crate) is_due: bool,
    /// The next deadline.
    pub(crate) due: Option<Time>,
    pub(crate) conns: Vec<ConnView>,
    pub(crate) peers: Vec<PeerView>,
    pub(crate) bans: Vec<BanView>,
    pub(crate) book: Vec<PeerAddress>,
}

/// What the input of this step makes necessary.
#[derive(Debug, Default)]
struct Owed {
    /// Connections that we close, with all the reasons there are.
    closes: Vec<(ConnId, CloseReason)>,
    /// Connections that end without our doing.
    ends: Option<ConnId>,
    opens: Option<ConnId>,
    /// A success that comes too late is answered with a `Close`.
    late: Option<ConnId>,
    /// A warning with a score of about this, or none.
    warning: Option<f64>,
    /// Closed by us in this step, its end not yet told.
    closing: Option<(ConnId, CloseReason)>,
    evicts: bool,
}

/// The naive manager.
#[derive(Debug)]
pub(crate) struct Model {
    config: Config,
    limits: Limits,
    now: Time,
    active: bool,
    conns: Vec<RConn>,
    /// Connections that have ended, with the host and whether it was spared bans.
    ended: Vec<(ConnId, Host, bool)>,
    newest: ConnId,
    peers: Vec<RPeer>,
    bans: Vec<RBan>,
    accounts: Vec<(Host, Account)>,
    told: Vec<PeerAddress>,
    /// When an address of the book was dialed last.
    dialed: Vec<(PeerAddress, Time)>,
    /// When anything happened to an address last.
    touched: Vec<(PeerAddress, Time)>,
    /// Addresses whose peers turned out to offer too little.
    useless: Vec<PeerAddress>,
    dial_credit: Credit,
    inbound_credit: Vec<(Near, Credit)>,
    /// Since when each automatic kind has had room and somebody to dial.
    hungry_since: [Option<Time>; 2],
    owed: Owed,
    /// Dials that gave their slots back in this step.
    newly_silent: Vec<ConnId>,
    lately: VecDeque<String>,
}

impl Model {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            config: config.clone(),
            limits: config.limits,
            now: Time::ZERO,
            active: true,
            conns: Vec::new(),
            ended: Vec::new(),
            newest: ConnId::from_u64(0),
            peers: Vec::new(),
            bans: Vec::new(),
            accounts: Vec::new(),
            told: Vec::new(),
            dialed: Vec::new(),
            touched: Vec::new(),
            useless: Vec::new(),
            dial_credit: Credit::full(&config.dial.rate),
            inbound_credit: Vec::new(),
            hungry_since: [None; 2],
            owed: Owed::default(),
            newly_silent: Vec::new(),
            lately: VecDeque::new(),
        }
    }

    /// Nobody called the manager for a while.
    pub(crate) fn slept(&mut self) {
        self.hungry_since = [None; 2];
    }

    /// Judges a step.
    pub(crate) fn judge(&mut self, step: &Step<'_>) {
        self.now = step.now;
        if self.lately.len() == REMEMBERED_STEPS {
            self.lately.pop_front();
        }
        let actions: Vec<String> = step.actions.iter().map(|action| format!("    {action}\n")).collect();
        self.lately.push_back(format!("{} {:?}\n{}", step.now, step.input, actions.concat()));
        self.owed = Owed::default();
        self.hear(step);
        self.fall_silent(step);
        step.actions.iter().for_each(|action| self.see(action, step));
        self.settle(step);
    }

    #[track_caller]
    fn hold(&self, holds: bool, broken: &str) {
        if !holds {
            let lately: Vec<&str> = self.lately.iter().map(String::as_str).collect();
            panic!(
                "{broken}\n{}-- conns\n{}-- peers\n{}-- bans\n{}-- {:?}\n-- {:?}\n",
                lately.concat(),
                lines(&self.conns),
                lines(&self.peers),
                lines(&self.bans),
                self.owed,
                self.limits
            );
        }
    }

    fn conn(&self, id: ConnId) -> Option<&RConn> {
        self.conns.iter().find(|conn| conn.id == id)
    }

    fn peer_of(&self, conn: ConnId) -> Option<&RPeer> {
        self.peers.iter().find(|peer| peer.busy == Some(conn))
    }

    fn is_long_ago(&self, then: Time, span: Duration) -> bool {
        then.after(span) <= self.now
    }
}

fn lines<T: std::fmt::Debug>(list: &[T]) -> String {
    list.iter().map(|item| format!("{item:?}\n")).collect()
}
