//! Tables of autonomous systems: what they tell of an address, made of prefixes and read from Bitcoin Core's binary form.

mod encoder;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use connmgr_core::{AsmapFault, AsnTable};
use encoder::encode;
use ipnet::IpNet;
use proptest::prelude::*;

fn net(text: &str) -> IpNet {
    text.parse().expect(text)
}

fn table(prefixes: &[(&str, u32)]) -> AsnTable {
    AsnTable::new(prefixes.iter().map(|(text, number)| (net(text), *number))).expect("few ranges")
}

fn number(table: &AsnTable, ip: &str) -> u32 {
    number_of(table, ip.parse().expect(ip))
}

fn number_of(table: &AsnTable, ip: IpAddr) -> u32 {
    table.number_of(ip).map_or(0, u32::from)
}

#[track_caller]
fn check(table: &AsnTable, expected: &[(&str, u32)]) {
    for (ip, expected) in expected {
        assert_eq!(number(table, ip), *expected, "{ip}");
    }
}

#[test]
fn the_longest_prefix_counts_in_whatever_order_they_come() {
    let prefixes = [("1.0.0.0/8", 1), ("1.2.0.0/16", 2), ("1.2.3.0/24", 3), ("1.2.3.4/32", 4), ("2a00::/12", 5)];
    let expected = [
        ("0.255.255.255", 0),
        ("1.0.0.0", 1),
        ("1.1.255.255", 1),
        ("1.2.0.0", 2),
        ("1.2.2.255", 2),
        ("1.2.3.3", 3),
        ("1.2.3.4", 4),
        ("1.2.3.5", 3),
        ("1.2.4.0", 2),
        ("1.3.0.0", 1),
        ("1.255.255.255", 1),
        ("2.0.0.0", 0),
        ("29ff:ffff::", 0),
        ("2a00::", 5),
        ("2a0f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 5),
        ("2a10::", 0),
    ];
    check(&table(&prefixes), &expected);
    let mut backwards = prefixes;
    backwards.reverse();
    check(&table(&backwards), &expected);
    assert_eq!(table(&backwards), table(&prefixes));
}

#[test]
fn of_equal_prefixes_the_last_counts() {
    check(&table(&[("1.2.0.0/16", 1), ("1.2.0.0/16", 2), ("1.2.99.99/16", 3)]), &[("1.2.3.4", 3)]);
}

#[test]
fn number_0_takes_a_part_out() {
    let table = table(&[("1.0.0.0/8", 1), ("1.2.0.0/16", 0)]);
    check(&table, &[("1.1.0.0", 1), ("1.2.0.0", 0), ("1.3.0.0", 1)]);
    assert_eq!((table.ranges(), table.systems()), (2, 1));
}

#[test]
fn the_ends_of_the_address_space_are_inside() {
    let all = table(&[("::/0", 1), ("255.255.255.255/32", 2), ("0.0.0.0/32", 3), ("ffff::/16", 4)]);
    check(
        &all,
        &[
            ("::", 1),
            ("0.0.0.0", 3),
            ("0.0.0.1", 1),
            ("255.255.255.254", 1),
            ("255.255.255.255", 2),
            ("::1:0:0:0", 1),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 4),
        ],
    );
}

/// As in Bitcoin Core's files: a prefix of IPv6 that contains `::ffff:0:0/96` contains all IPv4.
#[test]
fn mapped_ipv4_is_ipv4() {
    check(&table(&[("::ffff:1.2.0.0/112", 7)]), &[("1.2.3.4", 7), ("1.3.0.0", 0), ("::ffff:1.2.3.4", 7)]);
    assert_eq!(table(&[("::ffff:1.2.0.0/112", 7)]), table(&[("1.2.0.0/16", 7)]));
    check(&table(&[("::/0", 7), ("1.2.0.0/16", 8)]), &[("1.2.3.4", 8), ("9.9.9.9", 7), ("2a00::", 7)]);
}

