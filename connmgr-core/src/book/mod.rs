//! The book: the addresses we know, and what became of each.
//!
//! The book stores, ranks and chooses addresses. It deliberately knows no connections, bans, groups or routes, nor
//! which addresses are useful (private ranges, disabled networks): the caller checks before adding and when dialing.
//! Every age is by the monotonic clock; the wall clock is used only for dates that come in or go out, so setting it
//! changes no age, unless it was doubtful: then the dates that came in by it are judged anew ([`claims`]). Read first:
//! `addrman` in Bitcoin Core.

mod claims;
mod entry;
mod index;
mod key;
mod pick;
mod sample;
mod store;
#[cfg(test)]
mod tests;
mod view;

use alloc::vec::Vec;
use core::time::Duration;

use crate::config::BookConfig;
use crate::mechanisms::rng::Rng;
use crate::types::{
    AddressInfo, NetworkKind, NetworkSet, PeerAddress, SavedAddress, Services, SourceGroup, SteadySecond, Time,
    UnixTime,
};
use claims::{Claims, Origin, Report, SavedDates, Told};
use entry::{Entry, Moment};
use key::Key;
use store::Store;

pub(crate) use pick::{Choice, Unfit};
pub use view::{AddressView, BookView};

/// How many addresses compete when one must make room. The worst of 16 is among the worst 4 % in half of the cases.
const COMPETITORS: usize = 16;

/// The addresses we know, at most [`BookConfig::max_addresses`]. An empty book allocates nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Book {
    max_addresses: usize,
    store: Store,
    /// Per network: failures of dials made up to this time cause no rest.
    forgiven_until: [Moment; NetworkKind::ALL.len()],
    /// The dates that came in, while the wall clock may be wrong.
    claims: Option<Claims>,
}

impl Book {
    /// An empty book. `keys` are secret and drawn at birth, so that no one can choose addresses with equal hashes.
    pub(crate) fn new(config: &BookConfig, keys: (u64, u64)) -> Self {
        Self {
            max_addresses: config.max_addresses as usize,
            store: Store::new(keys),
            forgiven_until: [Moment::NEVER; NetworkKind::ALL.len()],
            claims: None,
        }
    }

    /// Adds an address that `source` reported. Returns whether it is new and kept.
    ///
    /// A last-seen that is not believable counts as 5 days ago; hearsay, what a peer says about others, as 2 h older. A
    /// known address is refreshed ([`Entry::refresh`]). In a full book a new address replaces one that is worth less:
    /// first a terrible one, then one that was never ready and was seen longest ago; never one dialed within the last
    /// minute.
    pub(crate) fn add(
        &mut self,
        info: &AddressInfo,
        source: SourceGroup,
        is_hearsay: bool,
        unix: UnixTime,
        now: Time,
        rng: &mut Rng,
    ) -> bool {
        // Limits on what one source may fill do not exist yet.
        let _ = source;
        let Some(key) = Key::of(&info.address) else { return false };
        let told = Told { last_seen: info.last_seen, is_hearsay };
        let last_seen = told.judged(unix, now);
        if let Some((slot, entry)) = self.store.get_mut(&key) {
            entry.refresh(info.services, last_seen, now);
            if let Some(claims) = &mut self.claims {
                claims.report(slot, Report { last_seen: told, at: now, services: info.services });
            }
            return false;
        }
        self.add_new(Entry::heard(key, info.services, last_seen), Origin::Told(told, now), now, rng)
    }

    /// The same for an address whose last-seen is no date but an age.
    pub(crate) fn add_seen_ago(
        &mut self,
        address: &PeerAddress,
        services: Services,
        ago: Duration,
        source: SourceGroup,
        now: Time,
        rng: &mut Rng,
    ) -> bool {
        let _ = source;
        let Some(key) = Key::of(address) else { return false };
        let last_seen = SteadySecond::at(now).before(ago);
        if let Some((slot, entry)) = self.store.get_mut(&key) {
            entry.refresh(services, last_seen, now);
            if let Some(claims) = &mut self.claims {
                claims.report_aged(slot, Report { last_seen, at: now, services });
            }
            return false;
        }
        self.add_new(Entry::heard(key, services, last_seen), Origin::Aged(last_seen), now, rng)
    }

    fn add_new(&mut self, newcomer: Entry, origin: Origin, now: Time, rng: &mut Rng) -> bool {
        let has_room = self.len() < self.max_addresses || self.make_room(&newcomer, now, rng);
        if has_room {
            self.insert(newcomer, origin);
        }
        has_room
    }

