//! The state directory: saved state is loaded, and a damaged file does not affect the other.
#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{address, snapshot};
use connmgr_core::{BanTarget, Snapshot};
use connmgr_std::{Damage, DamageCause, StateDir, StateError};
use tempfile::TempDir;

fn open(dir: &Path) -> (StateDir, Option<Snapshot>, Vec<Damage>) {
    StateDir::open(dir).expect("the directory can be opened")
}

/// A directory in which the snapshot was saved.
fn saved() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).0.save(&snapshot()).unwrap();
    dir
}

fn set_asides(dir: &Path, name: &str) -> Vec<PathBuf> {
    let prefix = format!("{name}.damaged-");
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&prefix)).collect()
}

/// Replaces `peers.dat` by `bytes` and returns the reported damage. Checks that the file was set aside unchanged, and
/// that every ban was loaded.
fn damaged_in(dir: &Path, bytes: &[u8]) -> DamageCause {
    let file = dir.join("peers.dat");
    fs::write(&file, bytes).unwrap();
    let (_dir, loaded, damages) = open(dir);
    let [damage] = &damages[..] else { panic!("one damage, not {damages:?}") };
    assert_eq!(damage.file, file);
    assert!(!file.exists(), "set aside means moved");
    assert_eq!(fs::read(&damage.set_aside).unwrap(), bytes);
    assert_eq!(loaded, Some(Snapshot { bans: snapshot().bans, ..Snapshot::default() }));
    damage.why.clone()
}

fn damaged_peers(bytes: &[u8]) -> DamageCause {
    damaged_in(saved().path(), bytes)
}

fn peers_file() -> Vec<u8> {
    fs::read(saved().path().join("peers.dat")).unwrap()
}

#[test]
fn an_empty_directory_has_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (_dir, loaded, damages) = open(&dir.path().join("made/on/the/way"));
    assert_eq!((loaded, damages), (None, vec![]));
}

#[test]
fn what_is_saved_comes_back() {
    let dir = saved();
    let (_dir, loaded, damages) = open(dir.path());
    assert_eq!((loaded, damages), (Some(snapshot()), vec![]));
}

#[cfg(unix)]
#[test]
fn others_can_read_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("state");
    open(&dir).0.save(&snapshot()).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    for name in ["peers.dat", "bans.json", "lock"] {
        assert_eq!(mode(&dir.join(name)), 0o600, "{name}");
    }
}

#[test]
fn a_file_without_anything_intact_is_set_aside() {
    let (dir, whole) = (saved(), peers_file());
    for length in [0, 1, 8, 11, 12, 1000, SECTION - 1] {
        damaged_in(dir.path(), &whole[..length]);
    }
    let all_zero = vec![0; whole.len()];
    assert_eq!(damaged_in(dir.path(), &all_zero), DamageCause::Foreign);
}

#[test]
fn a_foreign_file_is_set_aside() {
    assert_eq!(damaged_peers(b"<html>hello</html>"), DamageCause::Foreign);
}

#[test]
fn a_newer_file_is_set_aside() {
    let mut newer = peers_file();
    newer.chunks_mut(SECTION).for_each(|section| section[8] = 3);
    assert_eq!(damaged_peers(&newer), DamageCause::Version { found: 3, known: 2 });
}

/// The bytes of a section of `peers.dat`.
const SECTION: usize = 4096;

#[test]
fn a_lost_page_of_the_disk_costs_what_was_in_it_and_a_crash_then_costs_no_more() {
    let all = Snapshot {
        addresses: (0..500).map(|n| address(&format!("1.2.{}.{}:8333", n / 250, n % 250))).collect(),
        ..snapshot()
    };
    let (dir, file) = (saved(), |dir: &TempDir| dir.path().join("peers.dat"));
    open(dir.path()).0.save(&all).unwrap();
    let mut damaged = fs::read(file(&dir)).unwrap();
    damaged[2 * SECTION..3 * SECTION].fill(0);
    fs::write(file(&dir), &damaged).unwrap();
    let (state, kept, damages) = open(dir.path());
    let kept = kept.unwrap();
    let [Damage { why: DamageCause::Sections { damaged: 1, first: 3, lost: Some(lost) }, set_aside, .. }] =
        &damages[..]
    else {
        panic!("{damages:?}")
    };
    assert!(*lost > 50 && kept.addresses.len() + usize::try_from(*lost).unwrap() == 500, "{lost} lost");
    assert!(kept.addresses.iter().all(|saved| all.addresses.contains(saved)));
    assert_eq!((&kept.anchors, &kept.bans, kept.book_secret), (&all.anchors, &all.bans, all.book_secret));
    assert_eq!(fs::read(set_aside).unwrap(), damaged);
    drop(state);
    let (_state, again, damages) = open(dir.path());
    assert_eq!((again, damages), (Some(kept), vec![]));
}

