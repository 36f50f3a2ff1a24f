//! A naive connection manager that checks another.
//!
//! Everything is a list, walked from its beginning. Each step has four stages: what the input requires is recorded
//! ([`hear`]); each action must be required or allowed ([`see`]); exactly those that can be dialed must be dialed
//! ([`plan`]); and in the end nothing required may be left undone ([`settle`]).

mod bans;
mod book;
mod clock;
mod credit;
mod hear;
mod inbound;
mod lists;
mod pace;
mod peers;
mod plan;
mod scores;
mod see;
mod settle;
mod shares;
mod shortage;
mod slots;

use std::collections::VecDeque;
use std::time::Duration;

use connmgr_core::{
    Action, AddressView, BanView, CloseReason, Config, ConnId, ConnView, Event, Host, Input, Kind, Limits, NetworkKind,
    PeerId, PeerView, RefusalCounts, Reply, Time,
};

use bans::RBan;
use book::RAddress;
use clock::Due;
use credit::Credit;
use inbound::Near;
use lists::{AUTOMATIC, RConn, Stage};
use pace::RPace;
use peers::RPeer;
use plan::Starved;
use scores::Account;
use shortage::RShortage;

/// How many steps a failure shows.
const REMEMBERED_STEPS: usize = 10;

/// The input of a step, and all that can be seen after it.
pub(crate) struct Step<'a> {
    pub(crate) now: Time,
    pub(crate) input: &'a Input,
    pub(crate) reply: &'a Reply,
    pub(crate) actions: &'a [Action],
    /// A deadline had come before the input.
    pub(crate) is_due: bool,
    /// The next deadline.
    pub(crate) due: Option<Time>,
    pub(crate) conns: Vec<ConnView>,
    pub(crate) peers: Vec<PeerView>,
    pub(crate) bans: Vec<BanView>,
    pub(crate) book: Vec<AddressView>,
}

impl Step<'_> {
    fn kind(&self, conn: ConnId) -> Option<Kind> {
        self.conns.iter().find(|view| view.conn == conn).map(|view| view.kind)
    }

    fn peer(&self, conn: ConnId) -> Option<PeerId> {
        self.conns.iter().find(|view| view.conn == conn)?.peer
    }

    /// Whether the step leaves no work.
    pub(crate) fn plans(&self) -> bool {
        match (self.input, self.reply) {
            (Input::Timeout, _) => self.is_due,
            (
                Input::SetRetry { .. }
                | Input::ResetScore { .. }
                | Input::SampleAddresses { .. }
                | Input::AnswerGetaddr { .. },
                _,
            )
            | (_, Reply::Done(Err(_)) | Reply::Added(Err(_))) => false,
            (_, _) => true,
        }
    }

    /// How many actions come before the plan, which begins with a dial or with making room for one.
    fn before_plan(&self) -> usize {
        let is_planned = |action: &Action| match action {
            Action::Dial { .. } | Action::Close { reason: CloseReason::MadeRoom, .. } => true,
            Action::Emit(event) => matches!(event, Event::Adopted { .. } | Event::AddressesWanted { .. }),
            _ => false,
        };
        self.actions.iter().position(is_planned).unwrap_or(self.actions.len())
    }

    /// Whether an action is for an automatic kind.
    fn is_automatic(&self, action: &Action) -> bool {
        match action {
            Action::Dial { conn, .. } => self.kind(*conn).is_none_or(|kind| AUTOMATIC.contains(&kind)),
            Action::Emit(event) => matches!(event, Event::AddressesWanted { .. }),
            _ => false,
        }
    }
}

