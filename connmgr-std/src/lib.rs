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
//! | [`Settings`], [`builder_methods!`], [`bear`] | what the builders of all adapters are told |
//! | [`Engine`], [`Sockets`] | all that is the same around a driver; what is left to an adapter |
//! | [`kept`], [`Handle`] | a pool that is kept by a task: the task's side, the application's, and its commands |
//! | [`bind()`], [`Listeners`] | what an adapter listens on, and the pauses |
//! | [`Wire`], [`dial()`], [`dial_by_proxy`], [`resolve_by_proxy`] | dials and lookups of runtimes with futures |
//! | [`OpenSockets`], [`Guard`], [`connection_methods!`], [`Ending`] | the streams that applications own, and how they end |
//! | [`Mailbox`] | what streams report to whoever turns the engine |
//! | [`IdMap`] | the table for ids |
//! | [`Reporter`] | the same, told by the application of one connection |
//! | [`Origin`], [`Newborn`], [`StartError`] | how a manager is born, with its state and its trace |
//! | [`PoolEvent`], [`Problem`] | what a pool hands to its application |
//! | [`reply`] | what the manager's replies mean |
//! | [`Watch`] | the observer of a driver: the trace, the log (feature `tracing`), the metrics (feature `metrics`) |
//! | [`rng_seed`] | chance for a new manager |
#![forbid(unsafe_code)]

mod answer;
mod bell;
mod bind;
mod clock;
mod connection;
mod dial;
mod ending;
mod engine;
mod entropy;
mod ephemeral;
mod errors;
mod event;
mod guard;
mod handle;
mod id_map;
pub mod kept;
mod listeners;
#[cfg(feature = "tracing")]
mod log;
mod mailbox;
#[cfg(feature = "metrics")]
pub mod metrics;
mod origin;
pub mod reply;
mod reporter;
mod requests;
mod resolver;
mod settings;
mod state;
mod sync;
#[cfg(test)]
mod tests;
mod trace;
mod watch;
mod wire;

pub use connmgr_core;

pub use bind::bind;
pub use clock::Clock;
pub use dial::{Job, dial, dial_by_proxy, resolve_by_proxy};
pub use ending::Ending;
pub use engine::{Engine, Lookup, SHARE, Sockets};
pub use entropy::rng_seed;
pub use ephemeral::may_meet_itself;
pub use errors::{accept_error_is_transient, close_cause, dial_error, end_cause, proxy_dial_error};
pub use event::{PoolEvent, Problem};
pub use guard::{Guard, OpenSockets};
pub use handle::Handle;
pub use id_map::IdMap;
pub use listeners::Listeners;
pub use mailbox::{Fact, MAX_ADDRESSES, Mailbox};
pub use origin::{Newborn, Origin, StartError};
pub use reporter::Reporter;
pub use resolver::{MAX_ANSWERS, MAX_QUEUED, MAX_THREADS, OVERLAYS, Resolve, ResolverPool, SystemResolver};
pub use settings::{Settings, bear};
pub use state::{Damage, DamageCause, NotFinished, Saver, StateDir, StateError};
pub use trace::{
    Birth, Line, Machine, ReplayError, ReplaySummary, TRACE_VERSION, TraceError, TraceReader, TraceWriter, replay,
};
pub use watch::Watch;
pub use wire::Wire;
