//! Answers to a peer's getaddr, from which it learns little: neither the whole book by asking often, nor that nodes on
//! two networks are one.
//!
//! Every asker of one listener and network gets the same answer for a day, and every address in it has the same date.
//! Otherwise equal dates in the answers of an onion and an IP address would show that one node has both. Read first:
//! `CConnman::GetAddresses` in Bitcoin Core, and its pull request 33498 on the dates.

use alloc::vec::Vec;
use core::time::Duration;

use crate::mechanisms::rng::Rng;
use crate::types::{AddressInfo, ConnId, ListenerId, NetworkKind, SteadySecond, Time, UnixTime};

use super::ConnManager;

const HOUR: Duration = Duration::from_secs(60 * 60);
/// An answer is kept for this long, and up to [`KEPT_SPREAD`] longer, as in Core.
const KEPT_FOR: Duration = HOUR.saturating_mul(21);
const KEPT_SPREAD: Duration = HOUR.saturating_mul(6);
/// The one date of an answer is this long ago, and up to [`AGE_SPREAD`] longer: recent enough to be of use, and old enough
/// to say nothing. Core: 10.5 days, give or take 2.5.
const AGE: Duration = HOUR.saturating_mul(8 * 24);
const AGE_SPREAD: Duration = HOUR.saturating_mul(5 * 24);

/// The answers given of late, one for each listener and network that somebody asked from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answers(Vec<(Asker, Answer)>);

/// All who get the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asker {
    listener: ListenerId,
    network: Option<NetworkKind>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    addresses: Vec<AddressInfo>,
    date: SteadySecond,
    until: Time,
    /// The addresses known when it was made.
    known: usize,
}

impl Answers {
    /// What this asker was told, if that still stands: not for longer than a day, nor once twice as many addresses are
    /// known. Otherwise a node that was asked as it started would tell nothing for a day.
    fn standing(&self, asker: Asker, known: usize, now: Time) -> Option<&Answer> {
        let (_, answer) = self.0.iter().find(|(other, _)| *other == asker)?;
        (answer.until > now && known < answer.known.saturating_mul(2)).then_some(answer)
    }

    fn keep(&mut self, asker: Asker, answer: Answer) {
        self.0.retain(|(other, _)| *other != asker);
        self.0.push((asker, answer));
    }
}

impl Answer {
    fn new(addresses: Vec<AddressInfo>, known: usize, rng: &mut Rng, now: Time) -> Self {
        let age = AGE + Duration::from_secs(rng.below(AGE_SPREAD.as_secs()));
        let until = now.after(KEPT_FOR + Duration::from_secs(rng.below(KEPT_SPREAD.as_secs())));
        Self { addresses, date: SteadySecond::at(now).before(age), until, known }
    }

    fn told(&self, unix: UnixTime, now: Time) -> Vec<AddressInfo> {
        let last_seen = self.date.unix(unix, now);
        self.addresses.iter().map(|info| AddressInfo { last_seen, ..info.clone() }).collect()
    }
}

impl ConnManager {
    /// The answer to a peer's getaddr: as [`sample_addresses`](Self::sample_addresses) with the most addresses, but all who
    /// ask on one listener and network get the same answer for about a day (21 to 27 h, or until twice as many addresses
    /// are known), with one date for all, 8 to 13 days ago, as in Bitcoin Core. So nobody learns the whole book, when we
    /// heard of whom, or that two addresses of different networks are ours.
    ///
    /// Empty for a connection that we dialed (as in Core: a peer could tell us an address of its own, and ask for it
    /// elsewhere), and for an unknown one. Hosts banned since are left out.
    pub fn answer_getaddr(&mut self, conn: ConnId, now: Time) -> Vec<AddressInfo> {
        self.begin(now);
        let (unix, now) = (self.unix(), self.now());
        let Some(conn) = self.table.get(conn) else { return Vec::new() };
        let Some(listener) = conn.listener() else { return Vec::new() };
        let asker = Asker { listener, network: conn.network() };
        let known = self.book.len();
        if self.answers.standing(asker, known, now).is_none() {
            let addresses = self.sample(None, u32::MAX);
            let answer = Answer::new(addresses, known, &mut self.sample_rng, now);
            self.answers.keep(asker, answer);
        }
        let mut told = self.answers.standing(asker, known, now).map_or_else(Vec::new, |answer| answer.told(unix, now));
        let rules = self.rules();
        told.retain(|info| !rules.is_banned(info.address.host()));
        told
    }
}
