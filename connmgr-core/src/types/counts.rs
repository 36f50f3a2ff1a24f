//! What became of addresses that were reported, counted by reason.

use core::fmt;

use super::more::More;

/// What became of addresses that were reported with [`Input::Addresses`](crate::Input::Addresses): each is counted once,
/// for the first that applies from `unwanted` down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AddressCounts {
    /// No address is kept from there at all: the manager is connect-only or stopped, or the source is no open
    /// connection.
    pub unwanted: u32,
    /// More than one call may bring (`book.max_per_call`), or than the peer may tell (`book.gossip`).
    pub too_many: u32,
    /// Host names, which the book does not keep.
    pub name: u32,
    /// No peer can ever be there: see [`NotDialable`](crate::NotDialable); or it is an interface's own (a zone).
    pub not_dialable: u32,
    /// Outside of [`Config::ranges`](crate::Config::ranges).
    pub out_of_range: u32,
    /// The network is disabled, or no configured route leads to it.
    pub no_route: u32,
    /// Our own.
    pub own: u32,
    /// Known already; what was said of it is merged.
    pub known: u32,
    /// The book is full, and what it has is worth more.
    pub full: u32,
    /// New and kept.
    pub new: u32,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

impl AddressCounts {
    const fn parts(&self) -> [(u32, &'static str); 10] {
        [
            (self.new, "new"),
            (self.known, "known"),
            (self.unwanted, "unwanted"),
            (self.too_many, "too many"),
            (self.name, "by name"),
            (self.not_dialable, "not dialable"),
            (self.out_of_range, "out of range"),
            (self.no_route, "without a route"),
            (self.own, "our own"),
            (self.full, "worth less than what is known"),
        ]
    }

    /// How many addresses were reported.
    pub fn total(&self) -> u64 {
        self.parts().iter().map(|(count, _)| u64::from(*count)).sum()
    }
}

impl fmt::Display for AddressCounts {
    /// The new ones, and every other reason that occurred.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} new", self.new)?;
        self.parts()[1..]
            .iter()
            .filter(|(count, _)| *count > 0)
            .try_for_each(|(count, what)| write!(f, ", {count} {what}"))
    }
}
