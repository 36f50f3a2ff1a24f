//! A disk without room, and one that turns read-only: a small file system in a namespace of its own.
//!
//! Each test runs itself again inside. Nothing else runs there, so no other process ever shares the lock.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod common;
#[path = "common/no_sockets.rs"]
mod no_sockets;

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{LONG, snapshot};
use connmgr_core::{BanTarget, Config, Input, Mode, Snapshot, Time};
use connmgr_std::adapter::{Engine, Startup};
use connmgr_std::{Problem, StateDir, StateError, SystemResolver, with_causes};
use no_sockets::NoSockets;

/// Set inside: a directory on a file system of 64 KiB.
const SMALL: &str = "CONNMGR_SMALL_DISK";

/// Mounts it, and then runs the command.
const MOUNT: &str = r#"mount -t tmpfs -o size=64k tmpfs "$1" && shift && exec "$@""#;

/// Runs the test of this name again inside; returns the directory inside, and none outside.
fn small_disk(test: &str) -> Option<PathBuf> {
    if let Some(dir) = env::var_os(SMALL) {
        return Some(dir.into());
    }
    let dir = tempfile::tempdir().unwrap();
    let inside = |command: &[OsString]| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh"]).arg(dir.path());
        unshare.args(command).env(SMALL, dir.path());
        unshare
    };
    let tried = inside(&["true".into()]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !tried.is_ok_and(|status| status.success()) {
        eprintln!("no namespace here: nothing was tried");
        return None;
    }
    let command = [env::current_exe().unwrap().into(), "--exact".into(), test.into(), "--nocapture".into()];
    let done = inside(&command).output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&done.stderr));
    None
}

/// A pool without sockets, with its state on that disk, at times that the test gives.
struct Pool {
    engine: Engine<()>,
    rung: Receiver<()>,
    now: Time,
}

impl Pool {
    fn start(state: &Path) -> Self {
        let config = Config { mode: Mode::ConnectOnly, ..Config::default() };
        let startup = Startup { state_dir: Some(state.into()), ..Startup::new(config) };
        let (ring, rung) = mpsc::channel();
        let ring = Mutex::new(ring);
        let ring = move || ring.lock().unwrap().send(()).unwrap_or(());
        let engine = Engine::start(startup.start().unwrap(), Arc::new(SystemResolver), ring).unwrap();
        Self { engine, rung, now: Time::ZERO }
    }

    /// This much later.
    fn pass(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.engine.turn(self.now, &mut NoSockets);
    }

    fn ban(&mut self, host: &str) {
        let target = BanTarget::Host(host.parse().unwrap());
        self.engine.apply(&Input::Ban { target, duration: Duration::from_secs(86_400) }, self.now, &mut NoSockets);
        self.pass(Duration::from_secs(2));
    }

    /// The next problem. Virtual time stands still; the disk's thread has the machine's.
    fn problem(&mut self) -> Problem {
        loop {
            if let Some(problem) = self.engine.poll_problem() {
                return problem;
            }
            self.rung.recv_timeout(LONG).expect("a problem");
            self.pass(Duration::ZERO);
        }
    }

    /// Every problem, to the end.
    fn shutdown(mut self) -> Vec<Problem> {
        self.engine.apply(&Input::Shutdown, self.now, &mut NoSockets);
        self.pass(Duration::ZERO);
        while !self.engine.is_ended() {
            self.rung.recv_timeout(LONG).expect("the end");
            self.pass(Duration::ZERO);
        }
        std::iter::from_fn(|| self.engine.poll_problem()).collect()
    }
}

/// Leaves no room. Returns the file that takes it.
fn fill(disk: &Path) -> PathBuf {
    let ballast = disk.join("ballast");
    fs::write(&ballast, vec![0; 1 << 20]).unwrap_err();
    ballast
}

fn bans_of(state: &Path) -> String {
    fs::read_to_string(state.join("bans.json")).unwrap()
}

