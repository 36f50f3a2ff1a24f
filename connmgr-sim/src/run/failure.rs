//! The failures of a run or a campaign.

use std::fmt;

use connmgr_check::{Nature, Property};
use serde::{Deserialize, Serialize};

use crate::scenario::Span;
use crate::types::Instant;
use crate::world::Broken;

/// How a run or a campaign ended: the worst of its failures. Worse is greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunVerdict {
    /// Every promise was kept.
    #[default]
    Kept,
    /// A promised state was not reached.
    MissedProbe,
    /// A figure is outside its bounds.
    Threshold,
    /// A liveness property was broken.
    Liveness,
    /// A safety property was broken.
    Safety,
    /// The same run had two results.
    NonDeterminism,
}

impl RunVerdict {
    /// The exit code of the command. Besides these, 1 is any other error (such as a full disk), and 2 a wrong
    /// command line.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Kept => 0,
            Self::Safety => 10,
            Self::Liveness => 11,
            Self::NonDeterminism => 12,
            Self::MissedProbe => 13,
            Self::Threshold => 14,
        }
    }
}

impl fmt::Display for RunVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kept => "all promises kept",
            Self::MissedProbe => "missed probe",
            Self::Threshold => "threshold",
            Self::Liveness => "liveness",
            Self::Safety => "safety",
            Self::NonDeterminism => "non-determinism",
        })
    }
}

/// The rule that a panic breaks.
pub const PANIC: &str = "panic";

/// One failure of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Failure {
    /// What sort of failure.
    pub verdict: RunVerdict,
    /// Which property, by its name; [`PANIC`]; or the figure that is out of bounds.
    pub rule: String,
    /// When, in the world.
    pub at: Span,
    /// At which manager.
    pub node: u32,
    /// In which step of the world, counted from 1.
    pub step: u64,
    /// What happened, as text.
    pub what: String,
}

impl Failure {
    /// Of a checker's finding.
    pub fn of(broken: &Broken) -> Self {
        let Broken { at, node, step, violation } = broken;
        let verdict = match violation.property.nature() {
            Nature::Liveness => RunVerdict::Liveness,
            Nature::Safety => RunVerdict::Safety,
            Nature::Measure => RunVerdict::Threshold,
        };
        Self {
            verdict,
            rule: violation.property.name().to_owned(),
            at: at.span(),
            node: *node,
            step: *step,
            what: violation.what.clone(),
        }
    }

    /// Of a comparison of many runs, or of a budget.
    pub(crate) fn compared(property: Property, at: Instant, node: u32, what: String) -> Self {
        Self { verdict: RunVerdict::Threshold, rule: property.name().to_owned(), at: at.span(), node, step: 0, what }
    }

    /// Of a panic.
    pub(crate) fn panicked(what: String, at: Instant, step: u64) -> Self {
        Self { verdict: RunVerdict::Safety, rule: PANIC.to_owned(), at: at.span(), node: 0, step, what }
    }

    /// The property that was broken, if it was one.
    pub fn property(&self) -> Option<Property> {
        self.rule.parse().ok()
    }

    /// Whether the other breaks the same promise, wherever and whenever.
    pub fn is_like(&self, other: &Self) -> bool {
        self.verdict == other.verdict && self.rule == other.rule
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verdict, rule, at, node, step, what } = self;
        match verdict {
            RunVerdict::Threshold => write!(f, "{verdict}: {rule}: {what}"),
            RunVerdict::Kept
            | RunVerdict::MissedProbe
            | RunVerdict::Liveness
            | RunVerdict::Safety
            | RunVerdict::NonDeterminism => {
                write!(f, "{verdict}: {rule}, manager {node}, step {step}, after {at}: {what}")
            }
        }
    }
}

/// The message of a panic.
pub(super) fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a word".to_owned())
}
