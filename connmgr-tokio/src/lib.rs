#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod builder;
mod connection;
mod dial;
mod error;
mod event;
mod handle;
mod listener;
#[cfg(feature = "tracing")]
mod log;
mod net;
mod pool;
mod shared;
mod task;
mod watch;

pub use connmgr_core;
pub use connmgr_std::{Damage, DamageCause, Resolve, StateError, SystemResolver, TraceError};

pub use builder::Builder;
pub use connection::{Connection, Reporter};
pub use error::StartError;
pub use event::Problem;
pub use handle::Handle;
pub use pool::Pool;

/// What a [`Pool`] hands to its application.
pub type PoolEvent = event::PoolEvent<Connection>;
