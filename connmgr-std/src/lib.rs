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
//! | [`Reporter`] | the same, told by the application of one connection |
//! | [`Origin`], [`Newborn`], [`StartError`] | how a manager is born, with its state and its trace |
//! | [`PoolEvent`], [`Problem`] | what a pool hands to its application |
//! | [`Watch`] | the observer of a driver: the trace, and with the feature `tracing` the log |
//! | [`rng_seed`] | chance for a new manager |
#![forbid(unsafe_code)]

mod clock;
mod entropy;
mod errors;
mod event;
#[cfg(feature = "tracing")]
mod log;
mod mailbox;
mod origin;
mod reporter;
mod resolver;
mod state;
mod sync;
mod trace;
mod watch;

pub use clock::Clock;
pub use entropy::rng_seed;
pub use errors::{accept_error_is_transient, close_cause, dial_error, end_cause, proxy_dial_error};
pub use event::{PoolEvent, Problem};
pub use mailbox::{Fact, MAX_ADDRESSES, Mailbox};
pub use origin::{Newborn, Origin, StartError};
pub use reporter::Reporter;
pub use resolver::{MAX_ANSWERS, MAX_QUEUED, MAX_THREADS, OVERLAYS, Resolve, ResolverPool, SystemResolver};
pub use state::{Damage, DamageCause, NotFinished, Saver, StateDir, StateError};
pub use trace::{
    Birth, Line, Machine, ReplayError, ReplaySummary, TRACE_VERSION, TraceError, TraceReader, TraceWriter, replay,
};
pub use watch::Watch;
