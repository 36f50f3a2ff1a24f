//! Placeholder until the checkers arrive.
use connmgr_core::driver::Observer;
use connmgr_core::*;

/// What was broken.
#[derive(Clone, Debug)]
pub struct Violation {
    /// When.
    pub at: Time,
    /// What.
    pub what: String,
}
/// All.
#[derive(Clone, Debug)]
pub struct Suite;
impl Suite {
    /// New.
    pub fn new(_: &Config, _: Option<&Snapshot>, _: UnixTime, _: Time) -> Self {
        Self
    }
    /// After.
    pub fn after(&mut self, _: Time, _: &ConnManager) -> Result<(), Violation> {
        Ok(())
    }
    /// Audit.
    pub fn audit(&mut self, at: Time, m: &ConnManager) -> Result<(), Violation> {
        m.check().map_err(|e| Violation { at, what: e.to_string() })
    }
}
impl Observer for Suite {
    fn input(&mut self, _: Time, _: &Input, _: &Reply) {}
    fn action(&mut self, _: Time, _: &Action) {}
}
/// Whether there is a probe of this name.
pub fn is_probe(name: &str) -> bool {
    name != "luck"
}
