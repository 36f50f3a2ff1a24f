//! What is read of a file, whatever happened to it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use connmgr_core::{Host, NewBuckets, Placement, Services, SourceGroup, UnixTime};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const SECRET: BookSecret = BookSecret(*b"nobody else's 16");

/// The file that a release with version 1 wrote, and one of today. Never made anew: they are what users have.
const GOLDEN_V1: &[u8] = include_bytes!("../../../tests/golden/peers-v1.dat");
const GOLDEN_V2: &[u8] = include_bytes!("../../../tests/golden/peers-v2.dat");

fn ipv4(n: u32) -> SavedAddress {
    let source = SourceGroup::from_u128(1 << 64 | u128::from(n % 1000));
    let placement =
        if n % 4 == 0 { Placement::Tried } else { Placement::New([(n % 1024) as u16].into_iter().collect()) };
    SavedAddress {
        address: PeerAddress::new(Host::from(Ipv4Addr::from(0x0100_0000 + n)), 8333),
        services: Services::NETWORK | Services::WITNESS | Services::P2P_V2,
        last_seen: UnixTime::from_secs(1_700_000_000 + u64::from(n)),
        last_try: UnixTime::from_secs(1_700_000_001),
        last_success: UnixTime::from_secs(u64::from(n % 4) * 500_000_000),
        failures: n % 3,
        v1_only: n % 5 == 0,
        source,
        placement,
    }
}

/// One address of each sort, with what is rare.
fn one_of_each_sort() -> Vec<SavedAddress> {
    let hosts = [
        "1.2.3.4:8333",
        "[2001:db8::1]:8333",
        "cjdns:[fc00::1]:8333",
        "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:8333",
        "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p:0",
        "node.example:1",
        "[fe80::1%2]:8333",
    ];
    let mut all: Vec<_> = (0..).zip(hosts).map(|(n, text)| SavedAddress { address: parsed(text), ..ipv4(n) }).collect();
    all[0].last_seen = UnixTime::from_secs(u64::MAX);
    all[1].failures = u32::MAX;
    all[2].source = SourceGroup::from_u128(u128::MAX);
    all[3].placement = Placement::New((1..=8).collect());
    all[4].placement = Placement::New(NewBuckets::default());
    all[5].placement = Placement::Anew;
    all[6].services = Services::from_bits(u64::MAX);
    all
}

fn parsed(text: &str) -> PeerAddress {
    text.parse().expect(text)
}

fn snapshot(addresses: Vec<SavedAddress>) -> Snapshot {
    let anchors = vec![parsed("5.6.7.8:8333"), parsed("node.example:8333")];
    Snapshot { addresses, book_secret: Some(SECRET), anchors, bans: Vec::new() }
}

fn written(snapshot: &Snapshot) -> Vec<u8> {
    encode(snapshot.addresses.iter(), snapshot.book_secret, &snapshot.anchors)
}

/// So many addresses, in a file.
fn file_of(count: u32) -> Vec<u8> {
    written(&snapshot((0..count).map(ipv4).collect()))
}

fn whole(file: &[u8]) -> Snapshot {
    match decode(file) {
        Loaded::Whole(found) => found,
        Loaded::Part(_, why) | Loaded::Nothing(why) => panic!("the file {why}"),
    }
}

fn part(file: &[u8]) -> (Snapshot, DamageCause) {
    match decode(file) {
        Loaded::Part(found, why) => (found, why),
        other => panic!("not a part: {other:?}"),
    }
}

fn nothing(file: &[u8]) -> DamageCause {
    match decode(file) {
        Loaded::Nothing(why) => why,
        Loaded::Whole(found) | Loaded::Part(found, _) => panic!("{found:?}"),
    }
}

/// Section number `n`, counted from 0.
fn section_of(file: &mut [u8], n: usize) -> &mut [u8] {
    file.chunks_mut(section::SIZE).nth(n).expect("there are so many")
}

/// A file with one section of these records, which the head knows.
fn with_section(kind: u16, records: &[&[u8]]) -> Vec<u8> {
    let mut file = SectionWriter::new();
    records.iter().for_each(|record| file.push(kind, record));
    file.finish(|sections| Head { sections, addresses: 1, anchors: 0, secret: None }.write())
}

#[test]
fn every_sort_of_address_comes_back() {
    let snapshot = snapshot(one_of_each_sort());
    assert_eq!(whole(&written(&snapshot)), snapshot);
}

#[test]
fn a_book_of_many_sections_comes_back() {
    for count in [0, 1, 100, 133, 1000, 5000] {
        let snapshot = snapshot((0..count).map(ipv4).collect());
        assert_eq!(whole(&written(&snapshot)), snapshot);
    }
}

