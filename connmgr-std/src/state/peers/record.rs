//! The records: an address of the book in about 30 bytes, and an anchor.
//!
//! | bytes | |
//! |---|---|
//! | 1 | the form: bits 0–2 the network (7: as text), bit 3 v1 only, bits 4–5 the placement, bit 6 wide |
//! | 4, 16 or 32 | the host; as text: the length (2), and the whole address with its port |
//! | 2 | the port, unless as text |
//! | 1 + n | services |
//! | 3 × 4 | last seen, tried and ready; wide: 3 × 8 |
//! | 1 | failures; wide: 4 |
//! | 1 + 1 + n | the source group: its bits 64–71, then its lower bits; wide: 16 |
//! | 1 + 2 n | in the table of new addresses: how many buckets, and these |
//!
//! Wide is what a book never has but a snapshot can: dates after 2106, or more than 255 failures. An anchor is the first
//! three rows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use connmgr_core::{
    Host, NetworkKind, NewBuckets, PeerAddress, Placement, SavedAddress, Services, SourceGroup, UnixTime,
};

use super::Reader;
use super::reader::put_short;

const NETWORK: u8 = 0b111;
const V1_ONLY: u8 = 1 << 3;
const PLACEMENT: u8 = 0b11 << 4;
const NEW: u8 = 1 << 4;
const TRIED: u8 = 2 << 4;
const WIDE: u8 = 1 << 6;

const IPV4: u8 = 0;
const IPV6: u8 = 1;
const ONION: u8 = 2;
const I2P: u8 = 3;
const CJDNS: u8 = 4;
/// A name, or an address with a zone. Neither is ever in a book.
const TEXT: u8 = 7;

/// Appends an address of the book.
pub(super) fn put_saved(saved: &SavedAddress, to: &mut Vec<u8>) {
    let SavedAddress { address, services, last_seen, last_try, last_success, failures, v1_only, source, placement } =
        saved;
    let dates = [last_seen, last_try, last_success].map(|date| date.as_secs());
    let narrow = Narrow::of(dates, *failures, *source);
    let form = network_of(address)
        | if *v1_only { V1_ONLY } else { 0 }
        | match placement {
            Placement::Anew => 0,
            Placement::New(_) => NEW,
            Placement::Tried => TRIED,
        }
        | if narrow.is_none() { WIDE } else { 0 };
    to.push(form);
    put_address(address, to);
    put_short(services.bits(), to);
    match narrow {
        Some(narrow) => narrow.put(to),
        None => {
            dates.iter().for_each(|date| to.extend_from_slice(&date.to_le_bytes()));
            to.extend_from_slice(&failures.to_le_bytes());
            to.extend_from_slice(&source.as_u128().to_le_bytes());
        }
    }
    if let Placement::New(buckets) = placement {
        put_buckets(buckets, to);
    }
}

/// Reads an address of the book.
pub(super) fn saved(from: &mut Reader<'_>) -> Option<SavedAddress> {
    let form = from.u8()?;
    let address = address(form & NETWORK, from)?;
    let services = Services::from_bits(from.short()?);
    let (dates, failures, source) = if form & WIDE == 0 { Narrow::read(from)?.wide() } else { wide(from)? };
    let placement = match form & PLACEMENT {
        0 => Placement::Anew,
        NEW => Placement::New(buckets(from)?),
        TRIED => Placement::Tried,
        _ => return None,
    };
    let [last_seen, last_try, last_success] = dates.map(UnixTime::from_secs);
    let v1_only = form & V1_ONLY != 0;
    Some(SavedAddress { address, services, last_seen, last_try, last_success, failures, v1_only, source, placement })
}

/// Appends an anchor.
pub(super) fn put_anchor(anchor: &PeerAddress, to: &mut Vec<u8>) {
    to.push(network_of(anchor));
    put_address(anchor, to);
}

/// Reads an anchor.
pub(super) fn anchor(from: &mut Reader<'_>) -> Option<PeerAddress> {
    let form = from.u8()?;
    address(form & NETWORK, from)
}

/// The numbers of an address that fit into a few bytes.
struct Narrow {
    dates: [u32; 3],
    failures: u8,
    sort: u8,
    source: u64,
}

