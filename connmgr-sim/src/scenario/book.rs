//! What the managers know at the start.

use serde::{Deserialize, Serialize};

use super::Span;

/// What the managers know at the start, as if it had been saved by an earlier run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct BookSpec {
    /// The populations they know. Hosts of other populations are unknown to them.
    pub knows: Vec<Acquaintance>,
    /// How many addresses the application adds each time the manager asks for addresses.
    pub application_tells: u32,
}

/// How much of a population is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Acquaintance {
    /// The population, or `nodes`.
    pub of: String,
    /// How many of it; absent: all.
    #[serde(default)]
    pub count: Option<u32>,
    /// Each was last seen at a random moment within this span before the start.
    #[serde(default = "three_days")]
    pub seen_within: Span,
    /// Whether we were connected to them before.
    #[serde(default)]
    pub tried: bool,
}

const fn three_days() -> Span {
    Span::days(3)
}
