//! What the managers know at the start.

use serde::{Deserialize, Serialize};

use super::Span;

/// What the managers know at the start, as if it had been saved by an earlier run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct BookSpec {
    /// Whom they know; of no population unless it is named.
    pub knows: Vec<Acquaintance>,
    /// The application tells what it knows whenever addresses are wanted: so many of those that may be known.
    pub application_tells: u32,
}

/// That some of a population are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Acquaintance {
    /// The population, or `nodes`.
    pub of: String,
    /// How many of it; absent: all.
    #[serde(default)]
    pub count: Option<u32>,
    /// How long ago they are said to have been seen; each at a random moment within this.
    #[serde(default = "three_days")]
    pub seen_within: Span,
    /// Whether we were connected to them once.
    #[serde(default)]
    pub tried: bool,
}

const fn three_days() -> Span {
    Span::days(3)
}
