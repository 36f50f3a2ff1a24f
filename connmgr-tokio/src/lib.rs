#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod alarm;
mod builder;
mod connection;
mod listener;
mod net;
mod pool;
mod task;
mod wire;

pub use connmgr_core;
pub use connmgr_std::{
    Damage, DamageCause, Handle, Problem, Reporter, Resolve, StartError, StateError, SystemResolver, TraceError,
};

pub use builder::Builder;
pub use connection::Connection;
pub use pool::Pool;

/// What a [`Pool`] hands to its application.
pub type PoolEvent = connmgr_std::PoolEvent<Connection>;

/// The example on the project's front page compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ReadmeOfTheProject;