#[test]
fn a_file_of_version_1_is_read_and_written_as_version_2() {
    let dir = saved();
    fs::write(dir.path().join("peers.dat"), include_bytes!("golden/peers-v1.dat")).unwrap();
    let (mut state, loaded, damages) = open(dir.path());
    let loaded = loaded.unwrap();
    assert_eq!((loaded.addresses.len(), loaded.anchors.len(), damages), (5, 1, vec![]));
    state.save(&loaded).unwrap();
    drop(state);
    assert_eq!(fs::read(dir.path().join("peers.dat")).unwrap()[8], 2);
    assert_eq!(open(dir.path()).1, Some(loaded));
}

#[test]
fn a_huge_file_is_not_read_into_memory() {
    let dir = saved();
    fs::File::options().write(true).open(dir.path().join("peers.dat")).unwrap().set_len(1 << 40).unwrap();
    let (_dir, _, damages) = open(dir.path());
    assert_eq!(damages[0].why, DamageCause::TooLarge);
}

#[test]
fn a_directory_in_place_of_a_file_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("peers.dat")).unwrap();
    let (mut state, loaded, damages) = open(dir.path());
    assert_eq!((loaded, &damages[0].why), (None, &DamageCause::NotAFile));
    state.save(&snapshot()).unwrap();
}

#[test]
fn after_damage_saving_works_again() {
    let dir = saved();
    fs::write(dir.path().join("peers.dat"), "nonsense").unwrap();
    open(dir.path()).0.save(&snapshot()).unwrap();
    let (_dir, loaded, damages) = open(dir.path());
    assert_eq!((loaded, damages), (Some(snapshot()), vec![]));
}

#[test]
fn damaged_files_do_not_pile_up() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..9 {
        fs::write(dir.path().join("peers.dat"), format!("nonsense {n}")).unwrap();
        open(dir.path());
    }
    let mut kept: Vec<_> =
        set_asides(dir.path(), "peers.dat").iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    kept.sort();
    assert_eq!(kept, (4..9).map(|n| format!("nonsense {n}")).collect::<Vec<_>>());
}

#[test]
fn a_half_written_file_of_a_crash_is_no_matter() {
    let dir = saved();
    fs::write(dir.path().join("peers.dat.tmp"), "half").unwrap();
    let (mut state, loaded, _) = open(dir.path());
    assert_eq!(loaded, Some(snapshot()));
    state.save(&Snapshot::default()).unwrap();
    drop(state);
    assert_eq!(open(dir.path()).1, Some(Snapshot::default()));
}

#[test]
fn what_has_not_changed_is_not_written_again() {
    let dir = saved();
    let modified = |name| fs::metadata(dir.path().join(name)).unwrap().modified().unwrap();
    let old = std::time::UNIX_EPOCH;
    for name in ["peers.dat", "bans.json"] {
        fs::File::options().write(true).open(dir.path().join(name)).unwrap().set_modified(old).unwrap();
    }
    let (mut state, ..) = open(dir.path());
    state.save(&Snapshot { bans: vec![], ..snapshot() }).unwrap();
    assert_eq!(modified("peers.dat"), old);
    assert_ne!(modified("bans.json"), old);
}

#[test]
fn a_file_that_was_removed_is_written_again() {
    let dir = saved();
    let (mut state, ..) = open(dir.path());
    fs::remove_file(dir.path().join("peers.dat")).unwrap();
    state.save(&snapshot()).unwrap();
    assert!(dir.path().join("peers.dat").exists());
}

#[test]
fn a_failed_save_leaves_the_old_file_and_says_so() {
    for (failing, other) in [("peers.dat", "bans.json"), ("bans.json", "peers.dat")] {
        let dir = saved();
        let read = |name: &str| fs::read(dir.path().join(name)).unwrap();
        let old = (read(failing), read(other));
        let (mut state, ..) = open(dir.path());
        // The temporary name is taken by what can't be removed as a file.
        fs::create_dir(dir.path().join(format!("{failing}.tmp"))).unwrap();
        let error = state.save(&Snapshot::default()).expect_err("there is no way to write");
        assert!(error.to_string().contains(failing), "{error}");
        assert_eq!(read(failing), old.0);
        assert_ne!(read(other), old.1, "the other file is written all the same");
    }
}

#[test]
fn a_second_owner_is_refused_by_name_of_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let (first, ..) = open(dir.path());
    let error = StateDir::open(dir.path()).expect_err("it is in use");
    assert!(matches!(&error, StateError::Locked { dir: named } if named == dir.path()));
    assert!(error.to_string().contains(dir.path().to_str().unwrap()));
    drop(first);
    open(dir.path());
}

const CHILD_DIR: &str = "CONNMGR_TEST_STATE_DIR";

#[test]
fn a_second_process_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (_held, ..) = open(dir.path());
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "in_a_child_process", "--ignored", "--nocapture"])
        .env(CHILD_DIR, dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(said.contains("is in use by another pool or process"), "{said}");
}

#[test]
#[ignore = "run by a_second_process_is_refused"]
fn in_a_child_process() {
    let Some(dir) = std::env::var_os(CHILD_DIR) else { return };
    match StateDir::open(dir) {
        Ok(_) => println!("opened"),
        Err(error) => println!("{error}"),
    }
}

// ── bans.json

