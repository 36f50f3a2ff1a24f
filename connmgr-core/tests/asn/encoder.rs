//! Writes prefixes in Bitcoin Core's binary form, for tests: the smallest form that Core's check allows, without its search
//! for the shortest one.

use std::net::IpAddr;

use ipnet::IpNet;

/// A part of the address space: its own number if a prefix ends here, and its halves.
#[derive(Default)]
struct Part {
    number: Option<u32>,
    halves: [Option<Box<Part>>; 2],
}

/// A program: what it does with an address whose first bits are taken.
enum Program {
    /// Nothing is known: the default holds.
    End,
    Return(u32),
    Jump(Box<Program>, Box<Program>),
    Match(Vec<bool>, Box<Program>),
    Default(u32, Box<Program>),
}

/// The asmap of these prefixes. Of equal ones the last counts. Numbers are 1 to 33 521 664; there is at least one.
pub(crate) fn encode(prefixes: &[(IpNet, u32)]) -> Vec<u8> {
    let mut root = Part::default();
    for (net, number) in prefixes {
        let (bits, length) = match net.network() {
            IpAddr::V4(ip) => (ip.to_ipv6_mapped().to_bits(), 96 + u32::from(net.prefix_len())),
            IpAddr::V6(ip) => (ip.to_bits(), u32::from(net.prefix_len())),
        };
        let mut part = &mut root;
        for bit in (0..length).map(|at| usize::from(bits >> (127 - at) & 1 == 1)) {
            part = part.halves[bit].get_or_insert_default();
        }
        part.number = Some(*number);
    }
    let mut bits = Vec::new();
    write(&program(&root), &mut bits);
    bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit))).collect()
}

fn program(part: &Part) -> Program {
    let [zero, one] = &part.halves;
    let [zero, one] = [zero, one].map(|half| half.as_deref().map_or(Program::End, program));
    let inside = match (zero, one) {
        (Program::End, Program::End) => Program::End,
        (Program::End, one) => matching(true, one),
        (zero, Program::End) => matching(false, zero),
        (zero, one) => Program::Jump(zero.into(), one.into()),
    };
    match (part.number, inside) {
        (None, inside) => inside,
        (Some(number), Program::End) => Program::Return(number),
        (Some(number), inside) => Program::Default(number, inside.into()),
    }
}

fn matching(bit: bool, program: Program) -> Program {
    match program {
        Program::Match(mut bits, then) if bits.len() < 8 => {
            bits.insert(0, bit);
            Program::Match(bits, then)
        }
        program => Program::Match(vec![bit], program.into()),
    }
}

fn write(program: &Program, bits: &mut Vec<bool>) {
    match program {
        Program::End => panic!("there is a prefix"),
        Program::Return(number) => {
            bits.push(false);
            write_number(*number, 1, 15, 24, bits);
        }
        Program::Jump(zero, one) => {
            let mut passed = Vec::new();
            write(zero, &mut passed);
            bits.extend([true, false]);
            write_number(u32::try_from(passed.len()).expect("short"), 17, 5, 30, bits);
            bits.extend(passed);
            write(one, bits);
        }
        Program::Match(wanted, then) => {
            bits.extend([true, true, false]);
            write_number(wanted.iter().fold(1, |number, bit| number << 1 | u32::from(*bit)), 2, 1, 8, bits);
            write(then, bits);
        }
        Program::Default(number, then) => {
            bits.extend([true, true, true]);
            write_number(*number, 1, 15, 24, bits);
            write(then, bits);
        }
    }
}

fn write_number(number: u32, least: u32, first_size: u32, last_size: u32, bits: &mut Vec<bool>) {
    let (mut rest, mut size) = (number - least, first_size);
    while rest >> size != 0 {
        rest -= 1 << size;
        bits.push(true);
        size += 1;
    }
    if size < last_size {
        bits.push(false);
    }
    bits.extend((0..size).rev().map(|at| rest >> at & 1 == 1));
}
