//! Limits of this process, for scenarios that run in a process of their own.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

/// Limits the descriptors of this process; none: to the maximum.
pub(super) fn limit_descriptors(to: Option<u64>) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: to.or(maximum), maximum }).expect("lowering is allowed");
}

/// Makes this thread, and those that it starts, obey file permissions, even as root.
pub(super) fn obey_permissions() {
    let mut sets = capabilities(None).expect("our own");
    sets.effective.remove(CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH);
    set_capabilities(None, sets).expect("giving up is allowed");
}
