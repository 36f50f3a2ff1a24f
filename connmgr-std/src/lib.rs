//! What all adapters of connmgr share on an operating system with `std`. It knows no runtime.
//!
//! The policy is in [`connmgr_core`], and each adapter opens the sockets of its runtime. What only adapters use is in
//! [`adapter`]. The rest is for applications, for which the adapters re-export most of it:
//!
//! | | |
//! |---|---|
//! | [`Pool`], [`Handle`], [`Reporter`] | a pool run by a task, its commands, and the facts of one connection |
//! | [`PoolEvent`], [`Problem`], [`StartError`] | events of a pool; why a pool did not start; [`with_causes`] tells an error whole |
//! | [`ConnectError`] | why `connect` gives no connection |
//! | [`StateDir`] | book, anchors and bans on disk |
//! | [`TraceWriter`], [`TraceReader`], [`replay`] | a run recorded, and replayed |
//! | [`read_asn_table`] | a table of autonomous systems from a file |
//! | [`parse_address`] | addresses whose zone is the name of an interface |
//! | [`Resolve`], [`SystemResolver`] | names looked up on detached threads |
//! | `metrics` | counters and gauges (feature `metrics`) |
#![forbid(unsafe_code)]

pub mod adapter;
mod address;
mod asn;
mod bell;
mod causes;
mod clock;
mod connect_error;
mod entropy;
mod errors;
mod event;
pub mod exports;
pub mod guide;
mod id_map;
mod machine;
#[cfg(feature = "watch-network")]
mod network_watch;
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

pub use adapter::commands::NotACommand;
pub use adapter::reporter::Reporter;
pub use adapter::socket_hook::DialSocket;
pub use address::parse_address;
pub use asn::{AsnFileError, AsnFileFault, parse_asn_table, read_asn_table};
pub use causes::with_causes;
pub use connect_error::ConnectError;
pub use event::{PoolEvent, Problem};
#[cfg(feature = "metrics")]
pub use observe::metrics;
pub use pool::{Handle, Pool};
pub use resolver::{MAX_RESOLVER_THREADS, Resolve, SystemResolver};
pub use startup::StartError;
pub use state::{Damage, DamageCause, SaveError, StateDir, StateError};
pub use trace::{Birth, Line, ReplayError, ReplaySummary, TRACE_VERSION, TraceError, TraceReader, TraceWriter, replay};
