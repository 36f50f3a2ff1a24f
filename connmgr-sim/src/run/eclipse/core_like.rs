//! The model of Bitcoin Core's book under attack, and lives of a day with it: one dial at a time, and a feeler every two
//! minutes on average.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use connmgr_core::{PeerAddress, UnixTime};

use super::fate::{Fates, LATENCY, SLOTS};
use super::figures::{self, EclipseFigures, Held, Life, UNIX, share};
use crate::attack::{Announcement, HonestNode, is_attackers};
use crate::subject::models::CoreBook;
use crate::types::{Dice, DrawPurpose};

const CHOICES_EACH: u32 = 1000;
const START: Duration = Duration::from_secs(300);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Half a day before the attack.
const READY_AGO: Duration = Duration::from_secs(12 * 3600);
/// A dial that is not answered takes this long, and between two is a pause.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(500);
/// The mean time between two feelers.
const FEELER: Duration = Duration::from_secs(120);
/// Draws of one choice, and how many of them skip what was dialed lately.
const DRAWS: u32 = 100;
const RESTED_DRAWS: u32 = 30;
const RECENTLY: Duration = Duration::from_secs(600);

/// The whole trial.
pub(super) fn trial(
    honest: &[HonestNode],
    attack: impl Iterator<Item = Announcement>,
    seed: u64,
    lives: u32,
) -> EclipseFigures {
    let mut book = CoreBook::new(seed);
    for HonestNode { announced, is_tried } in honest {
        book.hear(&announced.info, announced.source, Duration::ZERO, UNIX);
        if *is_tried {
            book.succeed(&announced.info.address, UNIX.before(READY_AGO));
        }
    }
    for one in attack {
        book.hear(&one.info, one.source, Duration::ZERO, UNIX);
    }
    let places = |is_counted: fn(&PeerAddress) -> bool| {
        u32::try_from(book.new_places().filter(|address| is_counted(address)).count()).expect("65 536 places")
    };
    let new = share(places(is_attackers), places(|_| true));
    let mut hits = 0;
    let days = (0..lives).map(|number| {
        let mut book = book.reborn(Dice::new(seed, DrawPurpose::Birth, number.into()).next_u64());
        for _ in 0..CHOICES_EACH {
            hits += u32::from(book.select(UNIX).is_some_and(|(address, _)| is_attackers(&address)));
        }
        CoreDay::new(book, Fates::new(seed, number), seed).live()
    });
    let days: Vec<Life> = days.collect();
    figures::figures(new, share(hits, CHOICES_EACH * lives), &days)
}

struct CoreDay {
    book: CoreBook,
    fates: Fates,
    dice: Dice,
    /// Since the restart.
    now: Duration,
    feels_at: Duration,
    ready: Vec<Open>,
    /// To whom a connection was ready before.
    met: BTreeSet<PeerAddress>,
}

struct Open {
    address: PeerAddress,
    /// When it ends; `None`: never.
    ends_at: Option<Duration>,
}

impl CoreDay {
    fn new(book: CoreBook, fates: Fates, seed: u64) -> Self {
        let met = book.tried_places().cloned().collect();
        let dice = Dice::new(seed, DrawPurpose::Session, 0);
        Self { book, fates, dice, now: Duration::ZERO, feels_at: FEELER, ready: Vec::new(), met }
    }

    fn live(mut self) -> Life {
        self.run_until(START);
        let at_start = self.held();
        self.run_until(DAY);
        Life { at_start, in_a_day: self.held() }
    }

    fn run_until(&mut self, end: Duration) {
        while self.now < end {
            let now = self.now;
            self.ready.retain(|open| open.ends_at.is_none_or(|at| at > now));
            if self.ready.len() < SLOTS as usize {
                self.open();
            } else if self.feels_at <= now {
                self.feel();
            } else {
                let next = self.ready.iter().filter_map(|open| open.ends_at).min().unwrap_or(DAY);
                self.now = next.min(self.feels_at).min(end);
            }
        }
    }

    fn unix(&self) -> UnixTime {
        UNIX.after(self.now)
    }

    /// A choice and a dial.
    fn open(&mut self) {
        self.book.resolve_collisions(self.unix());
        let Some(address) = self.choose() else {
            self.now += PAUSE;
            return;
        };
        if self.dial(&address) {
            let ends_at = self.fates.stay(&address).map(|stay| self.now + stay);
            self.ready.push(Open { address, ends_at });
        }
        self.now += PAUSE;
    }

    fn choose(&mut self) -> Option<PeerAddress> {
        let unix = self.unix();
        let taken: BTreeSet<u32> = self.ready.iter().map(|open| group(&open.address)).collect();
        for draw in 0..DRAWS {
            let (address, last_try) = self.book.select(unix)?;
            let has_rested = draw >= RESTED_DRAWS || unix.since(last_try) >= RECENTLY;
            if has_rested && !taken.contains(&group(&address)) {
                return Some(address);
            }
        }
        None
    }

    /// A short connection to a new address, or to one that holds the place of another.
    fn feel(&mut self) {
        let unix = self.unix();
        self.book.resolve_collisions(unix);
        if let Some((address, _)) = self.book.select_to_test().or_else(|| self.book.select_new(unix)) {
            self.dial(&address);
        }
        self.feels_at = self.now + self.dice.exponential(FEELER);
    }

    /// Whether it was answered.
    fn dial(&mut self, address: &PeerAddress) -> bool {
        let answers = self.fates.answers(address, self.met.contains(address));
        // Failures count only where two connections show that the network is up.
        self.book.attempt(address, self.ready.len() >= 2, self.unix());
        self.now += if answers { LATENCY } else { PATIENCE };
        if answers {
            self.book.succeed(address, self.unix());
            self.met.insert(address.clone());
        }
        answers
    }

    fn held(&self) -> Held {
        let attackers = self.ready.iter().filter(|open| is_attackers(&open.address)).count();
        let count = |number: usize| u32::try_from(number).expect("few");
        Held { attackers: count(attackers), all: count(self.ready.len()) }
    }
}

/// The group of an IPv4 address; of others there are none here.
fn group(address: &PeerAddress) -> u32 {
    match address.host().ip() {
        Some(IpAddr::V4(ip)) => ip.to_bits() >> 16,
        Some(IpAddr::V6(_)) | None => 0,
    }
}
