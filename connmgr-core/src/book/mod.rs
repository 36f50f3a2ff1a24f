//! The addresses we know, and what became of each.
//!
//! The book keeps, judges and chooses addresses. It deliberately knows no connections, bans, groups or routes, nor
//! which addresses are of use at all (private ranges, disabled networks): the caller asks before it adds and when it
//! dials. It counts by the monotonic clock alone, and takes the wall clock's word only for what comes in and goes out:
//! so no step of that clock changes an age. Read first: `addrman` in Bitcoin Core.

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

use crate::config::BookConfig;
use crate::mechanisms::rng::Rng;
use crate::types::{AddressInfo, NetworkKind, NetworkSet, PeerAddress, SavedAddress, Services, Time, UnixTime};
use entry::{Entry, Moment, believed};
use key::Key;
use store::Store;

pub(crate) use entry::hearsay;
pub(crate) use pick::Choice;
pub use view::{AddressView, BookView};

/// Addresses looked at when one must make room. The worst of 16 is among the worst 4 % with a chance of a half.
const VICTIMS_LOOKED_AT: usize = 16;

/// Who told us of an address, as one neighbourhood: the number of a peer's group, or a tag for a seed or the
/// application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SourceGroup(pub(crate) u64);

/// The addresses we know. Holds at most [`BookConfig::max_addresses`]; an empty one allocates nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Book {
    max_addresses: usize,
    store: Store,
    /// Up to when failures in each network earn their addresses no rest.
    forgiven_until: [Moment; NetworkKind::ALL.len()],
}

impl Book {
    /// An empty book. `keys` are drawn at birth and secret, so that nobody can aim at one place in the index.
    pub(crate) fn new(config: &BookConfig, keys: (u64, u64)) -> Self {
        Self {
            max_addresses: config.max_addresses as usize,
            store: Store::new(keys),
            forgiven_until: [Moment::NEVER; NetworkKind::ALL.len()],
        }
    }

    /// Takes in an address that `source` told, and tells whether it is new to us and kept.
    ///
    /// A last-seen that nobody can believe counts as 5 days ago; what a peer tells of others is passed through
    /// [`hearsay`] first, by the caller. Of a known address, services are added unless the peer told its own within a week, and the time moves forward by more
    /// than an hour (of today) or a day, or not at all. Into a full book a newcomer comes only in the place of one
    /// that is worth less: a terrible one first, then one never ready and longest not seen; never one dialed within
    /// the last minute.
    pub(crate) fn add(
        &mut self,
        info: &AddressInfo,
        source: SourceGroup,
        unix: UnixTime,
        now: Time,
        rng: &mut Rng,
    ) -> bool {
        // The tables that will limit what one source may fill are not built yet.
        let _ = source;
        let Some(key) = Key::of(&info.address) else { return false };
        let last_seen = believed(info.last_seen, unix, now);
        if let Some(entry) = self.store.get_mut(&key) {
            entry.refresh(info.services, last_seen, now);
            return false;
        }
        let newcomer = Entry::heard(key, info.services, last_seen);
        let has_room = self.len() < self.max_addresses || self.make_room(&newcomer, now, rng);
        if has_room {
            self.store.insert(newcomer);
        }
        has_room
    }

    /// Throws out the least of a few addresses if the newcomer is worth more, and tells whether it did.
    fn make_room(&mut self, newcomer: &Entry, now: Time, rng: &mut Rng) -> bool {
        let known = self.len();
        let victim = (0..VICTIMS_LOOKED_AT)
            .filter_map(|_| self.store.nth(NetworkSet::ALL, rng.index(known)))
            .filter(|entry| !entry.is_in_use(now))
            .map(|entry| (entry.worth(now), *entry.key()))
            .min_by_key(|(worth, _)| *worth);
        match victim {
            Some((worth, key)) if worth < newcomer.worth(now) => self.store.remove(&key).is_some(),
            Some(_) | None => false,
        }
    }

    /// Throws an address out, and tells whether it was there.
    pub(crate) fn forget(&mut self, address: &PeerAddress) -> bool {
        Key::of(address).and_then(|key| self.store.remove(&key)).is_some()
    }

    /// A dial began. What is not in the book is ignored, here and in all that follows.
    pub(crate) fn record_try(&mut self, address: &PeerAddress, now: Time) {
        self.update(address, |entry| entry.tried(now));
    }

    /// A dial or a handshake failed by the fault of the target. Spacing still counts from the dial's beginning.
    pub(crate) fn record_failure(&mut self, address: &PeerAddress, now: Time) {
        self.update(address, |entry| entry.failed(now));
    }