#[test]
fn an_ipv4_address_takes_at_most_40_bytes() {
    let rest = file_of(0).len();
    let bytes = file_of(80_000).len() - rest;
    assert!(bytes <= 80_000 * 40, "{} bytes each", bytes / 80_000);
    let places = Placement::New((0..2).collect());
    let mut record = Vec::new();
    record::put_saved(
        &SavedAddress { placement: places, source: SourceGroup::imported(u64::MAX), ..ipv4(1) },
        &mut record,
    );
    assert!(record.len() <= 40, "{} bytes", record.len());
}

#[test]
fn files_of_version_1_are_read() {
    let Snapshot { addresses, book_secret, anchors, .. } = whole(GOLDEN_V1);
    assert_eq!((addresses.len(), book_secret, anchors), (5, None, vec![parsed("5.6.7.8:8333")]));
    let first = SavedAddress {
        address: parsed("1.2.3.4:8333"),
        services: Services::from_bits(1033),
        last_seen: UnixTime::from_secs(1_700_000_000),
        last_try: UnixTime::from_secs(1_699_990_000),
        last_success: UnixTime::from_secs(0),
        failures: 0,
        v1_only: false,
        source: SourceGroup::UNKNOWN,
        placement: Placement::Anew,
    };
    assert_eq!(addresses[0], first);
    let rest = |address: &SavedAddress| (address.last_success.as_secs(), address.services.bits(), address.v1_only);
    assert!(addresses[1..].iter().all(|address| rest(address) == (u64::MAX, u64::MAX, true)));
    assert_eq!((addresses[1].failures, addresses[1].last_seen), (u32::MAX, UnixTime::from_secs(5_000_000_000)));
    assert_eq!((addresses[2].failures, &addresses[4].address), (3, &one_of_each_sort()[4].address));
}

#[test]
fn files_of_version_2_are_read_and_written_as_ever() {
    let snapshot = snapshot(one_of_each_sort());
    assert_eq!(whole(GOLDEN_V2), snapshot);
    assert!(written(&snapshot) == GOLDEN_V2, "the format has changed: that needs a new version");
}

#[test]
fn a_version_1_with_any_byte_wrong_or_cut_anywhere_is_nothing() {
    for at in 0..GOLDEN_V1.len() {
        nothing(&GOLDEN_V1[..at]);
        for bit in 0..8 {
            let mut flipped = GOLDEN_V1.to_vec();
            flipped[at] ^= 1 << bit;
            nothing(&flipped);
        }
    }
    let longer = [GOLDEN_V1, &[0]].concat();
    assert_eq!(nothing(&longer), DamageCause::Length { found: 463, expected: 462 });
}

#[test]
fn a_flipped_bit_costs_nothing_but_its_section() {
    let addresses = one_of_each_sort();
    let (whole, count) = (written(&snapshot(addresses.clone())), addresses.len() as u64);
    assert_eq!(whole.len(), 4 * section::SIZE, "head, addresses, anchors, head");
    let mut flipped = whole.clone();
    for at in 0..whole.len() {
        // Of the zeros behind the records one bit each.
        let bits = if at % section::SIZE < 600 { 0..8 } else { 3..4 };
        for bit in bits {
            flipped[at] ^= 1 << bit;
            let (found, why) = part(&flipped);
            let section = at / section::SIZE;
            let lost = if section == 1 { count } else { 0 };
            assert_eq!(why, DamageCause::Sections { damaged: 1, first: section as u64 + 1, lost: Some(lost) });
            assert_eq!(found.addresses, addresses[..if section == 1 { 0 } else { addresses.len() }]);
            assert_eq!((found.anchors.is_empty(), found.book_secret), (section == 2, Some(SECRET)));
            flipped[at] ^= 1 << bit;
        }
    }
}

#[test]
fn a_file_cut_anywhere_keeps_what_is_before() {
    let (file, all) = (file_of(160), (0..160).map(ipv4).collect::<Vec<_>>());
    assert_eq!(file.len(), 5 * section::SIZE, "two sections of addresses");
    let mut kept = 0;
    for length in 0..section::SIZE {
        nothing(&file[..length]);
    }
    for length in section::SIZE..file.len() {
        let (found, why) = part(&file[..length]);
        if found.addresses.len() != kept {
            kept = found.addresses.len();
            assert_eq!(found.addresses, all[..kept]);
        }
        assert_eq!(found.book_secret, Some(SECRET));
        let DamageCause::Sections { first, lost: Some(lost), .. } = why else { panic!("{why:?}") };
        assert_eq!((first, lost), ((length / section::SIZE) as u64 + 1, 160 - kept as u64));
    }
    assert_eq!(kept, 160);
}

