//! What must come of a scenario.

use serde::{Deserialize, Serialize};

use super::Span;

/// What must come of a scenario. What is absent is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// From when on the world is healthy. Absent: when the last fault has ended and everybody has turned who does.
    pub healed_at: Option<Span>,
    /// From then, how long until every pool is full again. Absent: it need not be.
    pub full_within: Option<Span>,
    /// States that a campaign must have reached in some run, by their names.
    pub probes: Vec<String>,
    /// Bounds on what is measured.
    pub bounds: Vec<Bound>,
}

/// A bound on something that is measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bound {
    /// What: the name of a figure of the summary, such as `dials` or `seconds-to-target`.
    pub of: String,
    /// At least this.
    #[serde(default)]
    pub min: Option<u64>,
    /// At most this.
    #[serde(default)]
    pub max: Option<u64>,
}
