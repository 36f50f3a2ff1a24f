//! The book as it is passed to the saver: in the slices in which it was copied.

use connmgr_core::{BookSecret, PeerAddress, SavedAddress, SavedBan, Snapshot};

/// A copy of the book, and what is in the same file.
#[derive(Debug, Default)]
pub(crate) struct SavedBook {
    /// The addresses. Slices are never joined: to move 80 000 addresses takes as long as to copy them.
    pub(crate) slices: Vec<Vec<SavedAddress>>,
    pub(crate) secret: Option<BookSecret>,
    pub(crate) anchors: Vec<PeerAddress>,
}

impl SavedBook {
    /// The bans of a snapshot, and its book.
    pub(crate) fn split(snapshot: Snapshot) -> (Vec<SavedBan>, Self) {
        let Snapshot { addresses, book_secret: secret, anchors, bans } = snapshot;
        let slices = if addresses.is_empty() { Vec::new() } else { vec![addresses] };
        (bans, Self { slices, secret, anchors })
    }
}
