//! What the operating system allows this process: for scenarios that run in a process of their own.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use rustix::time::{ClockId, clock_gettime};

/// Lets the process open nothing more, or as much as it may.
pub(super) fn limit_descriptors(to: Option<u64>) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: to.or(maximum), maximum }).expect("lowering is allowed");
}

/// Lets the process open as much as it may.
pub(super) fn raise_descriptors() {
    limit_descriptors(None);
}

/// Has this thread, and those that it starts, obey the permissions of files, even if root runs it.
pub(super) fn obey_permissions() {
    let mut sets = capabilities(None).expect("our own");
    sets.effective.remove(CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH);
    set_capabilities(None, sets).expect("giving up is allowed");
}

/// The processor time that this process has used so far.
pub(super) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let secs = u64::try_from(time.tv_sec).expect("time moves forward");
    Duration::new(secs, u32::try_from(time.tv_nsec).expect("less than a second"))
}
