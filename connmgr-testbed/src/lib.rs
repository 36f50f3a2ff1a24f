//! What every adapter is tried against, so that all of them show the same: unpublished.
//!
//! It knows no runtime: each adapter brings a small rig of its own, in its `tests/` and `benches/`.

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
