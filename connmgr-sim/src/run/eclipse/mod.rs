//! Eclipse: how much of a node an attacker gets who owns much of its address book.
//!
//! Everything is measured beside: the book with each of its rules switched off, and a model of Bitcoin Core's. A trial
//! is one book of 2000 honest nodes, half of which were connected to before, that an attacker fills; then lives of a
//! day each begin with it. What is not in it: anchors, feelers of ours, and gossip of that day. They would help both.

mod core_like;
mod fate;
mod figures;
mod ours;
mod sweep;
mod trial;

pub use figures::EclipseFigures;
pub use ours::OurBook;
pub use sweep::{Axis, EclipsePoint, EclipseSweep};
pub use trial::Defence;
