//! Each does one thing, and knows neither connections nor peers nor the manager.

pub(crate) mod aliases;
mod backoff;
pub(crate) mod bans;
pub(crate) mod groups;
pub(crate) mod hasher;
pub(crate) mod health;
pub(crate) mod limiter;
pub(crate) mod lru;
pub(crate) mod nets;
pub(crate) mod own;
pub(crate) mod pace;
pub(crate) mod rng;
pub(crate) mod score;
pub(crate) mod seeds;
pub(crate) mod shortage;
pub(crate) mod timers;
pub(crate) mod trial;
pub(crate) mod turns;
