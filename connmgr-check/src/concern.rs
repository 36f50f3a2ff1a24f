//! Which steps concern a rule.

/// Which steps concern a rule. In nearly all steps a peer gives a sign of life, or time passes, and nothing is caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Concern {
    /// Each.
    EachStep,
    /// Those with actions, or with an input that is more than time, a sign of life or addresses. What `input` notes for
    /// such a step, `after` takes: it is not called in between.
    News,
    /// Those that dial.
    Dials,
    /// Due timeouts.
    DueTimeout,
}
