#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod alarm;
mod bell;
mod builder;
mod connection;
mod dial;
mod handle;
mod jobs;
mod listener;
mod net;
mod pool;
mod shared;
mod sources;
mod spawn;
mod task;

pub use connmgr_core;
pub use connmgr_std::{
    Damage, DamageCause, Problem, Reporter, Resolve, StartError, StateError, SystemResolver, TraceError,
};

pub use builder::Builder;
pub use connection::Connection;
pub use handle::Handle;
pub use pool::Pool;
pub use spawn::{BoxFuture, Spawn};

/// What a [`Pool`] hands to its application.
pub type PoolEvent = connmgr_std::PoolEvent<Connection>;
