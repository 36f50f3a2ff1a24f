//! A property that does not hold.

use core::fmt;

use connmgr_core::Time;

use super::property::Property;

/// A property that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub property: Property,
    /// When, by the manager's clock.
    pub at: Time,
    /// What was expected and what was seen, as text.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.property, self.at, self.what)
    }
}

impl core::error::Error for Violation {}
