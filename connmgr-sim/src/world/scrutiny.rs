//! How closely a run is checked.

/// How closely checkers watch the managers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scrutiny {
    /// No checkers.
    None,
    /// Every checker after every step, and a full recount every so many steps.
    Every(u64),
}

impl Scrutiny {
    /// What campaigns use: a recount every 4096 steps.
    pub const USUAL: Self = Self::Every(4096);
    /// What searches use: a recount after each step.
    pub const CLOSEST: Self = Self::Every(1);
}
