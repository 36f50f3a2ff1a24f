//! `peers.dat`: the book and the anchors.
//!
//! `CONNMGRP`, version (u32), length of the content (u64), CRC-32 of the content (u32), all little-endian; then the
//! content in the encoding of `postcard` (its wire format is a published specification). The checksum detects a damaged
//! disk. It is no protection against an attacker: whoever can write the file can choose the peers.

use connmgr_core::{PeerAddress, Placement, SavedAddress, Services, SourceGroup, UnixTime};
use serde::{Deserialize, Serialize};

use super::damage::{DamageCause, Loaded};

const MAGIC: &[u8; 8] = b"CONNMGRP";

/// The version of the format.
const VERSION: u32 = 1;

const HEADER: usize = MAGIC.len() + 4 + 8 + 4;

#[derive(Serialize, Deserialize)]
struct Content {
    addresses: Vec<Address>,
    anchors: Vec<PeerAddress>,
}

/// An address without its place in the book.
#[derive(Serialize, Deserialize)]
struct Address {
    address: PeerAddress,
    services: Services,
    last_seen: UnixTime,
    last_try: UnixTime,
    last_success: UnixTime,
    failures: u32,
    v1_only: bool,
}

impl Address {
    fn of(saved: &SavedAddress) -> Self {
        let SavedAddress { address, services, last_seen, last_try, last_success, failures, v1_only, .. } =
            saved.clone();
        Self { address, services, last_seen, last_try, last_success, failures, v1_only }
    }

    fn saved(self) -> SavedAddress {
        let Self { address, services, last_seen, last_try, last_success, failures, v1_only } = self;
        let (source, placement) = (SourceGroup::UNKNOWN, Placement::Anew);
        SavedAddress { address, services, last_seen, last_try, last_success, failures, v1_only, source, placement }
    }
}

/// The whole file.
pub(super) fn encode(addresses: &[SavedAddress], anchors: &[PeerAddress]) -> Vec<u8> {
    let content = Content { addresses: addresses.iter().map(Address::of).collect(), anchors: anchors.to_vec() };
    let content = postcard::to_stdvec(&content).expect("a vector takes whatever it is given");
    let mut file = Vec::with_capacity(HEADER + content.len());
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&VERSION.to_le_bytes());
    file.extend_from_slice(&(content.len() as u64).to_le_bytes());
    file.extend_from_slice(&crc32fast::hash(&content).to_le_bytes());
    file.extend_from_slice(&content);
    file
}

/// The book and the anchors, or what is wrong with the file.
pub(super) fn decode(file: &[u8]) -> Loaded<(Vec<SavedAddress>, Vec<PeerAddress>)> {
    match open(file).and_then(parse) {
        Ok(Content { addresses, anchors }) => {
            Loaded::Whole((addresses.into_iter().map(Address::saved).collect(), anchors))
        }
        Err(why) => Loaded::Nothing(why),
    }
}

/// Checks the frame; returns the content.
fn open(file: &[u8]) -> Result<&[u8], DamageCause> {
    let short = || DamageCause::Length { found: 0, expected: 0 };
    let rest = file.strip_prefix(MAGIC).ok_or(DamageCause::Foreign)?;
    let (version, rest) = rest.split_first_chunk().ok_or_else(short)?;
    match u32::from_le_bytes(*version) {
        VERSION => {}
        found => return Err(DamageCause::Version { found, known: VERSION }),
    }
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