#[test]
fn a_lost_page_of_the_disk_costs_the_addresses_in_it() {
    let mut file = file_of(1000);
    section_of(&mut file, 3).fill(0);
    let (found, why) = part(&file);
    let lost = 1000 - found.addresses.len();
    assert_eq!(why, DamageCause::Sections { damaged: 1, first: 4, lost: Some(lost as u64) });
    assert!((100..200).contains(&lost), "{lost} lost");
    let told = "has damaged parts (1 of 4096 bytes each, the first is number 4); ";
    assert_eq!(why.to_string(), format!("{told}{lost} addresses are lost, the others are kept"));
    let kept = (0..1000).map(ipv4).filter(|saved| found.addresses.contains(saved)).count();
    assert_eq!(kept, found.addresses.len());
}

#[test]
fn without_both_heads_the_addresses_are_kept_and_placed_anew() {
    let mut file = file_of(1000);
    let last = file.len() / section::SIZE - 1;
    section_of(&mut file, 0).fill(0xff);
    assert_eq!(part(&file).0.book_secret, Some(SECRET), "the last section has it too");
    section_of(&mut file, last)[100] ^= 1;
    let (found, why) = part(&file);
    assert_eq!((found.addresses.len(), found.book_secret), (1000, None));
    assert_eq!(why, DamageCause::Sections { damaged: 2, first: 1, lost: None });
}

#[test]
fn what_is_behind_the_end_is_damage_and_costs_nothing() {
    for behind in [&[0][..], &[0; section::SIZE], b"more"] {
        let file = [&file_of(300), behind].concat();
        let (found, why) = part(&file);
        let first = (file.len() - 1) / section::SIZE + 1;
        assert_eq!(why, DamageCause::Sections { damaged: 1, first: first as u64, lost: Some(0) });
        assert_eq!(found.addresses.len(), 300);
    }
}

#[test]
fn what_is_no_such_file_is_nothing() {
    assert_eq!(nothing(b""), DamageCause::Foreign);
    assert_eq!(nothing(b"<html>hello</html>"), DamageCause::Foreign);
    assert_eq!(nothing(&[0; 10_000]), DamageCause::Foreign);
    assert_eq!(nothing(MAGIC), DamageCause::Checksum);
}

#[test]
fn a_newer_version_is_nothing() {
    let mut newer = file_of(300);
    newer.chunks_mut(section::SIZE).for_each(|section| section[8] = 3);
    assert_eq!(nothing(&newer), DamageCause::Version { found: 3, known: 2 });
}

#[test]
fn a_kind_of_section_of_a_newer_release_is_skipped() {
    let mut record = Vec::new();
    record::put_saved(&ipv4(1), &mut record);
    let mut file = SectionWriter::new();
    file.push(kind::ADDRESSES, &record);
    file.push(4711, b"crashes: 3");
    let file = file.finish(|sections| Head { sections, addresses: 1, anchors: 0, secret: None }.write());
    assert_eq!(whole(&file), Snapshot { addresses: vec![ipv4(1)], ..Snapshot::default() });
}

#[test]
fn a_newer_head_may_say_more() {
    let file = SectionWriter::new().finish(|sections| {
        let head = Head { sections, addresses: 0, anchors: 0, secret: Some(SECRET) };
        [&head.write()[..], b"and more"].concat()
    });
    assert_eq!(whole(&file).book_secret, Some(SECRET));
}

#[test]
fn a_second_head_that_makes_no_sense_is_damage_and_costs_nothing() {
    let mut file = SectionWriter::new();
    file.push(kind::HEAD, b"short");
    let file = file.finish(|sections| Head { sections, addresses: 0, anchors: 0, secret: Some(SECRET) }.write());
    let (found, why) = part(&file);
    assert_eq!(found.book_secret, Some(SECRET));
    assert_eq!(why, DamageCause::Sections { damaged: 1, first: 2, lost: Some(0) });
}

#[test]
fn a_record_that_makes_no_sense_costs_the_rest_of_its_section() {
    let mut good = Vec::new();
    record::put_saved(&ipv4(1), &mut good);
    let nonsense: [&[u8]; 6] = [
        // A network, a placement and a text that there are not; nine buckets; a number of nine bytes; an end too early.
        &[5; 60],
        &[&[0b11 << 4], &good[1..]].concat(),
        b"\x07\x02\x00??",
        &[&good[..good.len() - 3], &[9; 19]].concat(),
        &[&good[..7], &[9; 30]].concat(),
        &good[..good.len() - 1],
    ];
    for wrong in nonsense {
        let (found, why) = part(&with_section(kind::ADDRESSES, &[&good, wrong]));
        assert_eq!(found.addresses, [ipv4(1)], "{wrong:?}");
        assert_eq!(why, DamageCause::Sections { damaged: 1, first: 2, lost: Some(0) });
    }
}

