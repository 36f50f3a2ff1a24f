//! Target `state_files`: any bytes as `peers.dat` and `bans.json`.
//!
//! The state directory opens in any case. Damaged files are set aside, so that the second opening finds no damage and reads
//! the same. What is saved is read again. A manager starts with it.

use std::fs;
use std::path::Path;

use connmgr_core::Snapshot;
use connmgr_std::{Damage, StateDir};
use tempfile::TempDir;

use crate::bytes::Bytes;
use crate::snapshot::run;

/// A disk in memory, if there is one: every save is synced.
const MEMORY_DISK: &str = "/dev/shm";

/// The first byte: whether the peers get a valid frame of version 1, whether there is a file of bans, and the configuration. Two bytes:
/// the length of the peers. Then the peers, then the bans.
///
/// # Panics
/// When the directory can't be opened or does not keep what it read.
pub fn state_files(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let how = bytes.byte();
    let length = bytes.u16();
    let peers = bytes.take(length.into());
    let scratch = scratch();
    let dir = scratch.path();
    let framed = if how & 1 == 1 { frame(peers) } else { peers.to_vec() };
    fs::write(dir.join("peers.dat"), framed).expect("the directory is ours");
    if how & 2 == 2 {
        fs::write(dir.join("bans.json"), bytes.rest()).expect("the directory is ours");
    }
    survives(dir, how >> 2);
}

/// Opens a directory whatever its files have, twice, and runs a manager with what was read.
///
/// # Panics
/// When the directory can't be opened or does not keep what it read.
pub(crate) fn survives(dir: &Path, number: u8) {
    let (mut state, first, _) = open(dir);
    if let Some(snapshot) = &first {
        state.save(snapshot).expect("there is room");
    }
    drop(state);
    let (_state, second, damages) = open(dir);
    assert_eq!(damages, [], "damage is set aside once");
    assert_eq!(second, first, "what was read is not what was saved");
    if let Some(snapshot) = first {
        run(snapshot, number);
    }
}

pub(crate) fn scratch() -> TempDir {
    let disk = Path::new(MEMORY_DISK);
    let made = if disk.is_dir() { tempfile::tempdir_in(disk) } else { tempfile::tempdir() };
    made.expect("there is a place for temporary files")
}

fn open(dir: &Path) -> (StateDir, Option<Snapshot>, Vec<Damage>) {
    StateDir::open(dir).expect("no content of a file stops the node")
}

/// A valid frame of version 1 of `peers.dat` around any content.
fn frame(content: &[u8]) -> Vec<u8> {
    let mut file = b"CONNMGRP\x01\x00\x00\x00".to_vec();
    file.extend((content.len() as u64).to_le_bytes());
    file.extend(crc32fast::hash(content).to_le_bytes());
    file.extend(content);
    file
}