fn bans_from(json: &str) -> (Snapshot, Vec<Damage>, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("bans.json"), json).unwrap();
    let (_dir, loaded, damages) = open(dir.path());
    (loaded.unwrap_or_default(), damages, dir)
}

#[test]
fn bans_are_written_for_people() {
    let text = fs::read_to_string(saved().path().join("bans.json")).unwrap();
    assert!(text.contains(r#""target": "10.0.0.0/8""#), "{text}");
    assert!(text.contains(r#""until": "2023-11-15T22:13:20Z""#), "{text}");
}

#[test]
fn bans_written_by_hand_are_read() {
    let (loaded, damages, _dir) = bans_from(
        r#"{"version": 1, "note": "mine", "bans": [
            {"target": "10.0.0.0/8", "since": "2023-11-14T22:13:20Z", "until": 1700086400, "why": "spam"},
            {"target": "2001:db8::1", "until": "2023-11-15T22:13:20Z"}]}"#,
    );
    assert_eq!(damages, []);
    assert_eq!(loaded.bans[0], snapshot().bans[0]);
    assert_eq!(loaded.bans[1].target, BanTarget::Host("2001:db8::1".parse().unwrap()));
    assert_eq!((loaded.bans[1].since.as_secs(), loaded.bans[1].until.as_secs()), (0, 1_700_086_400));
}

#[test]
fn the_parts_of_a_ban_that_are_let_in_are_kept() {
    let (loaded, damages, dir) = bans_from(
        r#"{"version": 1, "bans": [{"target": "10.0.0.0/8", "until": 1700086400, "except": ["10.1.2.3", "10.9.0.0/16"]}]}"#,
    );
    let parts = [BanTarget::Host("10.1.2.3".parse().unwrap()), BanTarget::Subnet("10.9.0.0/16".parse().unwrap())];
    assert_eq!((&loaded.bans[0].exceptions[..], damages), (&parts[..], vec![]));
    let (mut state, ..) = open(dir.path());
    state.save(&loaded).unwrap();
    drop(state);
    assert_eq!(open(dir.path()).1.unwrap().bans, loaded.bans);
}

#[test]
fn one_bad_ban_costs_none_of_the_others() {
    let json = r#"{"version": 1, "bans": [
        {"target": "1.2.3.4", "until": 5},
        {"target": "1.2.3.0/33", "until": 5},
        {"target": "1.2.3.5", "until": "tomorrow"},
        {"target": "1.2.3.6", "untill": 5},
        {"target": "1.2.3.7", "until": 5}]}"#;
    let (loaded, damages, dir) = bans_from(json);
    let hosts = loaded.bans.iter().map(|ban| ban.target.to_string()).collect::<Vec<_>>();
    assert_eq!(hosts, ["1.2.3.4", "1.2.3.7"]);
    let DamageCause::Entries { count: 3, first: 2, why } = &damages[0].why else { panic!("{damages:?}") };
    assert!(why.contains("1.2.3.0/33"), "{why}");
    assert_eq!(fs::read_to_string(&damages[0].set_aside).unwrap(), json);
    // And a crash before the next save costs none of them either.
    let (_dir, again, damages) = open(dir.path());
    assert_eq!((again.unwrap().bans, damages), (loaded.bans, vec![]));
}

#[test]
fn bans_that_can_not_be_understood_are_set_aside() {
    for (json, newer) in [
        ("", false),
        ("[1, 2]", false),
        (r#"{"bans": []}"#, false),
        (r#"{"version": 1, "bans": ["#, false),
        (r#"{"version": 1, "bans": 7}"#, false),
        (r#"{"version": 2, "bans": {}}"#, true),
        (&"[".repeat(100_000), false),
    ] {
        let (loaded, damages, dir) = bans_from(json);
        assert_eq!(loaded, Snapshot::default());
        assert_eq!(damages.len(), 1, "{json:.40}");
        assert_eq!(matches!(damages[0].why, DamageCause::Version { found: 2, known: 1 }), newer, "{json:.40}");
        assert_eq!(set_asides(dir.path(), "bans.json").len(), 1);
    }
}

#[test]
fn a_ban_far_beyond_the_calendar_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut far = snapshot();
    far.bans[0].until = connmgr_core::UnixTime::from_secs(u64::MAX);
    open(dir.path()).0.save(&far).unwrap();
    assert_eq!(open(dir.path()).1, Some(far));
}

/// A valid frame of version 1 around any content.
fn framed(content: &[u8]) -> Vec<u8> {
    let mut file = b"CONNMGRP\x01\x00\x00\x00".to_vec();
    file.extend((content.len() as u64).to_le_bytes());
    file.extend(crc32fast::hash(content).to_le_bytes());
    file.extend(content);
    file
}

proptest::proptest! {
    #[test]
    fn no_content_stops_the_node(
        peers in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
        bans in ".{0,200}",
    ) {
        let dir = tempfile::tempdir().unwrap();
        let version = if peers.len() % 2 == 0 { framed(&peers) } else { peers };
        fs::write(dir.path().join("peers.dat"), version).unwrap();
        fs::write(dir.path().join("bans.json"), bans).unwrap();
        open(dir.path());
    }
}