/// A section with these numbers of records and bytes, whatever it has.
fn lying(kind: u16, count: u16, length: u16, body: &[u8]) -> Vec<u8> {
    let mut section = [&[0; section::HEADER], body].concat();
    section.resize(section::SIZE, 0);
    section::seal(&mut section, kind, count, length.into());
    section
}

#[test]
fn a_count_that_lies_takes_no_memory() {
    let counts = [0, 1, 0x7fff, 0xffff];
    for kind in [kind::HEAD, kind::ADDRESSES, kind::ANCHORS] {
        for (count, length) in counts.iter().flat_map(|count| counts.map(|length| (*count, length))) {
            let file = lying(kind, count, length, &[0xff; 100]);
            let read = Contents::of(&[Section::open(&file)]);
            assert!(read.addresses.capacity() * 23 <= file.len(), "room for {}", read.addresses.capacity());
            assert!(read.anchors.capacity() <= 8, "room for {}", read.anchors.capacity());
        }
    }
    for lie in [u64::MAX, 1 << 32] {
        let file =
            SectionWriter::new().finish(|_| Head { sections: lie, addresses: lie, anchors: lie, secret: None }.write());
        let why = DamageCause::Sections { damaged: lie - 2, first: 3, lost: Some(lie) };
        assert_eq!(part(&file), (Snapshot::default(), why));
    }
}

#[test]
fn a_count_of_version_1_that_lies_takes_no_memory() {
    for count in [&b"\xff\xff\xff\xff\x0f"[..], b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"] {
        let mut file = [MAGIC, &v1::VERSION.to_le_bytes()[..]].concat();
        file.extend((count.len() as u64).to_le_bytes());
        file.extend(crc32fast::hash(count).to_le_bytes());
        file.extend(count);
        assert!(matches!(nothing(&file), DamageCause::Content(_)));
    }
}

fn any_saved() -> impl Strategy<Value = SavedAddress> {
    let secs = prop_oneof![any::<u32>().prop_map(u64::from), any::<u64>()];
    let host = (0..5_u8, any::<[u8; 32]>()).prop_map(|(network, bytes)| {
        let (ipv4, ipv6): ([u8; 4], [u8; 16]) =
            (bytes[..4].try_into().expect("4"), bytes[..16].try_into().expect("16"));
        match network {
            0 => Host::from(Ipv4Addr::from(ipv4)),
            1 => Host::from(IpAddr::from(Ipv6Addr::from(ipv6))),
            2 => Host::Onion(bytes),
            3 => Host::I2p(bytes),
            _ => Host::Cjdns(Ipv6Addr::from(ipv6)),
        }
    });
    let placement = prop_oneof![
        Just(Placement::Anew),
        Just(Placement::Tried),
        vec(any::<u16>(), 0..=8).prop_map(|buckets| Placement::New(buckets.into_iter().collect())),
    ];
    let source =
        prop_oneof![(any::<u8>(), any::<u64>()).prop_map(|(a, b)| u128::from(a) << 64 | u128::from(b)), any::<u128>()];
    let failures = prop_oneof![any::<u8>().prop_map(u32::from), any::<u32>()];
    let told = (host, any::<u16>(), any::<u64>(), [secs.clone(), secs.clone(), secs], failures);
    (told, any::<bool>(), source, placement).prop_map(
        |((host, port, services, dates, failures), v1_only, source, placement)| {
            let [last_seen, last_try, last_success] = dates.map(UnixTime::from_secs);
            SavedAddress {
                address: PeerAddress::new(host, port),
                services: Services::from_bits(services),
                last_seen,
                last_try,
                last_success,
                failures,
                v1_only,
                source: SourceGroup::from_u128(source),
                placement,
            }
        },
    )
}

proptest! {
    #[test]
    fn any_book_comes_back(addresses in vec(any_saved(), 0..70), secret in any::<Option<[u8; 16]>>()) {
        let snapshot = Snapshot { book_secret: secret.map(BookSecret), ..snapshot(addresses) };
        prop_assert_eq!(whole(&written(&snapshot)), snapshot);
    }

    #[test]
    fn any_content_of_a_section_is_survived(
        kind in 0..5_u16,
        count in any::<u16>(),
        length in any::<u16>(),
        body in vec(any::<u8>(), 0..section::SIZE - section::HEADER),
    ) {
        let file = lying(kind, count, length, &body);
        decode(&[&file[..], &file].concat());
    }
}
