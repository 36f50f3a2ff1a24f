#![doc = include_str!("../README.md")]
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
