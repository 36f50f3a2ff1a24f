//! Target `asn_table`: any bytes as the file of a table of autonomous systems.
//!
//! They are a table, or an error that says what is wrong. A table answers every look-up; that of a binary file answers as
//! Bitcoin Core does, which runs the file's instructions for each look-up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use connmgr_core::AsnTable;
use connmgr_std::{AsnFileFault, parse_asn_table};

/// Where the look-ups are taken from: the end of the file.
const LOOKED_UP: usize = 256;

/// The last bytes are also addresses that are looked up.
///
/// # Panics
/// When the counts of a table, a look-up or an error make no sense.
pub fn asn_table(data: &[u8]) {
    let is_text = std::str::from_utf8(data).is_ok_and(|text| !text.chars().any(char::is_control));
    match parse_asn_table(data) {
        Ok(table) => check(&table, data),
        Err(AsnFileFault::Asmap(error)) => {
            assert!(!is_text, "a text was read as an asmap: {error}");
            assert!(error.bit <= data.len() * 8, "a fault beyond the end: {error}");
        }
        Err(error) => assert!(!error.to_string().is_empty(), "an error without words"),
    }
}

fn check(table: &AsnTable, data: &[u8]) {
    assert!(table.is_loaded() && table.systems() <= table.ranges() && table.ranges() <= AsnTable::MAX_RANGES);
    let taken = data[data.len().saturating_sub(LOOKED_UP)..].chunks_exact(16);
    let taken = taken.map(|bytes| u128::from_le_bytes(bytes.try_into().expect("chunks of 16")));
    let v4_of = |bits: u128| Ipv4Addr::from_bits(u32::try_from(bits & 0xffff_ffff).expect("32 bits are left"));
    for bits in taken.chain([0, u128::MAX]) {
        let (v4, v6) = (v4_of(bits), Ipv6Addr::from_bits(bits));
        let mapped = v4.to_ipv6_mapped();
        assert_eq!(number(table, v4.into()), number(table, mapped.into()), "{v4} mapped has another number");
        if AsnTable::from_asmap(data).as_ref() == Ok(table) {
            assert_eq!(number(table, v6.into()), interpret(data, bits), "{v6}");
            assert_eq!(number(table, v4.into()), interpret(data, mapped.to_bits()), "{v4}");
        }
    }
}

fn number(table: &AsnTable, ip: IpAddr) -> u32 {
    table.number_of(ip).map_or(0, u32::from)
}

/// Runs a sound asmap on an address.
fn interpret(program: &[u8], address: u128) -> u32 {
    let mut reader = Reader { program, at: 0 };
    let (mut left, mut default) = (128, 0);
    let mut take = || {
        left -= 1;
        address >> left & 1 == 1
    };
    loop {
        match (0..3).take_while(|_| reader.bit()).count() {
            0 => return reader.number(1, 15, 24),
            1 => {
                let distance = reader.number(17, 5, 30);
                if take() {
                    reader.at += distance as usize;
                }
            }
            2 => {
                let wanted = reader.number(2, 1, 8);
                let is_wanted = |at: &u32| wanted >> at & 1 == 1;
                if (0..wanted.ilog2()).rev().any(|at| take() != is_wanted(&at)) {
                    return default;
                }
            }
            _ => default = reader.number(1, 15, 24),
        }
    }
}

struct Reader<'a> {
    program: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn bit(&mut self) -> bool {
        let bit = self.program[self.at / 8] >> (self.at % 8) & 1 == 1;
        self.at += 1;
        bit
    }

    fn number(&mut self, least: u32, smallest: u32, largest: u32) -> u32 {
        let ones = (smallest..largest).take_while(|_| self.bit()).count();
        let size = smallest + u32::try_from(ones).expect("few");
        let skipped: u32 = (smallest..size).map(|size| 1 << size).sum();
        (0..size).fold(0, |number, _| number << 1 | u32::from(self.bit())) + skipped + least
    }
}
