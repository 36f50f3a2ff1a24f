//! Runs a scenario; on Linux in a child process, whose descriptors and threads are counted before and after.

use super::Rig;

/// Set in the child.
#[cfg(target_os = "linux")]
const ALONE: &str = "CONNMGR_ALONE";

/// Runs a scenario as the test of this path.
#[cfg(target_os = "linux")]
pub fn run<R: Rig>(test: &str, scenario: fn(&R)) {
    use super::census::ProcessCensus;

    if std::env::var_os(ALONE).is_none() {
        return in_child(test);
    }
    let rig = R::new();
    let before = ProcessCensus::take();
    scenario(&rig);
    before.is_again(&rig);
}

/// Runs a scenario.
#[cfg(not(target_os = "linux"))]
pub fn run<R: Rig>(_test: &str, scenario: fn(&R)) {
    scenario(&R::new());
}

/// Runs the test of this path again, alone, in a child process, and prints the child's output.
#[cfg(target_os = "linux")]
fn in_child(test: &str) {
    let (_, name) = test.split_once("::").expect("a crate and a path");
    let exe = std::env::current_exe().expect("our own name");
    let mut child = std::process::Command::new(exe);
    let done = child.args(["--exact", name, "--nocapture"]).env(ALONE, "1").output().expect("a child");
    print!("{}", String::from_utf8_lossy(&done.stdout));
    eprint!("{}", String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{}", done.status);
    let ran = String::from_utf8_lossy(&done.stdout).contains("1 passed");
    assert!(ran, "the child ran no test of the name {name}");
}