impl Narrow {
    /// None if one does not fit.
    fn of(dates: [u64; 3], failures: u32, source: SourceGroup) -> Option<Self> {
        let [seen, tried, ready] = dates;
        let date = |secs: u64| u32::try_from(secs).ok();
        let sort = u8::try_from(source.as_u128() >> 64).ok()?;
        let lower = source.as_u128() & u128::from(u64::MAX);
        Some(Self {
            dates: [date(seen)?, date(tried)?, date(ready)?],
            failures: u8::try_from(failures).ok()?,
            sort,
            source: u64::try_from(lower).expect("64 bits"),
        })
    }

    fn put(&self, to: &mut Vec<u8>) {
        self.dates.iter().for_each(|date| to.extend_from_slice(&date.to_le_bytes()));
        to.extend_from_slice(&[self.failures, self.sort]);
        put_short(self.source, to);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let dates = [from.u32()?, from.u32()?, from.u32()?];
        Some(Self { dates, failures: from.u8()?, sort: from.u8()?, source: from.short()? })
    }

    fn wide(self) -> ([u64; 3], u32, SourceGroup) {
        let source = u128::from(self.sort) << 64 | u128::from(self.source);
        (self.dates.map(u64::from), self.failures.into(), SourceGroup::from_u128(source))
    }
}

fn wide(from: &mut Reader<'_>) -> Option<([u64; 3], u32, SourceGroup)> {
    let dates = [from.u64()?, from.u64()?, from.u64()?];
    Some((dates, from.u32()?, SourceGroup::from_u128(from.u128()?)))
}

fn put_buckets(buckets: &NewBuckets, to: &mut Vec<u8>) {
    to.push(u8::try_from(buckets.as_slice().len()).expect("at most 8"));
    buckets.as_slice().iter().for_each(|bucket| to.extend_from_slice(&bucket.to_le_bytes()));
}

fn buckets(from: &mut Reader<'_>) -> Option<NewBuckets> {
    let count = usize::from(from.u8()?);
    if count > NewBuckets::MAX {
        return None;
    }
    (0..count).map(|_| from.u16()).collect()
}

fn network_of(address: &PeerAddress) -> u8 {
    match address.network() {
        Some(_) if address.zone().is_some() => TEXT,
        Some(NetworkKind::Ipv4) => IPV4,
        Some(NetworkKind::Ipv6) => IPV6,
        Some(NetworkKind::Onion) => ONION,
        Some(NetworkKind::I2p) => I2P,
        Some(NetworkKind::Cjdns) => CJDNS,
        None => TEXT,
    }
}

fn put_address(address: &PeerAddress, to: &mut Vec<u8>) {
    match address.host() {
        _ if address.zone().is_some() => return put_text(address, to),
        Host::Ip(IpAddr::V4(ip)) => to.extend_from_slice(&ip.octets()),
        Host::Ip(IpAddr::V6(ip)) | Host::Cjdns(ip) => to.extend_from_slice(&ip.octets()),
        Host::Onion(key) | Host::I2p(key) => to.extend_from_slice(key),
        Host::Name(_) => return put_text(address, to),
    }
    to.extend_from_slice(&address.port().to_le_bytes());
}

fn put_text(address: &PeerAddress, to: &mut Vec<u8>) {
    let text = address.to_string();
    let length = u16::try_from(text.len()).expect("a name has at most 253 bytes");
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(text.as_bytes());
}

fn address(network: u8, from: &mut Reader<'_>) -> Option<PeerAddress> {
    let host = match network {
        IPV4 => Host::Ip(IpAddr::V4(Ipv4Addr::from(from.array::<4>()?))),
        IPV6 => Host::Ip(IpAddr::V6(Ipv6Addr::from(from.array::<16>()?))),
        ONION => Host::Onion(from.array()?),
        I2P => Host::I2p(from.array()?),
        CJDNS => Host::Cjdns(Ipv6Addr::from(from.array::<16>()?)),
        TEXT => {
            let length = from.u16()?;
            let text = std::str::from_utf8(from.bytes(length.into())?).ok()?;
            return text.parse().ok();
        }
        _ => return None,
    };
    Some(PeerAddress::new(host, from.u16()?))
}
