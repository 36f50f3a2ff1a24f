//! Tables of autonomous systems from files: both forms, and what is wrong with them.

use std::fs;
use std::net::IpAddr;

use connmgr_core::AsnTable;

use super::*;
use crate::with_causes;

/// A small file of Bitcoin Core's form: `::ffff:1.2.0.0/112` is AS64500, and nothing else has a number.
const ASMAP: [u8; 34] = [
    0xfb, 0x03, 0xec, 0x0f, 0xb0, 0x3f, 0xc0, 0xfe, 0x00, 0xfb, 0x03, 0xec, 0x0f, 0xb0, 0x3f, 0xc0, 0xfe, 0x00, 0xfb,
    0x03, 0xec, 0x0f, 0xb0, 0xff, 0xff, 0xfe, 0xff, 0xfb, 0x03, 0xee, 0x0f, 0x24, 0xef, 0x67,
];

fn number(table: &AsnTable, ip: &str) -> u32 {
    let ip: IpAddr = ip.parse().expect(ip);
    table.number_of(ip).map_or(0, u32::from)
}

/// The table that this file gives, or all that is said of it.
fn read_bytes(bytes: &[u8]) -> Result<AsnTable, String> {
    let dir = tempfile::tempdir().expect("a place for temporary files");
    let path = dir.path().join("table");
    fs::write(&path, bytes).expect("it is ours");
    read_asn_table(&path).map_err(|error| {
        let said = with_causes(&error).to_string();
        assert!(said.contains(&path.display().to_string()), "it names the file: {said}");
        said
    })
}

#[test]
fn a_text_is_read() {
    let text = "\u{feff}# of 2026, é\r\n\n1.0.0.0/8 AS1\r\n1.2.0.0/16\t64500 # a part\n2001:db8::/32 as64501\n\
                1.2.3.0/24 AS0\n1.2.0.0/16 AS64502\n::ffff:9.0.0.0/104 AS4294967295";
    let table = read_bytes(text.as_bytes()).expect("a good text");
    for (ip, expected) in [
        ("1.1.1.1", 1),
        ("1.2.2.2", 64502),
        ("1.2.3.4", 0),
        ("2001:db8::1", 64501),
        ("2001:db9::1", 0),
        ("9.9.9.9", u32::MAX),
    ] {
        assert_eq!(number(&table, ip), expected, "{ip}");
    }
    assert_eq!(table.systems(), 4);
}

#[test]
fn a_file_of_bitcoin_core_is_read_as_the_same_table_as_its_text() {
    assert_eq!(read_bytes(&ASMAP), read_bytes(b"1.2.0.0/16 AS64500"));
}

#[test]
fn each_wrong_line_is_named() {
    for (line, why) in [
        ("1.2.0.0/16", "expected a prefix and a number"),
        ("1.2.0.0/16 AS1 AS2", "expected a prefix and a number"),
        ("1.2.0.0 AS1", "\"1.2.0.0\" is no prefix"),
        ("1.2.0.0/33 AS1", "\"1.2.0.0/33\" is no prefix"),
        ("1.2.3.4/16 AS1", "1.2.3.4/16 has bits beyond its length: is 1.2.0.0/16 meant?"),
        ("1.2.0.0/16 ASX", "\"ASX\" is no number"),
        ("1.2.0.0/16 AS", "\"AS\" is no number"),
        ("1.2.0.0/16 +1", "\"+1\" is no number"),
        ("1.2.0.0/16 -1", "\"-1\" is no number"),
        ("1.2.0.0/16 AS4294967296", "at most 4294967295"),
        ("<!DOCTYPE html><html lang=\"en\">", "expected a prefix and a number"),
    ] {
        let said = read_bytes(format!("1.0.0.0/8 AS1\n{line}\n").as_bytes()).expect_err(line);
        assert!(said.contains("line 2: ") && said.contains(why), "{line}: {said}");
    }
}

#[test]
fn a_long_wrong_line_is_shortened() {
    let said = read_bytes("é".repeat(100_000).as_bytes()).expect_err("no prefix");
    assert!(said.contains("line 1: ") && said.len() < 600, "{said}");
}

#[test]
fn a_text_without_a_prefix_is_refused() {
    assert!(read_bytes(b"").expect_err("empty").contains("it is empty"));
    assert!(read_bytes(b"# nothing\n\n").expect_err("a comment").contains("no line with a prefix"));
}

#[test]
fn a_damaged_asmap_is_refused() {
    for length in 1..ASMAP.len() {
        let said = read_bytes(&ASMAP[..length]).expect_err("it is cut");
        assert!(said.contains("no asmap of Bitcoin Core's"), "{length}: {said}");
    }
    assert!(read_bytes(&[&ASMAP[..], b"\n"].concat()).expect_err("longer").contains("goes on after its end"));
    let foreign = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03 a compressed file";
    assert!(read_bytes(foreign).expect_err("foreign").contains("no text, and no asmap of Bitcoin Core's"));
}

#[test]
fn what_cannot_be_read_is_said() {
    let dir = tempfile::tempdir().expect("a place for temporary files");
    for (path, why) in [(dir.path().join("missing"), "No such file"), (dir.path().to_path_buf(), "")] {
        let said = with_causes(&read_asn_table(&path).expect_err("no file")).to_string();
        assert!(said.contains(&path.display().to_string()), "{said}");
        assert!(cfg!(not(unix)) || said.contains(why), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn an_endless_file_is_too_long() {
    let said = with_causes(&read_asn_table("/dev/zero").expect_err("it has no end")).to_string();
    assert!(said.contains("longer than 67108864 bytes"), "{said}");
}
