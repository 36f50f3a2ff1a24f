//! Target `peers_file`: a `peers.dat` of version 2 whose sections have any content and mostly valid checksums.
//!
//! What is intact is read, whatever the counts say. What is read is written and read again. A manager starts with it.

use std::fs;

use crate::bytes::Bytes;
use crate::state_files::{scratch, survives};

const SECTION: usize = 4096;
const HEADER: usize = 22;

/// The first byte is the configuration. Then the sections. Of each: its kind, a byte; how many records it claims, a byte; what
/// is wrong with it, a byte; how many bytes it has, two; and these.
///
/// # Panics
/// When the directory can't be opened or does not keep what it read.
pub fn peers_file(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let number = bytes.byte();
    let mut file = Vec::new();
    while !bytes.is_empty() {
        file.extend(section(&mut bytes));
    }
    let scratch = scratch();
    fs::write(scratch.path().join("peers.dat"), file).expect("the directory is ours");
    survives(scratch.path(), number);
}

/// Bits of what is wrong with a section.
const DAMAGED: u8 = 1;
const TOO_LONG: u8 = 2;
const TOO_MANY: u8 = 4;
const CUT: u8 = 8;

fn section(bytes: &mut Bytes<'_>) -> Vec<u8> {
    let (kind, count, wrong) = (bytes.below(5), bytes.byte(), bytes.byte());
    let length = usize::from(bytes.u16()).min(SECTION - HEADER);
    let body = bytes.take(length);
    let has = |bit: u8| wrong & bit != 0;
    let length = if has(TOO_LONG) { u16::MAX } else { u16::try_from(body.len()).expect("less than a section") };
    let count = if has(TOO_MANY) { u16::MAX } else { count.into() };
    let mut section = b"CONNMGRP\x02\x00\x00\x00\x00\x00\x00\x00".to_vec();
    for number in [kind.into(), count, length] {
        section.extend(number.to_le_bytes());
    }
    section.extend(body);
    section.resize(SECTION, 0);
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&section[..12]);
    checksum.update(&section[16..]);
    section[12..16].copy_from_slice(&checksum.finalize().to_le_bytes());
    if has(DAMAGED) {
        section[HEADER] ^= 1;
    }
    if has(CUT) {
        section.truncate(SECTION - 1);
    }
    section
}
