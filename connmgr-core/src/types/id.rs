//! Ids: small numbers that count up and are never reused.

use core::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $letter:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// The first id.
            pub(crate) const FIRST: Self = Self(1);

            /// The id with this number. The manager ignores ids that it never gave.
            pub const fn from_u64(number: u64) -> Self {
                Self(number)
            }

            /// The number: 1 for the first id, then counting up.
            pub const fn as_u64(self) -> u64 {
                self.0
            }

            /// Returns this id and advances to the next.
            pub(crate) fn take(&mut self) -> Self {
                let id = *self;
                self.0 += 1;
                id
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }

        #[cfg(feature = "serde")]
        const _: () = {
            crate::types::data::number_as_text!($name, from_u64, as_u64);
        };
    };
}

id!(
    /// A dial and the connection it becomes, or an accepted connection.
    ConnId,
    "c"
);
id!(
    /// An added peer, the same across all its retries.
    PeerId,
    "p"
);
id!(
    /// A name lookup.
    LookupId,
    "l"
);

/// A listening socket, numbered by the caller; see [`Config::listeners`](crate::Config::listeners).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ListenerId(pub u32);

impl fmt::Display for ListenerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "listener {}", self.0)
    }
}
