//! The book: the addresses we know, and what became of each.
//!
//! New addresses are in one table and those that were ready in another, as in Bitcoin Core, so that nobody who announces
//! many owns the choices ([`place`], [`collide`], [`draw`]). The book stores, ranks and chooses addresses. It deliberately
//! knows no connections, bans or routes, nor which addresses are useful (private ranges, disabled networks): the caller
//! checks before adding and when dialing. Every age is by the monotonic clock; the wall clock is used only for dates that
//! come in or go out, so setting it changes no age, unless it was doubtful: then the dates that came in by it are judged
//! anew ([`claims`]). Read first: `addrman` in Bitcoin Core.

#[cfg(feature = "experiments")]
mod bench;
mod bits;
mod bucket;
mod buckets;
mod chance;
mod claims;
mod collide;
mod dates;
mod draw;
mod entry;
mod index;
mod key;
mod marks;
mod moment;
mod neighbours;
mod numbered;
mod pick;
mod place;
mod recount;
mod sample;
mod save;
mod secret;
mod short;
mod sources;
mod store;
#[cfg(test)]
mod tests;
mod view;

use alloc::vec::Vec;
use core::time::Duration;

use hashbrown::HashMap;

use crate::config::{BookConfig, BookRule};
use crate::mechanisms::groups::Groups;
use crate::mechanisms::hasher::OwnNumbers;
use crate::mechanisms::rng::Rng;
use crate::types::{
    AddressInfo, NetworkKind, NetworkSet, PeerAddress, Services, SourceGroup, SteadySecond, Time, UnixTime,
};
use buckets::{Buckets, Place};
use claims::{Claims, Origin, Report, Told};
use collide::Collision;
use dates::believed;
use entry::Entry;
use key::Key;
use marks::{Class, Filter, MarkCounts};
use moment::Moment;
use neighbours::Neighbours;
use place::Newcomer;
use secret::{Hash, NEW_BUCKETS, Secret, TRIED_BUCKETS};
use sources::KnownSources;
use store::Store;

#[cfg(feature = "experiments")]
pub use bench::BookBench;
pub(crate) use numbered::{AddressId, Numbered};
pub(crate) use pick::{Choice, Picked, Unfit};
pub use view::{AddressView, BookCounts, BookTable, BookView};

/// The addresses we know, at most [`BookConfig::max_addresses`]. An empty book allocates nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Book {
    max_addresses: usize,
    /// A rule that an experiment has switched off.
    without: Option<BookRule>,
    /// The services that full and block-relay connections need.
    services: [Services; 2],
    secret: Secret,
    store: Store,
    /// The tables of new and of tried addresses. An address is in one of them.
    new: Buckets,
    tried: Buckets,
    /// The further places of new addresses, by [`place::more`].
    more_places: HashMap<u32, Place, OwnNumbers>,
    groups: Neighbours,
    sources: KnownSources,
    /// The number of addresses.
    known: MarkCounts,
    /// Dials to tried addresses that have failed since one was ready; at most [`MOST_FAILURES`](draw::MOST_FAILURES).
    tried_failures: u8,
    /// Those that wait for the place of another.
    waiting: Vec<Collision>,
    /// Per network: failures of dials made up to this time cause no rest.
    forgiven_until: [Moment; NetworkKind::ALL.len()],
    /// The dates that came in, while the wall clock may be wrong.
    claims: Option<Claims>,
}

/// What is said of an address.
struct Heard {
    services: Services,
    last_seen: SteadySecond,
    /// The last-seen without the penalty on hearsay.
    told: SteadySecond,
    origin: Origin,
}