/// What the input of this step requires.
#[derive(Debug, Default)]
struct Owed {
    /// Connections that we must close, with all possible reasons.
    closes: Vec<(ConnId, CloseReason)>,
    /// Connections that the other end closed.
    ends: Option<(ConnId, see::Cause)>,
    opens: Option<ConnId>,
    opens_without_slot: bool,
    /// A success that comes too late is answered with a `Close`.
    late: Option<ConnId>,
    /// A warning with about this score, or none.
    warning: Option<f64>,
    /// Closed by us in this step; its end is not reported yet.
    closing: Option<(ConnId, CloseReason)>,
    /// Room was made for this added peer, which is dialed next.
    dial: Option<PeerId>,
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
    /// Ended connections, with their host and whether it was spared bans.
    ended: Vec<(ConnId, Host, bool)>,
    newest: ConnId,
    peers: Vec<RPeer>,
    bans: Vec<RBan>,
    accounts: Vec<(Host, Account)>,
    book: Vec<RAddress>,
    /// One for each network of the pool.
    paces: Vec<RPace>,
    shortage: Option<RShortage>,
    /// Of the automatic kinds.
    starved: [Option<Starved>; 2],
    /// The application is not asked for addresses before this.
    asked_until: Time,
    /// When a block-relay connection last made room for a full one.
    made_room: Option<Time>,
    /// Before this, no slot is taken from a network without results.
    push_again_at: Time,
    /// When a change of the machine's network last took effect, and when the next does.
    started_over: Option<Time>,
    start_over_at: Option<Due>,
    /// Failed attempts at added peers since one was ready.
    fruitless_attempts: usize,
    /// When a ready peer last released the others.
    released_at: Option<Time>,
    dial_credit: Credit,
    inbound_credit: Vec<(Near, Credit)>,
    inbound_returns: Vec<(Near, Credit)>,
    /// Refused arrivals that were not told yet, and when the first came.
    refused: (Option<Time>, RefusalCounts),
    /// The dial that is checked is a trial of its network.
    tries_network: bool,
    /// How many timers were set so far.
    turns: u64,
    /// A deadline is met in this step.
    rings: bool,
    owed: Owed,
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
            book: Vec::new(),
            paces: [NetworkKind::Ipv4, NetworkKind::Ipv6].map(RPace::new).into(),
            shortage: None,
            starved: [None; 2],
            asked_until: Time::ZERO,
            made_room: None,
            push_again_at: Time::ZERO,
            started_over: None,
            start_over_at: None,
            fruitless_attempts: 0,
            released_at: None,
            dial_credit: Credit::full(&config.dial.rate),
            inbound_credit: Vec::new(),
            inbound_returns: Vec::new(),
            refused: (None, RefusalCounts::default()),
            tries_network: false,
            turns: 0,
            rings: false,
            owed: Owed::default(),
            lately: VecDeque::new(),
        }
    }

    /// Checks a step.
    pub(crate) fn judge(&mut self, step: &Step<'_>) {
        self.now = step.now;
        if self.lately.len() == REMEMBERED_STEPS {
            self.lately.pop_front();
        }
        let actions: Vec<String> = step.actions.iter().map(|action| format!("    {action}\n")).collect();
        self.lately.push_back(format!("{} {:?}\n{}", step.now, step.input, actions.concat()));
        self.owed = Owed::default();
        self.rings = *step.input == Input::Timeout && step.is_due;
        self.hear(step);
        let (facts, planned) = step.actions.split_at(step.before_plan());
        facts.iter().for_each(|action| self.see(action, step));
        let over = self.time_passes();
        self.hold(over.is_none(), &format!("not given up, though its time is over: {over:?}"));
        self.plan(planned, step);
        self.settle(step);
    }

    #[track_caller]
    fn hold(&self, holds: bool, broken: &str) {
        if !holds {
            let lately: Vec<&str> = self.lately.iter().map(String::as_str).collect();
            panic!(
                "{broken}\n{}-- conns\n{}-- peers\n{}-- bans\n{}-- book\n{}-- paces\n{}-- {:?}\n-- {:?}\n-- starved {:?}\n",
                lately.concat(),
                lines(&self.conns),
                lines(&self.peers),
                lines(&self.bans),
                lines(&self.book),
                lines(&self.paces),
                self.owed,
                self.limits,
                self.starved,
            );
        }
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
