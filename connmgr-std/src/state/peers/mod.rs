//! `peers.dat`: the book and the anchors.
//!
//! The file is a row of [sections](section) of 4096 bytes, each with its own checksum, so that a damaged part of a disk
//! costs the addresses in it and no others. Every section begins like the file of [version 1](v1), which is still read.
//! The first and the last section are the same head: how much the file has, and the secret of the book's tables. The
//! checksums detect a damaged disk. They are no protection against an attacker, who may choose the peers if he can write the
//! file.
//!
//! A release that adds something adds a kind of section. Kinds that are not known are skipped, so that an older release
//! can read the file. Only another version is refused.

mod head;
mod reader;
mod record;
mod section;
#[cfg(test)]
mod tests;
mod v1;

use connmgr_core::{BookSecret, PeerAddress, SavedAddress, Snapshot};

use self::head::Head;
use self::reader::Reader;
use self::section::{Section, SectionWriter};
use super::damage::{DamageCause, Loaded};

const MAGIC: &[u8; 8] = b"CONNMGRP";

/// The version of the format.
const VERSION: u32 = 2;

/// The kinds of sections. A number is never used again for another kind.
mod kind {
    /// [`Head`](super::Head). There are two of them.
    pub(super) const HEAD: u16 = 1;
    /// Addresses of the book.
    pub(super) const ADDRESSES: u16 = 2;
    /// Anchors.
    pub(super) const ANCHORS: u16 = 3;
}

/// The whole file.
pub(super) fn encode<'a>(
    addresses: impl Iterator<Item = &'a SavedAddress>,
    secret: Option<BookSecret>,
    anchors: &[PeerAddress],
) -> Vec<u8> {
    let mut file = SectionWriter::new();
    let mut record = Vec::new();
    let mut count = 0;
    for saved in addresses {
        record.clear();
        record::put_saved(saved, &mut record);
        file.push(kind::ADDRESSES, &record);
        count += 1;
    }
    for anchor in anchors {
        record.clear();
        record::put_anchor(anchor, &mut record);
        file.push(kind::ANCHORS, &record);
    }
    file.finish(|sections| Head { sections, addresses: count, anchors: anchors.len() as u64, secret }.write())
}

/// What the file has, without bans, or what is wrong with it.
pub(super) fn decode(file: &[u8]) -> Loaded<Snapshot> {
    let sections: Vec<_> = file.chunks(section::SIZE).map(Section::open).collect();
    if sections.iter().any(Option::is_some) {
        return Contents::of(&sections).loaded();
    }
    match version(file) {
        Some(v1::VERSION) => v1::decode(file),
        Some(VERSION) => Loaded::Nothing(DamageCause::Checksum),
        Some(found) => Loaded::Nothing(DamageCause::Version { found, known: VERSION }),
        None => Loaded::Nothing(DamageCause::Foreign),
    }
}

/// The version that a file without an intact section claims; none if it is another program's.
fn version(file: &[u8]) -> Option<u32> {
    let rest = file.strip_prefix(MAGIC)?;
    // A file that ends here was cut.
    Some(rest.first_chunk().map_or(VERSION, |version| u32::from_le_bytes(*version)))
}

/// What was read of the sections.
#[derive(Default)]
struct Contents {
    head: Option<Head>,
    addresses: Vec<SavedAddress>,
    anchors: Vec<PeerAddress>,
    /// The number of sections.
    found: u64,
    /// How many of them are damaged, and the first, counted from 0.
    damaged: u64,
    first_damaged: Option<u64>,
}

impl Contents {
    fn of(sections: &[Option<Section<'_>>]) -> Self {
        let mut contents = Self::default();
        contents.addresses.reserve_exact(sections.iter().flatten().map(Section::most_addresses).sum());
        for section in sections {
            contents.read(section.as_ref());
        }
        contents
    }

    fn read(&mut self, section: Option<&Section<'_>>) {
        if !section.is_some_and(|section| self.read_intact(section)) {
            self.damaged += 1;
            self.first_damaged.get_or_insert(self.found);
        }
        self.found += 1;
    }

    /// Returns whether the content makes sense. Records before one that does not are kept.
    fn read_intact(&mut self, section: &Section<'_>) -> bool {
        match section.kind {
            kind::HEAD => {
                let head = Head::read(section.body);
                let is_head = head.is_some();
                self.head = self.head.take().or(head);
                is_head
            }
            kind::ADDRESSES => read_all(section, record::saved, &mut self.addresses),
            kind::ANCHORS => read_all(section, record::anchor, &mut self.anchors),
            // Of a newer release.
            _ => true,
        }
    }

    fn loaded(self) -> Loaded<Snapshot> {
        let why = self.damage();
        let book_secret = self.head.and_then(|head| head.secret);
        let Self { addresses, anchors, .. } = self;
        let snapshot = Snapshot { addresses, book_secret, anchors, bans: Vec::new() };
        match why {
            None => Loaded::Whole(snapshot),
            Some(why) => Loaded::Part(snapshot, why),
        }
    }

    fn damage(&self) -> Option<DamageCause> {
        let expected = self.head.as_ref().map_or(self.found, |head| head.sections);
        let missing = expected.saturating_sub(self.found);
        let lost = self.head.as_ref().map(|head| head.addresses.saturating_sub(self.addresses.len() as u64));
        let is_whole = self.damaged == 0 && expected == self.found && lost.is_some();
        let first = self.first_damaged.unwrap_or(self.found.min(expected)) + 1;
        (!is_whole).then_some(DamageCause::Sections { damaged: self.damaged + missing, first, lost })
    }
}

/// Appends the records of a section. Returns false if one makes no sense, or if there are not as many as there should be.
fn read_all<T>(section: &Section<'_>, read: fn(&mut Reader<'_>) -> Option<T>, to: &mut Vec<T>) -> bool {
    let mut body = Reader::new(section.body);
    for _ in 0..section.count {
        let Some(record) = read(&mut body) else { return false };
        to.push(record);
    }
    body.is_empty()
}
