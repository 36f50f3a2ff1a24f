//! Mechanisms: each does one thing and knows no connections, no peers and no manager.

pub(crate) mod aliases;
mod answered;
mod backoff;
pub(crate) mod bans;
pub(crate) mod frugal;
pub(crate) mod groups;
pub(crate) mod hash_index;
pub(crate) mod hasher;
pub(crate) mod health;
pub(crate) mod limiter;
pub(crate) mod lru;
pub(crate) mod nets;
pub(crate) mod own;
pub(crate) mod pace;
pub(crate) mod pages;
pub(crate) mod rng;
pub(crate) mod score;
pub(crate) mod seeds;
pub(crate) mod shortage;
pub(crate) mod tally;
pub(crate) mod timers;
pub(crate) mod trial;
pub(crate) mod turns;
