//! What the operating system reports about this process.

use std::fs;
use std::time::Duration;

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};

/// The CPU time of this process, of all its threads, in user and system mode, without its children.
pub fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("its arguments are right");
    let duration = |time: nix::sys::time::TimeVal| {
        let micros = time.tv_sec() * 1_000_000 + time.tv_usec();
        Duration::from_micros(u64::try_from(micros).expect("CPU time is not negative"))
    };
    duration(usage.user_time()) + duration(usage.system_time())
}

/// How many descriptors are open.
pub fn descriptors() -> usize {
    // Without the one that reads this.
    fs::read_dir("/proc/self/fd").expect("/proc").count() - 1
}

/// How many threads there are.
pub fn threads() -> usize {
    fs::read_dir("/proc/self/task").expect("/proc").count()
}

/// The resident memory that is not mapped from files, in KiB.
pub fn memory() -> u64 {
    status_field("/proc/self/status", "RssAnon:").expect("Linux since 4.5 tells it")
}

/// How often threads other than the calling one went to sleep: as often as they were woken.
pub fn sleeps_of_others() -> u64 {
    let this = fs::read_link("/proc/thread-self").expect("/proc");
    let this = this.file_name().expect("the thread's number");
    let tasks = fs::read_dir("/proc/self/task").expect("/proc").flatten().filter(|task| task.file_name() != this);
    // A thread may have ended meanwhile.
    tasks.filter_map(|task| status_field(task.path().join("status"), "voluntary_ctxt_switches:")).sum()
}

/// Raises the limit of descriptors to the system's.
pub fn raise_descriptor_limit() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("its arguments are right");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("raising to the hard limit is always allowed");
}

fn status_field(path: impl AsRef<std::path::Path>, field: &str) -> Option<u64> {
    let status = fs::read_to_string(path).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}
