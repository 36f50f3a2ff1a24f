//! A deterministic hostile network for `connmgr`: years in seconds, every failure replayable.

#![forbid(unsafe_code)]

pub mod campaign;
pub mod canary;
pub mod case;
pub mod catalogue;
pub mod chart;
pub mod compare;
pub mod config;
pub mod diary;
pub mod dice;
pub mod diff;
pub mod failure;
pub mod figures;
mod instant;
pub mod links;
pub mod models;
pub mod plan;
pub mod queue;
pub mod random;
pub mod record;
#[cfg(feature = "cli")]
pub mod replay;
#[cfg(feature = "report")]
pub mod report;
pub mod results;
pub mod rivals;
pub mod run;
pub mod scenario;
pub mod shrink;
mod stays;
pub mod story;
pub mod subject;
pub mod sweep;
pub mod tally;
pub mod watch;
pub mod world;

pub use connmgr_check;
pub use connmgr_core;
pub use failure::{Failure, Verdict};
pub use instant::Instant;
pub use run::{Outcome, Terms, run};
pub use scenario::Scenario;
pub use story::Story;
pub use subject::{Real, Subject};
pub use world::{Broken, Scrutiny, World};

/// A number that stands for a text: FNV-1a.
pub(crate) fn text_key(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Folds a number into another.
pub(crate) const fn fold(all: u64, one: u64) -> u64 {
    (all.rotate_left(9) ^ one).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
