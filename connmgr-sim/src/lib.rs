//! A deterministic hostile network for `connmgr`: years in seconds, every failure replayable.

#![forbid(unsafe_code)]

pub mod attack;
#[cfg(feature = "report")]
pub mod report;
pub mod run;
pub mod scenario;
pub mod subject;
pub mod types;
pub mod watch;
pub mod world;

pub use connmgr_check;
pub use connmgr_core;
pub use run::failure::{Failure, RunVerdict};
pub use run::story::{Manner, Story};
pub use run::{RunOutcome, Terms, run};
pub use scenario::Scenario;
pub use types::Instant;
pub use watch::Real;
pub use world::subject::Subject;
pub use world::{Broken, Scrutiny, World};

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