    /// The host took the connection. That proves little, so failures stay; among addresses of which no connection
    /// was ever ready, it is a reason to keep this one.
    pub(crate) fn record_answered(&mut self, address: &PeerAddress, now: Time) {
        self.update(address, |entry| entry.answered(now));
    }

    /// A connection was ready, and the peer told its services. To be called also where it is of no use to us and is
    /// closed for that: then its services keep us from dialing it again. That it was ready does not prove that it
    /// stays: failures are forgotten when it is [stable](Self::record_stable).
    pub(crate) fn record_success(&mut self, address: &PeerAddress, services: Services, now: Time) {
        self.update(address, |entry| entry.succeeded(services, now));
    }

    /// A connection was ready for long enough to be called stable, or served its purpose: failures are forgotten.
    pub(crate) fn record_stable(&mut self, address: &PeerAddress) {
        self.update(address, Entry::proved);
    }

    /// Dials in a network lead to something again: the failures of its addresses so far earn them no rest, beyond
    /// `min_spacing`. They count in all else.
    pub(crate) fn forgive_rests(&mut self, network: NetworkKind, now: Time) {
        self.forgiven_until[network.index()] = Moment::at(now);
    }

    /// Whether the latest dial of an address earns it no rest.
    fn is_forgiven(&self, entry: &Entry) -> bool {
        entry.is_forgiven() || entry.has_failed_before(self.forgiven_until[entry.key().network().index()])
    }

    /// The latest dial said nothing about the host, for the network was down: its failure is not counted, and it is
    /// no reason to prefer others. `min_spacing` is still kept, so that an outage is no dial storm. Ignored after an
    /// answer.
    pub(crate) fn forgive(&mut self, address: &PeerAddress) {
        self.update(address, Entry::forgiven);
    }

    /// The peer does not understand the encrypted transport.
    pub(crate) fn set_v1_only(&mut self, address: &PeerAddress) {
        self.update(address, |entry| entry.v1_only = true);
    }

    fn update(&mut self, address: &PeerAddress, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = Key::of(address).and_then(|key| self.store.get_mut(&key)) {
            change(entry);
        }
    }

    /// Takes in what a former life saved, as far as there is room; of an address that is there twice, or known
    /// already, the first stays. Nothing in it is believed beyond reason.
    pub(crate) fn restore(&mut self, saved: &[SavedAddress], unix: UnixTime, now: Time) {
        for address in saved {
            if self.len() >= self.max_addresses {
                return;
            }
            if let Some(key) = Key::of(&address.address) {
                self.store.insert(Entry::restored(key, address, unix, now));
            }
        }
    }

    /// Everything, for the next life.
    pub(crate) fn save(&self, unix: UnixTime, now: Time) -> Vec<SavedAddress> {
        self.store.iter().map(|entry| entry.saved(unix, now)).collect()
    }

    /// What is known of an address, its times as a wall clock shows them that says `unix` at `now`.
    pub(crate) fn get(&self, address: &PeerAddress, unix: UnixTime, now: Time) -> Option<AddressView> {
        self.entry(address).map(|entry| entry.view(unix, now))
    }

    /// Whether an address is known.
    pub(crate) fn contains(&self, address: &PeerAddress) -> bool {
        self.entry(address).is_some()
    }

    /// Whether the peer is known not to understand the encrypted transport.
    pub(crate) fn is_v1_only(&self, address: &PeerAddress) -> bool {
        self.entry(address).is_some_and(|entry| entry.v1_only)
    }

    fn entry(&self, address: &PeerAddress) -> Option<&Entry> {
        Key::of(address).and_then(|key| self.store.get(&key))
    }

    /// Everything that decides whom it chooses: each address, whether it is known to be v1 only, and whether its
    /// latest dial says nothing about it. In no order that means anything.
    pub(crate) fn judgements(&self, unix: UnixTime, now: Time) -> impl Iterator<Item = (AddressView, bool, bool)> {
        self.store.iter().map(move |entry| (entry.view(unix, now), entry.v1_only, self.is_forgiven(entry)))
    }

    /// How many addresses are known.
    pub(crate) fn len(&self) -> usize {
        self.store.len_in(NetworkSet::ALL)
    }

    /// How many addresses of a network are known.
    pub(crate) fn len_of(&self, network: NetworkKind) -> usize {
        self.store.len_in(NetworkSet::EMPTY.with(network))
    }

    /// Whether no address is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether all that is derived agrees with what it is derived from, counted from scratch.
    ///
    /// # Errors
    /// Says what does not agree.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.len() > self.max_addresses {
            return Err("book: more addresses than the configured maximum");
        }
        self.store.check()
    }
}
