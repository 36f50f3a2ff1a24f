//! The real manager's book under attack, and lives of a day with it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use connmgr_core::{
    Action, Birth, BookRule, Chain, CloseCause, Config, ConnId, ConnManager, ConnState, Connected, Event, Kind, Limits,
    LookupError, NetworkKind, PeerAddress, PeerInfo, Services, Snapshot, Source, Target, Time,
};

use super::fate::{Fates, LATENCY};
use super::figures::{self, EclipseFigures, Held, Life, UNIX, share};
use crate::attack::{Announcement, HonestNode, is_attackers};
use crate::types::{Dice, DrawPurpose, Share};

/// Choices that are sampled before each life. They also give each life chances of its own.
const CHOICES_EACH: u32 = 1000;
/// The first look at a life.
const START: Duration = Duration::from_secs(300);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Announcements that are told at once.
const BATCH: usize = 1000;

/// A manager whose book is attacked.
#[derive(Clone, Debug)]
pub struct OurBook {
    /// The manager; nothing ever came of its dials.
    pub manager: ConnManager,
    now: Time,
}

impl OurBook {
    /// A book of these honest nodes, without one of its rules if so wished.
    pub fn new(honest: &[HonestNode], without: Option<BookRule>, seed: u64) -> Self {
        let addresses = honest.iter().map(|node| node.saved(UNIX)).collect();
        Self::born(config(without), Snapshot { addresses, ..Snapshot::default() }, seed)
    }

    fn born(config: Config, snapshot: Snapshot, seed: u64) -> Self {
        let mut dice = Dice::new(seed, DrawPurpose::Birth, 0);
        let mut rng_seed = [0; 32];
        rng_seed.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&dice.next_u64().to_le_bytes()));
        let birth = Birth { config, snapshot: Some(snapshot), rng_seed, now: Time::ZERO, unix: UNIX };
        Self { manager: ConnManager::new(birth).expect("it is a good configuration"), now: Time::ZERO }
    }

    /// The manager hears announcements, while it makes no dials.
    pub fn hear(&mut self, announcements: impl IntoIterator<Item = Announcement>) {
        self.manager.set_active(false, self.now).expect("it is not shut down");
        let mut batch: Vec<connmgr_core::AddressInfo> = Vec::with_capacity(BATCH);
        let mut source = None;
        for one in announcements {
            if source.is_some_and(|source| source != one.source) || batch.len() == BATCH {
                self.tell(source, &mut batch);
            }
            source = Some(one.source);
            batch.push(one.info);
        }
        self.tell(source, &mut batch);
    }

    fn tell(&mut self, source: Option<connmgr_core::SourceGroup>, batch: &mut Vec<connmgr_core::AddressInfo>) {
        if let Some(source) = source {
            self.manager.handle_addresses(Source::Import(source), batch, self.now);
            while self.manager.poll_action().is_some() {}
        }
        batch.clear();
    }

    /// Of so many choices, how many are the attacker's.
    pub fn attackers_choices(&mut self, count: u32) -> u32 {
        let hits = (0..count).filter(|_| self.choose().is_some_and(|address| is_attackers(&address))).count();
        u32::try_from(hits).expect("at most as many as were asked for")
    }

    /// Whom it would dial next.
    pub fn choose(&mut self) -> Option<PeerAddress> {
        self.manager.sample_choice(Kind::Full, NetworkKind::Ipv4, self.now)
    }

    /// The attacker's share of the addresses that were never connected to.
    pub fn share_of_new(&self) -> Share {
        let (mut attackers, mut all) = (0, 0);
        for known in self.manager.book().iter().filter(|known| known.last_success.is_none()) {
            attackers += u32::from(is_attackers(&known.address));
            all += 1;
        }
        share(attackers, all)
    }

    /// The whole trial: the attack, then a restart and a day, so many times over.
    pub(super) fn trial(mut self, attack: impl Iterator<Item = Announcement>, seed: u64, lives: u32) -> EclipseFigures {
        self.hear(attack);
        let new = self.share_of_new();
        // A restart: the tables as they are saved and read.
        let (config, snapshot) = (self.manager.config().clone(), self.manager.snapshot());
        let mut restarted = Self::born(config, snapshot, seed ^ 1 << 63);
        let mut hits = 0;
        let lives: Vec<Life> = (0..lives)
            .map(|number| {
                hits += restarted.attackers_choices(CHOICES_EACH);
                Day::new(restarted.clone(), Fates::new(seed, number)).live()
            })
            .collect();
        let choices = CHOICES_EACH * u32::try_from(lives.len()).expect("few");
        figures::figures(new, share(hits, choices), &lives)
    }
}

