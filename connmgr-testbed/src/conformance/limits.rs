//! What the operating system allows this process: for scenarios that run in a process of their own.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

/// Lets the process open nothing more, or as much as it may.
pub(super) fn limit_descriptors(to: Option<u64>) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: to.or(maximum), maximum }).expect("lowering is allowed");
}

/// Has this thread, and those that it starts, obey the permissions of files, even if root runs it.
pub(super) fn obey_permissions() {
    let mut sets = capabilities(None).expect("our own");
    sets.effective.remove(CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH);
    set_capabilities(None, sets).expect("giving up is allowed");
}
