//! What every adapter of connmgr that has an operating system under it shares.
//!
//! The policy is in [`connmgr_core`]; how sockets are opened is in the adapter of each runtime. Between them lies
//! what is the same everywhere, and it knows no runtime:
//!
//! | | |
//! |---|---|
//! | [`Clock`] | the core's two clocks, read from the machine's |
//! | [`dial_error`], [`proxy_dial_error`], [`close_cause`], [`end_cause`], [`accept_error_is_transient`] | the system's errors in the core's words |
//! | [`StateDir`], [`Saver`] | book, anchors and bans on disk, written off the event loop |
//! | [`TraceWriter`], [`TraceReader`], [`replay`] | a run written down, and run again |
//! | [`Resolve`], [`ResolverPool`] | names looked up on detached threads |
//! | [`Mailbox`] | what streams report to the task that owns the driver |
//! | [`rng_seed`] | chance for a new manager |
#![forbid(unsafe_code)]

mod clock;
mod entropy;
mod errors;
mod mailbox;
mod resolver;
mod state;
mod sync;
mod trace;

pub use clock::Clock;
pub use entropy::rng_seed;
pub use errors::{accept_error_is_transient, close_cause, dial_error, end_cause, proxy_dial_error};
pub use mailbox::{Fact, MAX_ADDRESSES, Mailbox};
pub use resolver::{MAX_ANSWERS, MAX_QUEUED, MAX_THREADS, Resolve, ResolverPool, SystemResolver};
pub use state::{Damage, DamageCause, NotFinished, Saver, StateDir, StateError};
pub use trace::{
    Birth, Line, Machine, ReplayError, ReplaySummary, TRACE_VERSION, TraceError, TraceReader, TraceWriter, replay,
};
