//! The book for reading: what [`ConnManager::book`](crate::ConnManager::book) shows.

use super::Book;
use crate::types::{NetworkKind, PeerAddress, Services, Time, UnixTime};

/// The addresses we know.
#[derive(Clone, Copy, Debug)]
pub struct BookView<'a> {
    book: &'a Book,
    /// The wall clock …
    unix: UnixTime,
    /// … at this time.
    now: Time,
}

impl<'a> BookView<'a> {
    /// The book, its times as a wall clock shows them that says `unix` at `now`.
    pub(crate) const fn new(book: &'a Book, unix: UnixTime, now: Time) -> Self {
        Self { book, unix, now }
    }

    /// How many addresses are known.
    pub fn len(&self) -> usize {
        self.book.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.book.is_empty()
    }

    /// How many addresses of one network are known.
    pub fn len_of(&self, network: NetworkKind) -> usize {
        self.book.len_of(network)
    }

    /// What is known of one address, if it is in the book; names never are.
    pub fn get(&self, address: &PeerAddress) -> Option<AddressView> {
        self.book.get(address, self.unix, self.now)
    }

    /// All addresses, in no order that means anything, but in the same one until the next input.
    pub fn iter(&self) -> impl Iterator<Item = AddressView> + 'a {
        let Self { book, unix, now } = *self;
        book.store.iter().map(move |entry| entry.view(unix, now))
    }
}

/// What is known of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressView {
    /// The address.
    pub address: PeerAddress,
    /// What the peer offers: by its own word for a week after a ready connection, with hearsay added else.
    pub services: Services,
    /// When it is said to have been seen last.
    pub last_seen: UnixTime,
    /// Failures since a connection was last stable; stops at 255. Those that were not the peer's fault don't count.
    pub failures: u32,
    /// When it was dialed last; [`Time::ZERO`] for a dial before the manager was born.
    pub last_try: Option<Time>,
    /// When a connection was last ready.
    pub last_success: Option<UnixTime>,
}
