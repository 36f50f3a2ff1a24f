#![doc = include_str!("../README.md")]
//!
//! # The samples of the items below
//!
//! All that an application needs is in the root of this crate. Samples of items that come from `connmgr_core` and
//! `connmgr_std` name these crates: in your program, write `connmgr_mio` for both.
#![forbid(unsafe_code)]

mod attempt;
mod bell;
mod builder;
mod commands;
mod event;
pub mod guide;
mod handle;
mod listener;
mod net;
mod pool;
mod stream;
mod tokens;
mod turn;

pub use connmgr_core;
// The configuration, addresses, commands, events and errors that an application needs.
#[doc(inline)]
pub use connmgr_std::exports::*;
pub use mio;

pub use builder::Builder;
pub use event::PoolEvent;
pub use handle::{Handle, Ticket, Unsent};
pub use pool::Pool;
pub use stream::Stream;