impl Book {
    /// An empty book. `services` are those that full and block-relay connections need. `keys` are secret and drawn at
    /// birth, so that no one can choose addresses that meet in a bucket.
    pub(crate) fn new(config: &BookConfig, services: [Services; 2], keys: (u64, u64)) -> Self {
        Self {
            max_addresses: config.max_addresses as usize,
            without: config.without,
            services,
            secret: Secret::new(keys),
            store: Store::new(),
            new: Buckets::new(NEW_BUCKETS),
            tried: Buckets::new(TRIED_BUCKETS),
            more_places: HashMap::with_hasher(OwnNumbers),
            groups: Neighbours::new(),
            sources: KnownSources::new(),
            known: MarkCounts::default(),
            tried_failures: 0,
            waiting: Vec::new(),
            forgiven_until: [Moment::NEVER; NetworkKind::ALL.len()],
            claims: None,
        }
    }

    /// Adds an address that `source` reported. Returns whether it is new and kept.
    ///
    /// A last-seen that is not believable counts as 5 days ago; hearsay, what a peer says about others, as 2 h older. A
    /// known address is refreshed ([`Entry::refresh`]), and may get another place by this source; but hearsay changes
    /// nothing of a tried one. A new address gets a place by its source and group, if there is room for it. In a full book
    /// it replaces one that is worth less: first a terrible one, then one that was never ready and was seen longest ago;
    /// never one dialed within the last minute.
    pub(crate) fn add(
        &mut self,
        info: &AddressInfo,
        source: SourceGroup,
        groups: &Groups,
        unix: UnixTime,
        now: Time,
        rng: &mut Rng,
    ) -> bool {
        let told = Told { last_seen: info.last_seen, is_hearsay: source.is_peer() };
        let heard = Heard {
            services: info.services,
            last_seen: told.judged(unix, now),
            told: believed(info.last_seen, unix, now),
            origin: Origin::Told(told, now),
        };
        self.hear(&info.address, heard, source, groups, now, rng)
    }

    /// The same for an address whose last-seen is no date but an age.
    pub(crate) fn add_seen_ago(
        &mut self,
        info: (&PeerAddress, Services, Duration),
        source: SourceGroup,
        groups: &Groups,
        now: Time,
        rng: &mut Rng,
    ) -> bool {
        let (address, services, ago) = info;
        let last_seen = SteadySecond::at(now).before(ago);
        let heard = Heard { services, last_seen, told: last_seen, origin: Origin::Aged(last_seen) };
        self.hear(address, heard, source, groups, now, rng)
    }

    fn hear(
        &mut self,
        address: &PeerAddress,
        heard: Heard,
        source: SourceGroup,
        groups: &Groups,
        now: Time,
        rng: &mut Rng,
    ) -> bool {
        let (Some(key), Some(group)) = (Key::of(address), groups.of(address.host())) else { return false };
        let hash = self.secret.of_address(&key);
        if let Some(slot) = self.store.find(&key, hash) {
            self.hear_again(slot, hash, &heard, source, now, rng);
            return false;
        }
        let newcomer = Newcomer { key, hash, group: self.secret.of_group(group), source };
        let entry = |key| Entry::heard(key, heard.services, heard.last_seen);
        let slot = self.settle_new(&newcomer, entry, now, rng);
        if let (Some(slot), Some(claims)) = (slot, &mut self.claims) {
            claims.begin(slot, heard.origin);
        }
        slot.is_some()
    }

    fn hear_again(&mut self, slot: u32, hash: Hash, heard: &Heard, source: SourceGroup, now: Time, rng: &mut Rng) {
        if self.store.entry(slot).is_tried() && source.is_peer() {
            return;
        }
        let services = self.believed_services(slot, heard.services, source);
        self.change(slot, |entry| entry.refresh(services, heard.last_seen, now));
        if let Some(claims) = &mut self.claims {
            match heard.origin {
                Origin::Told(last_seen, at) => claims.report(slot, Report { last_seen, at, services }),
                Origin::Aged(last_seen) => claims.report_aged(slot, Report { last_seen, at: now, services }),
                Origin::Saved(_) => {}
            }
        }
        if heard.told > self.store.entry(slot).last_seen() {
            self.add_place(slot, hash, source, now, rng);
        }
    }