    fn insert(&mut self, entry: Entry, origin: Origin) {
        if let (Some(slot), Some(claims)) = (self.store.insert(entry), &mut self.claims) {
            claims.begin(slot, origin);
        }
    }

    /// Removes the least worthy of a few addresses if the new one is worth more. Returns whether it did.
    fn make_room(&mut self, newcomer: &Entry, now: Time, rng: &mut Rng) -> bool {
        let known = self.len();
        let least = (0..COMPETITORS)
            .filter_map(|_| self.store.nth(NetworkSet::ALL, rng.index(known)))
            .filter(|entry| !entry.is_in_use(now))
            .map(|entry| (entry.worth(now), *entry.key()))
            .min_by_key(|(worth, _)| *worth);
        match least {
            Some((worth, key)) if worth < newcomer.worth(now) => self.store.remove(&key).is_some(),
            Some(_) | None => false,
        }
    }

    /// Removes an address. Returns whether it was known.
    pub(crate) fn forget(&mut self, address: &PeerAddress) -> bool {
        Key::of(address).and_then(|key| self.store.remove(&key)).is_some()
    }

    /// A dial began. This and the following methods ignore unknown addresses.
    pub(crate) fn record_try(&mut self, address: &PeerAddress, now: Time) {
        self.update(address, |entry| entry.tried(now));
    }

    /// A dial or handshake failed, and the target is at fault. Spacing still counts from the beginning of the dial.
    pub(crate) fn record_failure(&mut self, address: &PeerAddress, now: Time) {
        self.update(address, |entry| entry.failed(now));
    }

    /// The host accepted the connection. That proves little, so failures stay; but among addresses that were never
    /// ready, this one is worth more.
    pub(crate) fn record_answered(&mut self, address: &PeerAddress, now: Time) {
        self.update(address, |entry| entry.answered(now));
    }

    /// A connection was ready, and the peer reported its services. Call it also if the peer is useless to us and is
    /// closed for that, so that it is not dialed again. It does not reset the failures;
    /// [`record_stable`](Self::record_stable) does.
    pub(crate) fn record_success(&mut self, address: &PeerAddress, services: Services, now: Time) {
        let Some((slot, entry)) = Key::of(address).and_then(|key| self.store.get_mut(&key)) else { return };
        entry.succeeded(services, now);
        if let Some(claims) = &mut self.claims {
            claims.succeed(slot);
        }
    }

    /// A connection was ready for long enough to be stable, or served its purpose: resets the failures.
    pub(crate) fn record_stable(&mut self, address: &PeerAddress) {
        self.update(address, Entry::proved);
    }

    /// An open connection has ended. Not called when all connections end because we shut down or become inactive: those
    /// peers may be dialed at once in the next life.
    pub(crate) fn record_end(&mut self, address: &PeerAddress) {
        self.update(address, Entry::left);
    }

    /// Dials in a network succeed again: earlier failures of its addresses cause no rest beyond `min_spacing`. They
    /// still count for everything else.
    pub(crate) fn forgive_rests(&mut self, network: NetworkKind, now: Time) {
        self.forgiven_until[network.index()] = Moment::at(now);
    }

    /// Whether failures of an address cause no rest at present.
    fn is_forgiven(&self, entry: &Entry) -> bool {
        entry.is_forgiven() || entry.has_failed_before(self.forgiven_until[entry.key().network().index()])
    }

    /// The latest dial said nothing about the host, because the network was down: its failure does not count, and does
    /// not make the address less preferred. `min_spacing` still applies, so that an outage causes no storm of dials.
    /// Ignored after an answer.
    pub(crate) fn forgive(&mut self, address: &PeerAddress) {
        self.update(address, Entry::forgiven);
    }

    /// The peer does not speak the encrypted transport.
    pub(crate) fn set_v1_only(&mut self, address: &PeerAddress) {
        self.update(address, |entry| entry.v1_only = true);
    }

    fn update(&mut self, address: &PeerAddress, change: impl FnOnce(&mut Entry)) {
        if let Some((_, entry)) = Key::of(address).and_then(|key| self.store.get_mut(&key)) {
            change(entry);
        }
    }

    /// Adds saved addresses, as far as there is room. Of duplicates and known addresses the first stays. Implausible
    /// values are corrected.
    pub(crate) fn restore(&mut self, saved: &[SavedAddress], unix: UnixTime, now: Time) {
        if let Some(claims) = &mut self.claims {
            claims.expect(saved.len().min(self.max_addresses));
        }
        for address in saved {
            if self.len() >= self.max_addresses {
                return;
            }
            if let Some(key) = Key::of(&address.address) {
                self.insert(Entry::restored(key, address, unix, now), Origin::Saved(SavedDates::of(address)));
            }
        }
    }

