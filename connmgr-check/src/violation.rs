//! A promise that was not kept.

use core::fmt;

use connmgr_core::Time;

use super::property::Property;

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub property: Property,
    /// When, by the manager's clock.
    pub at: Time,
    /// What was expected, what was seen, and of whom; for people.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.property, self.at, self.what)
    }
}

impl core::error::Error for Violation {}