    /// The services that count of those that are told of a known address. While none are known, any choice may take it:
    /// hearsay of others than are asked for could hide it, be it the application's own.
    fn believed_services(&self, slot: u32, told: Services, source: SourceGroup) -> Services {
        let hides = || self.services.iter().any(|wanted| !told.has(*wanted));
        let is_open = self.store.entry(slot).services() == Services::NONE;
        if source.is_peer() && is_open && hides() { Services::NONE } else { told }
    }

    /// Removes an address. Returns whether it was known.
    pub(crate) fn forget(&mut self, address: &PeerAddress) -> bool {
        let slot = self.find(address);
        if let Some(slot) = slot {
            self.remove(slot);
        }
        slot.is_some()
    }

    /// A dial began. This and the following methods ignore unknown addresses. Returns the number of a known one.
    pub(crate) fn record_try<'a>(&mut self, address: impl Into<Numbered<'a>>, now: Time) -> Option<AddressId> {
        let slot = self.find(address)?;
        self.store.entry_mut(slot).tried(now);
        Some(AddressId(slot))
    }

    /// A dial or handshake failed, and the target is at fault. Spacing still counts from the beginning of the dial.
    pub(crate) fn record_failure<'a>(&mut self, address: impl Into<Numbered<'a>>, now: Time) {
        let Some(slot) = self.find(address) else { return };
        self.store.entry_mut(slot).failed(now);
        self.settle_collisions(now);
    }

    /// The host accepted the connection. That proves little, so failures stay; but among addresses that were never
    /// ready, this one is worth more.
    pub(crate) fn record_answered<'a>(&mut self, address: impl Into<Numbered<'a>>, now: Time) {
        self.update(address, |entry| entry.answered(now));
    }

    /// A connection was ready, and the peer reported its services. Call it also if the peer is useless to us and is
    /// closed for that, so that it is not dialed again. It does not reset the failures;
    /// [`record_stable`](Self::record_stable) does. The address is a tried one now, if there is room for it.
    pub(crate) fn record_success<'a>(&mut self, address: impl Into<Numbered<'a>>, services: Services, now: Time) {
        let Some(slot) = self.find(address) else { return };
        self.change(slot, |entry| entry.succeeded(services, now));
        if let Some(claims) = &mut self.claims {
            claims.succeed(slot);
        }
        self.make_good(slot, now);
        self.settle_collisions(now);
    }

    /// A connection was ready for long enough to be stable, or served its purpose: resets the failures.
    pub(crate) fn record_stable<'a>(&mut self, address: impl Into<Numbered<'a>>) {
        self.update(address, Entry::proved);
    }

    /// An open connection has ended. Not called when all connections end because we shut down or become inactive: those
    /// peers may be dialed at once in the next life.
    pub(crate) fn record_end<'a>(&mut self, address: impl Into<Numbered<'a>>) {
        self.update(address, Entry::left);
    }

    /// Dials in a network succeed again: earlier failures of its addresses cause no rest beyond `min_spacing`. They
    /// still count for everything else.
    pub(crate) fn forgive_rests(&mut self, network: NetworkKind, now: Time) {
        self.forgiven_until[network.index()] = Moment::at(now);
    }

    /// Whether failures of an address cause no rest at present.
    fn is_forgiven(&self, entry: &Entry) -> bool {
        entry.is_forgiven() || entry.has_failed_before(self.forgiven_until[entry.network().index()])
    }

    /// The latest dial said nothing about the host, because the network was down: its failure does not count, and does
    /// not make the address less preferred. `min_spacing` still applies, so that an outage causes no storm of dials.
    /// Ignored after an answer.
    pub(crate) fn forgive<'a>(&mut self, address: impl Into<Numbered<'a>>) {
        let Some(slot) = self.find(address) else { return };
        let entry = self.store.entry(slot);
        if entry.is_tried() && entry.has_failed() {
            self.doubt_tried_less();
        }
        self.store.entry_mut(slot).forgiven();
    }

    /// The peer does not speak the encrypted transport.
    pub(crate) fn set_v1_only<'a>(&mut self, address: impl Into<Numbered<'a>>) {
        self.update(address, Entry::set_without_v2);
    }

    fn update<'a>(&mut self, address: impl Into<Numbered<'a>>, change: impl FnOnce(&mut Entry)) {
        if let Some(slot) = self.find(address) {
            // None of these changes what a peer may offer.
            change(self.store.entry_mut(slot));
        }
    }

    /// What is known of an address. Dates follow a wall clock that shows `unix` at `now`.
    pub(crate) fn get(&self, address: &PeerAddress, unix: UnixTime, now: Time) -> Option<AddressView> {
        self.find(address).map(|slot| self.view(slot, unix, now))
    }

    /// Whether an address is known.
    pub(crate) fn contains(&self, address: &PeerAddress) -> bool {
        self.find(address).is_some()
    }

    /// Whether the peer is known not to speak the encrypted transport: it did not understand it, or its services, as
    /// far as they are known, are without. `asked` are the services that seeds are asked for; such an answer does not
    /// tell what else a peer offers.
    pub(crate) fn is_v1_only<'a>(&self, address: impl Into<Numbered<'a>>, asked: Services) -> bool {
        self.entry(address).is_some_and(|entry| entry.is_v1_only(asked))
    }

    /// Whether the peer did not understand the encrypted transport when it was dialed.
    pub(crate) fn is_without_v2(&self, address: &PeerAddress) -> bool {
        self.entry(address).is_some_and(Entry::is_without_v2)
    }

    fn entry<'a>(&self, address: impl Into<Numbered<'a>>) -> Option<&Entry> {
        self.find(address).map(|slot| self.store.entry(slot))
    }

    #[inline]
    fn find<'a>(&self, address: impl Into<Numbered<'a>>) -> Option<u32> {
        let Numbered { address, id } = address.into();
        let told = id.map(|AddressId(slot)| slot).filter(|slot| self.store.is_at(*slot, address));
        told.or_else(|| self.look_up(address))
    }

    fn look_up(&self, address: &PeerAddress) -> Option<u32> {
        // Where peers are only added, the book is asked for nothing.
        if self.is_empty() {
            return None;
        }
        let key = Key::of(address)?;
        self.store.find(&key, self.secret.of_address(&key))
    }

    /// Everything that decides its choices: each address, whether it needs v1, and whether its failures cause no rest.
    /// In arbitrary order.
    pub(crate) fn choice_state(&self, unix: UnixTime, now: Time) -> impl Iterator<Item = (AddressView, bool, bool)> {
        let state = move |(slot, entry): (u32, &Entry)| {
            (self.view(slot, unix, now), entry.is_without_v2(), self.is_forgiven(entry))
        };
        self.store.slots().map(state)
    }

    /// At most `count` addresses, spread evenly over the book.
    pub(crate) fn spread(&self, count: usize) -> impl Iterator<Item = PeerAddress> {
        let slots = self.store.slot_count();
        let stretches = slots.min(count);
        // Few slots are free: the first taken one of each stretch.
        let first_of = move |stretch: usize| {
            let mut slots = stretch * slots / stretches..(stretch + 1) * slots / stretches;
            slots.find_map(|slot| self.store.get(u32::try_from(slot).ok()?))
        };
        (0..stretches).filter_map(first_of).map(|entry| self.store.address(entry))
    }

    /// The number of known addresses.
    pub(crate) fn len(&self) -> usize {
        self.store.len()
    }

    /// The number of known addresses of a network.
    pub(crate) fn len_of(&self, network: NetworkKind) -> usize {
        self.known.of(Filter::in_network(network, Class::Any))
    }

    /// The networks of which addresses are known.
    pub(crate) fn networks(&self) -> NetworkSet {
        self.known.networks()
    }

    /// Whether no address is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        self.store.heap_bytes()
            + self.new.heap_bytes()
            + self.tried.heap_bytes()
            + self.groups.heap_bytes()
            + self.sources.heap_bytes()
            + self.more_places.allocation_size()
            + self.waiting.capacity() * size_of::<Collision>()
    }
}
