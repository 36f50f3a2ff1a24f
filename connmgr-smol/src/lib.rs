#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod alarm;
mod builder;
mod connection;
mod jobs;
mod listener;
mod net;
mod pool;
mod spawn;
mod task;
mod wire;

pub use connmgr_core;
pub use connmgr_std::{
    Damage, DamageCause, Handle, Problem, Reporter, Resolve, StartError, StateError, SystemResolver, TraceError,
};

pub use builder::Builder;
pub use connection::Connection;
pub use pool::Pool;
pub use spawn::{BoxFuture, Spawn};

/// What a [`Pool`] hands to its application.
pub type PoolEvent = connmgr_std::PoolEvent<Connection>;