#[test]
fn neighbours_with_one_number_are_one_range_and_one_table() {
    let whole = table(&[("1.2.0.0/16", 7)]);
    let halves = table(&[("1.2.0.0/17", 7), ("1.2.128.0/17", 7), ("1.2.3.0/24", 7)]);
    assert_eq!((whole.ranges(), whole.systems()), (1, 1));
    assert_eq!((halves.clone(), halves.digest()), (whole.clone(), whole.digest()));
    assert_ne!(whole, table(&[("1.2.0.0/16", 8)]));
    assert_ne!(whole, table(&[("1.3.0.0/16", 7)]));
}

/// Traces of all releases and platforms name a table by it.
#[test]
fn the_digest_is_the_same_everywhere() {
    let digest = table(&[("1.2.0.0/16", 64500), ("2a00::/12", 64501)]).digest();
    assert_eq!(format!("{digest:032x}"), "09d830119078b01740371ce62669c999");
}

#[test]
fn too_many_ranges_are_refused() {
    let most = AsnTable::MAX_RANGES / 2;
    let apart = |count: u32| (0..count).map(|n| (IpNet::from(IpAddr::V4(Ipv4Addr::from_bits(n * 2))), n + 1));
    assert!(AsnTable::new(apart(most + 1)).is_err());
    assert!(AsnTable::new(apart(most)).is_ok());
}

/// All of Bitcoin Core's instructions, by hand: DEFAULT 7, MATCH 000, JUMP, RETURN 8 and RETURN 9.
#[test]
fn each_instruction_does_what_it_does_in_bitcoin_core() {
    let bits =
        ["111", "0000000000000110", "110", "110000", "10", "000000", "0", "0000000000000111", "0", "0000000000001000"];
    check(
        &AsnTable::from_asmap(&pack(&bits.concat())).expect("an asmap"),
        &[("::", 8), ("0fff::", 8), ("1000::", 9), ("1fff::", 9), ("2000::", 7), ("ffff::", 7), ("1.2.3.4", 8)],
    );
}

fn pack(bits: &str) -> Vec<u8> {
    let bits: Vec<bool> = bits.chars().map(|bit| bit == '1').collect();
    bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit))).collect()
}

#[test]
fn what_bitcoin_core_refuses_is_refused() {
    let number_1 = "0000000000000000";
    let leaf = format!("0{number_1}");
    for (what, bits, fault) in [
        ("nothing", String::new(), AsmapFault::CutOff),
        ("half a number", "0000".into(), AsmapFault::CutOff),
        ("no end", "11000".into(), AsmapFault::CutOff),
        ("a bit after the end", format!("{leaf}1"), AsmapFault::GoesOn),
        ("a byte after the end", format!("{leaf}{}", "0".repeat(15)), AsmapFault::GoesOn),
        ("a jump beyond the end", format!("10011111{leaf}"), AsmapFault::JumpTooFar),
        ("a jump into an instruction", format!("10000001{leaf}0{leaf}"), AsmapFault::NoTree),
        ("a jump out of a jump", format!("1000000010000000{leaf}{leaf}{leaf}"), AsmapFault::NoTree),
        ("what nothing leads to", format!("10010010{leaf}{leaf}{leaf}"), AsmapFault::NoTree),
        ("a default of a return", format!("111{number_1}{leaf}"), AsmapFault::NotMinimal),
        ("a default of a default", format!("111{number_1}111{number_1}"), AsmapFault::NotMinimal),
        ("two short matches in a row", format!("1100011000{leaf}"), AsmapFault::NotMinimal),
        ("129 bits", format!("{}11000{leaf}", "110111111100000000".repeat(16)), AsmapFault::TooDeep),
    ] {
        let error = AsnTable::from_asmap(&pack(&bits)).expect_err(what);
        assert_eq!(error.fault, fault, "{what}: {error}");
    }
}

