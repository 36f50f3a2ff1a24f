//! A view of the book: the result of [`ConnManager::book`](crate::ConnManager::book).

use super::Book;
use crate::types::{NetworkKind, PeerAddress, Services, Time, UnixTime};

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
        book.store.iter().map(move |entry| entry.view(unix, now))
    }
}

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
}