    /// The wall clock may be wrong: from now on, dates that come in are kept as they are. Call it at birth, before
    /// anything is known.
    pub(crate) fn doubt_dates(&mut self) {
        debug_assert!(self.is_empty(), "the dates of what is known are lost");
        self.claims = Some(Claims::new());
    }

    /// The doubtful wall clock was set: at any time since `born` it would have shown `unix_at`. Ages of dates that came
    /// in are computed anew. Takes time proportional to the book; does nothing if the clock was in no doubt.
    pub(crate) fn judge_anew(&mut self, born: Time, unix_at: impl Fn(Time) -> UnixTime) {
        let Some(claims) = &self.claims else { return };
        for (slot, entry) in self.store.slots_mut() {
            if let Some(claim) = claims.of(slot) {
                entry.judge_anew(claim, born, &unix_at);
            }
        }
    }

    /// The wall clock is in no doubt any more: from now on, ages stay whatever it shows.
    pub(crate) fn trust_dates(&mut self) {
        self.claims = None;
    }

    /// Everything worth saving, by a wall clock that shows `unix` at `now`; if `as_told`, with the dates that came in
    /// by a doubtful clock as they were.
    pub(crate) fn save(&self, as_told: bool, unix: UnixTime, now: Time) -> Vec<SavedAddress> {
        let claims = self.claims.as_ref().filter(|_| as_told);
        let claim = |slot| claims.and_then(|claims| claims.of(slot));
        let save = |(slot, entry): (u32, &Entry)| match claim(slot) {
            Some(claim) => entry.saved_as_told(claim, unix, now),
            None => entry.saved(unix, now),
        };
        self.store.slots().map(save).collect()
    }

    /// What is known of an address. Dates follow a wall clock that shows `unix` at `now`.
    pub(crate) fn get(&self, address: &PeerAddress, unix: UnixTime, now: Time) -> Option<AddressView> {
        self.entry(address).map(|entry| entry.view(unix, now))
    }

    /// Whether an address is known.
    pub(crate) fn contains(&self, address: &PeerAddress) -> bool {
        self.entry(address).is_some()
    }

    /// Whether the peer is known not to speak the encrypted transport: it did not understand it, or its services, as
    /// far as they are known, are without. `asked` are the services that seeds are asked for; such an answer does not
    /// tell what else a peer offers.
    pub(crate) fn is_v1_only(&self, address: &PeerAddress, asked: Services) -> bool {
        self.entry(address).is_some_and(|entry| entry.is_v1_only(asked))
    }

    /// Whether the peer did not understand the encrypted transport when it was dialed.
    pub(crate) fn is_without_v2(&self, address: &PeerAddress) -> bool {
        self.entry(address).is_some_and(|entry| entry.v1_only)
    }

    fn entry(&self, address: &PeerAddress) -> Option<&Entry> {
        Key::of(address).and_then(|key| self.store.get(&key))
    }

    /// Everything that decides its choices: each address, whether it needs v1, and whether its failures cause no rest.
    /// In arbitrary order.
    pub(crate) fn choice_state(&self, unix: UnixTime, now: Time) -> impl Iterator<Item = (AddressView, bool, bool)> {
        self.store.iter().map(move |entry| (entry.view(unix, now), entry.v1_only, self.is_forgiven(entry)))
    }

    /// At most `count` addresses, spread evenly over the book.
    pub(crate) fn spread(&self, count: usize) -> impl Iterator<Item = PeerAddress> {
        let (known, taken) = (self.len(), self.len().min(count));
        let nth = move |n: usize| self.store.nth(NetworkSet::ALL, n * known / taken);
        (0..taken).filter_map(nth).map(Entry::address)
    }

    /// The number of known addresses.
    pub(crate) fn len(&self) -> usize {
        self.store.len_in(NetworkSet::ALL)
    }

    /// The number of known addresses of a network.
    pub(crate) fn len_of(&self, network: NetworkKind) -> usize {
        self.store.len_in(NetworkSet::EMPTY.with(network))
    }

    /// Whether no address is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Recounts everything.
    ///
    /// # Errors
    /// What is broken.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.len() > self.max_addresses {
            return Err("book: more addresses than the configured maximum");
        }
        self.store.check()
    }
}
