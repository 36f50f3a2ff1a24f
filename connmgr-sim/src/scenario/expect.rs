//! What a scenario promises.

use serde::{Deserialize, Serialize};

use super::Span;

/// What a scenario promises. Absent fields promise nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// When the world is healthy again. Absent: when the last fault has ended and every `turns` has happened.
    pub healed_at: Option<Span>,
    /// Within this time after that, every pool must be full again. Absent: it need not be.
    pub full_within: Option<Span>,
    /// Names of states that some run of a campaign must reach.
    pub probes: Vec<String>,
    /// Bounds on figures.
    pub bounds: Vec<Bound>,
}

/// A bound on a figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bound {
    /// The name of the figure, such as `dials` or `seconds-to-target`.
    pub of: String,
    /// At least this.
    #[serde(default)]
    pub min: Option<u64>,
    /// At most this.
    #[serde(default)]
    pub max: Option<u64>,
}
