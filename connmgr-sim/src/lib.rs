//! A deterministic hostile network for `connmgr`: years in seconds, every failure replayable.

#![forbid(unsafe_code)]

pub mod check;
