#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod attempt;
mod bell;
mod builder;
mod commands;
mod event;
mod handle;
mod listener;
mod net;
mod pool;
mod stream;
mod tokens;
mod turn;

pub use connmgr_core;
pub use connmgr_std::{
    ConnectError, Damage, DamageCause, NotACommand, Problem, Reporter, Resolve, StartError, StateError, SystemResolver,
    TraceError, parse_address, with_causes,
};
pub use mio;

pub use builder::Builder;
pub use event::PoolEvent;
pub use handle::{Handle, Ticket, Unsent};
pub use pool::Pool;
pub use stream::Stream;
