//! Tests and benchmarks that every adapter runs, so that all of them behave the same. Unpublished.
//!
//! It knows no runtime: each adapter has a small rig of its own, in its `tests/` and `benches/`.

#![forbid(unsafe_code)]

pub mod conformance;
#[cfg(target_os = "linux")]
pub mod endurance;
pub mod far_end;
pub mod insatiable;
pub mod peers;
#[cfg(target_os = "linux")]
pub mod process;
#[cfg(target_os = "linux")]
pub mod race;
