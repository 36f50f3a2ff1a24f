//! A view of the book: the result of [`ConnManager::book`](crate::ConnManager::book).

use super::Book;
use super::chance::chance_of;
use super::marks::{Class, Filter};
use super::neighbours::Side;
use crate::types::{NetworkKind, PeerAddress, Services, SourceGroup, Time, UnixTime};

/// The known addresses.
#[derive(Clone, Copy, Debug)]
pub struct BookView<'a> {
    book: &'a Book,
    /// What the wall clock shows …
    unix: UnixTime,
    /// … at this time.
    now: Time,
}

impl<'a> BookView<'a> {
    /// A view whose dates follow a wall clock that shows `unix` at `now`.
    pub(crate) const fn new(book: &'a Book, unix: UnixTime, now: Time) -> Self {
        Self { book, unix, now }
    }

    /// The number of known addresses.
    pub fn len(&self) -> usize {
        self.book.len()
    }

    /// Whether no address is known.
    pub fn is_empty(&self) -> bool {
        self.book.is_empty()
    }

    /// The number of known addresses of one network.
    pub fn len_of(&self, network: NetworkKind) -> usize {
        self.book.len_of(network)
    }

    /// What is known of one address; `None` if it is not in the book, as names never are.
    pub fn get(&self, address: &PeerAddress) -> Option<AddressView> {
        self.book.get(address, self.unix, self.now)
    }

    /// All addresses, in arbitrary order, which stays the same until the next input.
    pub fn iter(&self) -> impl Iterator<Item = AddressView> + 'a {
        let Self { book, unix, now } = *self;
        book.store.slots().map(move |(slot, _)| book.view(slot, unix, now))
    }

    /// The number of known addresses in a table.
    pub fn len_in(&self, table: BookTable) -> usize {
        NetworkKind::ALL.into_iter().map(|network| self.len_in_of(table, network)).sum()
    }

    /// The number of known addresses of one network in a table.
    pub fn len_in_of(&self, table: BookTable, network: NetworkKind) -> usize {
        let filter = Filter::in_network(network, Class::Any);
        let tried = self.book.table(Side::Tried).len_of(filter);
        match table {
            BookTable::Tried => tried,
            BookTable::New => self.book.known.of(filter) - tried,
        }
    }

    /// How many addresses are known, by table and network.
    pub fn counts(&self) -> BookCounts {
        BookCounts(BookTable::ALL.map(|table| {
            NetworkKind::ALL.map(|network| u32::try_from(self.len_in_of(table, network)).unwrap_or(u32::MAX))
        }))
    }
}

/// How many addresses are known, by table and network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BookCounts([[u32; NetworkKind::ALL.len()]; BookTable::ALL.len()]);

impl BookCounts {
    /// Those of one network in one table.
    #[must_use]
    pub const fn of(&self, table: BookTable, network: NetworkKind) -> u32 {
        self.0[table as usize][network.index()]
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.0.iter().flatten().sum()
    }
}

/// A table of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum BookTable {
    /// Addresses that others told of, 1024 buckets of 64 places.
    New,
    /// Addresses at which a connection was ready, 256 buckets of 64 places. Gossip cannot change it.
    Tried,
}

impl BookTable {
    /// Both tables.
    pub const ALL: [Self; 2] = [Self::New, Self::Tried];
}

impl core::fmt::Display for BookTable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::New => "new",
            Self::Tried => "tried",
        })
    }
}

impl Book {
    /// What is known of the address in a slot. Dates follow a wall clock that shows `unix` at `now`.
    pub(super) fn view(&self, slot: u32, unix: UnixTime, now: Time) -> AddressView {
        let entry = self.store.entry(slot);
        let chance = (chance_of(entry, entry.was_tried_within(RECENT, now)) * 1000) >> 32;
        AddressView {
            address: self.store.address(entry),
            services: entry.services(),
            last_seen: entry.last_seen().unix(unix, now),
            failures: u32::from(entry.failures()),
            last_try: entry.last_try(),
            last_success: entry.ever_succeeded().then(|| entry.last_success().unix(unix, now)),
            table: if entry.is_tried() { BookTable::Tried } else { BookTable::New },
            bucket: entry.place.bucket(),
            places: 1 + u32::from(entry.more_places()),
            source: self.sources.get(entry.source()),
            chance_per_mille: u32::try_from(chance).unwrap_or(1000),
            is_terrible: entry.is_terrible(now),
        }
    }
}

/// A dial within this time lowers the chance, as in Bitcoin Core.
const RECENT: core::time::Duration = core::time::Duration::from_secs(10 * 60);

/// What is known of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddressView {
    /// The address.
    pub address: PeerAddress,
    /// The peer's services. For a week after a ready connection only those it reported itself; otherwise those that
    /// others report are added.
    pub services: Services,
    /// When it is said to have been seen last.
    pub last_seen: UnixTime,
    /// Failures since a connection was last stable; at most 255. Those that were not the peer's fault don't count.
    pub failures: u32,
    /// When it was last dialed; [`Time::ZERO`] if before the manager's birth; `None` if never.
    pub last_try: Option<Time>,
    /// When a connection was last ready; `None` if never.
    pub last_success: Option<UnixTime>,
    /// The table it is in.
    pub table: BookTable,
    /// Its bucket there, the first one if it has several.
    pub bucket: u16,
    /// How many places it has: one, or up to eight in the table of new addresses, for as many sources.
    pub places: u32,
    /// Who announced it first.
    pub source: SourceGroup,
    /// The chance that it is taken when it is the first candidate of a choice, in thousandths: 1000, times 0.66 for each
    /// failure, and a hundredth of that within 10 minutes of a dial.
    pub chance_per_mille: u32,
    /// Whether it is not worth its place: not seen for 30 days, or too many failures. It is not told to others, and gives
    /// way to a new one.
    pub is_terrible: bool,
}
