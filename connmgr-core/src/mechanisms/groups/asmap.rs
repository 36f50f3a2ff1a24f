//! Bitcoin Core's binary form of a table of autonomous systems, "asmap".
//!
//! The file is a program of four instructions, one bit after the other, that is run on the 128 bits of an address. It is a
//! binary trie: no instruction is reached by two ways. So one pass over the file meets every prefix once, in order of
//! addresses. Read first: Bitcoin Core's `util/asmap.cpp`, whose check of a whole file is made here too: what Core refuses is
//! refused.

use alloc::vec::Vec;
use core::fmt;

use crate::types::{AsnTable, AsnTableBuilder};

impl AsnTable {
    /// The longest asmap file: 64 MiB. The internet's has some 2 MB.
    pub const MAX_ASMAP: usize = 64 << 20;

    /// The table in a file of Bitcoin Core's, "asmap".
    ///
    /// # Errors
    /// [`AsmapError`] says what is wrong with the bytes, and where.
    pub fn from_asmap(bytes: &[u8]) -> Result<Self, AsmapError> {
        if bytes.len() > Self::MAX_ASMAP {
            return Err(AsmapError { bit: 0, fault: AsmapFault::TooLong });
        }
        let mut program = AsmapProgram::new(bytes);
        match program.run() {
            Ok(()) => Ok(program.table.finish()),
            Err(fault) => Err(AsmapError { bit: program.bits.at, fault }),
        }
    }
}

/// Why bytes are no asmap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsmapError {
    /// The number of bits before the fault. The lowest bit of a byte is its first.
    pub bit: usize,
    /// What is wrong.
    pub fault: AsmapFault,
}

impl fmt::Display for AsmapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bit, fault } = self;
        write!(f, "{fault} (byte {}, bit {})", bit / 8, bit % 8)
    }
}

impl core::error::Error for AsmapError {}

/// What is wrong with an asmap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AsmapFault {
    /// Longer than [`AsnTable::MAX_ASMAP`].
    TooLong,
    /// It ends within an instruction, or before the last one.
    CutOff,
    /// It goes on after its end.
    GoesOn,
    /// A jump goes beyond the end.
    JumpTooFar,
    /// Two jumps cross, or one goes into the middle of an instruction, or nothing leads to an instruction.
    NoTree,
    /// A way through it asks for more bits than an address has.
    TooDeep,
    /// Instructions that Bitcoin Core would write in a shorter way.
    NotMinimal,
    /// More than [`AsnTable::MAX_RANGES`] ranges.
    TooManyRanges,
}

impl fmt::Display for AsmapFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "longer than {} bytes", AsnTable::MAX_ASMAP),
            Self::CutOff => f.write_str("cut off"),
            Self::GoesOn => f.write_str("goes on after its end"),
            Self::JumpTooFar => f.write_str("jumps beyond its end"),
            Self::NoTree => f.write_str("its jumps make no tree"),
            Self::TooDeep => f.write_str("asks for more than the 128 bits of an address"),
            Self::NotMinimal => f.write_str("has instructions that Bitcoin Core would write in a shorter way"),
            Self::TooManyRanges => write!(f, "has more than {} ranges", AsnTable::MAX_RANGES),
        }
    }
}

const ADDRESS_BITS: u32 = 128;

/// What is fixed of an address at one place of the program.
#[derive(Clone, Copy)]
struct BitPrefix {
    first: u128,
    /// How many bits are left.
    left: u32,
}

impl BitPrefix {
    /// The prefix with these `count` further bits.
    fn with(self, bits: u32, count: u32) -> Result<Self, AsmapFault> {
        let left = self.left.checked_sub(count).ok_or(AsmapFault::TooDeep)?;
        Ok(Self { first: self.first | u128::from(bits) << left, left })
    }

    fn length(self) -> u8 {
        u8::try_from(ADDRESS_BITS - self.left).expect("at most 128")
    }
}

/// The instruction before, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Jump,
    /// `is_short`: one of the matches in a row was of fewer bits than a match can have.
    Match {
        is_short: bool,
    },
    Default,
}

/// An asmap while it is read.
struct AsmapProgram<'a> {
    bits: BitReader<'a>,
    at: BitPrefix,
    before: Before,
    /// Where the other sides of jumps begin, the nearest last. Each has taken a bit, so they are at most 128.
    jumps: Vec<(usize, BitPrefix)>,
    table: AsnTableBuilder,
}