/// Bitcoin's configuration without seeds: only the book is in question.
fn config(without: Option<BookRule>) -> Config {
    let mut config = Config::bitcoin(Chain::Mainnet);
    config.limits = Limits { full: 8, block_relay: 2, ..config.limits };
    config.seeds.names.clear();
    config.book.without = without;
    config
}

/// What is to happen to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Answers,
    IsReady,
    Leaves,
}

/// A life of a day.
struct Day {
    book: OurBook,
    fates: Fates,
    due: BinaryHeap<Reverse<(Time, ConnId, Due)>>,
}

impl Day {
    const fn new(book: OurBook, fates: Fates) -> Self {
        Self { book, fates, due: BinaryHeap::new() }
    }

    fn live(mut self) -> Life {
        let begin = self.book.now;
        self.book.manager.set_active(true, begin).expect("it is not shut down");
        self.react();
        self.run_until(begin.after(START));
        let at_start = self.held();
        self.run_until(begin.after(DAY));
        Life { at_start, in_a_day: self.held() }
    }

    fn run_until(&mut self, end: Time) {
        loop {
            let timeout = self.book.manager.poll_timeout().unwrap_or(Time::MAX);
            let next = self.due.peek().map_or(Time::MAX, |Reverse((at, ..))| *at);
            let at = timeout.min(next);
            if at > end {
                break;
            }
            self.book.now = self.book.now.max(at);
            match self.due.peek() {
                Some(Reverse((at, conn, what))) if *at <= timeout => {
                    let (conn, what) = (*conn, *what);
                    self.due.pop();
                    self.happen(conn, what);
                }
                Some(_) | None => self.book.manager.handle_timeout(self.book.now),
            }
            self.react();
        }
        self.book.now = end;
    }

    fn happen(&mut self, conn: ConnId, what: Due) {
        let (manager, now) = (&mut self.book.manager, self.book.now);
        match what {
            Due::Answers => manager.handle_dial_result(conn, Ok(()), now),
            Due::IsReady => {
                manager.handle_ready(conn, PeerInfo::new(Services::NETWORK | Services::WITNESS), now);
            }
            Due::Leaves => manager.handle_closed(conn, CloseCause::Eof, now),
        }
    }

    fn react(&mut self) {
        while let Some(action) = self.book.manager.poll_action() {
            let now = self.book.now;
            match action {
                Action::Dial { conn, target: Target::Direct(address), .. } => self.dial(conn, &address.into()),
                Action::Dial { target: Target::Proxied { .. }, .. } => unreachable!("there is no proxy"),
                Action::Emit(Event::Connected(Connected { conn, .. })) => {
                    self.due.push(Reverse((now.after(LATENCY), conn, Due::IsReady)));
                }
                Action::ResolveSeed { lookup, .. } | Action::ResolveHost { lookup, .. } => {
                    self.book.manager.handle_lookup_result(lookup, Err(LookupError::NotFound), now);
                }
                Action::Close { .. }
                | Action::ScheduleRetry { .. }
                | Action::PauseAccept { .. }
                | Action::Save
                | Action::Emit(_) => {}
            }
        }
    }

    /// A dial that is not answered is silent until the manager gives it up.
    fn dial(&mut self, conn: ConnId, address: &PeerAddress) {
        let known = self.book.manager.book().get(address);
        let was_ready = known.is_some_and(|known| known.last_success.is_some());
        if self.fates.answers(address, was_ready) {
            let now = self.book.now;
            self.due.push(Reverse((now.after(LATENCY), conn, Due::Answers)));
            if let Some(stay) = self.fates.stay(address) {
                self.due.push(Reverse((now.after(stay.max(3 * LATENCY)), conn, Due::Leaves)));
            }
        }
    }

    fn held(&self) -> Held {
        let conns = self.book.manager.connections();
        let ready: Vec<_> = conns.iter().filter(|conn| conn.state == ConnState::Ready).collect();
        let is_his = |address: &Option<PeerAddress>| address.as_ref().is_some_and(is_attackers);
        let attackers = ready.iter().filter(|conn| is_his(&conn.address)).count();
        let count = |number: usize| u32::try_from(number).expect("few");
        Held { attackers: count(attackers), all: count(ready.len()) }
    }
}
