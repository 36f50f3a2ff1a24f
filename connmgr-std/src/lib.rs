//! What every adapter of connmgr that has an operating system under it shares.
//!
//! The policy is in [`connmgr_core`]; how sockets are opened is in the adapter of each runtime. Between them lies
//! what is the same everywhere, and it knows no runtime. What only adapters use is in [`adapter`]; the rest is for
//! applications too, which find most of it in the adapter of their runtime again:
//!
//! | | |
//! |---|---|
//! | [`Pool`], [`Handle`], [`Reporter`] | a pool that is kept by a task, its commands, and the facts of one connection |
//! | [`PoolEvent`], [`Problem`], [`StartError`] | what a pool hands to its application; why none is started |
//! | [`StateDir`] | book, anchors and bans on disk |
//! | [`TraceWriter`], [`TraceReader`], [`replay`] | a run written down, and run again |
//! | [`Resolve`], [`SystemResolver`] | names looked up on detached threads |
//! | `metrics` | what is counted (feature `metrics`) |
#![forbid(unsafe_code)]

pub mod adapter;
mod answer;
mod bell;
mod clock;
mod entropy;
mod errors;
mod event;
mod id_map;
mod observe;
mod pool;
mod resolver;
mod startup;
mod state;
mod sync;
#[cfg(test)]
mod tests;
mod trace;

pub use connmgr_core;

pub use adapter::reporter::Reporter;
pub use event::{PoolEvent, Problem};
#[cfg(feature = "metrics")]
pub use observe::metrics;
pub use pool::{Handle, Pool};
pub use resolver::{MAX_THREADS, Resolve, SystemResolver};
pub use startup::StartError;
pub use state::{Damage, DamageCause, StateDir, StateError};
pub use trace::{Birth, Line, ReplayError, ReplaySummary, TRACE_VERSION, TraceError, TraceReader, TraceWriter, replay};
