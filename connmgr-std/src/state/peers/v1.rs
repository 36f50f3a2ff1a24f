//! Version 1, which is only read: the releases before the tables of the book wrote it.
//!
//! `CONNMGRP`, version (u32), length of the content (u64), CRC-32 of the content (u32), all little-endian; then the
//! content in the encoding of `postcard` (its wire format is a published specification). Damage costs all of it.

use connmgr_core::{PeerAddress, Placement, SavedAddress, Services, Snapshot, SourceGroup, UnixTime};
use serde::Deserialize;

use super::MAGIC;
use super::{DamageCause, Loaded};

pub(super) const VERSION: u32 = 1;

#[derive(Deserialize)]
struct Content {
    addresses: Vec<Address>,
    anchors: Vec<PeerAddress>,
}

#[derive(Deserialize)]
struct Address {
    address: PeerAddress,
    services: Services,
    last_seen: UnixTime,
    last_try: UnixTime,
    last_success: UnixTime,
    failures: u32,
    v1_only: bool,
}

/// The book and the anchors, or what is wrong with the file, which begins with the magic and the version.
pub(super) fn decode(file: &[u8]) -> Loaded<Snapshot> {
    match open(file).and_then(parse) {
        Ok(Content { addresses, anchors }) => {
            let addresses = addresses.into_iter().map(SavedAddress::from).collect();
            Loaded::Whole(Snapshot { addresses, anchors, ..Snapshot::default() })
        }
        Err(why) => Loaded::Nothing(why),
    }
}

/// Checks the frame; returns the content.
fn open(file: &[u8]) -> Result<&[u8], DamageCause> {
    let short = || DamageCause::Length { found: 0, expected: 0 };
    let rest = file.get(MAGIC.len() + size_of::<u32>()..).ok_or_else(short)?;
    let (length, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (checksum, content) = rest.split_first_chunk().ok_or_else(short)?;
    let (found, expected) = (content.len() as u64, u64::from_le_bytes(*length));
    if found != expected {
        return Err(DamageCause::Length { found, expected });
    }
    if crc32fast::hash(content) != u32::from_le_bytes(*checksum) {
        return Err(DamageCause::Checksum);
    }
    Ok(content)
}

fn parse(content: &[u8]) -> Result<Content, DamageCause> {
    let wrong = |why: &dyn ToString| DamageCause::Content(why.to_string());
    match postcard::take_from_bytes(content) {
        Ok((read, [])) => Ok(read),
        Ok((_, _)) => Err(wrong(&"more content than belongs there")),
        Err(error) => Err(wrong(&error)),
    }
}

impl From<Address> for SavedAddress {
    fn from(address: Address) -> Self {
        let Address { address, services, last_seen, last_try, last_success, failures, v1_only } = address;
        // Sources and places were not written.
        let (source, placement) = (SourceGroup::UNKNOWN, Placement::Anew);
        Self { address, services, last_seen, last_try, last_success, failures, v1_only, source, placement }
    }
}
