//! What may be in the way of the state: wrong permissions, links, pipes and directories, files that are changed or
//! removed while the node runs. Each is told in a sentence, and nothing is lost or waited for.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use common::snapshot;
use connmgr_core::Snapshot;
use connmgr_std::{DamageCause, StateDir, StateError, with_causes};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use tempfile::TempDir;

const FILES: [&str; 2] = ["peers.dat", "bans.json"];

/// A directory in which the snapshot was saved.
fn saved() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    StateDir::open(dir.path()).unwrap().0.save(&snapshot()).unwrap();
    dir
}

fn open(dir: &Path) -> (StateDir, Option<Snapshot>) {
    let (state, found, damages) = StateDir::open(dir).unwrap();
    assert_eq!(damages, []);
    (state, found)
}

/// The directory can't be opened, for this reason, and everything in it is as before.
fn refused(dir: &Path, why: &str) -> StateError {
    let names = |dir| {
        let mut names: Vec<_> = fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        names.retain(|path| !path.ends_with("lock"));
        names.sort();
        names
    };
    let before = names(dir);
    let error = StateDir::open(dir).expect_err(why);
    let told = with_causes(&error).to_string();
    assert!(told.contains(why), "{told}");
    assert_eq!(names(dir), before);
    error
}

fn pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

/// Makes this thread obey file permissions, even as root.
fn obey_permissions() {
    let mut sets = capabilities(None).unwrap();
    sets.effective.remove(CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH);
    set_capabilities(None, sets).unwrap();
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

// ── Permissions

#[test]
fn a_file_that_may_not_be_read_is_an_error_and_not_set_aside() {
    obey_permissions();
    for name in FILES {
        let dir = saved();
        set_mode(&dir.path().join(name), 0o000);
        let error = refused(dir.path(), "Permission denied");
        assert!(error.to_string().contains(&format!("can't read {}", dir.path().join(name).display())), "{error}");
        set_mode(&dir.path().join(name), 0o600);
        assert_eq!(open(dir.path()).1, Some(snapshot()));
    }
}

#[test]
fn a_directory_that_takes_no_files_is_an_error_at_the_start() {
    obey_permissions();
    let dir = saved();
    set_mode(dir.path(), 0o500);
    refused(dir.path(), "can't write ");
    set_mode(dir.path(), 0o700);
    assert_eq!(open(dir.path()).1, Some(snapshot()));
}

#[test]
fn a_directory_that_may_not_be_entered_is_an_error() {
    obey_permissions();
    let dir = saved();
    set_mode(dir.path(), 0o000);
    let refused = StateDir::open(dir.path()).unwrap_err();
    assert!(with_causes(&refused).to_string().contains("Permission denied"), "{refused:?}");
    set_mode(dir.path(), 0o700);
}

// ── Links

#[test]
fn a_link_to_a_file_is_followed_and_stays() {
    for name in FILES {
        let (dir, elsewhere) = (saved(), tempfile::tempdir().unwrap());
        let (link, file) = (dir.path().join(name), elsewhere.path().join(format!("my-{name}")));
        fs::rename(&link, &file).unwrap();
        symlink(&file, &link).unwrap();
        let (mut state, found) = open(dir.path());
        assert_eq!(found, Some(snapshot()));
        state.save(&Snapshot::default()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        drop(state);
        assert_eq!(open(dir.path()).1, Some(Snapshot::default()));
        assert_eq!(fs::read(&file).unwrap(), fs::read(&link).unwrap());
    }
}

#[test]
fn a_damaged_file_behind_a_link_is_set_aside_where_it_is() {
    let (dir, elsewhere) = (saved(), tempfile::tempdir().unwrap());
    let file = elsewhere.path().join("mine");
    fs::write(&file, "nonsense").unwrap();
    fs::remove_file(dir.path().join("peers.dat")).unwrap();
    symlink(&file, dir.path().join("peers.dat")).unwrap();
    let (_state, _, damages) = StateDir::open(dir.path()).unwrap();
    assert_eq!((&damages[0].file, damages[0].set_aside.parent()), (&file, Some(elsewhere.path())));
    assert_eq!(fs::read_to_string(&damages[0].set_aside).unwrap(), "nonsense");
}

#[test]
fn a_link_that_points_nowhere_is_an_error_and_stays() {
    for name in ["peers.dat", "bans.json", "lock"] {
        let dir = tempfile::tempdir().unwrap();
        // A volume that is not mounted.
        symlink("/nowhere/at/all", dir.path().join(name)).unwrap();
        let error = refused(dir.path(), "can't follow the link ");
        assert_eq!(error.path(), Some(&*dir.path().join(name)));
        assert!(fs::symlink_metadata(dir.path().join(name)).unwrap().is_symlink());
    }
}

#[test]
fn links_in_a_circle_are_an_error() {
    for name in ["peers.dat", "bans.json", "lock"] {
        let dir = tempfile::tempdir().unwrap();
        symlink(name, dir.path().join(name)).unwrap();
        refused(dir.path(), "Too many levels of symbolic links");
    }
}

#[test]
fn a_link_to_no_file_is_an_error_and_what_it_points_to_stays() {
    for name in ["peers.dat", "bans.json", "lock"] {
        let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (a_pipe, a_dir) = (elsewhere.path().join("pipe"), elsewhere.path().join("dir"));
        pipe(&a_pipe);
        fs::create_dir(&a_dir).unwrap();
        for target in [a_pipe, a_dir, PathBuf::from("/dev/full")] {
            symlink(&target, dir.path().join(name)).unwrap();
            refused(dir.path(), "is no ordinary file");
            assert!(target.exists());
            fs::remove_file(dir.path().join(name)).unwrap();
        }
    }
}

#[test]
fn a_directory_behind_a_link_is_as_good_as_any() {
    let (dir, elsewhere) = (saved(), tempfile::tempdir().unwrap());
    let link = elsewhere.path().join("state");
    symlink(dir.path(), &link).unwrap();
    assert_eq!(open(&link).1, Some(snapshot()));
}

#[test]
fn a_link_or_a_file_in_place_of_the_directory_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    fs::write(&path, "").unwrap();
    refused(&path, "is no directory");
    refused(&path.join("below"), "Not a directory");
    fs::remove_file(&path).unwrap();
    symlink("/nowhere/at/all", &path).unwrap();
    refused(&path, "can't follow the link ");
    refused(&dir.path().join("x".repeat(300)), "File name too long");
    refused(Path::new(""), "can't find ");
}

// ── Other things in place of files

#[test]
fn a_lock_that_is_no_file_is_an_error_and_nobody_waits() {
    let dir = tempfile::tempdir().unwrap();
    let lock = dir.path().join("lock");
    pipe(&lock);
    refused(dir.path(), "is no ordinary file");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    refused(dir.path(), "is no ordinary file");
}

#[test]
fn a_pipe_or_a_directory_in_place_of_a_file_is_set_aside() {
    for make in [pipe, |path: &Path| fs::create_dir(path).unwrap()] {
        for name in FILES {
            let dir = tempfile::tempdir().unwrap();
            make(&dir.path().join(name));
            let (mut state, found, damages) = StateDir::open(dir.path()).unwrap();
            assert_eq!((found, &damages[0].why, damages.len()), (None, &DamageCause::NotAFile, 1));
            state.save(&snapshot()).unwrap();
        }
    }
}

#[test]
fn a_directory_in_place_of_a_temporary_file_is_an_error_at_the_start() {
    for name in FILES {
        let dir = saved();
        let obstacle = dir.path().join(format!("{name}.tmp"));
        fs::create_dir(&obstacle).unwrap();
        let error = refused(dir.path(), "can't write ");
        assert_eq!(error.path(), Some(&*obstacle));
    }
}

#[test]
fn anything_else_in_place_of_a_temporary_file_is_removed() {
    let dir = saved();
    let victim = dir.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, dir.path().join("peers.dat.tmp")).unwrap();
    pipe(&dir.path().join("bans.json.tmp"));
    open(dir.path()).0.save(&Snapshot::default()).unwrap();
    assert_eq!(fs::read_to_string(victim).unwrap(), "precious");
    assert_eq!(open(dir.path()).1, Some(Snapshot::default()));
}