fn prefix() -> impl Strategy<Value = (IpNet, u32)> {
    // Few bits differ, so that prefixes contain each other.
    let v4 = (any::<u32>(), 0u8..=32).prop_map(|(bits, length)| {
        let ip = Ipv4Addr::from_bits(bits & 0x8103_0081);
        IpNet::new(ip.into(), length).expect("at most 32")
    });
    let v6 = (any::<u128>(), 0u8..=128).prop_map(|(bits, length)| {
        let ip = Ipv6Addr::from_bits(bits & (0x8003 << 112 | 0xf << 60 | 0xffff << 32 | 0xff));
        IpNet::new(ip.into(), length).expect("at most 128")
    });
    (prop_oneof![2 => v4, 1 => v6], prop_oneof![4 => 1u32..9, 1 => 1u32..33_521_664])
}

/// The number by the rule itself: the longest prefix that contains the address.
fn naive(prefixes: &[(IpNet, u32)], ip: IpAddr) -> u32 {
    let place = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    let length = |net: &IpNet| net.prefix_len() + if net.addr().is_ipv4() { 96 } else { 0 };
    let contains = |net: &IpNet| {
        let differing = place(net.addr()) ^ place(ip);
        differing.leading_zeros() >= u32::from(length(net))
    };
    let around = prefixes.iter().filter(|(net, _)| contains(net));
    around.max_by_key(|(net, _)| length(net)).map_or(0, |(_, number)| *number)
}

/// The ends of every prefix, and their neighbours outside.
fn edges(prefixes: &[(IpNet, u32)]) -> Vec<IpAddr> {
    let beside = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => [ip.to_bits().wrapping_sub(1), ip.to_bits(), ip.to_bits().wrapping_add(1)]
            .map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
        IpAddr::V6(ip) => [ip.to_bits().wrapping_sub(1), ip.to_bits(), ip.to_bits().wrapping_add(1)]
            .map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))),
    };
    prefixes.iter().flat_map(|(net, _)| [net.network(), net.broadcast()]).flat_map(beside).collect()
}

proptest! {
    #[test]
    fn a_table_agrees_with_a_search_through_all_prefixes(prefixes in prop::collection::vec(prefix(), 0..60)) {
        let table = AsnTable::new(prefixes.iter().copied()).expect("few ranges");
        for ip in edges(&prefixes) {
            prop_assert_eq!(number_of(&table, ip), naive(&prefixes, ip), "{}", ip);
        }
    }

    #[test]
    fn what_is_written_as_asmap_is_read_as_the_same_table(prefixes in prop::collection::vec(prefix(), 1..60)) {
        let table = AsnTable::new(prefixes.iter().copied()).expect("few ranges");
        let read = AsnTable::from_asmap(&encode(&prefixes)).expect("a good encoder");
        prop_assert_eq!(&read, &table);
        for ip in edges(&prefixes) {
            prop_assert_eq!(number_of(&read, ip), naive(&prefixes, ip), "{}", ip);
        }
    }

    #[test]
    fn an_asmap_that_is_cut_or_goes_on_is_refused(prefixes in prop::collection::vec(prefix(), 1..20), byte: u8) {
        let mut bytes = encode(&prefixes);
        for length in 0..bytes.len() {
            prop_assert!(AsnTable::from_asmap(&bytes[..length]).is_err(), "cut at {}", length);
        }
        bytes.push(byte);
        prop_assert!(AsnTable::from_asmap(&bytes).is_err());
    }

    #[test]
    fn a_damaged_asmap_is_refused_or_is_another_table(
        prefixes in prop::collection::vec(prefix(), 1..20),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0u8..8), 1..4),
    ) {
        let mut bytes = encode(&prefixes);
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        if let Ok(table) = AsnTable::from_asmap(&bytes) {
            prop_assert!(table.systems() <= table.ranges());
        }
    }
}