#[test]
fn a_ban_that_falls_while_the_disk_is_full_is_saved_when_there_is_room() {
    let Some(disk) = small_disk("a_ban_that_falls_while_the_disk_is_full_is_saved_when_there_is_room") else { return };
    let state = disk.join("state");
    let mut pool = Pool::start(&state);
    let ballast = fill(&disk);
    pool.ban("9.9.9.9");
    let failed = pool.problem();
    assert!(
        matches!(&failed, Problem::NotSaved(StateError::Io { error, .. })
        if error.kind() == std::io::ErrorKind::StorageFull),
        "{failed}"
    );
    assert!(!state.join("bans.json").exists());
    fs::remove_file(ballast).unwrap();
    // Nothing more happens to the pool.
    let saved = pool.problem();
    assert!(matches!(&saved, Problem::SavedAgain { path } if path.ends_with("bans.json")), "{saved}");
    // As after kill -9: what counts is on disk now.
    assert!(bans_of(&state).contains("9.9.9.9"));
    assert_eq!(pool.shutdown().len(), 0);
}

#[test]
fn what_a_full_disk_does_not_take_at_the_end_is_told_to_be_lost() {
    let Some(disk) = small_disk("what_a_full_disk_does_not_take_at_the_end_is_told_to_be_lost") else { return };
    let mut pool = Pool::start(&disk.join("state"));
    fill(&disk);
    pool.ban("9.9.9.9");
    let problems = pool.shutdown();
    assert!(problems.iter().any(Problem::is_state_lost), "{problems:?}");
    assert!(problems.iter().any(|problem| with_causes(problem).to_string().contains("bans.json")), "{problems:?}");
}

#[test]
fn a_disk_that_has_room_again_before_the_end_loses_nothing() {
    let Some(disk) = small_disk("a_disk_that_has_room_again_before_the_end_loses_nothing") else { return };
    let mut pool = Pool::start(&disk.join("state"));
    let ballast = fill(&disk);
    pool.ban("9.9.9.9");
    assert!(matches!(pool.problem(), Problem::NotSaved(_)));
    fs::remove_file(ballast).unwrap();
    let problems = pool.shutdown();
    assert!(!problems.iter().any(Problem::is_state_lost), "{problems:?}");
    assert!(bans_of(&disk.join("state")).contains("9.9.9.9"));
}

#[test]
fn a_full_disk_keeps_nobody_from_starting_and_the_old_files_stay() {
    let Some(disk) = small_disk("a_full_disk_keeps_nobody_from_starting_and_the_old_files_stay") else { return };
    let state = disk.join("state");
    StateDir::open(&state).unwrap().0.save(&snapshot()).unwrap();
    fill(&disk);
    let (mut dir, found, _) = StateDir::open(&state).unwrap();
    assert_eq!(found, Some(snapshot()));
    let error = dir.save(&Snapshot { bans: vec![], ..snapshot() }).unwrap_err();
    assert!(matches!(error.errors[..], [StateError::Io { .. }]), "{error}");
    drop(dir);
    assert_eq!(StateDir::open(&state).unwrap().1, Some(snapshot()));
}

#[test]
fn a_read_only_disk_is_an_error_at_the_start_and_told_of_while_running() {
    let Some(disk) = small_disk("a_read_only_disk_is_an_error_at_the_start_and_told_of_while_running") else { return };
    let state = disk.join("state");
    let mut pool = Pool::start(&state);
    let remount = |options: &str| {
        let arguments = ["-o".as_ref(), OsStr::new(options), disk.as_os_str()];
        assert!(Command::new("mount").args(arguments).status().unwrap().success());
    };
    // The lock is open for writing, so the file system itself can't turn read-only: this view of it can.
    assert!(Command::new("mount").arg("--bind").args([&disk, &disk]).status().unwrap().success());
    remount("remount,bind,ro");
    pool.ban("9.9.9.9");
    let failed = pool.problem();
    assert!(with_causes(&failed).to_string().contains("Read-only file system"), "{failed:?}");
    let refused = with_causes(&StateDir::open(&state).unwrap_err()).to_string();
    assert!(refused.contains("Read-only file system"), "{refused}");
    remount("remount,bind,rw");
    assert!(matches!(pool.problem(), Problem::SavedAgain { .. }));
    assert!(bans_of(&state).contains("9.9.9.9"));
}