impl<'a> AsmapProgram<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bits: BitReader { bytes, at: 0 },
            at: BitPrefix { first: 0, left: ADDRESS_BITS },
            before: Before::Jump,
            jumps: Vec::new(),
            table: AsnTableBuilder::new(),
        }
    }

    /// Reads the whole program.
    fn run(&mut self) -> Result<(), AsmapFault> {
        loop {
            if self.jumps.last().is_some_and(|(to, _)| self.bits.at >= *to) {
                return Err(AsmapFault::NoTree);
            }
            match self.bits.instruction()? {
                Instruction::Return => {
                    self.own_number()?;
                    let Some((to, prefix)) = self.jumps.pop() else { return self.bits.end() };
                    if to != self.bits.at {
                        return Err(AsmapFault::NoTree);
                    }
                    (self.at, self.before) = (prefix, Before::Jump);
                }
                Instruction::Jump => self.jump()?,
                Instruction::Match => self.match_bits()?,
                Instruction::Default => {
                    self.own_number()?;
                    self.before = Before::Default;
                }
            }
        }
    }

    /// The prefix has a number of its own, for all that the rest of the program says nothing of.
    fn own_number(&mut self) -> Result<(), AsmapFault> {
        // Two in a row could be one.
        if self.before == Before::Default {
            return Err(AsmapFault::NotMinimal);
        }
        let number = self.bits.number(1, 15..=24)?;
        let pushed = self.table.push(self.at.first, self.at.length(), number);
        pushed.map_err(|_| AsmapFault::TooManyRanges)
    }

    /// The next bit decides: what follows is for 0, what is jumped to for 1.
    fn jump(&mut self) -> Result<(), AsmapFault> {
        let distance = self.bits.number(17, 5..=30)?;
        let to = self.bits.at + distance as usize;
        if to > self.bits.len() {
            return Err(AsmapFault::JumpTooFar);
        }
        let (zero, one) = (self.at.with(0, 1)?, self.at.with(1, 1)?);
        if self.jumps.last().is_some_and(|(outer, _)| to >= *outer) {
            return Err(AsmapFault::NoTree);
        }
        self.jumps.push((to, one));
        (self.at, self.before) = (zero, Before::Jump);
        Ok(())
    }

    /// What follows is only for addresses that go on with these bits, 1 to 8.
    fn match_bits(&mut self) -> Result<(), AsmapFault> {
        const MOST: u32 = 8;
        let number = self.bits.number(2, 1..=MOST)?;
        let count = number.ilog2();
        let is_short = count < MOST;
        let after_short = self.before == Before::Match { is_short: true };
        if is_short && after_short {
            return Err(AsmapFault::NotMinimal);
        }
        self.at = self.at.with(number ^ 1 << count, count)?;
        self.before = Before::Match { is_short };
        Ok(())
    }
}

enum Instruction {
    Return,
    Jump,
    Match,
    Default,
}

/// The bits of a file, from the lowest of each byte on.
struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl BitReader<'_> {
    const fn len(&self) -> usize {
        self.bytes.len() * 8
    }

    fn next(&mut self) -> Result<bool, AsmapFault> {
        let byte = self.bytes.get(self.at / 8).ok_or(AsmapFault::CutOff)?;
        let bit = byte >> (self.at % 8) & 1 == 1;
        self.at += 1;
        Ok(bit)
    }

    fn instruction(&mut self) -> Result<Instruction, AsmapFault> {
        if !self.next()? {
            return Ok(Instruction::Return);
        }
        if !self.next()? {
            return Ok(Instruction::Jump);
        }
        Ok(if self.next()? { Instruction::Default } else { Instruction::Match })
    }

    /// A number from `least` on. Each size of mantissa but the last begins with as many ones as there are smaller sizes, and
    /// a zero; numbers of one size follow those of the size before.
    fn number(&mut self, least: u32, sizes: core::ops::RangeInclusive<u32>) -> Result<u32, AsmapFault> {
        let (mut least, last) = (least, *sizes.end());
        for size in sizes {
            if size == last || !self.next()? {
                let mut mantissa = 0;
                for _ in 0..size {
                    mantissa = mantissa << 1 | u32::from(self.next()?);
                }
                return Ok(least + mantissa);
            }
            least += 1 << size;
        }
        Err(AsmapFault::CutOff)
    }

    /// The program has ended: only the rest of the last byte may follow, in zeros.
    fn end(&mut self) -> Result<(), AsmapFault> {
        let is_padding = self.len() - self.at < 8;
        while is_padding && self.at < self.len() {
            if self.next()? {
                return Err(AsmapFault::GoesOn);
            }
        }
        if is_padding { Ok(()) } else { Err(AsmapFault::GoesOn) }
    }
}