// ── Changes while the node runs

#[test]
fn a_file_that_somebody_changed_is_written_again() {
    for name in FILES {
        let dir = saved();
        let (mut state, _) = open(dir.path());
        fs::write(dir.path().join(name), "edited").unwrap();
        state.save(&snapshot()).unwrap();
        drop(state);
        assert_eq!(open(dir.path()).1, Some(snapshot()));
    }
}

#[test]
fn a_directory_that_was_removed_is_made_again_and_is_still_ours() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("state");
    let (mut state, _) = open(&dir);
    state.save(&snapshot()).unwrap();
    fs::remove_dir_all(&dir).unwrap();
    state.save(&snapshot()).unwrap();
    assert!(matches!(StateDir::open(&dir), Err(StateError::Locked { .. })));
    drop(state);
    assert_eq!(open(&dir).1, Some(snapshot()));
}

#[test]
fn a_directory_that_another_has_made_again_is_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("state");
    let (mut first, _) = open(&dir);
    fs::remove_dir_all(&dir).unwrap();
    let (mut second, _) = open(&dir);
    second.save(&snapshot()).unwrap();
    let error = first.save(&Snapshot::default()).unwrap_err();
    assert!(matches!(error.errors[..], [StateError::Locked { .. }, StateError::Locked { .. }]), "{error}");
    drop((first, second));
    assert_eq!(open(&dir).1, Some(snapshot()));
}

#[test]
fn a_lock_that_was_removed_keeps_others_out_from_the_next_save_on() {
    let dir = saved();
    let (mut state, _) = open(dir.path());
    fs::remove_file(dir.path().join("lock")).unwrap();
    state.save(&snapshot()).unwrap();
    assert!(matches!(StateDir::open(dir.path()), Err(StateError::Locked { .. })));
}

#[test]
fn each_file_that_can_not_be_saved_has_its_error() {
    let dir = saved();
    let (mut state, _) = open(dir.path());
    for name in FILES {
        fs::create_dir(dir.path().join(format!("{name}.tmp"))).unwrap();
    }
    let error = state.save(&Snapshot::default()).unwrap_err();
    assert!(FILES.iter().all(|name| error.to_string().contains(name)), "{error}");
}
