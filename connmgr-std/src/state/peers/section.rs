//! A section: 4096 bytes that can be read whatever happened to the others.
//!
//! | bytes | |
//! |---|---|
//! | 0–7 | `CONNMGRP` |
//! | 8–11 | the version of the format |
//! | 12–15 | CRC-32 of all other bytes of the section |
//! | 16–17 | the kind |
//! | 18–19 | how many records it has |
//! | 20–21 | the bytes of the records |
//! | 22– | the records, then zeros |
//!
//! Numbers are little-endian. A record is never cut by the end of a section. Sections have one size, that of a disk's page,
//! so that each is found without those before it, and a lost page costs exactly one.

use super::{MAGIC, Reader, VERSION, kind};

/// The bytes of a section.
pub(super) const SIZE: usize = 4096;

/// The bytes before the records.
pub(super) const HEADER: usize = 22;

/// Where the checksum is in the header.
const CHECKSUM: std::ops::Range<usize> = 12..16;

/// The fewest bytes of an address of the book, so that a false count takes no memory.
const LEAST_ADDRESS: usize = 23;

/// An intact section.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section<'a> {
    pub(super) kind: u16,
    /// The number of records, as it says itself.
    pub(super) count: u16,
    pub(super) body: &'a [u8],
}

impl<'a> Section<'a> {
    /// None if it is damaged, cut, or of another version.
    pub(super) fn open(section: &'a [u8]) -> Option<Self> {
        let mut header = Reader::new(section);
        let is_ours = header.array()? == *MAGIC && header.u32()? == VERSION && section.len() == SIZE;
        if !is_ours || header.u32()? != checksum(section) {
            return None;
        }
        let (kind, count, length) = (header.u16()?, header.u16()?, header.u16()?);
        let body = header.bytes(length.into())?;
        Some(Self { kind, count, body })
    }

    /// How many addresses it has at the most, whatever it says.
    pub(super) fn most_addresses(&self) -> usize {
        let count = if self.kind == kind::ADDRESSES { self.count } else { 0 };
        usize::from(count).min(self.body.len() / LEAST_ADDRESS)
    }
}

fn checksum(section: &[u8]) -> u32 {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&section[..CHECKSUM.start]);
    checksum.update(&section[CHECKSUM.end..]);
    checksum.finalize()
}

/// Writes a file, section after section.
pub(super) struct SectionWriter {
    /// The first section is kept free for the head. The last one may be incomplete.
    file: Vec<u8>,
    /// The kind of the last section, and how many records it has; none if it is complete.
    open: Option<(u16, u16)>,
}

impl SectionWriter {
    pub(super) fn new() -> Self {
        Self { file: vec![0; SIZE], open: None }
    }

    /// Adds a record of at most [`SIZE`] bytes less the header.
    pub(super) fn push(&mut self, kind: u16, record: &[u8]) {
        debug_assert!(record.len() <= SIZE - HEADER, "a record of {} bytes fits into no section", record.len());
        let has_room = self.file.len() % SIZE + record.len() <= SIZE;
        let count = match self.open {
            Some((open, count)) if open == kind && has_room => count + 1,
            Some(_) | None => {
                self.close();
                self.file.extend_from_slice(&[0; HEADER]);
                1
            }
        };
        self.open = Some((kind, count));
        self.file.extend_from_slice(record);
        if self.file.len() % SIZE == 0 {
            self.close();
        }
    }

    /// Completes the last section.
    fn close(&mut self) {
        let Some((kind, count)) = self.open.take() else { return };
        let start = (self.file.len() - 1) / SIZE * SIZE;
        let length = self.file.len() - start - HEADER;
        self.file.resize(start + SIZE, 0);
        seal(&mut self.file[start..], kind, count, length);
    }

    /// Writes the head, first and last, and returns the file. The head is told how many sections there are.
    pub(super) fn finish(mut self, head: impl FnOnce(u64) -> Vec<u8>) -> Vec<u8> {
        self.close();
        let head = head((self.file.len() / SIZE) as u64 + 1);
        let mut section = [0; SIZE];
        section[HEADER..HEADER + head.len()].copy_from_slice(&head);
        seal(&mut section, kind::HEAD, 1, head.len());
        self.file[..SIZE].copy_from_slice(&section);
        self.file.extend_from_slice(&section);
        self.file
    }
}

/// Writes the header of a section whose records are in place.
pub(super) fn seal(section: &mut [u8], kind: u16, count: u16, length: usize) {
    let length = u16::try_from(length).expect("a section is smaller than 64 KiB");
    section[..8].copy_from_slice(MAGIC);
    section[8..12].copy_from_slice(&VERSION.to_le_bytes());
    section[16..18].copy_from_slice(&kind.to_le_bytes());
    section[18..20].copy_from_slice(&count.to_le_bytes());
    section[20..22].copy_from_slice(&length.to_le_bytes());
    let checksum = checksum(section);
    section[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
}
