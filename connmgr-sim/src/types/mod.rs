//! Plain data that every layer uses: the world's time, spans of it, chances, and the names of figures.

mod dice;
mod figure;
pub(crate) mod hex;
mod instant;
mod share;
mod span;
pub(crate) mod text;

pub use dice::{Dice, DrawPurpose};
pub use figure::{Figure, FigureRange, UnknownFigure};
pub use instant::Instant;
pub use share::Share;
pub use span::Span;

/// A number that stands for a text: FNV-1a.
pub(crate) fn text_key(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Folds a number into another.
pub(crate) const fn fold(all: u64, one: u64) -> u64 {
    (all.rotate_left(9) ^ one).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
